//! One node of a config, read on its own: id, type, parameters, and the ids of its inputs.

use std::collections::HashSet;

use crate::base::{NodeId, Params, limits};
use crate::nodes::{self, NodeType};
use crate::recipe::keys::Section;
use crate::recipe::leaf::wrong_type;
use crate::recipe::model::SourceSpec;
use crate::recipe::place::Place;
use crate::recipe::ports::{self, Reference};
use crate::recipe::problem::Mark;
use crate::recipe::problems::Problems;
use crate::recipe::registry::Assets;
use crate::recipe::words::quoted;
use crate::recipe::yaml::{Map, Node};
use crate::recipe::{check, path, source};

/// What was read of a node. What could not be read has been reported.
pub(crate) struct Draft<'a> {
    pub(crate) id: Option<NodeId>,
    pub(crate) node_type: Option<&'static dyn NodeType>,
    pub(crate) params: Option<Params>,
    pub(crate) inputs: Vec<Reference<'a>>,
    pub(crate) source: Option<SourceSpec>,
    pub(crate) mark: Mark,
    /// Where its id is written.
    pub(crate) id_mark: Mark,
}

/// Reads the node at `index` of the list.
pub(crate) fn read<'a>(
    node: &'a Node,
    index: usize,
    nodes_place: &Place<'_>,
    assets: &Assets,
    lists: &HashSet<&str>,
    problems: &mut Problems,
) -> Draft<'a> {
    let mut draft = Draft {
        id: None,
        node_type: None,
        params: None,
        inputs: Vec::new(),
        source: None,
        mark: node.mark,
        id_mark: node.mark,
    };
    let by_index = nodes_place.index(index);
    // The id first, so that every other problem can name the node.
    let id_node = node.map().and_then(|map| map.get("id")).map(|entry| &entry.node).filter(|node| !node.is_null());
    if let Some(id_node) = id_node {
        draft.id_mark = id_node.mark;
        draft.id = read_id(id_node, &by_index.key("id"), problems);
    }
    let id = draft.id.clone();
    let place = id.as_ref().map_or(by_index, |id| nodes_place.node(id));
    let Some(section) = Section::new(node, &["id", "type", "config", "inputs"], &place, problems) else {
        return draft;
    };
    if id_node.is_none() {
        problems.error("missing", &by_index.key("id"), node.mark, "a node without an id");
    }
    draft.node_type = section.require("type", &place, problems).and_then(|node| read_type(node, &place, problems));
    let named = ports::named(draft.node_type, section.get("config"), &place, problems);
    let mark = (node.mark, named.inputs.len());
    draft.inputs = ports::read(section.get("inputs"), draft.node_type, mark, &place, problems);
    draft.inputs.extend(named.inputs);
    // `MAP` has an operation for each item, and is itself checked with the list.
    let is_map = draft.node_type.is_some_and(|node_type| node_type.name() == nodes::MAP);
    let takes_list = !is_map && draft.inputs.iter().any(|input| lists.contains(input.id));
    let inputs = (!takes_list).then_some(draft.inputs.len());
    draft.inputs.extend(named.data);
    let Some(node_type) = draft.node_type else { return draft };
    let place = place.key("config");
    draft.params = read_params(node_type, &section, inputs, &place, problems);
    if let Some(params) =
        draft.params.as_ref().filter(|_| matches!(node_type.name(), source::SOURCE | nodes::SOURCE_LIST))
    {
        let written = section.get("config").unwrap_or(node);
        draft.source = source::read(params, assets, written, &place, problems);
    }
    draft
}

/// An id: 1 to [`limits::NODE_ID_BYTES`] bytes, free of what lists (`,`), assignments (`=`),
/// paths (`/`, `\`) and the ids made from it (`:`) are written with, and of all white space but
/// single spaces within.
fn read_id(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<NodeId> {
    let Some(scalar) = node.scalar() else {
        return wrong_type(node, "a text", place, problems);
    };
    let text = scalar.text.as_str();
    let refused = |c: &char| {
        c.is_control()
            || c.is_whitespace() && *c != ' '
            || matches!(c, ',' | '=' | '/' | '\\' | ':' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let reason = if text.is_empty() {
        "a node's id may not be empty".to_owned()
    } else if text.len() > limits::NODE_ID_BYTES {
        format!("the id {} has {} bytes, and the limit is {}", quoted(text), text.len(), limits::NODE_ID_BYTES)
    } else if let Some(c) = text.chars().find(refused) {
        format!("the id {} may not hold {c:?}; use letters, digits, \"_\", \"-\" and \".\"", quoted(text))
    } else if text.starts_with(' ') || text.ends_with(' ') || text.starts_with('-') {
        format!("the id {} may not begin with a dash, nor begin or end with a space", quoted(text))
    } else {
        return Some(NodeId::new(text));
    };
    problems.error("bad_id", place, node.mark, reason);
    None
}

fn read_type(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<&'static dyn NodeType> {
    let place = place.key("type");
    let Some(scalar) = node.scalar() else {
        return wrong_type(node, "a text", &place, problems);
    };
    let text = scalar.text.as_str();
    if let Some(node_type) = nodes::find(text) {
        return Some(node_type);
    }
    let mut message = format!("there is no type {}", quoted(text));
    message += &problems.did_you_mean(text, nodes::names());
    problems.error("unknown_type", &place, node.mark, message);
    None
}

/// The parameters of `config`, checked each, and together where the number of inputs is known.
fn read_params(
    node_type: &dyn NodeType,
    section: &Section<'_>,
    inputs: Option<usize>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<Params> {
    let nothing = Map::default();
    let config = section.get("config");
    let (map, mark) = match config {
        None => (&nothing, section.mark),
        Some(node) => match node.map() {
            Some(map) => (map, node.mark),
            None => return wrong_type(node, "a map", place, problems),
        },
    };
    let params = Params::new(check::entries(map, mark, node_type.params(), place, problems)?);
    let reasons = inputs.map(|inputs| node_type.check(&params, inputs)).unwrap_or_default();
    for (path, reason) in &reasons {
        let steps = path::steps(path);
        let mark = config.map_or(section.mark, |node| path::mark(node, &steps));
        problems.error_below("bad_parameters", place, steps, mark, reason);
    }
    reasons.is_empty().then_some(params)
}
