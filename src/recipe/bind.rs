//! A recipe with its inputs bound to contents: the graph that is planned.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::base::{ContentHash, NodeId, Params};
use crate::media::{Facts, Form, Kind, MediaType, SourceFacts};
use crate::nodes::NodeType;
use crate::recipe::model::{OutputEncoding, Recipe, RecipeNode};
use crate::recipe::place::Place;
use crate::recipe::problem::Problem;
use crate::recipe::problems::Problems;
use crate::recipe::source;
use crate::recipe::words::quoted;

/// The content that a source is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name.
    pub hash: ContentHash,
    /// What one look at it told.
    pub facts: SourceFacts,
    /// Why it cannot be used although its type is known: damaged, too large.
    pub damage: Option<String>,
}

/// The nodes that the output needs, each after its inputs, no placeholder left.
#[derive(Debug, Clone)]
pub struct Graph {
    /// The nodes. Each comes as soon as its inputs are there, in the order written.
    pub nodes: Vec<GraphNode>,
    /// The position of the node whose value is wanted.
    pub output: usize,
    /// How it is written.
    pub encoding: OutputEncoding,
}

/// A node of a graph.
#[derive(Clone)]
pub struct GraphNode {
    /// Its id.
    pub id: NodeId,
    /// Its type.
    pub node_type: &'static dyn NodeType,
    /// Its parameters.
    pub params: Params,
    /// Its inputs in order, as positions among the graph's nodes, all smaller than its own.
    pub inputs: Vec<usize>,
    /// The content that it is, if and only if it is a source.
    pub source: Option<ContentHash>,
    /// What is known of its value.
    pub facts: Facts,
}

impl std::fmt::Debug for GraphNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GraphNode")
            .field("id", &self.id)
            .field("type", &self.node_type.name())
            .field("params", &self.params)
            .field("inputs", &self.inputs)
            .field("source", &self.source)
            .field("facts", &self.facts)
            .finish()
    }
}

impl Recipe {
    /// Binds the sources, by their positions, and works out what is known of every value that
    /// the output needs. A node whose input is already refused is not judged.
    pub fn bind(&self, sources: &BTreeMap<usize, Source>) -> Result<Graph, Vec<Problem>> {
        let mut binding = Binding {
            recipe: self,
            sources,
            placed: vec![None; self.nodes.len()],
            origins: Vec::new(),
            nodes: Vec::new(),
            problems: Problems::default(),
        };
        for index in order(self) {
            if let Some(facts) = binding.facts(index) {
                binding.place(index, facts);
            }
        }
        let Binding { placed, nodes, problems, .. } = binding;
        problems.finish()?;
        let output = placed[self.output.node].unwrap_or_else(|| panic!("BUG: an output that is not placed"));
        Ok(Graph { nodes, output, encoding: self.output.encoding })
    }
}

/// The positions of the nodes that the output needs, each after its inputs: of those that can
/// come next always the one written first.
fn order(recipe: &Recipe) -> Vec<usize> {
    let needed = recipe.needed();
    let mut waits: Vec<usize> = recipe.nodes.iter().map(|node| node.inputs.len()).collect();
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); recipe.nodes.len()];
    for (index, node) in recipe.nodes.iter().enumerate().filter(|(index, _)| needed[*index]) {
        for input in &node.inputs {
            users[*input].push(index);
        }
    }
    let mut ready: BinaryHeap<Reverse<usize>> =
        (0..waits.len()).filter(|index| needed[*index] && waits[*index] == 0).map(Reverse).collect();
    let mut order = Vec::new();
    while let Some(Reverse(index)) = ready.pop() {
        order.push(index);
        for user in &users[index] {
            waits[*user] -= 1;
            if waits[*user] == 0 {
                ready.push(Reverse(*user));
            }
        }
    }
    order
}

struct Binding<'a> {
    recipe: &'a Recipe,
    sources: &'a BTreeMap<usize, Source>,
    /// The position in the graph of each node of the recipe.
    placed: Vec<Option<usize>>,
    /// For each node of the graph that is a source's bytes, that source.
    origins: Vec<Option<usize>>,
    nodes: Vec<GraphNode>,
    problems: Problems,
}

