//! The picture of a DAG. Geometry stands in attributes and looks in the style sheet: the pages'
//! policy allows no style within elements.

use std::collections::HashMap;
use std::fmt::Write as _;

use maud::{Markup, html};

use crate::base::ContentHash;
use crate::http::ui::graph::fold::Folded;
use crate::http::ui::graph::layout::{self, HEIGHT, WIDTH};
use crate::http::ui::words::within;

/// Boxes that are drawn; of a larger graph there is the table.
const BOXES: usize = 3000;

/// Lines above which each is drawn faintly: together they would be a black area.
const DENSE: usize = 150;

/// The word that opens every box.
pub const ALL: &str = "*";

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

/// Several nodes as one box.
pub struct Pack<'a> {
    /// The nodes, in topological order.
    pub nodes: Vec<&'a Drawn>,
    /// What they are: `RESIZE × 120`.
    pub name: String,
    /// The types that they have, each once.
    pub kinds: Vec<&'a str>,
    /// The state that has to be known first: one that failed is seen among thousands that did not.
    pub state: &'a str,
    /// How many are in which state; of a recipe the first and the last.
    pub about: String,
}

/// What is drawn in one place.
pub enum Shown<'a> {
    /// A node.
    One(&'a Drawn),
    /// A box of several.
    Many(Pack<'a>),
}

/// A DAG that is drawn, large ones with nodes folded into boxes.
pub struct Graph {
    nodes: Vec<Drawn>,
    folded: Folded,
    found: String,
}

impl Graph {
    /// Nodes in topological order. `opened` are ids of nodes that are to be seen, or [`ALL`];
    /// nodes with `found` in their ids stand out, and the first of them is opened.
    pub fn new(nodes: Vec<Drawn>, opened: &[String], found: &str) -> Self {
        let places: HashMap<&str, usize> = nodes.iter().enumerate().map(|(at, node)| (node.id.as_str(), at)).collect();
        let inputs: Vec<Vec<usize>> = nodes
            .iter()
            .map(|node| node.inputs.iter().filter_map(|input| places.get(input.as_str()).copied()).collect())
            .collect();
        let found = found.trim().to_lowercase();
        let folded = if opened.iter().any(|word| word == ALL) && nodes.len() <= BOXES {
            Folded::not(&inputs)
        } else {
            let mut seen: Vec<usize> = opened.iter().filter_map(|id| places.get(id.as_str()).copied()).collect();
            seen.extend(nodes.iter().position(|node| node.chosen && !node.state.is_empty()));
            seen.extend(nodes.iter().position(|node| finds(&found, node)));
            let kinds: Vec<&str> = nodes.iter().map(|node| node.kind.as_str()).collect();
            Folded::of(&inputs, &kinds, &seen)
        };
        Self { nodes, folded, found }
    }

    /// Nodes in all.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Is it large enough to be folded, and are there boxes that are not opened?
    pub fn is_folded(&self) -> bool {
        self.folded.boxes.len() < self.nodes.len()
    }

    /// Can all of it be drawn at once?
    pub fn opens_whole(&self) -> bool {
        self.nodes.len() <= BOXES
    }

    /// Nodes that are searched for.
    pub fn count_found(&self) -> usize {
        self.nodes.iter().filter(|node| finds(&self.found, node)).count()
    }

    /// What is drawn, and the places of what each reads.
    pub fn shown(&self) -> impl Iterator<Item = (Shown<'_>, &[usize])> {
        self.folded.boxes.iter().zip(&self.folded.inputs).map(|(nodes, inputs)| (self.of(nodes), inputs.as_slice()))
    }

    fn of(&self, nodes: &[usize]) -> Shown<'_> {
        match nodes {
            [node] => Shown::One(&self.nodes[*node]),
            many => Shown::Many(Pack::of(many.iter().map(|node| &self.nodes[*node]).collect())),
        }
    }

    /// Draws it; `open` is the address at which a box is opened to show a node.
    pub fn draw(&self, label: &str, open: &dyn Fn(&str) -> String) -> Markup {
        let boxes = self.folded.boxes.len();
        if boxes > BOXES {
            let words = format!("A graph of {boxes} nodes is too large to be drawn; the table has them all.");
            return html! { p.muted { (words) } };
        }
        let layout = layout::layout(&self.folded.inputs);
        let (width, height) = (layout.width.ceil(), layout.height.ceil());
        html! {
            div.graph data-graph="" tabindex="0" role="group" aria-label=(label) {
                div.sheet {
                    svg class=[(layout.lines.len() > DENSE).then_some("dense")] width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) } {
                        @for (from, to, points) in &layout.lines {
                            path.line d=(curve(points)) data-from=(from) data-to=(to) {}
                        }
                        @for (at, (x, y)) in layout.nodes.iter().enumerate() {
                            @let place = format!("translate({x:.1} {y:.1})");
                            @match self.of(&self.folded.boxes[at]) {
                                Shown::One(node) => (drawn(node, at, &place, finds(&self.found, node))),
                                Shown::Many(pack) => {
                                    @let first = pack.nodes.iter().find(|node| finds(&self.found, node));
                                    (packed(&pack, at, &place, &open(&first.unwrap_or(&pack.nodes[0]).id), first.is_some()))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn finds(words: &str, node: &Drawn) -> bool {
    !words.is_empty() && node.id.to_lowercase().contains(words)
}

impl<'a> Pack<'a> {
    fn of(nodes: Vec<&'a Drawn>) -> Self {
        let mut kinds: Vec<&str> = Vec::new();
        for node in &nodes {
            if !kinds.contains(&node.kind.as_str()) {
                kinds.push(&node.kind);
            }
        }
        let named =
            if kinds.len() > 3 { format!("{} + {}", kinds[..2].join(", "), kinds.len() - 2) } else { kinds.join(", ") };
        let state =
            MATTERS.iter().find(|state| nodes.iter().any(|node| node.state == **state)).copied().unwrap_or_default();
        let count = |state: &&str| nodes.iter().filter(|node| node.state == **state).count();
        let states = MATTERS.iter().filter(|state| count(state) > 0);
        let states: Vec<String> = states.map(|state| format!("{} {state}", count(state))).collect();
        let (first, last) = (&nodes[0].id, &nodes[nodes.len() - 1].id);
        Self {
            name: format!("{named} × {}", nodes.len()),
            about: if states.is_empty() { format!("{first} to {last}") } else { states.join(", ") },
            state,
            kinds,
            nodes,
        }
    }
}

/// States of a node, those that matter most first.
const MATTERS: [&str; 8] = ["failed", "running", "waiting", "skipped", "cancelled", "pending", "completed", "cached"];

fn drawn(node: &Drawn, at: usize, place: &str, found: bool) -> Markup {
    let chosen = if node.chosen { " chosen" } else { "" };
    let found = if found { " found" } else { "" };
    let state = if node.state.is_empty() { "none" } else { &node.state };
    let words = if node.state.is_empty() { node.kind.clone() } else { format!("{} · {}", node.kind, node.state) };
    let left = if node.picture.is_some() { 54 } else { 14 };
    let room = if node.picture.is_some() { 16 } else { 21 };
    html! {
        a class={ "node s-" (state) (chosen) (found) } href=(node.address) data-node=(node.id) data-kind=(node.kind) data-at=(at)
            transform=(place) aria-current=[node.chosen.then_some("true")] {
            title { (node.id) " · " (words) }
            rect.box width=(WIDTH) height=(HEIGHT) rx="9" {}
            @if let Some(hash) = &node.picture {
                image href={ "/thumb/" (hash) "?size=small" } x="8" y="8" width="36" height="36" preserveAspectRatio="xMidYMid slice" {}
            }
            text.name x=(left) y="22" { (within(&node.id, room)) }
            text.kind x=(left) y="39" { (within(&words, room + 5)) }
            @if !node.state.is_empty() {
                use class="sign" href={ "#i-" (node.state) } x=(WIDTH - 24.0) y="8" width="14" height="14" {}
            }
        }
    }
}

/// A box, with the edge of another behind it.
fn packed(pack: &Pack<'_>, at: usize, place: &str, address: &str, found: bool) -> Markup {
    let found = if found { " found" } else { "" };
    let state = if pack.state.is_empty() { "none" } else { pack.state };
    html! {
        a class={ "node pack s-" (state) (found) } href=(address) data-pack="" data-at=(at) transform=(place) {
            title { (pack.name) " · " (pack.about) " · folded, open" }
            rect.under x="6" y="6" width=(WIDTH) height=(HEIGHT) rx="9" {}
            rect.box width=(WIDTH) height=(HEIGHT) rx="9" {}
            text.name x="14" y="22" { (within(&pack.name, 18)) }
            text.kind x="14" y="39" { (within(&pack.about, 26)) }
            @if !pack.state.is_empty() {
                use class="sign" href={ "#i-" (pack.state) } x=(WIDTH - 24.0) y="8" width="14" height="14" {}
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
