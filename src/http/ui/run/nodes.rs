//! The nodes of a run: as a graph, and as a table that says the same.

use maud::{Markup, html};

use crate::base::ContentHash;
use crate::engine::views::{PlanNodeView, PlanView, RunView};
use crate::http::query::path_part;
use crate::http::ui::graph::{Drawn, draw};
use crate::http::ui::icons::state;
use crate::http::ui::words;

/// The graph, with each node as it is now.
pub fn graph(run: &RunView, plan: &PlanView, chosen: Option<&str>) -> Markup {
    let drawn: Vec<Drawn> = plan
        .nodes
        .iter()
        .map(|node| Drawn {
            id: node.id.to_string(),
            kind: node.node_type.to_string(),
            state: node.state.to_string(),
            inputs: node.inputs.iter().map(ToString::to_string).collect(),
            picture: picture(run, node),
            address: address(run, node),
            chosen: chosen == Some(node.id.as_str()),
        })
        .collect();
    html! {
        section id="run-graph" {
            div.head {
                h2 { "Graph" }
                div.tools data-graph-tools="" hidden {
                    input type="search" placeholder="Find a node" aria-label="Find a node" data-find="";
                    button.button.quiet type="button" data-zoom="-1" aria-label="Smaller" { "−" }
                    button.button.quiet type="button" data-zoom="0" { "Fit" }
                    button.button.quiet type="button" data-zoom="1" aria-label="Larger" { "+" }
                }
            }
            div id="graph" data-live="" { (draw(&drawn, "The graph of the run; the table below says the same")) }
        }
    }
}

/// A picture of a node's value, where there is one that can be drawn.
fn picture(run: &RunView, node: &PlanNodeView) -> Option<ContentHash> {
    let hash = node.output_hash?;
    let is_output = run.output_hash == Some(hash);
    let drawn = if is_output {
        run.output_media_type.as_deref().is_some_and(|kind| kind.starts_with("image/"))
    } else {
        node.size.is_some()
    };
    drawn.then_some(hash)
}

fn address(run: &RunView, node: &PlanNodeView) -> String {
    format!("/run/{}?node={}#node", run.run_id, path_part(node.id.as_str()))
}

/// Rows of the table; of more nodes there is the API.
const ROWS: usize = 2000;

/// The same as a table.
pub fn table(run: &RunView, plan: &PlanView) -> Markup {
    html! {
        details.twin open[plan.nodes.len() <= 12] {
            summary { "Nodes as a table" }
            div.scroll tabindex="0" role="group" aria-label="Nodes" {
                table id="nodes" data-live="" {
                    thead { tr { th scope="col" { "Node" } th scope="col" { "Type" } th scope="col" { "State" } th scope="col" { "Reads" } th.num scope="col" { "Took" } th scope="col" { "Why" } } }
                    tbody {
                        @for node in plan.nodes.iter().take(ROWS) {
                            tr data-row=(node.id) {
                                th scope="row" { a href=(address(run, node)) { (node.id) } }
                                td { (node.node_type) }
                                td data-state="" { (state(&node.state)) }
                                td { @for (at, input) in node.inputs.iter().enumerate() { @if at > 0 { ", " } (input) } }
                                td.num { @if let Some((start, end)) = node.started_at.zip(node.completed_at) { (words::duration(end.seconds_since(start))) } @else { span.muted { "–" } } }
                                td.muted { (node.why) }
                            }
                        }
                    }
                }
            }
            @if plan.nodes.len() > ROWS { p.muted { "The first " (ROWS) " of " (plan.nodes.len()) "." } }
        }
    }
}
