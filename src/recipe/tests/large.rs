//! S15: graphs that hang together wrongly, and graphs that are large.

use std::collections::BTreeMap;

use crate::base::{ContentHash, limits};
use crate::media::{MediaType, SourceFacts};
use crate::recipe::tests::{JUDGED_WITHIN, config, good, in_time, lines};
use crate::recipe::{Recipe, Source};

/// A chain of this many nodes.
fn chain(nodes: usize) -> String {
    let mut text = "name: chain\ndag:\n  nodes:\n  - {id: n0, type: SOURCE, config: {input: true}}\n".to_owned();
    for i in 1..nodes {
        text += &format!("  - {{id: n{i}, type: EFFECT, config: {{effect: identity}}, inputs: [n{}]}}\n", i - 1);
    }
    text + &format!("  output: n{}\n", nodes - 1)
}

/// As many nodes, all but one inputs of that one.
fn fan_in(nodes: usize) -> String {
    let mut text = "name: fan-in\ndag:\n  nodes:\n".to_owned();
    for i in 1..nodes {
        text += &format!("  - {{id: n{i}, type: SOURCE, config: {{asset: cat}}}}\n");
    }
    let ids: Vec<String> = (1..nodes).map(|i| format!("n{i}")).collect();
    text + &format!("  - {{id: all, type: LAYER, inputs: [{}]}}\n  output: all\n", ids.join(", "))
}

fn bound(recipe: &Recipe) -> usize {
    let facts = SourceFacts::of_bytes(MediaType::Png, Some((3, 2)), false);
    let source = Source { hash: ContentHash::of(b""), facts, damage: None };
    let sources: BTreeMap<usize, Vec<Source>> = recipe
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.source.is_some())
        .map(|(i, _)| (i, vec![source.clone()]))
        .collect();
    recipe.bind(&sources).unwrap().nodes.len()
}

#[test]
fn s15_the_most_nodes_as_a_chain_and_as_a_fan_in() {
    for text in [chain(limits::CONFIG_NODES), fan_in(limits::CONFIG_NODES)] {
        let count = in_time(JUDGED_WITHIN, || bound(&good(&text)));
        assert_eq!(count, limits::CONFIG_NODES);
    }
}

#[test]
fn s15_one_node_more_is_refused() {
    for text in [chain(limits::CONFIG_NODES + 1), fan_in(limits::CONFIG_NODES + 1)] {
        assert_eq!(lines(&text), ["4:5: dag.nodes has 100001 nodes, and the limit is 100000"]);
    }
}

#[test]
fn s15_the_most_nodes_in_a_circle() {
    let text = chain(limits::CONFIG_NODES)
        .replace("- {id: n0, type: SOURCE, config: {input: true}}", "- {id: n0, type: LAYER, inputs: [n99999]}");
    let lines = in_time(JUDGED_WITHIN, || lines(&text));
    assert_eq!(
        lines,
        [
            "4:36: node \"n0\": inputs[0]: a cycle: n0 -> n1 -> n2 -> n3 -> n4 -> n5 -> n6 -> n7 -> n8 -> n9 -> n10 -> n11 -> \
         … (99988 more) -> n0"
        ]
    );
}

#[test]
fn s15_many_cycles_at_once() {
    // Each node takes the one after it, and the last takes them all.
    let mut text = "name: x\ndag:\n  output: n0\n  nodes:\n".to_owned();
    text.extend((0..20_000).map(|i| format!("  - {{id: n{i}, type: LAYER, inputs: n{}}}\n", i + 1)));
    let all: Vec<String> = (0..20_000).map(|i| format!("n{i}")).collect();
    text += &format!("  - {{id: n20000, type: LAYER, inputs: [{}]}}\n", all.join(", "));
    let lines = in_time(JUDGED_WITHIN, || lines(&text));
    assert!(lines.iter().all(|line| line.contains("a cycle: ")), "{lines:#?}");
}

#[test]
fn s15_cycle_self_loop_duplicate_and_dangling_name_the_nodes() {
    let text = config(concat!(
        "    - {id: b, type: BLEND, inputs: [a, d]}\n",
        "    - {id: c, type: EFFECT, config: {effect: invert}, inputs: [b]}\n",
        "    - {id: d, type: BLEND, inputs: [c, b]}\n",
        "    - {id: e, type: BLEND, inputs: [e, a]}\n",
        "    - {id: a, type: SOURCE, config: {asset: cat}}\n",
        "    - {id: f, type: BLEND, inputs: [aa, nowhere]}\n",
        "  output: d\n",
    ));
    assert_eq!(
        lines(&text),
        [
            r#"7:40: node "b": inputs[1]: a cycle: b -> c -> d -> b"#,
            r#"7:40: node "b": inputs[1]: a cycle: b -> d -> b"#,
            r#"10:37: node "e": inputs[0]: the node takes itself as an input"#,
            r#"11:12: node "a": the id is taken: another node has it at line 4, column 11"#,
            r#"12:37: node "f": inputs[0]: there is no node "aa"; did you mean "a"?"#,
            r#"12:41: node "f": inputs[1]: there is no node "nowhere""#,
        ]
    );
}
