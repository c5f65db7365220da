//! Every message about a config, as a person sees it.

use crate::base::limits;
use crate::effects;
use crate::recipe::Recipe;
use crate::recipe::tests::{config, lines};

fn check_all(cases: &[(String, &[&str])]) {
    for (config, expected) in cases {
        assert_eq!(lines(config), *expected, "{config}");
    }
}

#[test]
fn what_is_no_config() {
    check_all(&[
        (String::new(), &["the config is empty"]),
        (
            "# nothing
"
            .to_owned(),
            &["the config is empty"],
        ),
        (
            "null
"
            .to_owned(),
            &["the config is empty"],
        ),
        ("just text".to_owned(), &["1:1: a config is a map with the keys name and dag"]),
        (
            "- a list
"
            .to_owned(),
            &["1:1: a config is a map with the keys name and dag"],
        ),
        (
            "name: x
---
name: y
"
            .to_owned(),
            &["2:1: a second document; a config is one"],
        ),
        ("{}".to_owned(), &["1:1: name is missing", "1:1: dag is missing"]),
        (
            "name: 
dag:
"
            .to_owned(),
            &["1:1: name is missing", "1:1: dag is missing"],
        ),
    ]);
}

#[test]
fn syntax() {
    check_all(&[
        (
            "name: [
"
            .to_owned(),
            &["2:1: not YAML: while parsing a node, did not find expected node content"],
        ),
        (
            "name: x\n\u{9}dag: y\n".to_owned(),
            &["1:7: not YAML: while scanning a plain scalar, found a tab (indent with spaces)"],
        ),
        (
            "name: a: b
"
            .to_owned(),
            &[r#"1:8: not YAML: mapping values are not allowed in this context (a text with ": " in it needs quotes)"#],
        ),
        (
            "name: *x
"
            .to_owned(),
            &[r#"1:7: not YAML: while parsing node, found unknown anchor (a text that begins with "*" needs quotes)"#],
        ),
        (
            r#"name: "x
y: 1
"#
            .to_owned(),
            &["1:7: not YAML: invalid indentation in quoted scalar"],
        ),
        (
            "a: 1
b"
            .to_owned(),
            &["3:1: not YAML: simple key expected"],
        ),
        (
            r#"{"a": 1,
 "b" 2}"#
                .to_owned(),
            &["2:6: neither JSON nor YAML: invalid trailing content after double-quoted scalar"],
        ),
        ("name: x\u{0}".to_owned(), &["1:8: a control character (U+0000), which a config may not hold"]),
        ("name: é\u{7f}".to_owned(), &["1:8: a control character (U+007F), which a config may not hold"]),
        (
            "name: !foo x
owner: !!binary x
version: !!str 1.0
dag: !!map {}
"
            .to_owned(),
            &[
                r#"1:7: the tag "!foo" has no meaning in a config"#,
                r#"2:8: the tag "!!binary" has no meaning in a config"#,
                "4:6: dag.nodes is missing",
                "4:6: dag.output is missing",
            ],
        ),
        (
            "a: &a [*a]
"
            .to_owned(),
            &["1:8: an alias within what it stands for: it would have no end"],
        ),
        (
            "? [a, b]
: c
? {d: e}
: f
"
            .to_owned(),
            &[
                "1:1: name is missing",
                "1:1: dag is missing",
                "1:3: a key must be a text, not a list or a map",
                "3:3: a key must be a text, not a list or a map",
            ],
        ),
    ]);
}

#[test]
fn keys() {
    check_all(&[
        (
            "name: {a: 1}
verison: 1
x-mine: 3
widget: 3
dag: []
"
            .to_owned(),
            &[
                "1:7: name must be a text, not a map",
                r#"2:1: verison is unknown; did you mean "version"?"#,
                "4:1: widget is unknown; there is name, version, description, owner, registry and dag",
                "5:6: dag must be a map, not a list",
            ],
        ),
        (
            "name: x
name: y
dag: {}
dag: {}
name: z
"
            .to_owned(),
            &[
                r#"2:1: the key "name" is here a second time; it is already at line 1, column 1"#,
                "3:6: dag.nodes is missing",
                "3:6: dag.output is missing",
                r#"4:1: the key "dag" is here a second time; it is already at line 3, column 1"#,
                r#"5:1: the key "name" is here a second time; it is already at line 1, column 1"#,
            ],
        ),
        (
            r#"{"name": "x",
 "name": "y"}"#
                .to_owned(),
            &["1:1: dag is missing", r#"2:2: the key "name" is here a second time; it is already at line 1, column 2"#],
        ),
        (
            "<<: 3
name: x
"
            .to_owned(),
            &[r#"1:1: "<<" merges a map or a list of maps, and this is neither"#, "1:1: dag is missing"],
        ),
        (
            "<<: {name: x}
<<: {dag: 1}
"
            .to_owned(),
            &[
                "1:1: dag is missing",
                r#"2:1: the key "<<" is here a second time; it is already at line 1, column 1; give it a list of maps"#,
            ],
        ),
        (
            r#"name: ""
description: [x]
owner: {}
dag: {node: [], output: 3}
"#
            .to_owned(),
            &[
                "1:7: name is empty",
                "2:14: description must be a text, not a list",
                "3:8: owner must be a text, not a map",
                r#"4:7: dag.node is unknown; did you mean "nodes"?"#,
            ],
        ),
        (
            r#"name: "a\e[31m"
dag: {nodes: {}}
"#
            .to_owned(),
            &[
                "1:7: name holds a control character",
                "2:6: dag.output is missing",
                "2:14: dag.nodes must be a list of nodes, not a map",
            ],
        ),
        (
            "name: x
dag: {nodes: [], output: a}
"
            .to_owned(),
            &["2:14: dag.nodes has no nodes"],
        ),
    ]);
}

#[test]
fn outputs() {
    check_all(&[
        (config(""), &["3:3: dag.output is missing"]),
        (
            config(
                "  output: [a]
",
            ),
            &["7:11: dag.output must be a node's id, or a map with the key node, not a list"],
        ),
        (
            config(
                "  output: aa
",
            ),
            &[r#"7:11: dag.output: there is no node "aa"; did you mean "a"?"#],
        ),
        (
            config(
                "  output: {nod: a}
",
            ),
            &[r#"7:12: dag.output.nod is unknown; did you mean "node"?"#],
        ),
        (
            config(
                "  output: {node: b, format: tga, quality: 0}
",
            ),
            &[
                r#"7:18: dag.output.node: there is no node "b"; did you mean "a"?"#,
                r#"7:29: there is no format "tga"; there is png, jpeg, webp, gif, tiff, bmp, mp4, mov, mkv, webm, wav, flac and 2 more"#,
                "7:43: dag.output.quality is 0; it must be from 1 to 100",
            ],
        ),
        (
            config(
                "  output: {node: a, format: png, quality: 90}
",
            ),
            &["7:43: dag.output.quality means nothing to png; it is for jpeg and webp"],
        ),
        (
            config(
                "  output: {node: a, format: webp, quality: 101}
",
            ),
            &["7:44: dag.output.quality is 101; it must be from 1 to 100"],
        ),
        (
            config(
                "  output: {node: a, quality: 80}
",
            ),
            &["7:30: dag.output.quality means nothing to png; it is for jpeg and webp"],
        ),
    ]);
}

#[test]
fn nodes() {
    check_all(&[
        (
            config(
                "    - 3
    - {}
    - {id: c}
    - {id: d, typ: EFFECT}
    - {type: RESIZE, inputs: a}
    - {id: g, type: [a]}
  output: a
",
            ),
            &[
                "7:7: dag.nodes[1] must be a map, not 3",
                "8:7: a node without an id",
                "8:7: dag.nodes[2].type is missing",
                r#"9:7: node "c": type is missing"#,
                r#"10:15: node "d": typ is unknown; did you mean "type"?"#,
                "11:7: a node without an id",
                "11:7: dag.nodes[5].config.width: a RESIZE needs a width, a height or both",
                r#"12:21: node "g": type must be a text, not a list"#,
            ],
        ),
        (
            config(
                "    - {id: d, type: EFECT}
    - {id: e, type: ANALYZE}
    - {id: f, type: SEQENCE}
    - {id: g, type: banana}
  output: a
",
            ),
            &[
                r#"7:21: node "d": there is no type "EFECT"; did you mean "EFFECT"?"#,
                r#"8:7: node "e": an ANALYZE takes 1 input (input), and none is written"#,
                r#"9:21: node "f": there is no type "SEQENCE"; did you mean "SEQUENCE"?"#,
                r#"10:21: node "g": there is no type "banana""#,
            ],
        ),
        (
            config(
                r#"    - {id: a, type: SOURCE, config: {asset: cat}}
    - {id: 'b:c', type: SOURCE, config: {asset: cat}}
    - {id: '', type: SOURCE, config: {asset: cat}}
    - {id: [x], type: SOURCE, config: {asset: cat}}
    - {id: ' x', type: SOURCE, config: {asset: cat}}
    - {id: "a\tb", type: SOURCE, config: {asset: cat}}
    - {id: nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn, type: SOURCE, config: {asset: cat}}
  output: a
"#,
            ),
            &[
                r#"7:12: node "a": the id is taken: another node has it at line 4, column 11"#,
                r#"8:12: the id "b:c" may not hold ':'; use letters, digits, "_", "-" and ".""#,
                "9:12: a node's id may not be empty",
                "10:12: dag.nodes[4].id must be a text, not a list",
                r#"11:12: the id " x" may not begin with a dash, nor begin or end with a space"#,
                r#"12:12: the id "a\tb" may not hold '\t'; use letters, digits, "_", "-" and ".""#,
                r#"13:12: the id "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"… has 201 bytes, and the limit is 200"#,
            ],
        ),
        (
            config(
                "    - {id: b, id: c, type: SOURCE, config: {asset: cat, asset: dog}}
  output: a
",
            ),
            &[
                r#"7:15: node "b": the key "id" is here a second time; it is already at line 7, column 8"#,
                r#"7:57: node "b": the key "asset" is here a second time; it is already at line 7, column 45"#,
            ],
        ),
    ]);
}

#[test]
fn effects() {
    check_all(&[
        (
            config(
                "    - {id: b, type: EFFECT, config: {effect: dgo, params: {sigma: 3}}, inputs: a}
    - {id: c, type: EFFECT, inputs: a}
    - {id: d, type: EFFECT, config: {effect: zebra}, inputs: a}
    - {id: e, type: EFFECT, config: {efect: dog}, inputs: a}
    - {id: f, type: EFFECT, config: {effect: [dog]}, inputs: a}
    - {id: g, type: EFFECT, config: [], inputs: a}
  output: a
",
            ),
            &[
                r#"7:46: node "b": there is no effect "dgo"; did you mean "dog"?"#,
                r#"8:7: node "c": config.effect is missing"#,
                r#"9:46: node "d": there is no effect "zebra"; there is blur, dog, grayscale, identity, invert, pixelate, sepia and sharpen"#,
                r#"10:38: node "e": config.efect is unknown; did you mean "effect"?"#,
                r#"11:46: node "f": config.effect must be the name of an effect, not a list"#,
                r#"12:37: node "g": config must be a map, not a list"#,
            ],
        ),
        (
            config(
                "    - {id: b, type: EFFECT, config: {effect: dog, params: {sgima: 3, zebra: 2}}, inputs: a}
    - {id: c, type: EFFECT, config: {effect: invert, params: {x: 1}}, inputs: a}
    - {id: d, type: EFFECT, config: {effect: dog, params: 3}, inputs: a}
    - {id: e, type: EFFECT, config: {effect: dog, parms: {}}, inputs: a}
  output: a
",
            ),
            &[
                r#"7:60: node "b": config.params.sgima is unknown; did you mean "sigma"?"#,
                r#"7:70: node "b": config.params.zebra is unknown; there is sigma, k, sharpness, epsilon, phi and mode"#,
                r#"8:63: node "c": config.params.x is unknown; nothing can be set here"#,
                r#"9:59: node "d": config.params must be a map, not 3"#,
                r#"10:51: node "e": config.parms is unknown; did you mean "params"?"#,
            ],
        ),
    ]);
}

#[test]
fn values() {
    check_all(&[
        (
            config(
                r#"    - {id: b, type: EFFECT, config: {effect: dog, params: {sigma: 1000, k: high, sharpness: "3", epsilon: .inf}}, inputs: a}
  output: a
"#,
            ),
            &[
                r#"7:67: node "b": config.params.sigma is 1000; it must be from 0.1 to 20 px"#,
                r#"7:76: node "b": config.params.k must be a number, not the text "high""#,
                r#"7:93: node "b": config.params.sharpness must be a number, not the text "3"; take its quotes away"#,
                r#"7:107: node "b": config.params.epsilon is .inf; it must be a finite number"#,
            ],
        ),
        (
            config(
                "    - {id: r, type: RESIZE, config: {width: 0, height: 1.5, mode: fitt, background: blakc}, inputs: a}
    - {id: s, type: RESIZE, inputs: [a]}
    - {id: t, type: RESIZE, config: {width: 99999999999999999999}, inputs: a}
    - {id: u, type: RESIZE, config: {width: [3], height: {}}, inputs: a}
  output: a
",
            ),
            &[
                r#"7:45: node "r": config.width is 0; it must be from 1 to 65535 px"#,
                r#"7:56: node "r": config.height must be a whole number, not 1.5"#,
                r#"7:67: node "r": config.mode is "fitt"; it must be one of fit, fill, stretch, pad; did you mean "fit"?"#,
                r##"7:85: node "r": config.background is "blakc", which is no colour; write a name such as black, or "#rrggbb" or "#rrggbbaa" in quotes"##,
                r#"8:7: node "s": config.width: a RESIZE needs a width, a height or both"#,
                r#"9:45: node "t": config.width is 99999999999999999999; it must be from 1 to 65535 px"#,
                r#"10:45: node "u": config.width must be a whole number, not a list"#,
                r#"10:58: node "u": config.height must be a whole number, not a map"#,
            ],
        ),
        (
            config(
                "    - id: t
      type: TRANSFORM
      config:
        effects: {saturation: 3, hue: on, blur: -1, brightnes: 1}
      inputs: [a]
  output: a
",
            ),
            &[
                r#"10:31: node "t": config.effects.saturation is 3; it must be from 0 to 2"#,
                r#"10:39: node "t": config.effects.hue must be a number, not on"#,
                r#"10:49: node "t": config.effects.blur is -1; it must be from 0 to 1000 px"#,
                r#"10:53: node "t": config.effects.brightnes is unknown; did you mean "brightness"?"#,
            ],
        ),
        (
            config(
                "    - {id: l, type: LAYER, config: {inputs: [{position: [1]}, {opactiy: 2}, 3]}, inputs: [a, a]}
    - {id: m, type: LAYER, config: {inputs: [{scale: 2}, {}, ~]}, inputs: [a, a]}
  output: a
",
            ),
            &[
                r#"7:57: node "l": config.inputs[0].position has 1 item; it must have 2"#,
                r#"7:64: node "l": config.inputs[1].opactiy is unknown; did you mean "opacity"?"#,
                r#"7:77: node "l": config.inputs[2] must be a map, not 3"#,
                r#"8:54: node "m": config.inputs[0].scale: the first input is the ground, and the result is as large as it: only its opacity may be set"#,
                r#"8:62: node "m": config.inputs[2]: 3 entries are written for 2 inputs"#,
            ],
        ),
    ]);
}

#[test]
fn sources() {
    check_all(&[(
        config(
            r#"    - {id: b, type: SOURCE}
    - {id: c, type: SOURCE, config: {asset: cat, hash: abc}}
    - {id: d, type: SOURCE, config: {asset: a/b}}
    - {id: e, type: SOURCE, config: {input: true, asset: cat}}
    - {id: f, type: SOURCE, config: {input: "yes", media: picture}}
    - {id: g, type: SOURCE, config: {input: 1}}
  output: a
"#,
        ),
        &[
            r#"7:7: node "b": config.input: a SOURCE has `input: true` (given for each run), `asset: NAME` or `hash: "…"`"#,
            r#"8:56: node "c": config.hash is "abc"; a hash is 64 lower-case hexadecimal digits"#,
            r#"9:45: node "d": config.asset: an asset's name may not hold '/' (no slashes, commas, control characters, and no dot or dash first)"#,
            r#"10:58: node "e": config.asset: a SOURCE has one of `input: true`, `asset` and `hash`; this one has `input` too"#,
            r#"11:45: node "f": config.input must be true or false, not the text "yes"; take its quotes away"#,
            r#"11:59: node "f": config.media is "picture"; it must be one of image, video, audio, data"#,
            r#"12:45: node "g": config.input must be true or false, not 1"#,
        ],
    )]);
}

#[test]
fn inputs() {
    check_all(&[(
        config(
            "    - {id: b, type: BLEND, inputs: [a]}
    - {id: c, type: BLEND, inputs: {base: a, overlya: b}}
    - {id: d, type: BLEND, inputs: {base: [a, b], overlay: []}}
    - {id: e, type: EFFECT, config: {effect: dog}, inputs: [a, b, {}]}
    - {id: f, type: SOURCE, config: {asset: cat}, inputs: [a]}
    - {id: g, type: SOURCE, config: {asset: cat}, inputs: {x: a}}
    - {id: h, type: LAYER}
    - {id: i, type: LAYER, inputs: {layers: [a, ~]}}
    - {id: j, type: EFFECT, config: {effect: dog}, inputs: {banana: a}}
  output: a
",
        ),
        &[
            r#"7:36: node "b": a BLEND takes 2 inputs (base, overlay), and 1 is written"#,
            r#"8:46: node "c": inputs.overlya is unknown; did you mean "overlay"?"#,
            r#"9:43: node "d": inputs.base takes 1 input, and 2 are written"#,
            r#"9:60: node "d": inputs.overlay takes 1 input, and none is written"#,
            r#"10:60: node "e": an EFFECT takes 1 input (input), and 3 are written"#,
            r#"10:67: node "e": inputs[2] must be a node's id, not a map"#,
            r#"11:59: node "f": a SOURCE takes no inputs, and 1 is written"#,
            r#"12:59: node "g": a SOURCE takes no inputs, and 1 is written"#,
            r#"13:7: node "h": a LAYER takes at least 1 input, and none is written"#,
            r#"14:36: node "i": inputs.ground is missing"#,
            r#"14:49: node "i": inputs.layers[1] must be a node's id, not nothing"#,
            r#"15:60: node "j": inputs.input is missing"#,
            r#"15:61: node "j": inputs.banana is unknown; there is input"#,
        ],
    )]);
}

#[test]
fn links() {
    check_all(&[
        (
            config(
                "    - {id: b, type: EFFECT, config: {effect: invert}, inputs: [bb]}
    - {id: c, type: EFFECT, config: {effect: invert}, inputs: [c]}
    - {id: d, type: EFFECT, config: {effect: invert}, inputs: [e]}
    - {id: e, type: BLEND, inputs: {base: d, overlay: f}}
    - {id: f, type: EFFECT, config: {effect: invert}, inputs: d}
  output: d
",
            ),
            &[
                r#"7:64: node "b": inputs[0]: there is no node "bb"; did you mean "b"?"#,
                r#"8:64: node "c": inputs[0]: the node takes itself as an input"#,
                r#"9:64: node "d": inputs[0]: a cycle: d -> e -> d"#,
                r#"9:64: node "d": inputs[0]: a cycle: d -> f -> e -> d"#,
            ],
        ),
        (
            config(
                "    - {id: b, type: LAYER, inputs: {ground: a, layers: [usr, a]}}
    - {id: user, type: SOURCE, config: {asset: cat}}
  output: a
",
            ),
            &[r#"7:57: node "b": inputs.layers[0]: there is no node "usr"; did you mean "user"?"#],
        ),
    ]);
}

#[test]
fn warnings() {
    check_all(&[(
        config(
            "    - {id: b, type: EFFECT, config: {effect: invert}, inputs: [a]}
    - {id: c, type: SOURCE, config: {input: true}}
    - {id: d, type: SOURCE, config: {asset: cat}}
  output: a
",
        ),
        &[
            r#"7:7: warning: node "b": the output does not need it"#,
            r#"8:7: warning: node "c": the output does not need this input; it need not be given"#,
            r#"9:7: warning: node "d": the output does not need it"#,
        ],
    )]);
}

#[test]
fn registries() {
    check_all(&[
        (
            "registry:
  assets:
    cat: {hash: abc}
    'a/b': 0000000000000000000000000000000000000000000000000000000000000000
    dog: {}
    x: []
    y: {hsah: 3}
  effects: [dog]
  efects: {}
name: x
dag:
  nodes:
    - id: a
      type: SOURCE
      config: {input: true}
  output: a
"
            .to_owned(),
            &[
                r#"3:17: registry.assets.cat.hash is "abc"; a hash is 64 lower-case hexadecimal digits"#,
                r#"4:5: registry.assets."a/b": an asset's name may not hold '/' (no slashes, commas, control characters, and no dot or dash first)"#,
                "5:10: registry.assets.dog.hash is missing",
                "6:8: registry.assets.x must be a hash, not a list",
                r#"7:9: registry.assets.y.hsah is unknown; did you mean "hash"?"#,
                "8:12: registry.effects must be a map of names, not a list",
                r#"9:3: registry.efects is unknown; did you mean "effects"?"#,
            ],
        ),
        (
            "registry:
  effects:
    dog: {hash: abc}
    dgo: 0000000000000000000000000000000000000000000000000000000000000000
    sepia: ~
  assets: cat
name: x
dag:
  nodes:
    - id: a
      type: SOURCE
      config: {input: true}
  output: a
"
            .to_owned(),
            &[
                r#"3:17: registry.effects.dog.hash is "abc"; a hash is 64 lower-case hexadecimal digits; a pin made for the original's code can simply be taken out"#,
                r#"4:5: there is no effect "dgo"; did you mean "dog"?"#,
                "5:12: registry.effects.sepia must be a hash, not nothing",
                r#"6:11: registry.assets must be a map of names, not the text "cat""#,
            ],
        ),
        (
            "registry: []
name: x
dag:
  nodes:
    - id: a
      type: SOURCE
      config: {input: true}
  output: a
"
            .to_owned(),
            &["1:11: registry must be a map, not a list"],
        ),
    ]);
}
#[test]
fn effect_pins() {
    let installed = effects::hash(effects::find("invert").unwrap());
    let pinned = |hash: &str| {
        let pins = format!("registry:\n  effects:\n    invert: {{hash: {hash}}}\n");
        lines(&(pins + &config("  output: a\n")))
    };
    assert_eq!(pinned(&installed.to_string()), [""; 0]);
    let other = "ab".repeat(32);
    assert_eq!(
        pinned(&other),
        [format!(
            "3:13: the effect \"invert\" is pinned to abababab…, and the one installed is {installed}; a pin made for \
             the original's code can simply be taken out"
        )]
    );
}

#[test]
fn problems_have_the_shape_of_the_api() {
    let config = config("    - {id: r, type: RESIZE, config: {width: 0}, inputs: a}\n  output: a\n");
    let problems = Recipe::parse(config.as_bytes()).unwrap_err();
    assert_eq!(
        serde_json::to_value(&problems).unwrap(),
        serde_json::json!([{
            "loc": ["dag", "nodes", "r", "config", "width"], "type": "out_of_range", "line": 7, "column": 45,
            "node": "r", "msg": "config.width is 0; it must be from 1 to 65535 px",
        }])
    );
}

#[test]
fn problems_of_the_text_name_the_node_too() {
    let config = config("    - {id: r, type: RESIZE, config: {width: 1, width: 2}, inputs: a}\n  output: a\n");
    let problems = Recipe::parse(config.as_bytes()).unwrap_err();
    assert_eq!(
        serde_json::to_value(&problems[0].loc).unwrap(),
        serde_json::json!(["dag", "nodes", "r", "config", "width"])
    );
}

#[test]
fn many_problems_are_counted() {
    let mut config = config("  output: a\n");
    config.extend((0..1000).map(|i| format!("key{i}: 1\n")));
    let lines = lines(&config);
    assert_eq!(lines.len(), limits::CONFIG_PROBLEMS + 1);
    assert!(lines[0].starts_with("8:1: key0 is unknown"), "{}", lines[0]);
    assert_eq!(lines.last().unwrap(), "and 900 more problems");
}