impl Binding<'_> {
    fn place(&mut self, index: usize, facts: Facts) {
        let node = &self.recipe.nodes[index];
        let inputs: Vec<usize> = node.inputs.iter().filter_map(|input| self.placed[*input]).collect();
        let origin = match (&facts.form, inputs.as_slice()) {
            (Form::Blob(_), []) => Some(index),
            (Form::Blob(_), [input, ..]) => self.origins[*input],
            (Form::Value, _) => None,
        };
        self.placed[index] = Some(self.nodes.len());
        self.origins.push(origin);
        self.nodes.push(GraphNode {
            id: node.id.clone(),
            node_type: node.node_type,
            params: node.params.clone(),
            inputs,
            source: self.sources.get(&index).filter(|_| node.source.is_some()).map(|source| source.hash),
            facts,
        });
    }

    /// What is known of a node's value; `None` if it or what is before it is refused.
    fn facts(&mut self, index: usize) -> Option<Facts> {
        let node = &self.recipe.nodes[index];
        if node.source.is_some() {
            return self.source_facts(index);
        }
        let inputs: Vec<usize> = node.inputs.iter().map(|input| self.placed[*input]).collect::<Option<_>>()?;
        let facts: Vec<Facts> = inputs.iter().map(|input| self.nodes[*input].facts.clone()).collect();
        let kinds = node.node_type.ports().kinds;
        let fits = |facts: &Facts| kinds.is_empty() || kinds.contains(&facts.kind);
        for (position, facts) in facts.iter().enumerate().filter(|(_, facts)| !fits(facts)) {
            let which = if inputs.len() > 1 { format!("inputs[{position}] ") } else { String::new() };
            let wanted: Vec<&str> = kinds.iter().map(|kind| a(*kind)).collect();
            let message = format!("{which}takes {}; {}", wanted.join(" or "), self.describe(inputs[position], facts));
            self.refuse("wrong_kind", index, message);
        }
        if !facts.iter().all(fits) {
            return None;
        }
        match node.node_type.facts(&node.params, &facts) {
            Ok(facts) => Some(facts),
            Err(error) => {
                // A type that takes any kind judges by itself, and does not know what its inputs are called.
                let bytes = inputs.iter().zip(&facts).filter(|(_, facts)| facts.kind == Kind::Bytes);
                let told: Vec<String> = bytes.map(|(input, facts)| self.describe(*input, facts)).collect();
                let told = if told.is_empty() { String::new() } else { format!("; {}", told.join(", ")) };
                self.refuse("bad_inputs", index, format!("{error}{told}"));
                None
            }
        }
    }

    fn source_facts(&mut self, index: usize) -> Option<Facts> {
        let node = &self.recipe.nodes[index];
        let Some(source) = self.sources.get(&index) else {
            self.refuse("missing_input", index, "there is no content for it".to_owned());
            return None;
        };
        let facts = Facts::source(source.facts.clone());
        match source::media(&node.params) {
            Some(wanted) if !is_of(wanted, &facts) => {
                let message = format!("must be {} (media: {}); {}", a(wanted), wanted.word(), describe(node, source));
                self.refuse("wrong_kind", index, message);
                None
            }
            _ => Some(facts),
        }
    }

    /// What an input is, for a message about the node that takes it.
    fn describe(&self, input: usize, facts: &Facts) -> String {
        match self.origins[input].and_then(|index| Some((index, self.sources.get(&index)?))) {
            Some((index, source)) => describe(&self.recipe.nodes[index], source),
            None => format!("{} gives {}", quoted(self.nodes[input].id.as_str()), a(facts.kind)),
        }
    }

    fn refuse(&mut self, kind: &'static str, index: usize, message: String) {
        let RecipeNode { id, mark, .. } = &self.recipe.nodes[index];
        let dag = Place::ROOT.key("dag");
        self.problems.error(kind, &dag.key("nodes").node(id), *mark, message);
    }
}

/// Is a source of the kind that its config asks for? Of sound, video and data the bytes are
/// taken at their word.
fn is_of(wanted: Kind, facts: &Facts) -> bool {
    let Form::Blob(SourceFacts { media_type, animated, .. }) = &facts.form else {
        return wanted == facts.kind;
    };
    match wanted {
        Kind::Image | Kind::Bytes => facts.kind == wanted,
        Kind::Video => *animated || media_type.mime().starts_with("video/"),
        Kind::Audio => media_type.mime().starts_with("audio/") || *media_type == MediaType::Ogg,
        Kind::Data => *media_type == MediaType::Json,
    }
}

/// What a source is bound to.
fn describe(node: &RecipeNode, source: &Source) -> String {
    let SourceFacts { media_type, size, .. } = &source.facts;
    let but = match &source.damage {
        Some(damage) => format!(": {damage}"),
        None if media_type.is_picture() && size.is_none() => ", which cannot be decoded".to_owned(),
        None => String::new(),
    };
    format!("{} is {}{but}", quoted(node.id.as_str()), media_type.mime())
}

/// A kind with its article.
const fn a(kind: Kind) -> &'static str {
    match kind {
        Kind::Image => "an image",
        Kind::Video => "a video",
        Kind::Audio => "a sound",
        Kind::Data => "data",
        Kind::Bytes => "bytes that are no media",
    }
}
