//! A config as a whole: from its bytes to a recipe or to everything that is wrong with it.

use std::collections::HashSet;

use crate::base::{NodeId, limits};
use crate::media::encode::Format;
use crate::nodes::{self, MAP, SOURCE_LIST};
use crate::recipe::check;
use crate::recipe::draft::{self, Draft};
use crate::recipe::keys::{Section, text};
use crate::recipe::leaf::wrong_type;
use crate::recipe::links::{self, Ids, no_such_node};
use crate::recipe::model::{Output, OutputEncoding, Recipe, RecipeNode};
use crate::recipe::place::Place;
use crate::recipe::problem::{LocPart, Problem};
use crate::recipe::problems::Problems;
use crate::recipe::registry::{self, Assets};
use crate::recipe::words::{counted, listed, quoted};
use crate::recipe::yaml::{self, Node, View};

/// The keys at the top.
const KEYS: &[&str] = &["name", "version", "description", "owner", "registry", "dag"];

/// Bytes of a description: some pages.
const DESCRIPTION_BYTES: usize = 64 << 10;

/// Reads and validates a config.
pub fn parse(bytes: &[u8]) -> Result<Recipe, Vec<Problem>> {
    let (tree, found) = yaml::read(bytes).map_err(|problem| vec![problem])?;
    let mut problems = Problems::default();
    for problem in found {
        problems.push(named(problem, &tree));
    }
    let recipe = read(&tree, &mut problems);
    let warnings = problems.finish()?;
    let recipe = recipe.unwrap_or_else(|| panic!("BUG: a config without problems is no recipe"));
    Ok(Recipe { warnings, ..recipe })
}

impl Recipe {
    /// Reads and validates a config.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<Problem>> {
        parse(bytes)
    }
}

/// A problem of the text with the id of the node that it stands in.
fn named(mut problem: Problem, tree: &Node) -> Problem {
    if let [LocPart::Key(dag), LocPart::Key(nodes), node @ LocPart::Index(_), ..] = problem.loc.as_mut_slice()
        && dag == "dag"
        && nodes == "nodes"
        && let LocPart::Index(index) = *node
        && let Some(id) = id_at(tree, index)
    {
        *node = LocPart::Key(id.to_owned());
        problem.node = Some(NodeId::new(id));
    }
    problem
}

/// The id written in the node at this position.
fn id_at(tree: &Node, index: usize) -> Option<&str> {
    let nodes = &tree.map()?.get("dag")?.node.map()?.get("nodes")?.node;
    let View::Seq(items) = nodes.view() else { return None };
    Some(items.get(index)?.map()?.get("id")?.node.scalar()?.text.as_str())
}

fn read(tree: &Node, problems: &mut Problems) -> Option<Recipe> {
    if tree.map().is_none() {
        problems.error("wrong_type", &Place::ROOT, tree.mark, "a config is a map with the keys name and dag");
        return None;
    }
    let section = Section::new(tree, KEYS, &Place::ROOT, problems)?;
    let name = section.require("name", &Place::ROOT, problems).and_then(|node| read_name(node, problems));
    let mut optional = |key: &'static str, max: usize| {
        let read = |node| text(node, max, &Place::ROOT.key(key), problems);
        section.get(key).and_then(read).map(str::to_owned)
    };
    let version = optional("version", limits::ASSET_NAME_BYTES);
    let description = optional("description", DESCRIPTION_BYTES);
    let owner = optional("owner", limits::ASSET_NAME_BYTES);
    let assets = section
        .get("registry")
        .map_or_else(Assets::new, |node| registry::read(node, &Place::ROOT.key("registry"), problems));
    let dag = section.require("dag", &Place::ROOT, problems)?;
    let (nodes, output) = read_dag(dag, &assets, problems)?;
    let recipe = Recipe { name: name?, version, description, owner, nodes, output, warnings: Vec::new(), bare: false };
    warn_of_unused(&recipe, problems);
    Some(recipe)
}

