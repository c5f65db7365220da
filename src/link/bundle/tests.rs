//! Bundles that somebody made to do harm: all of them signed, none of them taken.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::manifest::{self, Entry, Kind, Manifest, VERSION};
use super::{Bundle, BundleError, Export, With, export, import, seal, tar};
use crate::base::limits::{
    BUNDLE_ENTRIES, BUNDLE_ENTRY_BYTES, BUNDLE_FREE_BYTES, BUNDLE_RATIO, BUNDLE_TEXT_BYTES, BUNDLE_WINDOW_LOG,
    CONFIG_BYTES, ENVELOPE_BYTES,
};
use crate::base::{ContentHash, canonical};
use crate::engine::home::Opening;
use crate::engine::lock::Role;
use crate::engine::{Engine, Inputs, Opened, RecipeRef, Request};
use crate::link::Keys;

/// A home, a place for files beside it, and keys.
struct Site {
    engine: Engine,
    keys: Keys,
    dir: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        let home = dir.path().join("home");
        let keys = Keys::open(&home);
        let opening = Opening {
            home,
            threads: 1,
            workers: 1,
            cache_max_bytes: None,
            ffmpeg: None,
            stage_timeout: 0,
            role: Role::Command,
            signer: Some(std::sync::Arc::new(keys.clone())),
        };
        match Engine::open(&opening).unwrap() {
            Opened::Ours(engine) => Self { engine, keys, dir },
            Opened::Theirs(_) => panic!("a new home is free"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A file with this archive in it, sealed.
    fn sealed(&self, name: &str, archive: &[u8], text: &str) -> PathBuf {
        self.sealed_as(name, &zstd::encode_all(archive, 3).unwrap(), text)
    }

    fn sealed_as(&self, name: &str, compressed: &[u8], text: &str) -> PathBuf {
        let frame = seal::frame(&self.keys, &ContentHash::of(compressed), &ContentHash::of(text.as_bytes())).unwrap();
        let path = self.path(name);
        std::fs::write(&path, [&frame[..], compressed].concat()).unwrap();
        path
    }

    /// Is refused by a home in which nothing changes.
    fn refuses(&self, path: &Path, why: &str) {
        let before = (self.engine.commits(), files(&self.path("home")));
        let taken = Bundle::open(path, None).and_then(|bundle| import(&self.engine, &bundle, false));
        let said = taken.expect_err(why).to_string();
        assert!(said.contains(why), "{why:?} is not in {said:?}");
        assert_eq!((self.engine.commits(), files(&self.path("home"))), before, "{why}");
    }
}

/// Every file below a directory with its size.
fn files(directory: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push((entry.path(), entry.metadata().unwrap().len()));
        }
    }
    found.sort();
    found
}

fn plain(entries: Vec<Entry>) -> Manifest {
    Manifest { bundle: VERSION, effects: vec![], elsewhere: vec![], entries, runs: vec![] }
}

fn input(bytes: &[u8]) -> Entry {
    Entry::new(Kind::Input, ContentHash::of(bytes), bytes.len() as u64)
}

