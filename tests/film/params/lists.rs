//! What comes from outside, as one or as a list, and `MAP`.

use super::{BLUE, Case, GREEN, RED, Rig, Seen, about, near};
use crate::film::clip;
use crate::support::{Home, Ran};

pub const CASES: &[Case] = &[
    ("SOURCE", "input", source_input),
    ("SOURCE", "name", source_name),
    ("SOURCE", "description", source_description),
    ("SOURCE", "media", source_media),
    ("SOURCE", "asset", source_asset),
    ("SOURCE", "hash", source_hash),
    ("SOURCE_LIST", "input", list_input),
    ("SOURCE_LIST", "name", list_name),
    ("SOURCE_LIST", "description", list_description),
    ("SOURCE_LIST", "media", list_media),
    ("SOURCE_LIST", "items", list_items),
    ("MAP", "operation", map_operation),
    ("MAP", "items", map_items),
    ("MAP", "config", map_config),
    ("MAP", "effects", map_effects),
    ("MAP", "duration", map_duration),
    ("MAP", "seed", map_seed),
    ("MAP", "seed_from", map_seed_from),
];

/// Runs a config of one source and a node over it by the program, with these inputs (`s=FILE`).
fn ran(source: &str, node: &str, inputs: &[(&str, &[&str])], prepare: impl FnOnce(&Home)) -> Ran {
    let home = Home::new();
    prepare(&home);
    let yaml = format!(
        "name: x\ndag:\n  nodes:\n    - {{id: s, {source}}}\n    - {{id: x, {node}, inputs: [s]}}\n  output: x\n"
    );
    let mut words = vec!["run".to_owned(), home.write("x.yaml", yaml).display().to_string()];
    for (name, files) in inputs {
        let files: Vec<String> = files.iter().map(|file| clip(file).display().to_string()).collect();
        words.extend(["-i".to_owned(), format!("{name}={}", files.join(","))]);
    }
    let mut ran = home.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    if ran.code == 0 {
        // The home goes; what it made is told by its pixels.
        let seen = Seen::still(&std::fs::read(ran.out.trim_end()).expect("the output"));
        let strongest = (0..3).max_by_key(|channel| seen.middle(0)[*channel]).unwrap_or_default();
        ran.out = format!("{:?} {}", seen.size, ["red", "green", "blue"][strongest]);
    }
    ran
}

fn source(config: &str, inputs: &[(&str, &[&str])]) -> Ran {
    ran(&format!("type: SOURCE, config: {{{config}}}"), "type: FRAME", inputs, |_| {})
}

fn list(config: &str, inputs: &[(&str, &[&str])]) -> Ran {
    ran(&format!("type: SOURCE_LIST{config}"), "type: LAYER", inputs, |_| {})
}

#[track_caller]
fn shows(ran: &Ran, expected: &str) {
    assert!(ran.code == 0 && ran.out == expected, "{} {} {}", ran.code, ran.out, ran.err);
}

#[track_caller]
fn says(ran: &Ran, words: &[&str]) {
    let refused = [3, 4].contains(&ran.code);
    assert!(refused && words.iter().all(|word| ran.err.contains(word)), "{} {} {}", ran.code, ran.out, ran.err);
}

const FLAG: &str = "(64, 48) blue";

fn source_input(_: &Rig) {
    shows(&source("input: true", &[("s", &["flag.png"])]), FLAG);
    says(&source("input: true", &[]), &["\"s\""]);
    says(&source("input: false", &[]), &["input: true", "asset"]);
}

fn source_name(_: &Rig) {
    for name in ["s", "picture"] {
        shows(&source("input: true, name: picture", &[(name, &["flag.png"])]), FLAG);
    }
    says(&source("input: true", &[("picture", &["flag.png"])]), &["picture"]);
}

fn source_description(_: &Rig) {
    says(&source("input: true, description: a flag of three colours", &[]), &["a flag of three colours"]);
}

