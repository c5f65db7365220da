//! S14: configs made to hurt are refused, in little time.

use proptest::prelude::*;

use crate::base::limits;
use crate::recipe::Recipe;
use crate::recipe::tests::{REFUSED_WITHIN, config, in_time, lines};

/// The one problem of a config, found in time.
fn refusal(text: &str) -> String {
    let mut lines = in_time(REFUSED_WITHIN, || lines(text));
    assert_eq!(lines.len(), 1, "{lines:#?}");
    lines.remove(0)
}

#[test]
fn s14_a_bomb_of_aliases() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..=10 {
        let uses = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("a{level}: &a{level} [{uses}]\n");
    }
    assert_eq!(refusal(&text), "7:10: more than 2000000 values (aliases expanded), which is the limit");
}

#[test]
fn s14_a_bomb_of_merges() {
    let mut text = "base: &base {".to_owned();
    text.extend((0..1000).map(|i| format!("k{i}: 1, ")));
    text += "}\nlist:\n";
    text.extend(std::iter::repeat_n("- {<<: *base}\n", 100_000));
    assert!(refusal(&text).ends_with("more than 2000000 values (aliases expanded), which is the limit"));
}

#[test]
fn s14_a_list_of_maps_merged_often() {
    let keys: Vec<String> = (0..1000).map(|i| format!("k{i}: 1")).collect();
    let text = format!("list: &list [{{{}}}]\nuses:\n{}", keys.join(", "), "- {<<: *list}\n".repeat(100_000));
    assert!(refusal(&text).ends_with("more than 2000000 values (aliases expanded), which is the limit"));
}

#[test]
fn s14_one_long_text_used_often() {
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a, ".repeat(100));
    assert!(refusal(&text).ends_with("more than 67108864 bytes of text (aliases expanded), which is the limit"));
}

#[test]
fn s14_depth_by_a_chain_of_aliases() {
    let mut text = "a0: &a0 [x]\n".to_owned();
    text.extend((1..=100_000).map(|level| format!("a{level}: &a{level} [*a{}]\n", level - 1)));
    assert_eq!(refusal(&text), "64:12: nested more than 64 levels deep, which is the limit");
}

#[test]
fn s14_depth_as_written() {
    for open in ["[", "{", "{a: ", "{\"a\":", "- ", "[[{\"a\":"] {
        let refused = refusal(&open.repeat(100_000));
        assert!(refused.ends_with("nested more than 64 levels deep, which is the limit"), "{open}: {refused}");
    }
    let nested = |levels: usize| config(&format!("  output: a\nx-a: {}{}\n", "[".repeat(levels), "]".repeat(levels)));
    assert_eq!(lines(&nested(limits::CONFIG_DEPTH - 1)), [""; 0]);
    assert!(refusal(&nested(limits::CONFIG_DEPTH)).ends_with("nested more than 64 levels deep, which is the limit"));
}

#[test]
fn s14_an_alias_to_itself() {
    assert!(refusal("a: &a [*a]").contains("an alias within what it stands for"));
    assert!(refusal("a: &a {b: [{c: *a}]}").contains("an alias within what it stands for"));
}

#[test]
fn s14_size() {
    assert_eq!(refusal(&"a".repeat(100 << 20)), "the config has 104857600 bytes, and the limit is 16777216 (16 MiB)");
}

#[test]
fn s14_a_list_in_brackets_that_the_scanner_would_hold_in_memory() {
    for text in [format!("-\n [{}]", "1,".repeat(600_000)), format!("- {{{}}}", "a: 1,".repeat(160_000))] {
        assert!(refusal(&text).contains("a list or map in brackets of more than 1000000 tokens, which is the limit"));
    }
    // The same as JSON is read on its own, here up to what is wrong with it.
    let json = format!("{{\"name\": [{}],\n \"b\" }}", vec!["1"; 600_000].join(","));
    assert_eq!(refusal(&json), "2:6: not JSON from here on (and too long for YAML in brackets)");
}

