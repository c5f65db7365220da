//! Benchmarks: `cargo bench`, or `cargo bench -- NAME`. Fixed inputs; divan prints the median.
//!
//! What a figure is compared with stands beside it: a store's put beside a plain write and a
//! hash, a whole command beside other programs in `compare.sh`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use artdag::base::{ContentHash, Fingerprint, NodeKey, schema};
use artdag::cas::{RealDisk, Store};
use artdag::effects::{self, Body};
use artdag::engine::home::Opening;
use artdag::engine::lock::Role;
use artdag::engine::{Engine, Inputs, Opened, RecipeRef, Request};
use artdag::media::encode::{Format, encode, encode_stored};
use artdag::media::{Image, decode, resample};
use artdag::plan::key::KeyParts;
use artdag::recipe::Recipe;
use artdag::records::RunOptions;
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};

fn main() {
    divan::main();
}

/// A chain of `identity` nodes.
fn chain(nodes: usize) -> String {
    let mut yaml = String::from("name: chain\ndag:\n  nodes:\n    - {id: s, type: SOURCE, config: {asset: cat}}\n");
    for index in 0..nodes {
        let before = if index == 0 { "s".to_owned() } else { format!("n{}", index - 1) };
        let _ =
            writeln!(yaml, "    - {{id: n{index}, type: EFFECT, config: {{effect: identity}}, inputs: [{before}]}}");
    }
    let _ = writeln!(yaml, "  output: n{}", nodes - 1);
    yaml
}

fn open(home: &Path) -> Engine {
    let opening = Opening {
        home: home.join("home"),
        threads: 2,
        workers: 2,
        cache_max_bytes: None,
        ffmpeg: None,
        stage_timeout: 0,
        role: Role::Command,
        signer: Some(std::sync::Arc::new(artdag::link::Keys::open(&home.join("home")))),
    };
    match Engine::open(&opening) {
        Ok(Opened::Ours(engine)) => engine,
        Ok(Opened::Theirs(_)) => panic!("a new home is free"),
        Err(error) => panic!("{error}"),
    }
}

fn request(yaml: &str) -> Request {
    Request {
        recipe: RecipeRef::Bytes(yaml.as_bytes().to_vec()),
        inputs: Inputs::Named(Vec::new()),
        params: serde_json::Map::new(),
        output_name: None,
        format: None,
        options: RunOptions::default(),
        priority: 0,
        username: None,
        fixed: Vec::new(),
    }
}

/// A photo-like picture: gradients, edges and noise from integers alone.
fn photo(width: u32, height: u32) -> Image {
    let mut noise = 0x2545_f491_u32;
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 4);
    for y in 0..height {
        for x in 0..width {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            let shape = if (x / 97 + y / 61) % 3 == 0 { 70 } else { 0 };
            let grain = (noise >> 29) as u8;
            pixels.extend([
                (x * 160 / width) as u8 + shape + grain,
                (y * 150 / height) as u8 + shape / 2 + grain,
                ((x + y) * 120 / (width + height)) as u8 + grain,
                255,
            ]);
        }
    }
    Image::new(width, height, pixels)
}

#[divan::bench(args = [100, 10_000])]
fn parse(bencher: Bencher<'_, '_>, nodes: usize) {
    let yaml = chain(nodes);
    bencher
        .counter(ItemsCount::new(nodes))
        .counter(BytesCount::new(yaml.len()))
        .bench(|| Recipe::parse(black_box(yaml.as_bytes())).is_ok());
}

#[divan::bench(args = [100, 10_000])]
fn parse_and_plan(bencher: Bencher<'_, '_>, nodes: usize) {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let engine = open(dir.path());
    let request = request(&chain(nodes));
    bencher.counter(ItemsCount::new(nodes)).bench(|| engine.prepare(black_box(&request)).is_ok());
}

