//! A recipe to look at: its graph, and its text with a place for each line.

use std::collections::HashMap;

use maud::{Markup, html};

use super::Seen;
use crate::http::query::path_part;
use crate::http::ui::graph::{Drawn, Graph};
use crate::recipe::{Problem, Recipe};

/// The graph of a recipe; a node leads to the line where it is written.
pub fn graph(seen: &Seen, opened: &[String]) -> Markup {
    let graph = Graph::new(drawn(&seen.recipe), opened, "");
    let others = opened.iter().fold(String::new(), |others, id| others + "open=" + &path_part(id) + "&");
    let open = |node: &str| format!("/recipe/{}?{others}open={}#graph", path_part(&seen.word), path_part(node));
    html! { div id="graph" { (graph.draw("The graph of the recipe; its text says the same", &open)) } }
}

/// The graph of a text that is being written: a box leads to the line of its first node.
pub fn graph_of_text(recipe: &Recipe) -> Markup {
    let lines: HashMap<String, String> = drawn(recipe).into_iter().map(|node| (node.id, node.address)).collect();
    let to_line = |node: &str| lines.get(node).cloned().unwrap_or_default();
    Graph::new(drawn(recipe), &[], "").draw("The graph of the text", &to_line)
}

/// The nodes of a recipe, in topological order.
fn drawn(recipe: &Recipe) -> Vec<Drawn> {
    let order = in_order(recipe);
    let ids = |inputs: &[usize]| inputs.iter().map(|input| recipe.nodes[*input].id.to_string()).collect();
    order
        .into_iter()
        .map(|at| {
            let node = &recipe.nodes[at];
            Drawn {
                id: node.id.to_string(),
                kind: node.params.optional_text("effect").unwrap_or(node.node_type.name()).to_owned(),
                state: String::new(),
                inputs: ids(&node.inputs),
                picture: None,
                address: format!("#line-{}", node.mark.line),
                chosen: at == recipe.output.node,
            }
        })
        .collect()
}

/// Positions, each after those that it reads: configs name nodes in any order.
fn in_order(recipe: &Recipe) -> Vec<usize> {
    let mut left: Vec<usize> = recipe.nodes.iter().map(|node| node.inputs.len()).collect();
    let mut readers: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, node) in recipe.nodes.iter().enumerate() {
        for input in &node.inputs {
            readers.entry(*input).or_default().push(at);
        }
    }
    let mut order: Vec<usize> = (0..left.len()).filter(|at| left[*at] == 0).collect();
    let mut next = 0;
    while let Some(at) = order.get(next).copied() {
        next += 1;
        for reader in readers.get(&at).into_iter().flatten() {
            left[*reader] -= 1;
            if left[*reader] == 0 {
                order.push(*reader);
            }
        }
    }
    order
}

/// A config's text, each line with its number and the problems found in it.
pub fn text(yaml: &str, problems: &[Problem]) -> Markup {
    let mut by_line: HashMap<usize, Vec<&Problem>> = HashMap::new();
    for problem in problems {
        by_line.entry(problem.line as usize).or_default().push(problem);
    }
    html! {
        ol.code tabindex="0" aria-label="The text of the recipe" {
            @for (at, line) in yaml.lines().enumerate() {
                @let number = at + 1;
                li id={ "line-" (number) } class=[by_line.contains_key(&number).then_some("wrong")] {
                    a.gutter href={ "#line-" (number) } tabindex="-1" aria-hidden="true" { (number) }
                    code { (line) }
                    @for problem in by_line.get(&number).into_iter().flatten() { p.problem { (problem.message) } }
                }
            }
        }
    }
}
