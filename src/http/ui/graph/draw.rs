//! The picture of a DAG. Geometry stands in attributes and looks in the style sheet: the pages'
//! policy allows no style within elements.

use std::collections::HashMap;
use std::fmt::Write as _;

use maud::{Markup, html};

use crate::base::ContentHash;
use crate::http::ui::graph::layout::{self, HEIGHT, WIDTH};
use crate::http::ui::words::within;

/// Nodes that are drawn; of a larger graph there is the table.
const NODES: usize = 1500;

/// Lines above which each is drawn faintly: together they would be a black area.
const DENSE: usize = 150;

/// A node to be drawn.
pub struct Drawn {
    /// Its id.
    pub id: String,
    /// Its type, or what stands in its place.
    pub kind: String,
    /// The word of its state; empty for a recipe's.
    pub state: String,
    /// Ids of its inputs.
    pub inputs: Vec<String>,
    /// A picture of its value.
    pub picture: Option<ContentHash>,
    /// Where a click leads.
    pub address: String,
    /// Is it looked at?
    pub chosen: bool,
}

/// Draws nodes that are in topological order.
pub fn draw(nodes: &[Drawn], label: &str) -> Markup {
    if nodes.len() > NODES {
        let words = format!("A graph of {} nodes is too large to be drawn; the table has them all.", nodes.len());
        return html! { p.muted { (words) } };
    }
    let places: HashMap<&str, usize> = nodes.iter().enumerate().map(|(at, node)| (node.id.as_str(), at)).collect();
    let inputs: Vec<Vec<usize>> = nodes
        .iter()
        .map(|node| node.inputs.iter().filter_map(|input| places.get(input.as_str()).copied()).collect())
        .collect();
    let layout = layout::layout(&inputs);
    let (width, height) = (layout.width.ceil(), layout.height.ceil());
    html! {
        div.graph data-graph="" tabindex="0" role="group" aria-label=(label) {
            svg class=[(layout.lines.len() > DENSE).then_some("dense")] width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) } {
                @for (from, to, points) in &layout.lines {
                    path.line d=(curve(points)) data-from=(nodes[*from].id) data-to=(nodes[*to].id) {}
                }
                @for (node, (x, y)) in nodes.iter().zip(&layout.nodes) { (drawn(node, *x, *y)) }
            }
        }
    }
}

fn drawn(node: &Drawn, x: f64, y: f64) -> Markup {
    let chosen = if node.chosen { " chosen" } else { "" };
    let state = if node.state.is_empty() { "none" } else { &node.state };
    let words = if node.state.is_empty() { node.kind.clone() } else { format!("{} · {}", node.kind, node.state) };
    let left = if node.picture.is_some() { 54 } else { 14 };
    let room = if node.picture.is_some() { 16 } else { 21 };
    html! {
        a class={ "node s-" (state) (chosen) } href=(node.address) data-node=(node.id) data-kind=(node.kind)
            transform={ "translate(" (format!("{x:.1}")) " " (format!("{y:.1}")) ")" }
            aria-current=[node.chosen.then_some("true")] {
            title { (node.id) " · " (words) }
            rect.box width=(WIDTH) height=(HEIGHT) rx="9" {}
            @if let Some(hash) = &node.picture {
                image href={ "/thumb/" (hash) } x="8" y="8" width="36" height="36" preserveAspectRatio="xMidYMid slice" {}
            }
            text.name x=(left) y="22" { (within(&node.id, room)) }
            text.kind x=(left) y="39" { (within(&words, room + 5)) }
            @if !node.state.is_empty() {
                use class="sign" href={ "#i-" (node.state) } x=(WIDTH - 24.0) y="8" width="14" height="14" {}
            }
        }
    }
}

/// A line that leaves and arrives level.
fn curve(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (at, (x, y)) in points.iter().enumerate() {
        if at == 0 {
            let _ = write!(path, "M{x:.1} {y:.1}");
            continue;
        }
        let (from_x, from_y) = points[at - 1];
        if (from_y - y).abs() < 0.05 {
            let _ = write!(path, "H{x:.1}");
        } else {
            let bend = f64::midpoint(from_x, *x);
            let _ = write!(path, "C{bend:.1} {from_y:.1} {bend:.1} {y:.1} {x:.1} {y:.1}");
        }
    }
    path
}