fn source_media(_: &Rig) {
    shows(&source("input: true, media: image", &[("s", &["flag.png"])]), FLAG);
    for (media, file) in [("video", "flag.png"), ("audio", "flag.mkv"), ("image", "stereo.flac"), ("data", "flag.png")]
    {
        says(&source(&format!("input: true, media: {media}"), &[("s", &[file])]), &[media]);
    }
    // What moves is a picture if it is said to be one, the first one of it.
    shows(
        &ran(
            "type: SOURCE, config: {input: true, media: image}",
            "type: RESIZE, config: {width: 32}",
            &[("s", &["turns.gif"])],
            |_| {},
        ),
        "(32, 24) red",
    );
}

fn source_asset(_: &Rig) {
    let add = |home: &Home| {
        home.ok(&["cache", "add", &clip("flag.png").display().to_string(), "--name", "flag"]);
    };
    shows(&ran("type: SOURCE, config: {asset: flag}", "type: FRAME", &[], add), FLAG);
    says(&source("asset: flat", &[]), &["flat"]);
}

fn source_hash(rig: &Rig) {
    let of = |name: &str| rig.see("type: FRAME, config: {frame: 0}", &[name]);
    near(of("red.mp4").middle(0), RED, 8);
    near(of("blue.mp4").middle(0), BLUE, 8);
    says(&source(&format!("hash: \"{}\"", "0".repeat(64)), &[]), &["000000"]);
}

fn list_input(_: &Rig) {
    // The last one lies on top.
    shows(&list("", &[("s", &["still.png", "flag.png"])]).cut(), "(50, 40)");
    shows(&list(", config: {input: true}", &[("s", &["flag.png", "still.png"])]).cut(), "(64, 48)");
    says(&list("", &[]), &["\"s\""]);
    says(&list(", config: {input: false}", &[]), &["items"]);
}

fn list_name(_: &Rig) {
    shows(&list(", config: {name: pictures}", &[("pictures", &["flag.png"])]), FLAG);
    says(&list("", &[("pictures", &["flag.png"])]), &["pictures"]);
}

fn list_description(_: &Rig) {
    says(&list(", config: {description: all of the flags}", &[]), &["all of the flags"]);
}

fn list_media(_: &Rig) {
    shows(&list(", config: {media: image}", &[("s", &["flag.png"])]), FLAG);
    says(&list(", config: {media: image}", &[("s", &["flag.png", "stereo.flac"])]), &["image"]);
}

fn list_items(rig: &Rig) {
    let joined = |names: [&str; 2]| {
        let hashes = names.map(|name| format!("\"{}\"", rig.hash(name))).join(", ");
        let list = format!("type: SOURCE_LIST, config: {{input: false, items: [{hashes}]}}");
        rig.see("type: SEQUENCE", &[&list])
    };
    let seen = joined(["green.mp4", "red.mp4"]);
    near(seen.middle(0), GREEN, 8);
    near(seen.middle(49), RED, 8);
    near(joined(["red.mp4", "green.mp4"]).middle(49), GREEN, 8);
}

fn mapped(rig: &Rig, config: &str, sources: &[&str]) -> Seen {
    rig.see_last(&[&format!("type: MAP, config: {{{config}}}"), "type: SEQUENCE, inputs: [n0]"], sources)
}

fn map_operation(rig: &Rig) {
    let seen = mapped(rig, "operation: SEGMENT, config: {duration: 0.2}", &["blue.mp4", "red.mp4"]);
    assert_eq!(seen.frames.len(), 10);
    near(seen.middle(4), BLUE, 8);
    near(seen.middle(5), RED, 8);
    assert_eq!(
        mapped(rig, "operation: RESIZE, config: {width: 16, height: 16}", &["blue.mp4", "red.mp4"]).size,
        (16, 16)
    );
    assert_eq!(mapped(rig, "operation: RANDOM_SLICE, duration: 0.4", &["steps.mkv", "steps.mkv"]).frames.len(), 20);
    let refusal = rig.refusal("type: MAP, config: {operation: SEGMNT}", &["red.mp4"]);
    assert!(refusal.contains("SEGMENT"), "{refusal}");
}