#[test]
fn s14_many_duplicate_keys() {
    let text = config("  output: a\n") + &"name: y\n".repeat(50_000);
    let lines = in_time(REFUSED_WITHIN, || lines(&text));
    assert_eq!(lines.len(), limits::CONFIG_PROBLEMS + 1);
    assert_eq!(lines[0], r#"8:1: the key "name" is here a second time; it is already at line 1, column 1"#);
}

const GOOD: [&str; 3] = [
    r#"
name: my-effect   # a comment
version: "1.0"
registry: {assets: {cat: {hash: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}}}
dag:
  nodes:
    - {id: user_image, type: SOURCE, config: {input: true, name: "input_image", media: image}}
    - id: apply_dog
      type: EFFECT
      config: {effect: dog, params: {sigma: 1.4}}
      inputs: [user_image]
  output: {node: apply_dog, format: webp, quality: 90}
"#,
    r##"%YAML 1.2
---
name: >-
  folded
  name
x-common: &c {saturation: 1.5, hue: 20}
x-more: &m
  <<: [*c, {blur: 2}]
  ? gamma
  : 2
description: |
  some
   text
dag:
  nodes:
  - {id: a, type: SOURCE, config: {asset: cat}}
  - &n
    id: b
    type: TRANSFORM
    config:
      effects: {<<: *m, "hue": 0x10}
    inputs: a
  - id: c
    type: LAYER
    config: {inputs: [{}, {position: [1, -2.0], opacity: .5}]}
    inputs:
      ground: a
      layers:
      - b
      - a
  - {id: 'd', type: "RESIZE", config: {width: !!int 10, background: "#fff"}, inputs: [c]}
  output: d
...
"##,
    r#"{"name": "j\u00e9 \ud83d\ude00", "version": 1.0,
    "dag": {"nodes": [
      {"id":"a","type":"SOURCE","config":{"input":true, "media": null}},
      {"id": "b", "type": "EFFECT", "config": {"effect": "pixelate", "params": {}}, "inputs": ["a"]},
      {"id": "c", "type": "BLEND", "config": {"mode": "screen", "opacity": 1e-1}, "inputs": {"base": "a", "overlay": "b"}}
    ], "output": {"node": "c", "format": "png"}}}
"#,
];

/// What YAML gives a meaning to, and what has tripped parsers up.
const PIECES: [&str; 44] = [
    "- ",
    ": ",
    "\n",
    "  ",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "&a ",
    "*a",
    "*c",
    "!!str ",
    "!x ",
    "<<: ",
    "|\n",
    ">-\n",
    "? ",
    "#",
    ",",
    "---\n",
    "...\n",
    "%TAG ! x\n",
    "%YAML 1.2\n",
    "\t",
    "\\u12",
    "\\ud800",
    "\\",
    "\u{feff}",
    "\r",
    "é",
    "\u{2028}",
    "\u{85}",
    "null",
    "~",
    "1e999",
    ".inf",
    "-0",
    "%",
    "@",
    "`",
    "!<a>",
    "!a%41",
];

/// One change of a text's bytes: at a place (a share of the length), of this kind, with this.
fn change(bytes: &mut Vec<u8>, place: f64, kind: u8, piece: usize, byte: u8) {
    let at = (place * bytes.len() as f64) as usize;
    let end = (at + usize::from(byte) / 8).min(bytes.len());
    match kind {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..end)),
        2 => {
            let copy = bytes[at..end].to_vec();
            bytes.extend(copy);
        }
        3 => bytes.insert(at, byte),
        _ => drop(bytes.splice(at..at, PIECES[piece % PIECES.len()].bytes())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn s14_no_change_of_a_good_config_panics(
        good in 0..GOOD.len(),
        changes in prop::collection::vec((0.0..1.0, 0..8_u8, any::<usize>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = GOOD[good].as_bytes().to_vec();
        for (place, kind, piece, byte) in changes {
            change(&mut bytes, place, kind, piece, byte);
        }
        if let Err(problems) = Recipe::parse(&bytes) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                prop_assert!(!problem.to_string().contains(|c: char| c.is_control()), "{problem}");
            }
        }
    }
}

#[test]
fn what_is_changed_was_good() {
    for text in GOOD {
        assert_eq!(lines(text), [""; 0]);
    }
}

#[test]
fn other_encodings_are_named() {
    let utf16: Vec<u8> = [0xfeff].into_iter().chain("name: x".encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let problem = |bytes: &[u8]| Recipe::parse(bytes).unwrap_err()[0].to_string();
    assert_eq!(problem(&utf16), "the config is in UTF-16; save it as UTF-8");
    assert_eq!(problem(b"name: x\nowner: \"\xc3\xa9\xe9\""), "2:10: the config is not UTF-8 text from here on");
}
