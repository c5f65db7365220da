//! What a config may look like.

use serde_json::{Value, json};

use crate::base::ContentHash;
use crate::media::Kind;
use crate::media::encode::Format;
use crate::recipe::tests::{config, good, lines};
use crate::recipe::{Output, OutputEncoding, Recipe, SourceSpec};

/// The parameters of a node.
fn params(recipe: &Recipe, id: &str) -> Value {
    let node = recipe.nodes.iter().find(|node| node.id.as_str() == id).unwrap();
    Value::from(node.params.entries().clone())
}

/// The ids of a node's inputs.
fn inputs<'a>(recipe: &'a Recipe, id: &str) -> Vec<&'a str> {
    let node = recipe.nodes.iter().find(|node| node.id.as_str() == id).unwrap();
    node.inputs.iter().map(|input| recipe.nodes[*input].id.as_str()).collect()
}

fn output_of(node: usize, format: Option<Format>, quality: Option<u8>) -> Output {
    Output { node, encoding: OutputEncoding { format, quality, ..OutputEncoding::default() } }
}

#[test]
fn the_example_of_the_manual() {
    let recipe = good(
        r#"
name: my-effect            # required
version: "1.0"
description: "Apply effect to user image"
owner: "@someone@example.org"
registry:
  assets:  {cat: {hash: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}}
dag:
  nodes:
    - id: user_image
      type: SOURCE
      config: {input: true, name: "input_image", description: "…", media: image}   # variable input
    - id: apply_dog
      type: EFFECT
      config: {effect: dog, params: {sigma: 1.4}}
      inputs: [user_image]
  output: apply_dog        # or {node: apply_dog, format: webp, quality: 90}
"#,
    );
    assert_eq!((recipe.name.as_str(), recipe.version.as_deref()), ("my-effect", Some("1.0")));
    assert_eq!(recipe.owner.as_deref(), Some("@someone@example.org"));
    assert_eq!(recipe.output, output_of(1, None, None));
    assert!(recipe.warnings.is_empty() && !recipe.bare);
    let (name, description) = (Some("input_image".to_owned()), Some("…".to_owned()));
    let variable = SourceSpec::Variable { name, description, media: Some(Kind::Image) };
    assert_eq!(recipe.nodes[0].source, Some(variable));
    assert_eq!(params(&recipe, "apply_dog")["params"]["sigma"], json!(1.4));
    assert_eq!(params(&recipe, "apply_dog")["params"]["k"], json!(1.6), "a default is filled in");
    assert_eq!(inputs(&recipe, "apply_dog"), ["user_image"]);
    assert_eq!((recipe.nodes[1].mark.line, recipe.nodes[1].mark.column), (13, 7));
}

#[test]
fn outputs_may_have_a_format_and_a_quality() {
    let output = |text: &str| good(&config(&format!("  output: {text}\n"))).output;
    assert_eq!(output("a"), output_of(0, None, None));
    assert_eq!(output("{node: a}"), output_of(0, None, None));
    assert_eq!(output("{node: a, format: png}"), output_of(0, Some(Format::Png), None));
    let webp = output_of(0, Some(Format::Webp), Some(90));
    assert_eq!(output("{node: a, format: webp, quality: 90.0}"), webp);
}

#[test]
fn texts_are_read_as_written() {
    for (written, read) in [
        ("1.0", "1.0"),
        ("'1.0'", "1.0"),
        ("1.10", "1.10"),
        ("0x10", "0x10"),
        ("on", "on"),
        ("2026-01-07", "2026-01-07"),
        ("!!str 007", "007"),
        ("!!float 1e3", "1e3"),
        ("! 5", "5"),
    ] {
        let recipe = good(&format!("version: {written}\n{}", config("  output: a\n")));
        assert_eq!(recipe.version.as_deref(), Some(read), "{written}");
    }
    for nothing in ["", "~", "null"] {
        assert_eq!(good(&format!("version: {nothing}\n{}", config("  output: a\n"))).version, None);
    }
    let digits = "1".repeat(64);
    let recipe = good(&config(&format!("    - {{id: 5, type: SOURCE, config: {{hash: {digits}}}}}\n  output: 5\n")));
    assert_eq!(recipe.nodes[1].source, Some(SourceSpec::Hash(digits.parse().unwrap())));
}