/// An archive: the manifest, and files under headers of their own.
fn archive(text: &str, files: &[([u8; tar::BLOCK], &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    let manifest = (tar::header(manifest::NAME, text.len() as u64), text.as_bytes());
    for (header, bytes) in std::iter::once(&manifest).chain(files) {
        archive.extend_from_slice(header);
        archive.extend_from_slice(bytes);
        archive.resize(archive.len() + tar::padding(bytes.len() as u64), 0);
    }
    archive.resize(archive.len() + tar::END, 0);
    archive
}

/// The header of a file, changed, with its sum made right again.
fn header_with(name: &str, size: u64, change: impl FnOnce(&mut [u8; tar::BLOCK])) -> [u8; tar::BLOCK] {
    let mut block = tar::header(name, size);
    change(&mut block);
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

#[test]
fn s4_names_links_and_what_the_manifest_does_not_list_are_refused() {
    let site = Site::new();
    let bytes = b"some bytes of a file";
    let entry = input(bytes);
    let text = plain(vec![entry.clone()]).text();
    let good = tar::header(&entry.path, entry.size);
    let path = site.sealed("good", &archive(&text, &[(good, bytes)]), &text);
    assert!(
        import(&site.engine, &Bundle::open(&path, None).unwrap(), true).is_ok(),
        "what is refused below differs in one thing"
    );

    let size = entry.size;
    let not_plain = "is not a plain file of that name and size";
    for (name, header) in [
        ("up", tar::header("../../../../tmp/out", size)),
        ("absolute", tar::header("/tmp/out", size)),
        ("other", tar::header(&Entry::new(Kind::Output, entry.blake3, size).path, size)),
        ("symlink", header_with(&entry.path, size, |block| block[156] = b'2')),
        ("hardlink", header_with(&entry.path, size, |block| block[156] = b'1')),
        ("device", header_with(&entry.path, size, |block| block[156] = b'3')),
        ("prefix", header_with(&entry.path, size, |block| block[345..348].copy_from_slice(b"../"))),
        ("pax", header_with("PaxHeaders/x", size, |block| block[156] = b'x')),
        ("setuid", header_with(&entry.path, size, |block| block[100..107].copy_from_slice(b"0004755"))),
        ("longer", tar::header(&entry.path, size + 1)),
    ] {
        site.refuses(&site.sealed(name, &archive(&text, &[(header, bytes)]), &text), not_plain);
    }
    site.refuses(
        &site.sealed("twice", &archive(&text, &[(good, bytes), (good, bytes)]), &text),
        "something stands between",
    );
    site.refuses(&site.sealed("none", &archive(&text, &[]), &text), not_plain);
    site.refuses(
        &site.sealed("changed", &archive(&text, &[(good, b"some bytes of a filf")]), &text),
        "has other bytes",
    );
    let mut more = archive(&text, &[(good, bytes)]);
    let mut cut = more.clone();
    cut.truncate(more.len() - tar::END);
    site.refuses(&site.sealed("cut", &cut, &text), "ends too early");
    more.push(0);
    site.refuses(&site.sealed("more", &more, &text), "something follows its last entry");
    more.pop();
    let frames = [zstd::encode_all(&more[..], 3).unwrap(), zstd::encode_all(&b"x"[..], 3).unwrap()].concat();
    site.refuses(&site.sealed_as("frames", &frames, &text), "something follows its end");
    site.refuses(&site.sealed("unsigned", &more, &plain(vec![]).text()), "manifest is not the one that was signed");
}

#[test]
fn s4_manifests_with_names_of_their_own_are_refused() {
    let site = Site::new();
    let good = input(b"a");
    let change = |field: &str, value: Value| {
        let mut entry = serde_json::to_value(&good).unwrap();
        entry[field] = value;
        json!({"bundle": 1, "effects": [], "elsewhere": [], "entries": [entry], "runs": []})
    };
    let twice = json!({"bundle": 1, "effects": [], "elsewhere": [], "entries": [good, good], "runs": []});
    let mut newer = change("size", json!(1));
    newer["bundle"] = json!(2);
    let mut unknown = change("size", json!(1));
    unknown["more"] = json!(1);
    for (manifest, why) in [
        (change("path", json!("input/../../x")), "no name of an entry"),
        (change("path", json!(format!("output/{}", good.blake3))), "no name of an entry"),
        (change("kind", json!("link")), "unknown variant"),
        (change("size", json!(9_u64 << 30)), "are the most"),
        (change("size", json!(-1)), "invalid value"),
        (twice, "twice, or not in their order"),
        (newer, "version 1 is read"),
        (unknown, "unknown field"),
    ] {
        let text = canonical::to_string(&manifest);
        site.refuses(&site.sealed("bundle", &archive(&text, &[]), &text), why);
    }
    let text = serde_json::to_string_pretty(&plain(vec![])).unwrap();
    site.refuses(&site.sealed("bundle", &archive(&text, &[]), &text), "not canonical");
    site.refuses(&site.sealed("bundle", b"", ""), "ends too early");
    let huge = tar::header(manifest::NAME, 8 << 30 >> 1);
    site.refuses(&site.sealed("bundle", &huge, ""), "does not begin with manifest.json");
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    let site = Site::new();
    // Said to be large: five times the gigabyte that is allowed however small the file is.
    let entry = Entry::new(Kind::Input, ContentHash::of(b"zeros"), 5 * BUNDLE_FREE_BYTES);
    let text = plain(vec![entry.clone()]).text();
    let header = tar::header(&entry.path, entry.size);
    site.refuses(&site.sealed("bomb", &archive(&text, &[(header, &[0; 4096])]), &text), "are the most");
    // Said to be small, and followed by far more than is said.
    let bytes = [0; 1000];
    let entry = input(&bytes);
    let text = plain(vec![entry.clone()]).text();
    let mut long = archive(&text, &[(tar::header(&entry.path, entry.size), &bytes)]);
    long.resize(long.len() + (64 << 20), 0);
    site.refuses(&site.sealed("long", &long, &text), "something follows");
    // One that makes whoever unpacks it hold a large window in memory.
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    encoder.window_log(BUNDLE_WINDOW_LOG + 4).unwrap();
    encoder.write_all(&long).unwrap();
    site.refuses(&site.sealed_as("window", &encoder.finish().unwrap(), &text), "zstd");
}

/// A run over a few pixels, and the bundle of it.
fn with_run(site: &Site) -> (PathBuf, Manifest) {
    let png = include_bytes!("../../media/decode/fixtures/grey1.png");
    let hash = site.engine.add_bytes(png, None).unwrap().content_hash;
    let options = json!({"cache": true, "fuse": true, "keep": [], "force": [], "checkpoint": "auto"});
    let request = Request {
        recipe: RecipeRef::Effect("invert".to_owned()),
        inputs: Inputs::Listed(vec![hash]),
        params: Map::new(),
        output_name: None,
        format: None,
        options: serde_json::from_value(options).unwrap(),
        priority: 0,
        username: None,
        fixed: Vec::new(),
    };
    let run = site.engine.submit(&request, true, &|_| Ok(())).unwrap();
    site.engine.wait(run).unwrap();
    let wanted = Export {
        words: vec![run.to_string()],
        with: With { outputs: true, intermediates: false },
        ..Export::default()
    };
    let path = site.path("run.bundle");
    let (manifest, size) = export(&site.engine, &site.keys, &wanted, &path).unwrap();
    assert_eq!(size, std::fs::metadata(&path).unwrap().len());
    (path, manifest)
}

#[test]
fn one_changed_byte_anywhere_or_a_missing_end_is_refused_before_anything_is_written() {
    let from = Site::new();
    let (path, _) = with_run(&from);
    let bytes = std::fs::read(&path).unwrap();
    let site = Site::new();
    let before = (site.engine.commits(), files(&site.path("home")));
    let taken = |bytes: &[u8]| {
        let path = site.path("changed");
        std::fs::write(&path, bytes).unwrap();
        Bundle::open(&path, None).and_then(|bundle| import(&site.engine, &bundle, false))
    };
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(taken(&changed).is_err(), "byte {at} of {}", bytes.len());
        if at % 5 == 0 {
            assert!(taken(&bytes[..at]).is_err(), "cut at {at}");
        }
    }
    assert!(taken(&[&bytes[..], b"\0"].concat()).is_err());
    assert_eq!((site.engine.commits(), files(&site.path("home"))), before);
    assert_eq!(taken(&bytes).unwrap().runs.len(), 1);
}

#[test]
fn what_is_inside_must_be_what_its_signed_record_says() {
    let from = Site::new();
    let (path, manifest) = with_run(&from);
    let mut parts: Vec<(Entry, Vec<u8>)> = Vec::new();
    let bundle = Bundle::open(&path, None).unwrap();
    bundle
        .read(&mut |entry, from| {
            let mut bytes = Vec::new();
            from.read_to_end(&mut bytes).unwrap();
            parts.push((entry.clone(), bytes));
            Ok(())
        })
        .unwrap();
    let site = Site::new();
    // The same parts again, one of them changed or left out, by a signer who means it.
    let rebuilt = |change: &dyn Fn(Kind, Vec<u8>) -> Option<Vec<u8>>| {
        let mut made: Vec<(Entry, Vec<u8>)> = Vec::new();
        for (entry, bytes) in &parts {
            let Some(bytes) = change(entry.kind, bytes.clone()) else { continue };
            made.push((Entry::new(entry.kind, ContentHash::of(&bytes), bytes.len() as u64), bytes));
        }
        made.sort_by_key(|(entry, _)| (entry.kind, entry.blake3));
        let entries = made.iter().map(|(entry, _)| entry.clone()).collect();
        let text = Manifest { entries, ..manifest.clone() }.text();
        let files: Vec<_> =
            made.iter().map(|(entry, bytes)| (tar::header(&entry.path, entry.size), &bytes[..])).collect();
        from.sealed("rebuilt", &archive(&text, &files), &text)
    };
    let edit = |of: Kind, from: &'static str, to: &'static str| {
        move |kind: Kind, bytes: Vec<u8>| {
            Some(if kind == of { String::from_utf8(bytes).unwrap().replacen(from, to, 1).into_bytes() } else { bytes })
        }
    };
    let without = |of: Kind| move |kind: Kind, bytes: Vec<u8>| (kind != of).then_some(bytes);
    site.refuses(
        &rebuilt(&edit(Kind::Record, "\"name\":\"invert\"", "\"name\":\"sepia\"")),
        "its record is not in the bundle",
    );
    site.refuses(&rebuilt(&edit(Kind::Envelope, "\"payload\":\"ey", "\"payload\":\"eI")), "envelope/");
    site.refuses(&rebuilt(&without(Kind::Envelope)), "its record is not signed");
    site.refuses(&rebuilt(&without(Kind::Record)), "its record is not in the bundle");
    site.refuses(&rebuilt(&without(Kind::Run)), "other runs than it holds");
    site.refuses(
        &rebuilt(&edit(Kind::Run, "\"output_name\":\"invert\"", "\"output_name\":\"other\"")),
        "not what its signed record says",
    );
    for (of, to) in [
        ("\"recipe\":\"invert\"", "\"recipe\":\"sepia\""),
        ("\"recipe_version\":\"1\"", "\"recipe_version\":\"9\""),
        ("\"output_media_type\":\"image/png\"", "\"output_media_type\":\"text/html\""),
        ("\"completed_at\":\"2", "\"completed_at\":\"1"),
    ] {
        site.refuses(&rebuilt(&edit(Kind::Run, of, to)), "not what its signed record says");
    }
    site.refuses(&rebuilt(&edit(Kind::Run, "{", "{ ")), "not canonical");
    site.refuses(&rebuilt(&without(Kind::Input)), "not here");
    // As it is, it is taken; and again, which changes nothing.
    let path = rebuilt(&|_, bytes| Some(bytes));
    let bundle = Bundle::open(&path, None).unwrap();
    let done = import(&site.engine, &bundle, false).unwrap();
    assert_eq!((done.blobs, done.runs.len()), (2, 1));
    let before = site.engine.commits();
    let again = import(&site.engine, &bundle, false).unwrap();
    assert_eq!((again.blobs, again.known_blobs, again.known_runs.len()), (0, 2, 1));
    assert_eq!(site.engine.commits(), before);
    let other = site.keys.ed25519().unwrap().verifying_key();
    let refused = Bundle::open(&path, Some(&other)).unwrap_err();
    assert!(matches!(&refused, BundleError::Changed { why, .. } if why.contains("is demanded")), "{refused}");
}

#[test]
fn what_is_too_much_for_an_import_is_refused_before_an_export_writes_anything() {
    let entry = |number: u64, kind: Kind, size: u64| Entry::new(kind, ContentHash::of(&number.to_le_bytes()), size);
    let refuses = |entries: Vec<Entry>, elsewhere: Vec<Entry>, why: &str| {
        let refused = Manifest { elsewhere, ..plain(entries) }.check_sizes().unwrap_err();
        assert!(refused.contains(why), "{refused}");
    };
    let many: Vec<Entry> = (0..=BUNDLE_ENTRIES as u64).map(|number| entry(number, Kind::Input, 1)).collect();
    refuses(many.clone(), vec![], "it has 100001 entries");
    refuses(vec![], many, "it has 100001 entries");
    refuses(vec![entry(1, Kind::Output, BUNDLE_ENTRY_BYTES + 1)], vec![], "are the most");
    refuses(vec![entry(1, Kind::Config, CONFIG_BYTES as u64 + 1)], vec![], "config/");
    refuses(vec![entry(1, Kind::Record, ENVELOPE_BYTES + 1)], vec![], "record/");
    // Each of them may be, and all of them may not.
    let records = |count: u64| (0..count).map(|number| entry(number, Kind::Record, ENVELOPE_BYTES)).collect();
    assert_eq!(plain(records(BUNDLE_TEXT_BYTES / ENVELOPE_BYTES)).check_sizes(), Ok(()));
    refuses(records(BUNDLE_TEXT_BYTES / ENVELOPE_BYTES + 1), vec![], "and 0 are the most");
    let ratio = plain(vec![entry(1, Kind::Input, BUNDLE_FREE_BYTES + 1)]);
    assert!(ratio.check_ratio(BUNDLE_FREE_BYTES / BUNDLE_RATIO).unwrap_err().contains("are the most"));
    assert_eq!(ratio.check_ratio(BUNDLE_FREE_BYTES / BUNDLE_RATIO + 1), Ok(()));
}
