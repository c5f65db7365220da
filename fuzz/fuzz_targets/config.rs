//! Any bytes as a config: no panic, every problem can be printed, and what is accepted can be
//! bound and planned.

#![no_main]

use std::collections::BTreeMap;

use artdag::base::{ContentHash, Fingerprint, limits};
use artdag::media::{MediaType, SourceFacts};
use artdag::nodes::Tool;
use artdag::plan::{Options, State, Toolbox, plan};
use artdag::recipe::{Problem, Recipe, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match Recipe::parse(bytes) {
        Ok(recipe) => accepted(&recipe),
        Err(problems) => {
            assert!(!problems.is_empty());
            assert!(problems.len() <= limits::CONFIG_PROBLEMS + 1);
            print(&problems);
        }
    }
});

/// Problems are one harmless line each, and JSON.
fn print(problems: &[Problem]) {
    for problem in problems {
        let text = problem.to_string();
        assert!(!text.is_empty() && !text.contains(char::is_control), "{text:?}");
        serde_json::to_string(problem).expect("a problem is JSON");
    }
}

fn accepted(recipe: &Recipe) {
    print(&recipe.warnings);
    assert!(recipe.output.node < recipe.nodes.len());
    for node in &recipe.nodes {
        assert!(node.inputs.iter().all(|input| *input < recipe.nodes.len()));
        match node.node_type.name() {
            "SOURCE" => assert!(node.source.is_some()),
            // A list may be of sources or of other nodes.
            "SOURCE_LIST" => {}
            _ => assert!(node.source.is_none()),
        }
        node.params.canonical();
    }
    let facts = SourceFacts::of_bytes(MediaType::Png, Some((64, 48)), false);
    let source = Source { hash: ContentHash::of(b"a picture"), facts, damage: None };
    let all = recipe.variable_inputs().chain(recipe.fixed_inputs());
    let sources: BTreeMap<usize, Vec<Source>> = all.map(|(index, _)| (index, vec![source.clone()])).collect();
    let graph = match recipe.bind(&sources) {
        Ok(graph) => graph,
        Err(problems) => return print(&problems),
    };
    let cpu = Tool { name: "cpu".to_owned(), version: String::new(), hash: Fingerprint::from_bytes([0; 32]) };
    let toolbox = Toolbox { ffmpeg: None, cpu };
    for fuse in [true, false] {
        let options = Options { fuse, ..Options::default() };
        let planned = match plan(graph.clone(), &options, u64::MAX, &toolbox, &|_| None) {
            Ok(planned) => planned,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                return;
            }
        };
        for (index, node) in planned.nodes.iter().enumerate() {
            assert!(node.inputs.iter().all(|input| *input < index), "a node stands before its input");
            assert_eq!(node.stage.is_some(), node.state == State::Miss);
        }
        for (index, stage) in planned.stages.iter().enumerate() {
            assert!(stage.after.iter().all(|before| *before < index), "a stage stands before what it needs");
        }
    }
}
