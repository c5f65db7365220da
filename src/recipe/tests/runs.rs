//! What is given for a run: parameters, inputs, contents.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::base::ContentHash;
use crate::media::{Kind, MediaType, SourceFacts};
use crate::recipe::tests::{config, good};
use crate::recipe::{Graph, Matched, Problem, Recipe, Source};

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

fn texts(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// What is wrong.
fn wrong<T>(result: Result<T, Vec<Problem>>) -> Vec<String> {
    texts(&result.err().unwrap())
}

const FOUR: &str = "
    - {id: grade, type: TRANSFORM, config: {effects: {hue: 20, blur: 3}}, inputs: a}
    - {id: lines, type: EFFECT, config: {effect: dog, params: {sigma: 2}}, inputs: grade}
    - {id: stack, type: LAYER, config: {inputs: [{}, {opacity: 0.5}]}, inputs: [a, lines]}
    - {id: small, type: RESIZE, config: {width: 10, height: 5}, inputs: stack}
    - {id: cat, type: SOURCE, config: {asset: cat}}
  output: small
";

fn four() -> Recipe {
    good(&config(FOUR))
}

fn with(given: Value) -> Result<Recipe, Vec<Problem>> {
    four().with_params(&object(given))
}

#[test]
fn parameters_replace_what_the_config_wrote() {
    let recipe = with(json!({
        "grade": {"effects.saturation": 1.5, "effects.hue": null},
        "lines": {"sigma": "1.5", "mode": "hard"},
        "stack": {"inputs[1].opacity": 0.25, "inputs.1.position": [1, 2]},
        "small": {"height": null, "background": "white"},
    }))
    .unwrap();
    let params = |index: usize| Value::from(recipe.nodes[index].params.entries().clone());
    let effects = &params(1)["effects"];
    assert_eq!((&effects["saturation"], &effects["hue"], &effects["blur"]), (&json!(1.5), &json!(0.0), &json!(3.0)));
    assert_eq!((&params(2)["params"]["sigma"], &params(2)["params"]["mode"]), (&json!(1.5), &json!("hard")));
    assert_eq!(params(3)["inputs"][1], json!({"position": [1, 2], "opacity": 0.25, "scale": 1.0}));
    assert_eq!(params(4), json!({"width": 10, "mode": "fit", "background": "#ffffffff"}));
    let whole = with(json!({"grade": {"effects": {"saturation": "0"}}})).unwrap();
    let effects = &whole.nodes[1].params.nested("effects");
    assert_eq!((effects.number("saturation"), effects.number("hue")), (0.0, 0.0), "a whole map replaces a whole map");
    let unchanged = with(json!({})).unwrap();
    assert_eq!(unchanged.nodes[1].params, four().nodes[1].params);
}

#[test]
fn parameters_are_checked_as_in_a_config() {
    let check = |given: Value, expected: &[&str]| assert_eq!(wrong(with(given)), expected);
    check(
        json!({"line": {}, "banana": 3}),
        &[r#"there is no node "banana""#, r#"there is no node "line"; did you mean "lines"?"#],
    );
    check(json!({"cat": {"asset": "dog"}}), &[r#""cat" is a SOURCE: what it holds is given as an input"#]);
    check(json!({"small": 3}), &[r#"params of "small" must be a map from parameters to values"#]);
    check(
        json!({"lines": {"sgima": 2, "effect": "blur", "sigma": 100, "k": "two"}}),
        &[
            r#"node "lines": effect is unknown; there is sigma, k, sharpness, epsilon, phi and mode"#,
            r#"node "lines": k must be a number, not the text "two""#,
            r#"node "lines": sgima is unknown; did you mean "sigma"?"#,
            r#"node "lines": sigma is 100; it must be from 0.1 to 20 px"#,
        ],
    );
    check(
        json!({"grade": {"effects.satration": 2, "effects.hue.x": 2, "effects.blur": 1e9}}),
        &[
            r#"node "grade": effects.blur is 1000000000.0; it must be from 0 to 1000 px"#,
            r#"node "grade": effects.hue has nothing below it"#,
            r#"node "grade": effects.satration is unknown; did you mean "saturation"?"#,
        ],
    );
    check(
        json!({"stack": {"inputs[2].opacity": 1, "inputs[0].scale": 2}}),
        &[r#"node "stack": inputs has 2 items, counted from 0"#],
    );
    check(
        json!({"stack": {"inputs[0].scale": 2}}),
        &[
            "node \"stack\": inputs[0].scale: the first input is the ground, and the result is as large as it: only its \
         opacity may be set",
        ],
    );
    check(
        json!({"small": {"width": null, "height": null}}),
        &[r#"node "small": width: a RESIZE needs a width, a height or both"#],
    );
    let problems = with(json!({"lines": {"sigma": 100}})).unwrap_err();
    assert_eq!(serde_json::to_value(&problems[0].loc).unwrap(), json!(["params", "lines", "sigma"]));
}

#[test]
fn a_bare_effect_is_a_recipe() {
    let recipe = Recipe::bare_effect("dog", &object(json!({"sigma": "2", "mode": "hard"}))).unwrap();
    assert_eq!((recipe.name.as_str(), recipe.bare, recipe.output.node), ("dog", true, 1));
    assert_eq!(recipe.nodes[1].id.as_str(), "dog");
    assert_eq!(recipe.nodes[1].params.nested("params").number("sigma"), 2.0);
    assert_eq!(recipe.nodes[1].params.nested("params").number("k"), 1.6);
    let (given, warnings) = recipe.match_listed(&["cat"]).unwrap();
    assert_eq!((given, warnings), (vec![(0, "cat")], Vec::new()));
    let again = recipe.with_params(&object(json!({"sigma": 3}))).unwrap();
    assert_eq!(again.nodes[1].params.nested("params").number("sigma"), 3.0);
    let wrong = |name: &str, params: Value| wrong(Recipe::bare_effect(name, &object(params)));
    assert_eq!(wrong("dgo", json!({})), [r#"there is no effect "dgo"; did you mean "dog"?"#]);
    assert_eq!(
        wrong("dog", json!({"sgima": 1, "k": true})),
        ["params.k must be a number, not true", r#"params.sgima is unknown; did you mean "sigma"?"#]
    );
    assert_eq!(wrong("invert", json!({"x": 1})), ["params.x is unknown; it has no parameters"]);
}

const INPUTS: &str = "
    - {id: b, type: SOURCE, config: {input: true, name: picture, description: what is drawn}}
    - {id: c, type: SOURCE, config: {input: true, name: a}}
    - {id: d, type: SOURCE, config: {input: true, name: twin}}
    - {id: e, type: SOURCE, config: {input: true, name: twin}}
    - {id: cat, type: SOURCE, config: {asset: cat}}
    - {id: out, type: LAYER, inputs: [a, b, c, cat]}
  output: out
";

fn given(words: &[&str]) -> Result<Matched<String>, Vec<Problem>> {
    let given: Vec<(String, String)> = words.iter().map(|word| ((*word).to_owned(), format!("<{word}>"))).collect();
    good(&config(INPUTS)).match_inputs(&given)
}

#[test]
fn inputs_are_matched_by_id_and_then_by_name() {
    let (matched, warnings) = given(&["c", "picture", "a"]).unwrap();
    assert_eq!(matched, [(0, "<a>".to_owned()), (1, "<picture>".to_owned()), (2, "<c>".to_owned())]);
    assert!(warnings.is_empty());
    let (matched, warnings) = given(&["a", "b", "c", "d"]).unwrap();
    assert_eq!(matched.len(), 3);
    assert_eq!(texts(&warnings), [r#"warning: the input "d" ("twin") is given, and the output does not need it"#]);
}

#[test]
fn what_is_given_wrongly_is_said_all_at_once() {
    assert_eq!(
        wrong(given(&["pictur", "cat", "out", "twin", "c", "c", "b", "picture"])),
        [
            r#"there is no input "pictur"; did you mean "picture"?"#,
            r#""cat" is no variable input: the config fixes it"#,
            r#""out" is no variable input: it is no SOURCE"#,
            r#"several inputs have the name "twin"; give them by their ids"#,
            r#"the input "c" ("a") is given twice"#,
            r#"the input "b" ("picture") is given twice"#,
            r#"the input "a" is missing"#,
        ]
    );
    assert_eq!(
        wrong(given(&["c", "elephant"])),
        [
            r#"there is no input "elephant"; there is "a", "b" ("picture"), "c" ("a"), "d" ("twin"), "e" ("twin")"#,
            r#"the input "a" is missing"#,
            r#"the input "b" ("picture") is missing: "what is drawn""#,
        ]
    );
    let problems = given(&["a", "b"]).unwrap_err();
    assert_eq!(
        serde_json::to_value(&problems).unwrap(),
        json!([
            {"loc": ["inputs", "c"], "type": "missing_input", "msg": r#"the input "c" ("a") is missing"#}
        ])
    );
}

#[test]
fn a_plain_list_is_in_the_order_of_the_inputs() {
    let recipe = good(&config(INPUTS));
    assert_eq!(recipe.match_listed(&[7, 8, 9]).unwrap().0, [(0, 7), (1, 8), (2, 9)]);
    let (matched, warnings) = recipe.match_listed(&[5, 6, 7, 8, 9]).unwrap();
    assert_eq!((matched, warnings.len()), (vec![(0, 5), (1, 6), (2, 7)], 2));
    assert_eq!(
        wrong(recipe.match_listed(&[1])),
        [r#"the recipe takes 3 inputs ("a", "b" ("picture"), "c" ("a")), and 1 was given"#]
    );
    let fixed = good(&config("    - {id: cat, type: SOURCE, config: {asset: cat}}\n  output: cat\n"));
    assert_eq!(wrong(fixed.match_listed(&[1, 2])), ["the recipe takes 0 inputs, and 2 were given"]);
    assert!(fixed.match_listed::<u8>(&[]).unwrap().0.is_empty());
}

fn source(media_type: MediaType, size: Option<(u32, u32)>) -> Source {
    Source {
        hash: ContentHash::of(media_type.mime().as_bytes()),
        facts: SourceFacts::of_bytes(media_type, size, false),
        damage: None,
    }
}

fn bind(recipe: &Recipe, sources: &[(usize, Source)]) -> Result<Graph, Vec<Problem>> {
    recipe.bind(&sources.iter().cloned().map(|(index, source)| (index, vec![source])).collect::<BTreeMap<_, _>>())
}

#[test]
fn a_graph_holds_what_the_output_needs_each_after_its_inputs() {
    let recipe = good(&config(concat!(
        "    - {id: last, type: BLEND, inputs: [mid, b]}\n",
        "    - {id: unused, type: EFFECT, config: {effect: invert}, inputs: [last]}\n",
        "    - {id: mid, type: RESIZE, config: {width: 4}, inputs: b}\n",
        "    - {id: b, type: SOURCE, config: {asset: cat}}\n",
        "    - {id: out, type: LAYER, inputs: [last, a, mid]}\n",
        "  output: {node: out, format: webp, quality: 70}\n",
    )));
    let png = source(MediaType::Png, Some((8, 6)));
    let graph = bind(&recipe, &[(0, png.clone()), (4, png.clone())]).unwrap();
    let ids: Vec<&str> = graph.nodes.iter().map(|node| node.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "mid", "last", "out"]);
    let inputs: Vec<&[usize]> = graph.nodes.iter().map(|node| node.inputs.as_slice()).collect();
    assert_eq!(inputs, [&[][..], &[], &[1], &[2, 1], &[3, 0, 2]]);
    assert_eq!((graph.output, graph.encoding.quality), (4, Some(70)));
    assert_eq!((graph.nodes[1].source, graph.nodes[2].source), (Some(png.hash), None));
    let sizes: Vec<(u32, u32)> = graph.nodes.iter().map(|node| (node.facts.width, node.facts.height)).collect();
    assert_eq!(sizes, [(8, 6), (8, 6), (4, 3), (4, 3), (4, 3)]);
}

#[test]
fn wrong_kinds_are_refused_with_what_they_are() {
    let recipe = good(&config(concat!(
        "    - {id: small, type: RESIZE, config: {width: 4}, inputs: a}\n",
        "    - {id: after, type: EFFECT, config: {effect: invert}, inputs: small}\n",
        "    - {id: same, type: EFFECT, config: {effect: identity}, inputs: a}\n",
        "    - {id: lines, type: EFFECT, config: {effect: dog}, inputs: same}\n",
        "    - {id: out, type: LAYER, inputs: [after, same, lines]}\n",
        "  output: out\n",
    )));
    let expect = |source: Source, is: &str| {
        assert_eq!(
            wrong(bind(&recipe, &[(0, source)])),
            [
                format!(r#"7:7: node "small": takes an image or a video; {is}"#),
                format!(
                    r#"10:7: node "lines": the effect dog takes an image or a video, and its input is bytes; {is}"#
                ),
            ]
        );
    };
    expect(source(MediaType::Html, None), r#""a" is text/html"#);
    expect(source(MediaType::Jxl, None), r#""a" is image/jxl, which cannot be decoded"#);
    let damaged = Source { damage: Some("its end is missing".to_owned()), ..source(MediaType::Png, None) };
    expect(damaged, r#""a" is image/png: its end is missing"#);
    let two = good(&config("    - {id: two, type: BLEND, inputs: [a, a]}\n  output: two\n"));
    assert_eq!(
        wrong(bind(&two, &[(0, source(MediaType::Text, None))])),
        [
            r#"7:7: node "two": inputs[0] takes an image or a video; "a" is text/plain"#,
            r#"7:7: node "two": inputs[1] takes an image or a video; "a" is text/plain"#,
        ]
    );
    assert_eq!(wrong(bind(&two, &[])), [r#"4:7: node "a": there is no content for it"#]);
}

#[test]
fn a_source_is_of_the_kind_that_its_config_asks_for() {
    let bound = |media: &str, source: Source| {
        let nodes = format!("    - {{id: b, type: SOURCE, config: {{input: true, media: {media}}}}}\n");
        let rest = "    - {id: c, type: EFFECT, config: {effect: identity}, inputs: b}\n  output: c\n";
        bind(&good(&config(&(nodes + rest))), &[(1, source)]).map(|graph| graph.nodes[1].facts.kind)
    };
    let png = || source(MediaType::Png, Some((1, 1)));
    assert_eq!(bound("image", png()), Ok(Kind::Image));
    assert_eq!(bound("~", source(MediaType::Zip, None)), Ok(Kind::Bytes));
    assert_eq!(bound("video", source(MediaType::Mp4, None)), Ok(Kind::Bytes));
    assert_eq!(bound("data", source(MediaType::Json, None)), Ok(Kind::Bytes));
    assert_eq!(
        wrong(bound("image", source(MediaType::Mp4, None))),
        [r#"7:7: node "b": must be an image (media: image); "b" is video/mp4"#]
    );
    assert_eq!(wrong(bound("audio", png())), [r#"7:7: node "b": must be a sound (media: audio); "b" is image/png"#]);
}

#[test]
fn what_a_node_finds_out_about_its_inputs_is_a_problem() {
    let recipe = good(&config("    - {id: wide, type: RESIZE, config: {width: 65535}, inputs: a}\n  output: wide\n"));
    let problems = wrong(bind(&recipe, &[(0, source(MediaType::Png, Some((1, 10))))]));
    assert_eq!(
        problems,
        [
            "7:7: node \"wide\": its picture would be 65535x655350; a picture has at most 268435456 pixels and 65535 a side"
        ]
    );
}
