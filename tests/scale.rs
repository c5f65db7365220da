//! Large graphs: nothing overflows, every result is recorded, and nothing is done twice.

use std::fmt::Write as _;

use artdag::records::RunStatus;

use crate::support::{self, Home, options, run_config};

const NODES: usize = 10_000;

/// A chain of `identity` nodes over the asset `cat`.
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

#[test]
fn a_chain_of_10_000_nodes_leaves_10_000_results_and_is_known_afterwards() {
    let home = Home::new();
    home.write("chain.yaml", chain(NODES));
    let cold = home.run(&["run", "chain.yaml", "--output", "json"]).json();
    let stats = |stages: usize, hits: usize, misses: usize| serde_json::json!({"stages": stages, "hits": hits, "misses": misses, "blobs_written": 0});
    assert_eq!(cold["stats"], stats(NODES, 0, NODES));
    let warm = home.run(&["run", "chain.yaml", "--output", "json"]).json();
    assert_eq!((&warm["stats"], &warm["output_hash"]), (&stats(0, 1, 0), &cold["output_hash"]));
    // Every node has a result of its own: the plan of each prefix is a hit.
    for node in ["n0", "n4321", "n9998"] {
        let why = home.run(&["why", node, "latest", "--output", "json"]).json();
        assert_eq!(why["nearest"], serde_json::Value::Null, "{node} is not recorded: {why}");
    }
    let engine = home.open(1);
    assert_eq!(engine.memo_len().expect("results are counted"), NODES);
    engine.close().expect("the home closes");
}

#[test]
fn ten_thousand_sizes_of_one_picture_are_joined_by_one_layer() {
    let home = Home::new();
    let engine = home.open(2);
    let source = engine.add_bytes(&support::png(16, 16, 5), None).expect("bytes can be added").content_hash;
    let mut yaml =
        format!("name: sizes\ndag:\n  nodes:\n    - {{id: s, type: SOURCE, config: {{hash: \"{source}\"}}}}\n");
    let mut ids = Vec::new();
    for width in 1..=100 {
        for height in 1..=100 {
            let id = format!("r{width}x{height}");
            let _ = writeln!(
                yaml,
                "    - {{id: {id}, type: RESIZE, config: {{width: {width}, height: {height}, mode: stretch}}, inputs: [s]}}"
            );
            ids.push(id);
        }
    }
    let _ = writeln!(yaml, "    - {{id: all, type: LAYER, inputs: [{}]}}\n  output: all", ids.join(", "));
    let cold = run_config(&engine, &yaml, options(true, true));
    assert_eq!(cold.status, RunStatus::Completed, "{:?}", cold.error);
    assert_eq!((cold.stats.stages, cold.stats.misses), (1, NODES as u64 + 2));
    let warm = run_config(&engine, &yaml, options(true, true));
    assert_eq!((warm.output, warm.stats.stages, warm.stats.hits), (cold.output, 0, 1));
    engine.close().expect("the home closes");
}

#[test]
fn s15_a_chain_and_a_fan_in_of_the_most_nodes_run() {
    if !support::long_case("graphs of 100,000 nodes") {
        return;
    }
    let home = Home::new();
    // The source counts.
    home.write("chain.yaml", chain(99_999));
    home.ok(&["run", "chain.yaml"]);
    home.write("more.yaml", chain(100_000));
    let ran = home.run(&["run", "more.yaml"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("100000") || ran.err.contains("100,000"), "{}", ran.err);
}
