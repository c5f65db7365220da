//! The nodes of a run: as a graph, and as a table that says the same.

use maud::{Markup, html};

use crate::base::ContentHash;
use crate::engine::views::{PlanNodeView, PlanView, RunView};
use crate::http::query::path_part;
use crate::http::ui::graph::{ALL, Drawn, Graph, Pack, Shown};
use crate::http::ui::icons::state;
use crate::http::ui::words;

/// Nodes that an address may say to be opened.
const OPENED: usize = 32;

/// What of the nodes is looked at: it stands in the address of the page.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// The node whose panel is open.
    pub node: Option<String>,
    /// Nodes whose boxes are open.
    pub opened: Vec<String>,
    /// What is searched for.
    pub find: String,
}

impl Sight {
    /// Of the words of an address.
    pub fn new(node: Option<String>, mut opened: Vec<String>, find: Option<String>) -> Self {
        let skip = opened.len().saturating_sub(OPENED);
        opened.drain(..skip);
        Self { node, opened, find: find.unwrap_or_default() }
    }

    /// The address of this page with other boxes open, and a node or none.
    fn address(&self, run: &RunView, opened: &[&str], node: Option<&str>) -> String {
        let mut words: Vec<String> = opened.iter().map(|id| format!("open={}", path_part(id))).collect();
        words.extend(node.map(|node| format!("node={}", path_part(node))));
        let place = if node.is_some() && node != self.node.as_deref() { "node" } else { "run-graph" };
        let query = if words.is_empty() { String::new() } else { format!("?{}", words.join("&")) };
        format!("/run/{}{query}#{place}", run.run_id)
    }

    fn opened(&self) -> Vec<&str> {
        self.opened.iter().map(String::as_str).collect()
    }

    /// Where a node's panel opens, with all else as it is.
    pub fn to_node(&self, run: &RunView, node: &str) -> String {
        let other = Self { node: None, ..self.clone() };
        other.address(run, &self.opened(), Some(node))
    }

    /// Where the panel is closed, with all else as it is.
    pub fn without_node(&self, run: &RunView) -> String {
        self.address(run, &self.opened(), None)
    }

    /// Where the box of a node is open too.
    fn to_open(&self, run: &RunView, node: &str) -> String {
        let mut opened = self.opened();
        opened.push(node);
        self.address(run, &opened, self.node.as_deref())
    }
}

/// The nodes of a run as they are drawn and told.
pub struct Nodes<'a> {
    run: &'a RunView,
    plan: &'a PlanView,
    sight: &'a Sight,
    graph: Graph,
}

impl<'a> Nodes<'a> {
    /// Each node as it is now.
    pub fn new(run: &'a RunView, plan: &'a PlanView, sight: &'a Sight) -> Self {
        let drawn = plan.nodes.iter().map(|node| Drawn {
            id: node.id.to_string(),
            kind: node.node_type.to_string(),
            state: node.state.to_string(),
            inputs: node.inputs.iter().map(ToString::to_string).collect(),
            picture: picture(run, node),
            address: sight.to_node(run, node.id.as_str()),
            chosen: sight.node.as_deref() == Some(node.id.as_str()),
        });
        Self { run, plan, sight, graph: Graph::new(drawn.collect(), &sight.opened, &sight.find) }
    }

    /// The graph.
    pub fn graph(&self) -> Markup {
        let open = |node: &str| self.sight.to_open(self.run, node);
        html! {
            section id="run-graph" {
                div.head {
                    h2 { "Graph" }
                    form.tools method="get" action={ "/run/" (self.run.run_id) "#run-graph" } role="search" data-graph-tools="" {
                        @for opened in &self.sight.opened { input type="hidden" name="open" value=(opened); }
                        input type="search" name="find" value=(self.sight.find) placeholder="Find a node" aria-label="Find a node" data-find="";
                        span data-zooms="" hidden {
                            button.button.quiet type="button" data-zoom="-1" aria-label="Smaller" { "−" }
                            button.button.quiet type="button" data-zoom="0" { "Fit" }
                            button.button.quiet type="button" data-zoom="1" aria-label="Larger" { "+" }
                        }
                    }
                }
                div id="graph" data-live="" {
                    (self.folding())
                    (self.graph.draw("The graph of the run; the table below says the same", &open))
                }
            }
        }
    }