fn read_name(node: &Node, problems: &mut Problems) -> Option<String> {
    let place = Place::ROOT.key("name");
    let name = text(node, limits::ASSET_NAME_BYTES, &place, problems)?;
    if name.trim().is_empty() {
        problems.error("bad_value", &place, node.mark, "name is empty");
        return None;
    }
    Some(name.to_owned())
}

fn read_dag(node: &Node, assets: &Assets, problems: &mut Problems) -> Option<(Vec<RecipeNode>, Output)> {
    let place = Place::ROOT.key("dag");
    let section = Section::new(node, &["nodes", "output"], &place, problems)?;
    let nodes_place = place.key("nodes");
    let nodes = section.require("nodes", &place, problems);
    let output = section.require("output", &place, problems);
    let drafts = read_nodes(nodes?, assets, &nodes_place, problems)?;
    let ids = Ids::new(&drafts, &nodes_place, problems);
    let links = links::resolve(&drafts, &ids, &nodes_place, problems);
    links::find_cycles(&drafts, &links, &nodes_place, problems);
    let output = output.and_then(|node| read_output(node, &ids, &place.key("output"), problems));
    if problems.any_error() {
        return None;
    }
    let nodes = drafts.into_iter().zip(links).map(|(draft, inputs)| into_node(draft, inputs)).collect::<Option<_>>()?;
    Some((nodes, output?))
}

fn read_nodes<'a>(
    node: &'a Node,
    assets: &Assets,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<Vec<Draft<'a>>> {
    let View::Seq(items) = node.view() else {
        return wrong_type(node, "a list of nodes", place, problems);
    };
    if items.is_empty() || items.len() > limits::CONFIG_NODES {
        let message = if items.is_empty() {
            "dag.nodes has no nodes".to_owned()
        } else {
            format!("dag.nodes has {}, and the limit is {}", counted(items.len(), "node"), limits::CONFIG_NODES)
        };
        problems.error("node_count", place, node.mark, message);
        return None;
    }
    let lists: HashSet<&str> = items.iter().filter_map(list_id).collect();
    let read = |(index, item)| draft::read(item, index, place, assets, &lists, problems);
    Some(items.iter().enumerate().map(read).collect())
}

/// The id of a node that is a list: how many inputs it is to others is known when it is given.
fn list_id(node: &Node) -> Option<&str> {
    let text = |key: &str| Some(node.map()?.get(key)?.node.scalar()?.text.as_str());
    matches!(text("type")?, SOURCE_LIST | MAP).then(|| text("id")).flatten()
}

fn into_node(draft: Draft<'_>, inputs: Vec<usize>) -> Option<RecipeNode> {
    let Draft { id, node_type, params, source, mark, .. } = draft;
    Some(RecipeNode { id: id?, node_type: node_type?, params: params?, inputs, source, mark })
}