#[test]
fn fixed_inputs_are_pinned_by_the_registry() {
    let hash = ContentHash::of(b"cat");
    for pin in [format!("{{hash: {hash}}}"), hash.to_string()] {
        let nodes =
            "    - {id: b, type: SOURCE, config: {asset: cat}}\n    - {id: c, type: SOURCE, config: {asset: dog}}\n";
        let recipe = good(&format!("registry: {{assets: {{cat: {pin}}}}}\n{}  output: a\n", config(nodes)));
        let pinned = |index: usize| match &recipe.nodes[index].source {
            Some(SourceSpec::Asset { pinned, .. }) => *pinned,
            other => panic!("{other:?}"),
        };
        assert_eq!((pinned(1), pinned(2)), (Some(hash), None));
        assert_eq!(recipe.fixed_inputs().map(|(index, _)| index).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(recipe.variable_inputs().map(|(index, _)| index).collect::<Vec<_>>(), [0]);
        assert_eq!((recipe.needed(), recipe.fixed_needed()), (vec![true, false, false], Vec::new()));
    }
}

#[test]
fn inputs_are_a_list_an_id_or_ports() {
    let nodes = "    - {id: b, type: SOURCE, config: {asset: cat}}\n";
    for (written, read) in [
        ("{id: n, type: BLEND, inputs: [b, a]}", ["b", "a"].as_slice()),
        ("{id: n, type: BLEND, inputs: {overlay: a, base: b}}", &["b", "a"]),
        ("{id: n, type: BLEND, inputs: {overlay: [a], base: [b]}}", &["b", "a"]),
        ("{id: n, type: BLEND, inputs: [a, a]}", &["a", "a"]),
        ("{id: n, type: LAYER, inputs: a}", &["a"]),
        ("{id: n, type: LAYER, inputs: {ground: b}}", &["b"]),
        ("{id: n, type: LAYER, inputs: {layers: [a, b, a], ground: b}}", &["b", "a", "b", "a"]),
        ("{id: n, type: LAYER, inputs: {layers: a, ground: b}}", &["b", "a"]),
        ("{id: n, type: SOURCE, config: {asset: cat}, inputs: []}", &[]),
    ] {
        let recipe = good(&config(&format!("{nodes}    - {written}\n  output: n\n")));
        assert_eq!(inputs(&recipe, "n"), read, "{written}");
    }
}

#[test]
fn merge_keys_are_those_of_yaml_1_1() {
    let effects = |text: &str| {
        let bases = "x-a: &a {saturation: 2, hue: 1}\nx-b: &b {hue: 7, blur: 3}\nx-c: &c {<<: *b, blur: 4}\n";
        let node = format!("    - {{id: t, type: TRANSFORM, config: {{effects: {text}}}, inputs: a}}\n  output: t\n");
        let effects = &params(&good(&(bases.to_owned() + &config(&node))), "t")["effects"];
        ["saturation", "hue", "blur"].map(|name| effects[name].as_f64().unwrap())
    };
    assert_eq!(effects("{<<: *a}"), [2.0, 1.0, 0.0]);
    assert_eq!(effects("{hue: 9, <<: *a}"), [2.0, 9.0, 0.0], "what is written wins");
    assert_eq!(effects("{<<: *a, hue: 9}"), [2.0, 9.0, 0.0], "wherever it is written");
    assert_eq!(effects("{<<: [*a, *b]}"), [2.0, 1.0, 3.0], "the first map wins");
    assert_eq!(effects("{<<: [*b, *a]}"), [2.0, 7.0, 3.0]);
    assert_eq!(effects("{<<: *c}"), [1.0, 7.0, 4.0], "a merged map may have merged");
    assert_eq!(effects("{<<: {hue: 5}}"), [1.0, 5.0, 0.0]);
    assert_eq!(effects("*a"), [2.0, 1.0, 0.0]);
    let quoted = config("    - {id: t, type: TRANSFORM, config: {effects: {\"<<\": {}}}, inputs: a}\n  output: t\n");
    assert!(lines(&quoted)[0].contains("config.effects.\"<<\" is unknown"), "{:?}", lines(&quoted));
}

#[test]
fn what_is_merged_is_checked_where_it_is_written() {
    let text = "x-a: &a {saturation: 9}\n".to_owned()
        + &config("    - {id: t, type: TRANSFORM, config: {effects: {<<: *a}}, inputs: a}\n  output: t\n");
    assert_eq!(lines(&text), [r#"1:22: node "t": config.effects.saturation is 9; it must be from 0 to 2"#]);
}

#[test]
fn nodes_may_be_aliases() {
    let text = config(
        "    - &b {id: b, type: TRANSFORM, inputs: a}\n    - {<<: *b, id: c}\n    - {<<: *b, id: d, inputs: [c]}\n  output: d\n",
    );
    let recipe = good(&text);
    assert_eq!((inputs(&recipe, "c"), inputs(&recipe, "d")), (vec!["a"], vec!["c"]));
}

#[test]
fn json_is_a_config() {
    let text = r#"{
	"name": "j\u00e9 \ud83d\ude00 \"\/\\\t",
	"version": 1.0, "description": null, "owner": "null",
	"dag": {"nodes": [
		{"id":"a","type":"SOURCE","config":{"input":true}},
		{"id": "b" , "type": "BLEND", "config": {"mode": "screen", "opacity": 1E-1}, "inputs": {"base": "a", "overlay": "a"}}
	], "output": {"node":"b","format":"png"}}
}
"#;
    let recipe = good(text);
    assert_eq!(recipe.name, "jé 😀 \"/\\\t");
    assert_eq!(recipe.version.as_deref(), Some("1.0"));
    assert_eq!((recipe.description.as_deref(), recipe.owner.as_deref()), (None, Some("null")));
    assert_eq!(params(&recipe, "b"), json!({"mode": "screen", "opacity": 0.1}));
    assert_eq!((recipe.nodes[1].mark.line, recipe.nodes[1].mark.column), (6, 3));
    let wrong = text.replace("1E-1", "\"0.1\"");
    assert_eq!(
        lines(&wrong),
        [r#"6:73: node "b": config.opacity must be a number, not the text "0.1"; take its quotes away"#]
    );
}

#[test]
fn yaml_in_brackets_is_no_json_and_fine() {
    let text = "{name: x, dag: {nodes: [{id: a, type: SOURCE, config: {input: yes}},], output: a,}}";
    assert_eq!(good(text).nodes.len(), 1);
    assert_eq!(good(&("\u{feff}".to_owned() + text)).nodes.len(), 1);
    assert_eq!(lines(&text.replace("yes", "'yes'")).len(), 1);
}

#[test]
fn line_ends_of_windows_count_as_one() {
    let text =
        config("    - {id: r, type: RESIZE, config: {width: 0}, inputs: a}\n  output: a\n").replace('\n', "\r\n");
    assert_eq!(lines(&text), [r#"7:45: node "r": config.width is 0; it must be from 1 to 65535 px"#]);
}

#[test]
fn defaults_are_filled_in_and_values_have_one_form() {
    let recipe = good(&config(concat!(
        "    - {id: t, type: TRANSFORM, inputs: a}\n",
        "    - {id: u, type: TRANSFORM, config: {effects: {hue: -0, saturation: 2}}, inputs: t}\n",
        "    - {id: l, type: LAYER, config: {inputs: [~, {position: [1.0, 2]}]}, inputs: [u, a]}\n",
        "    - {id: m, type: LAYER, inputs: [l, a]}\n",
        "    - {id: r, type: RESIZE, config: {width: 1e2, background: Red}, inputs: m}\n",
        "  output: r\n",
    )));
    let neutral = json!({"saturation": 1.0, "contrast": 1.0, "brightness": 0.0, "gamma": 1.0, "hue": 0.0, "blur": 0.0,
                         "sharpen": 0.0, "speed": 1.0});
    assert_eq!(params(&recipe, "t"), json!({"effects": neutral}));
    assert_eq!(params(&recipe, "u")["effects"]["hue"].as_f64().map(f64::is_sign_positive), Some(true));
    let laid = |position: [i64; 2]| json!({"position": position, "opacity": 1.0, "scale": 1.0});
    assert_eq!(params(&recipe, "l"), json!({"inputs": [laid([0, 0]), laid([1, 2])]}));
    assert_eq!(params(&recipe, "m"), json!({"inputs": []}));
    assert_eq!(params(&recipe, "r"), json!({"width": 100, "mode": "fit", "background": "#ff0000ff"}));
}

#[test]
fn a_colour_without_quotes_is_a_comment_and_refused() {
    let node = |colour: &str| {
        let config_of = format!("      config:\n        width: 3\n        background: {colour}\n");
        config(&format!("    - id: r\n      type: RESIZE\n{config_of}      inputs: a\n  output: r\n"))
    };
    assert_eq!(
        lines(&node("#fff")),
        [r##"11:19: node "r": config.background is empty; a colour that begins with "#" needs quotes"##]
    );
    assert_eq!(params(&good(&node("'#fff'")), "r")["background"], "#ffffffff");
    assert_eq!(params(&good(&node("~")), "r")["background"], "#000000ff");
}