    /// What is folded, what was found, and what can be done about it.
    fn folding(&self) -> Markup {
        let searched = !self.sight.find.trim().is_empty();
        let opened = !self.sight.opened.is_empty();
        let node = self.sight.node.as_deref();
        html! {
            @if searched || opened || self.graph.is_folded() {
                p.folding.muted role="status" {
                    @if searched { span { (words::count(self.graph.count_found() as u64, "node", "nodes")) " found." } }
                    @if self.graph.is_folded() {
                        span { (words::number(self.graph.len() as u64)) " nodes in " (words::number(self.graph.shown().count() as u64)) " boxes." }
                        @if self.graph.opens_whole() { a data-fold="" href=(self.sight.address(self.run, &[ALL], node)) { "Open all" } }
                    }
                    @if opened { a data-fold="" href=(self.sight.address(self.run, &[], node)) { "Fold" } }
                }
            }
        }
    }

    /// The same as a table.
    pub fn table(&self) -> Markup {
        let all = self.graph.shown().count();
        let names: Vec<String> = self.graph.shown().take(ROWS).map(|(shown, _)| name(&shown)).collect();
        let nodes: std::collections::HashMap<&str, &PlanNodeView> =
            self.plan.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        html! {
            details.twin open[self.plan.nodes.len() <= 12] {
                summary { "Nodes as a table" }
                div.scroll tabindex="0" role="group" aria-label="Nodes" {
                    table id="nodes" data-live="" {
                        thead { tr { th scope="col" { "Node" } th scope="col" { "Type" } th scope="col" { "State" } th scope="col" { "Reads" } th.num scope="col" { "Took" } th scope="col" { "Why" } } }
                        tbody {
                            @for (shown, inputs) in self.graph.shown().take(ROWS) {
                                @match shown {
                                    Shown::One(drawn) => { @if let Some(node) = nodes.get(drawn.id.as_str()) { (self.row(node)) } }
                                    Shown::Many(pack) => (self.pack(&pack, inputs, &names)),
                                }
                            }
                        }
                    }
                }
                @if all > ROWS { p.muted { "The first " (ROWS) " of " (all) "." } }
            }
        }
    }

    fn row(&self, node: &PlanNodeView) -> Markup {
        html! {
            tr data-row=(node.id) {
                th scope="row" { a href=(self.sight.to_node(self.run, node.id.as_str())) { (node.id) } }
                td { (node.node_type) }
                td data-state="" { (state(&node.state)) }
                td { @for (at, input) in node.inputs.iter().enumerate() { @if at > 0 { ", " } (input) } }
                td.num { @if let Some((start, end)) = node.started_at.zip(node.completed_at) { (words::duration(end.seconds_since(start))) } @else { span.muted { "–" } } }
                td.muted { (node.why) }
            }
        }
    }

    fn pack(&self, pack: &Pack<'_>, inputs: &[usize], names: &[String]) -> Markup {
        html! {
            tr {
                th scope="row" { a data-pack-row="" href=(self.sight.to_open(self.run, &pack.nodes[0].id)) { (pack.name) } }
                td { (pack.kinds.join(", ")) }
                td { (pack.about) }
                td { @for (at, input) in inputs.iter().filter_map(|input| names.get(*input)).enumerate() { @if at > 0 { ", " } (input) } }
                td.num { span.muted { "–" } }
                td.muted { "folded: " (pack.nodes[0].id) " to " (pack.nodes[pack.nodes.len() - 1].id) }
            }
        }
    }
}

fn name(shown: &Shown<'_>) -> String {
    match shown {
        Shown::One(node) => node.id.clone(),
        Shown::Many(pack) => pack.name.clone(),
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

/// Rows of the table; of more nodes there is the API.
const ROWS: usize = 2000;