/// The output: a node's id, or a map of that and how it is written.
fn read_output(node: &Node, ids: &Ids<'_>, place: &Place<'_>, problems: &mut Problems) -> Option<Output> {
    if node.scalar().is_some() {
        let node = read_output_node(node, ids, place, problems)?;
        return Some(Output { node, encoding: OutputEncoding::default() });
    }
    if node.map().is_none() {
        return wrong_type(node, "a node's id, or a map with the key node", place, problems);
    }
    let known = ["node", "format", "quality", "crf", "preset", "audio_bitrate"];
    let section = Section::new(node, &known, place, problems)?;
    let id = section.require("node", place, problems);
    let output = id.and_then(|id| read_output_node(id, ids, &place.key("node"), problems));
    let format = section.get("format").map(|node| read_format(node, &place.key("format"), problems));
    let quality = section.get("quality").and_then(|node| {
        let place = place.key("quality");
        let quality = encode_param("quality", node, &place, problems)?.as_u64()? as u8;
        // An unknown format has been reported.
        let format = format.unwrap_or(Some(Format::Png))?;
        if !format.has_quality() {
            let with = listed(Format::ALL.iter().filter(|format| format.has_quality()).map(|format| format.name()));
            let message = format!("dag.output.quality means nothing to {}; it is for {with}", format.name());
            problems.error("bad_value", &place, node.mark, message);
        }
        Some(quality)
    });
    let mut param = |name: &str, has: fn(Format) -> bool| {
        let node = section.get(name)?;
        let place = place.key(name);
        let value = encode_param(name, node, &place, problems)?;
        // Without a format the kind of the value decides, which is not known here.
        if let Some(format) = format.flatten().filter(|format| !has(*format)) {
            let with = listed(Format::ALL.iter().filter(|format| has(**format)).map(|format| format.name()));
            let message = format!("dag.output.{name} means nothing to {}; it is for {with}", format.name());
            problems.error("bad_value", &place, node.mark, message);
        }
        Some(value)
    };
    let crf = param("crf", Format::has_crf).and_then(|value| value.as_u64()).map(|crf| crf as u8);
    let preset = param("preset", Format::has_x264)
        .and_then(|value| nodes::PRESETS.iter().copied().find(|preset| value.as_str() == Some(preset)));
    let audio_bitrate = param("audio_bitrate", Format::has_audio_bitrate).and_then(|value| value.as_u64());
    let audio_bitrate = audio_bitrate.map(|rate| rate as u32);
    let encoding = OutputEncoding { format: format.flatten(), quality, crf, preset, audio_bitrate };
    Some(Output { node: output?, encoding })
}

/// A parameter of the node that planning appends.
fn encode_param(name: &str, node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<serde_json::Value> {
    use crate::nodes::NodeType as _;
    // 192k, as ffmpeg and the original write it.
    let thousands = node.scalar().and_then(|scalar| scalar.text.strip_suffix(['k', 'K'])?.parse::<u64>().ok());
    if let Some(rate) = thousands.filter(|rate| name == "audio_bitrate" && (16..=512).contains(rate)) {
        return Some((rate * 1000).into());
    }
    let param = nodes::ENCODE.params().iter().find(|param| param.name == name)?;
    check::value(node, param, place, problems)
}

fn read_output_node(node: &Node, ids: &Ids<'_>, place: &Place<'_>, problems: &mut Problems) -> Option<usize> {
    let Some(scalar) = node.scalar() else {
        return wrong_type(node, "a node's id", place, problems);
    };
    let found = ids.find(&scalar.text);
    if found.is_none() {
        let message = no_such_node(&scalar.text, ids, problems);
        problems.error("unknown_output", place, node.mark, format!("{}: {message}", place.label()));
    }
    found
}

fn read_format(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Format> {
    let Some(scalar) = node.scalar() else {
        return wrong_type(node, "a text", place, problems);
    };
    let found = Format::parse(&scalar.text);
    if found.is_none() {
        let names = || Format::ALL.iter().map(|format| format.name());
        let suggestion = problems.did_you_mean(&scalar.text, names());
        let message = format!("there is no format {}; there is {}{suggestion}", quoted(&scalar.text), listed(names()));
        problems.error("unknown_format", place, node.mark, message);
    }
    found
}

/// Warns of nodes that the output does not need.
fn warn_of_unused(recipe: &Recipe, problems: &mut Problems) {
    let dag = Place::ROOT.key("dag");
    let nodes = dag.key("nodes");
    for (node, _) in recipe.nodes.iter().zip(recipe.needed()).filter(|(_, needed)| !needed) {
        let (kind, message) = if node.is_variable() {
            ("unused_input", "the output does not need this input; it need not be given")
        } else {
            ("unused_node", "the output does not need it")
        };
        problems.warning(kind, &nodes.node(&node.id), node.mark, message);
    }
}