#[divan::bench]
fn key(bencher: Bencher<'_, '_>) {
    let parts = KeyParts {
        node_type: "EFFECT".to_owned(),
        version: 1,
        content: None,
        params: r#"{"effect":"dog","params":{"epsilon":0.4,"k":1.6,"sigma":1.4}}"#.to_owned(),
        inputs: vec![NodeKey::from_bytes([7; 32])],
        tools: vec![("effect:dog".to_owned(), Fingerprint::from_bytes([8; 32]))],
    };
    bencher.counter(ItemsCount::new(1_usize)).bench(|| black_box(&parts).key());
}

/// A run whose result is known: checked, planned, recorded durably, with its provenance.
#[divan::bench(args = [10, 10_000])]
fn known_run(bencher: Bencher<'_, '_>, nodes: usize) {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let engine = open(dir.path());
    let request = request(&chain(nodes));
    let run = || {
        let run = engine.submit(&request, true, &|_| Ok(())).expect("it was planned before");
        engine.wait(run).expect("a submitted run is there")
    };
    run();
    bencher.counter(ItemsCount::new(nodes)).bench(run);
}

const BLOB: usize = 4 << 20;

fn blob(seed: u64) -> Vec<u8> {
    let mut bytes = vec![0x5a; BLOB];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes
}

/// A new blob of 4 MiB, durable when the put returns.
#[divan::bench(sample_count = 30, sample_size = 1)]
fn store_put(bencher: Bencher<'_, '_>) {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let store = Store::open(Arc::new(RealDisk::open(dir.path()).expect("it is there"))).expect("a store opens");
    let mut seed = 0;
    bencher
        .counter(BytesCount::new(BLOB))
        .with_inputs(|| {
            seed += 1;
            blob(seed)
        })
        .bench_local_refs(|bytes| store.put_bytes(bytes).is_ok());
}

/// The baseline of `store_put`: the same bytes hashed, written to a file and synced.
#[divan::bench(sample_count = 30, sample_size = 1)]
fn plain_write_sync_and_hash(bencher: Bencher<'_, '_>) {
    use std::io::Write as _;
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let mut seed = 0;
    bencher
        .counter(BytesCount::new(BLOB))
        .with_inputs(|| {
            seed += 1;
            (blob(seed), dir.path().join(seed.to_string()))
        })
        .bench_local_refs(|(bytes, path)| {
            let hash = ContentHash::of(bytes);
            let mut file = std::fs::File::create(path).expect("a file can be made");
            file.write_all(bytes).and_then(|()| file.sync_data()).map(|()| hash).is_ok()
        });
}

#[divan::bench(args = effects::names().filter(|name| *name != "identity"), sample_count = 10, sample_size = 1)]
fn effect(bencher: Bencher<'_, '_>, name: &str) {
    let effect = effects::find(name).expect("the name is of the table");
    let Body::Pixels(op) = effect.body(&schema::defaults(effect.params())) else { return };
    let picture = Arc::new(photo(2000, 1500));
    bencher.counter(ItemsCount::new(2000_usize * 1500)).bench(|| op.start(black_box(&picture).clone()).is_ok());
}

#[divan::bench(args = [(500, 375), (4000, 3000)], sample_count = 10, sample_size = 1)]
fn resize(bencher: Bencher<'_, '_>, (width, height): (u32, u32)) {
    let picture = photo(2000, 1500);
    bencher.bench(|| resample::resize(black_box(&picture), width, height));
}

#[divan::bench(args = ["png", "jpeg", "webp", "tiff", "bmp"], sample_count = 10, sample_size = 1)]
fn encode_as(bencher: Bencher<'_, '_>, name: &str) {
    let format = Format::parse(name).expect("the name is of the formats");
    let picture = photo(2000, 1500);
    bencher.counter(ItemsCount::new(2000_usize * 1500)).bench(|| encode(black_box(&picture), format, None).is_ok());
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn stored_form_and_back(bencher: Bencher<'_, '_>) {
    let picture = photo(2000, 1500);
    bencher
        .counter(ItemsCount::new(2000_usize * 1500))
        .bench(|| decode::decode_stored(&encode_stored(black_box(&picture))).is_ok());
}