fn map_items(rig: &Rig) {
    let seen = mapped(rig, "operation: SEGMENT, config: {duration: 0.2}, items: [s1, s0]", &["blue.mp4", "red.mp4"]);
    near(seen.middle(0), RED, 8);
    near(seen.middle(9), BLUE, 8);
}

fn map_config(rig: &Rig) {
    for (offset, first) in [(0.4, 10), (1.0, 25)] {
        let seen =
            mapped(rig, &format!("operation: SEGMENT, config: {{offset: {offset}, duration: 0.2}}"), &["steps.mkv"]);
        assert_eq!(seen.steps(), (first..first + 5).collect::<Vec<_>>());
    }
    let refusal = rig.refusal("type: MAP, config: {operation: SEGMENT, config: {width: 3}}", &["red.mp4"]);
    assert!(refusal.contains("width"), "{refusal}");
}

fn map_effects(rig: &Rig) {
    // Of three items the third has the first's effects again.
    let seen =
        mapped(rig, "operation: TRANSFORM, effects: [{hue: 120}, {speed: 5}]", &["red.mp4", "red.mp4", "red.mp4"]);
    assert_eq!(seen.frames.len(), 25 + 5 + 25);
    let strongest = |frame: usize| (0..3).max_by_key(|channel| seen.middle(frame)[*channel]).unwrap_or_default();
    assert_eq!([0, 24, 25, 29, 30, 54].map(strongest), [1, 1, 0, 0, 1, 1]);
}

fn slice(rig: &Rig, config: &str) -> Vec<usize> {
    let seen = mapped(rig, &format!("operation: RANDOM_SLICE{config}"), &["steps.mkv", "steps.mkv"]);
    let steps = seen.steps();
    // Sound and picture are of one place.
    about(seen.second(0).into(), steps[0] as f64 / 25.0, 1e-3);
    steps
}

fn map_duration(rig: &Rig) {
    for (config, frames) in [("", 25), (", duration: 0.2", 5), (", duration: 30", 50)] {
        let steps = slice(rig, config);
        assert_eq!(steps.len(), 2 * frames);
        assert!(steps[..frames].windows(2).all(|pair| pair[1] == pair[0] + 1), "{steps:?}");
    }
}

fn map_seed(rig: &Rig) {
    let of = |seed: &str| slice(rig, &format!(", duration: 0.2{seed}"));
    assert_eq!(of(", seed: 0"), of(""));
    let places: std::collections::HashSet<Vec<usize>> = (1..6).map(|seed| of(&format!(", seed: {seed}"))).collect();
    assert!(places.len() > 2, "{places:?}");
}

fn map_seed_from(rig: &Rig) {
    let of = |words: &str, source: &str| {
        let map = format!(
            "type: MAP, config: {{operation: RANDOM_SLICE, duration: 0.2, seed_from: {words}}}, inputs: [s0, s0]"
        );
        // The second source is there for its content alone; it is shown at the end.
        rig.see_last(&[&map, "type: SEQUENCE, config: {duration: 0.04}, inputs: [n0, s1]"], &["steps.mkv", source])
            .steps()[..10]
            .to_vec()
    };
    assert_eq!(of("some words", "still.png"), of("some words", "flag.png"));
    let words: std::collections::HashSet<_> =
        ["one", "two", "three", "four"].map(|words| of(words, "still.png")).into();
    assert!(words.len() > 1, "{words:?}");
    let contents: std::collections::HashSet<_> =
        ["still.png", "flag.png", "edge.png", "red.mp4"].map(|source| of("s1", source)).into();
    assert!(contents.len() > 1, "{contents:?}");
}

impl Ran {
    /// The size alone of what came out.
    fn cut(mut self) -> Self {
        if let Some(end) = self.out.find(") ").map(|at| at + 1) {
            self.out.truncate(end);
        }
        self
    }
}
