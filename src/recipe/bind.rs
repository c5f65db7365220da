//! A recipe with its inputs bound to contents: the graph that is planned.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::base::{ContentHash, NodeId, Params};
use crate::media::{Facts, Form, Kind, MediaType, SourceFacts};
use crate::nodes::{self, MAP, NodeType};
use crate::recipe::graph::{Datum, Graph, GraphNode, Later, LaterNode, Source};
use crate::recipe::model::{OutputEncoding, Recipe, RecipeNode};
use crate::recipe::place::Place;
use crate::recipe::problem::Problem;
use crate::recipe::problems::Problems;
use crate::recipe::source;
use crate::recipe::words::{counted, quoted};

impl Recipe {
    /// Binds the sources, by their positions, and works out what is known of every value that
    /// the output needs. A node whose input is already refused is not judged.
    pub fn bind(&self, sources: &BTreeMap<usize, Vec<Source>>) -> Result<Graph, Vec<Problem>> {
        self.bind_with(sources, &BTreeMap::new())
    }

    /// The same where values that nodes are planned by are known, by the positions of what makes
    /// them. Where one is missing the graph is what leads to it.
    pub fn bind_with(
        &self,
        sources: &BTreeMap<usize, Vec<Source>>,
        data: &BTreeMap<usize, Datum>,
    ) -> Result<Graph, Vec<Problem>> {
        let mut binding = Binding {
            recipe: self,
            sources,
            data,
            placed: vec![None; self.nodes.len()],
            origins: Vec::new(),
            nodes: Vec::new(),
            later: vec![false; self.nodes.len()],
            awaits: None,
            problems: Problems::default(),
        };
        let order = order(self);
        for index in &order {
            binding.node(*index);
        }
        let Binding { placed, nodes, later, awaits, problems, .. } = binding;
        problems.finish()?;
        let position = |index: usize| match &placed[index] {
            Some(Placed::One(position)) => Ok(*position),
            Some(Placed::Many(items)) => Err(vec![list_as_output(self, items.len())]),
            None => panic!("BUG: an output that is not placed"),
        };
        let Some(awaits) = awaits else {
            let output = position(self.output.node)?;
            return Ok(Graph { nodes, output, encoding: self.output.encoding, later: None });
        };
        let rest = order.into_iter().filter(|index| later[*index]).map(|index| LaterNode {
            id: self.nodes[index].id.clone(),
            node_type: self.nodes[index].node_type.name(),
            inputs: self.nodes[index].inputs.iter().map(|input| self.nodes[*input].id.clone()).collect(),
        });
        let later = Later { awaits, until: self.nodes[awaits].id.clone(), nodes: rest.collect() };
        let output = position(awaits)?;
        Ok(Graph { nodes, output, encoding: OutputEncoding::default(), later: Some(later) })
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
    sources: &'a BTreeMap<usize, Vec<Source>>,
    data: &'a BTreeMap<usize, Datum>,
    /// Where each node of the recipe is in the graph.
    placed: Vec<Option<Placed>>,
    /// For each node of the graph that is a source's bytes, that source: which node of the
    /// recipe, and which of its items.
    origins: Vec<Option<(usize, usize)>>,
    nodes: Vec<GraphNode>,
    /// For each node of the recipe, whether it waits for data.
    later: Vec<bool>,
    /// The first node whose data is waited for.
    awaits: Option<usize>,
    problems: Problems,
}

/// The place of a recipe's node in the graph.
#[derive(Debug, Clone)]
enum Placed {
    One(usize),
    /// A list: one node for each item.
    Many(Vec<usize>),
}

/// A node of the graph before its place.
struct New {
    id: NodeId,
    node_type: &'static dyn NodeType,
    params: Params,
    inputs: Vec<usize>,
    source: Option<(ContentHash, (usize, usize))>,
}

impl Binding<'_> {
    /// Places a node, or every node that it comes to, unless it or what is before it is refused.
    fn node(&mut self, index: usize) {
        let node = &self.recipe.nodes[index];
        if node.inputs.iter().any(|input| self.later[*input]) || (node.reads_data() && self.waits(index)) {
            self.later[index] = true;
            return;
        }
        self.placed[index] = match (&node.source, node.node_type.name()) {
            (Some(_), _) => self.sources_of(index),
            (None, MAP) => self.mapped(index),
            (None, _) => self.plain(index).map(Placed::One),
        };
    }

