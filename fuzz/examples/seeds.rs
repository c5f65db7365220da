//! Writes the first inputs of every fuzz target into `corpus/`: small, and of every kind that
//! the target knows.

use std::fs;
use std::path::{Path, PathBuf};

use artdag::base::{ContentHash, RunId};
use artdag::effects::golden;
use artdag::media::encode::{Format, encode, encode_stored};
use artdag::records::{Holder, tables};

fn main() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = Corpus(here.join("corpus"));
    configs(&corpus, &here.join("../examples"));
    records(&corpus, &here.join("../tests/golden"));
    images(&corpus);
    for n in 0..4_u8 {
        let bytes: Vec<u8> = (0..700_u32).map(|at| (at * u32::from(n) >> 2) as u8).collect();
        corpus.add("key_encoding", &bytes);
    }
}

struct Corpus(PathBuf);

impl Corpus {
    fn add(&self, target: &str, bytes: &[u8]) {
        let directory = self.0.join(target);
        fs::create_dir_all(&directory).expect("a directory for the seeds");
        let name = ContentHash::of(bytes).short();
        fs::write(directory.join(name), bytes).expect("a seed");
    }
}

const CONFIGS: &[&str] = &[
    "name: a\ndag: {nodes: [{id: x, type: SOURCE, config: {input: true}}], output: x}\n",
    "{\"name\": \"\\u00e9\", \"dag\": {\"nodes\": [{\"id\": \"x\", \"type\": \"SOURCE\", \"config\": {\"asset\": \"cat\"}}], \"output\": \"x\"}}",
    "name: b\nx-size: &size {width: 10, height: 1e1}\ndag:\n  nodes:\n    - {id: s, type: SOURCE, config: {asset: cat}}\n    - {id: r, type: RESIZE, config: {<<: *size, mode: pad, background: '#12345678'}, inputs: s}\n    - {id: t, type: TRANSFORM, config: {effects: {hue: 30, blur: 2}}, inputs: [r]}\n    - {id: b, type: BLEND, inputs: {base: t, overlay: r}}\n    - {id: l, type: LAYER, config: {inputs: [~, {position: [1, -2], scale: .5}]}, inputs: {ground: b, layers: [t, r]}}\n  output: {node: l, format: webp, quality: 90}\n",
    "name: bad\ndag:\n  nodes:\n    - {id: a, type: EFECT, inputs: [b, a]}\n    - {id: b, type: EFFECT, config: {effect: dgo}, inputs: [c]}\n    - {id: c, type: RESIZE, config: {widht: 1}, inputs: [b]}\n  output: nothing\n",
    "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b, !!str 1, !x y]\n? [k]\n: v\n",
];

fn configs(corpus: &Corpus, examples: &Path) {
    for config in CONFIGS {
        corpus.add("config", config.as_bytes());
    }
    for entry in fs::read_dir(examples).expect("the examples").flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "yaml") {
            corpus.add("config", &fs::read(entry.path()).expect("an example"));
        }
    }
}

/// The record types as the target numbers them; what stands among them without a golden file is
/// made here.
const RECORDS: &[&str] = &[
    "run",
    "memo",
    "key",
    "blob",
    "asset",
    "config",
    "infra",
    "token",
    "",
    "probe",
    "session",
    "idempotency",
    "publication",
    "delivery",
    "task",
    "seal",
    "trace",
    "commands",
];

/// The golden files: each type with each of its fields, of every version.
fn records(corpus: &Corpus, golden: &Path) {
    let add = |kind: usize, record: Vec<u8>| corpus.add("records", &[vec![kind as u8], record].concat());
    for entry in fs::read_dir(golden).expect("the golden files").flatten() {
        let name = entry.file_name().into_string().expect("a name in ASCII");
        let (kind, _) = name.rsplit_once("-v").expect("a name with its version");
        let number = RECORDS.iter().position(|known| *known == kind).expect("a type that the target knows");
        add(number, fs::read(entry.path()).expect("a golden file"));
    }
    let run = RunId::from_bytes([7; 16]);
    let hash = ContentHash::of(b"a blob");
    for holder in [Holder::RunInput(run), Holder::ConfigText(hash)] {
        add(8, tables::holder_key(&hash, &holder));
    }
}

fn images(corpus: &Corpus) {
    let picture = golden::picture();
    for format in Format::ALL {
        corpus.add("image", &encode(&picture, *format, None).expect("a picture in every format"));
    }
    corpus.add("image", &encode_stored(&picture));
    for text in
        ["<svg xmlns='http://www.w3.org/2000/svg'/>", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n", "{\"a\": 1}", "text"]
    {
        corpus.add("image", text.as_bytes());
    }
    // What an encoder of ours does not write: an EXIF block, a palette, an interlaced header.
    let rotated = b"\xff\xd8\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let jpeg = encode(&picture, Format::Jpeg, None).expect("a JPEG");
    corpus.add("image", &[rotated, &jpeg[2..]].concat());
    let gif = b"GIF89a\x02\0\x02\0\x80\0\0\0\0\0\xff\xff\xff\x21\xf9\x04\x01\0\0\0\0,\0\0\0\0\x02\0\x02\0\0\x02\x03D\x02\x05\0;";
    corpus.add("image", gif);
    corpus.add("image", &tiff_of_palette());
}

/// A 4x2 TIFF of two bits a pixel with a palette, little-endian and not compressed.
fn tiff_of_palette() -> Vec<u8> {
    let entries: &[(u16, u16, u32, u32)] = &[
        (256, 3, 1, 4),
        (257, 3, 1, 2),
        (258, 3, 1, 2),
        (259, 3, 1, 1),
        (262, 3, 1, 3),
        (273, 4, 1, 8),
        (277, 3, 1, 1),
        (278, 3, 1, 2),
        (279, 4, 1, 2),
        (320, 3, 12, 142),
    ];
    let mut bytes = b"II*\0\x10\0\0\0\x1b\xe4\0\0\0\0\0\0".to_vec();
    bytes.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(0_u32.to_le_bytes());
    bytes.extend((0..12_u16).flat_map(|n| (n * 5000).to_le_bytes()));
    bytes
}
