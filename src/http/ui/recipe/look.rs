//! A recipe to look at: its graph, and its text with a place for each line.

use std::borrow::Cow;
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
    let mut room = TEXT_BYTES;
    let mut shows = |line: &str| {
        let fits = line.len() + LINE_BYTES <= room;
        room = if fits { room - line.len() - LINE_BYTES } else { 0 };
        fits
    };
    let lines = yaml.lines().zip(1_usize..);
    let shown: Vec<(&str, usize)> = lines.filter(|(line, at)| shows(line) || by_line.contains_key(at)).collect();
    let left_out = yaml.lines().count() - shown.len();
    html! {
        ol.code tabindex="0" aria-label="The text of the recipe" {
            @for (line, number) in shown {
                li id={ "line-" (number) } class=[by_line.contains_key(&number).then_some("wrong")] {
                    a.gutter href={ "#line-" (number) } tabindex="-1" aria-hidden="true" { (number) }
                    code { (beginning(line)) }
                    @for problem in by_line.get(&number).into_iter().flatten() { p.problem { (problem.message) } }
                }
            }
        }
        @if left_out > 0 { p.muted { (left_out) " lines more are not shown here." } }
    }
}

/// Bytes of a text that a page shows, lines with problems aside, and what the page has around each line.
const TEXT_BYTES: usize = 1 << 20;
const LINE_BYTES: usize = 100;
/// Letters of a line that a page shows.
const LINE_LETTERS: usize = 10_000;

/// A line, or as much of it as can be shown.
fn beginning(line: &str) -> Cow<'_, str> {
    match line.char_indices().nth(LINE_LETTERS) {
        None => line.into(),
        Some((end, _)) => format!("{}…", &line[..end]).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_text_the_beginning_is_shown_and_lines_with_problems() {
        let yaml = "a line of some words\n".repeat(50_000) + &"x".repeat(2 << 20);
        let problem = Problem { line: 50_001, ..Problem::error("long", "too long") };
        let page = text(&yaml, &[problem]).into_string();
        assert!(page.len() < 3 * TEXT_BYTES, "{}", page.len());
        for (words, there) in [("id=\"line-1\"", true), ("id=\"line-40000\"", false), ("too long", true), ("x…", true)]
        {
            assert_eq!(page.contains(words), there, "{words}");
        }
        assert!(page.contains(" lines more are not shown here"));
        let page = text("name: a\n", &[]).into_string();
        assert!(!page.contains("more"), "{page}");
    }
}