    /// Must a node that reads data wait for it? One whose data can be none waits for nothing, and is
    /// refused.
    fn waits(&mut self, index: usize) -> bool {
        let inputs = &self.recipe.nodes[index].inputs;
        let Some(from) = inputs.last().copied() else { return false };
        let Some(Placed::One(position)) = self.placed[from] else { return false };
        if self.nodes[position].facts.kind != Kind::Data {
            return false;
        }
        match self.data.get(&from) {
            Some(Datum { hash, value }) => {
                self.nodes[position].facts.data = Some(value.clone());
                self.nodes[position].datum = Some(*hash);
                false
            }
            None => {
                self.awaits.get_or_insert(from);
                true
            }
        }
    }

    fn plain(&mut self, index: usize) -> Option<usize> {
        let node = &self.recipe.nodes[index];
        let ports = node.node_type.ports();
        let inputs = self.inputs(index)?;
        let lists = node.inputs.iter().any(|input| matches!(self.placed[*input], Some(Placed::Many(_))));
        if lists && !(ports.min..=ports.max).contains(&inputs.len()) {
            let message = format!(
                "takes {}, and the list gives {}; use MAP, or join the list with SEQUENCE",
                counted(ports.max, "input"),
                counted(inputs.len(), "item")
            );
            self.refuse("input_count", index, message);
            return None;
        }
        // What goes with the number of inputs could not be checked before.
        let problem = if lists { node.node_type.check(&node.params, inputs.len()).into_iter().next() } else { None };
        if let Some((name, reason)) = problem {
            self.refuse("bad_parameters", index, format!("config.{name}: {reason}"));
            return None;
        }
        let new =
            New { id: node.id.clone(), node_type: node.node_type, params: node.params.clone(), inputs, source: None };
        self.place(index, new)
    }

    /// The positions of a node's inputs, lists item by item; `None` if one is refused.
    fn inputs(&self, index: usize) -> Option<Vec<usize>> {
        let mut inputs = Vec::new();
        for input in &self.recipe.nodes[index].inputs {
            match self.placed[*input].as_ref()? {
                Placed::One(position) => inputs.push(*position),
                Placed::Many(items) => inputs.extend(items),
            }
        }
        Some(inputs)
    }

    /// A node of the operation's type for each item.
    fn mapped(&mut self, index: usize) -> Option<Placed> {
        let node = &self.recipe.nodes[index];
        let params = self.seeded(&node.params);
        let mut items = Vec::new();
        for (item, input) in self.inputs(index)?.into_iter().enumerate() {
            let (node_type, params) = nodes::of_item(&params, item, &self.nodes[input].facts);
            if let Some((name, reason)) = node_type.check(&params, 1).into_iter().next() {
                self.refuse("bad_value", index, format!("config.config.{name}: {reason}"));
                return None;
            }
            let new = New { id: item_id(&node.id, item), node_type, params, inputs: vec![input], source: None };
            items.push(self.place(index, new)?);
        }
        Some(Placed::Many(items))
    }

    /// The parameters of a `MAP` whose seed is a source's content, where it names one.
    fn seeded(&self, params: &Params) -> Params {
        let words = params.optional_text(nodes::SEED_FROM).unwrap_or_default();
        let named = self.recipe.nodes.iter().position(|node| node.id.as_str() == words && node.source.is_some());
        // One that the output does not need may be given or not.
        let named = named.filter(|source| self.recipe.needed()[*source]);
        let Some(sources) = named.and_then(|source| self.sources.get(&source)) else { return params.clone() };
        let hashes: Vec<String> = sources.iter().map(|source| source.hash.to_string()).collect();
        let mut entries = params.entries().clone();
        entries.insert(nodes::SEED_FROM.to_owned(), hashes.join(",").into());
        Params::new(entries)
    }

    fn sources_of(&mut self, index: usize) -> Option<Placed> {
        let node = &self.recipe.nodes[index];
        let sources = self.sources.get(&index).map_or(&[][..], Vec::as_slice);
        if sources.is_empty() {
            self.refuse("missing_input", index, "there is no content for it".to_owned());
            return None;
        }
        let mut items = Vec::new();
        for (item, source) in sources.iter().enumerate() {
            let id = if node.is_list() { item_id(&node.id, item) } else { node.id.clone() };
            let facts = self.source_facts(index, source)?;
            let source = Some((source.hash, (index, item)));
            let new = New { id, node_type: source_type(), params: node.params.clone(), inputs: Vec::new(), source };
            items.push(self.add(new, facts));
        }
        Some(if node.is_list() { Placed::Many(items) } else { Placed::One(items[0]) })
    }

    fn place(&mut self, index: usize, new: New) -> Option<usize> {
        let facts = self.facts(index, &new)?;
        Some(self.add(new, facts))
    }

    fn add(&mut self, new: New, facts: Facts) -> usize {
        let origin = match (&facts.form, new.inputs.as_slice(), new.source) {
            (Form::Blob(_), [], Some((_, origin))) => Some(origin),
            (Form::Blob(_), [input, ..], _) => self.origins[*input],
            _ => None,
        };
        self.origins.push(origin);
        let New { id, node_type, params, inputs, source } = new;
        let source = source.map(|(hash, _)| hash);
        self.nodes.push(GraphNode { id, node_type, params, inputs, source, facts, datum: None });
        self.nodes.len() - 1
    }

    /// What is known of a node's value; `None` if it is refused.
    fn facts(&mut self, index: usize, new: &New) -> Option<Facts> {
        let inputs = &new.inputs;
        let kinds = new.node_type.ports().kinds;
        let fits = |facts: &Facts| kinds.is_empty() || kinds.contains(&facts.kind);
        let facts: Vec<Facts> = inputs.iter().map(|input| self.nodes[*input].facts.clone()).collect();
        let reads_data = self.recipe.nodes[index].reads_data();
        let fits = |position: usize, facts: &Facts| {
            if reads_data && position + 1 == inputs.len() { facts.data.is_some() } else { fits(facts) }
        };
        for (position, facts) in facts.iter().enumerate().filter(|(position, facts)| !fits(*position, facts)) {
            if reads_data && position + 1 == inputs.len() {
                let what = self.describe(inputs[position], facts);
                self.refuse("wrong_kind", index, format!("times_from takes the data of an ANALYZE node; {what}"));
                continue;
            }
            let which = if inputs.len() > 1 { format!("inputs[{position}] ") } else { String::new() };
            let wanted: Vec<&str> = kinds.iter().map(|kind| a(*kind)).collect();
            let message = format!("{which}takes {}; {}", wanted.join(" or "), self.describe(inputs[position], facts));
            self.refuse("wrong_kind", index, message);
        }
        if !facts.iter().enumerate().all(|(position, facts)| fits(position, facts)) {
            return None;
        }
        match nodes::facts(new.node_type, &new.params, &facts) {
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

    fn source_facts(&mut self, index: usize, source: &Source) -> Option<Facts> {
        let node = &self.recipe.nodes[index];
        let facts = Facts::source(source.facts.clone());
        match source::media(&node.params) {
            // Of a picture in motion, the first frame where a picture is asked for.
            Some(Kind::Image) if facts.as_still().is_some() => facts.as_still(),
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
        match self.origins[input].and_then(|(index, item)| Some((index, self.sources.get(&index)?.get(item)?))) {
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

fn item_id(list: &NodeId, item: usize) -> NodeId {
    NodeId::new(format!("{list}[{item}]"))
}

fn source_type() -> &'static dyn NodeType {
    nodes::find(source::SOURCE).unwrap_or_else(|| panic!("BUG: no node type SOURCE"))
}

fn list_as_output(recipe: &Recipe, items: usize) -> Problem {
    let RecipeNode { id, mark, .. } = &recipe.nodes[recipe.output.node];
    let mut problems = Problems::default();
    let message =
        format!("it is a list of {}, and an output is one value; join it with SEQUENCE", counted(items, "item"));
    problems.error("list_output", &Place::ROOT.key("dag").key("nodes").node(id), *mark, message);
    let found = problems.finish().err().unwrap_or_default().into_iter().next();
    found.unwrap_or_else(|| panic!("BUG: a problem is lost"))
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
