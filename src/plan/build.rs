//! The plan of a graph: `ENCODE` appended, keys, demand and hits, then stages.

use std::collections::HashSet;

use crate::base::limits::CHECKPOINT_SECONDS;
use crate::base::{ContentHash, NodeId, NodeKey, Params, schema, suggest};
use crate::media::codec;
use crate::media::encode::Format;
use crate::media::{Facts, Form, Kind, MediaType};
use crate::nodes::{ENCODE, Lowered, NodeType as _, Tool};
use crate::plan::key::KeyParts;
use crate::plan::stage::{Plan, PlanNode, State, Work};
use crate::plan::{cost, fuse, order};
use crate::recipe::{Graph, GraphNode, OutputEncoding};

/// How a graph is to be run; none of it changes the output's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Take known results (`--no-cache` does not).
    pub cache: bool,
    /// Join nodes into stages (`--no-fuse` writes every node's value and reads it back).
    pub fuse: bool,
    /// Nodes whose values are kept as blobs.
    pub keep: Vec<NodeId>,
    /// Nodes that run again, with all that depends on them, although known.
    pub force: Vec<NodeId>,
    /// Where a checkpoint is set.
    pub checkpoint: Checkpoint,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache: true, fuse: true, keep: Vec::new(), force: Vec::new(), checkpoint: Checkpoint::Auto }
    }
}

/// Where a value inside a stage is kept so that a change after it need not redo what is before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checkpoint {
    /// Before a stage's last node, where making it again would cost more than storing it.
    Auto,
    /// Nowhere.
    Never,
    /// At this node.
    At(NodeId),
}

/// The programs that this machine has for films and sounds.
#[derive(Debug, Clone)]
pub struct Toolbox {
    /// ffmpeg with every library that it loads.
    pub ffmpeg: Option<Tool>,
    /// What this class of CPU can do, as far as ffmpeg's code for sounds depends on it.
    pub cpu: Tool,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// An option names a node that the config does not have, or that the output does not need.
    #[error("{option} names the node {id:?}, which the output does not need or the config does not have{suggestion}")]
    UnknownNode {
        /// The option.
        option: &'static str,
        /// What it names.
        id: NodeId,
        /// "; did you mean …?" or nothing.
        suggestion: String,
    },
    /// A format was asked for a value that is no picture.
    #[error("the output {id:?} is {kind}, which cannot be written as {format}; {remedy}")]
    NotEncodable {
        /// The output node.
        id: NodeId,
        /// Its kind.
        kind: &'static str,
        /// The format asked for.
        format: &'static str,
        /// What to do.
        remedy: String,
    },
    /// A node needs ffmpeg, and there is none.
    #[error(
        "the node {id:?} ({node_type}) works on films or sounds, which needs ffmpeg, and there is none; \
         install it (`apt install ffmpeg`), or name it by --ffmpeg"
    )]
    NoFfmpeg {
        /// The node.
        id: NodeId,
        /// Its type.
        node_type: &'static str,
    },
    /// A picture that its format cannot hold.
    #[error("the output {id:?} cannot be written as {format}: {reason}")]
    NotWritable {
        /// The output node.
        id: NodeId,
        /// The format.
        format: &'static str,
        /// Why not.
        reason: String,
    },
}

/// Plans a graph. `known` tells the content hash of a key whose blob is there; `derived_room`
/// is how many bytes of values that can be made again may still be stored.
pub fn plan(
    graph: Graph,
    options: &Options,
    derived_room: u64,
    toolbox: &Toolbox,
    known: &dyn Fn(&NodeKey) -> Option<ContentHash>,
) -> Result<Plan, PlanError> {
    let wanted = Wanted { output: graph.output, encoding: graph.encoding };
    let later = graph.later;
    let mut nodes: Vec<PlanNode> = Vec::with_capacity(graph.nodes.len() + 1);
    for node in graph.nodes {
        let planned = plan_node(node, &nodes, toolbox)?;
        nodes.push(planned);
    }
    let output = append_encode(&wanted, &mut nodes, toolbox)?;
    let keep = indices(&nodes, "keep", &options.keep)?;
    let force = indices(&nodes, "force", &options.force)?;
    demand(&mut nodes, output, &keep, &force, options, known);
    for index in 0..nodes.len() {
        if nodes[index].state == State::Miss {
            let inputs = input_facts(&nodes, index);
            let node = &nodes[index];
            nodes[index].cost = cost::seconds(node.node_type, &node.params, &inputs, &node.facts);
        }
    }
    let mut keeps = keep;
    if let Checkpoint::At(id) = &options.checkpoint {
        keeps.extend(indices(&nodes, "checkpoint", std::slice::from_ref(id))?);
    }
    let mut groups = fuse::groups(&nodes, output, &keeps, options.fuse);
    if options.checkpoint == Checkpoint::Auto && options.fuse {
        let found = checkpoints(&nodes, &groups, derived_room);
        if !found.is_empty() {
            keeps.extend(found);
            groups = fuse::groups(&nodes, output, &keeps, options.fuse);
        }
    }
    let stages = order::stages(&mut nodes, &groups, &keeps);
    Ok(Plan { nodes, stages, output, later })
}

/// What is to come out of a graph.
struct Wanted {
    output: usize,
    encoding: OutputEncoding,
}

fn plan_node(node: GraphNode, before: &[PlanNode], toolbox: &Toolbox) -> Result<PlanNode, PlanError> {
    let inputs: Vec<&PlanNode> = node.inputs.iter().map(|input| &before[*input]).collect();
    let work = work_of(&node, &inputs);
    let tools = tools_of(&node, &inputs, work, toolbox)?;
    let (source, datum) = (node.source, node.datum);
    let parts = KeyParts {
        node_type: node.node_type.name().to_owned(),
        version: node.node_type.version(),
        content: source,
        // A source is its bytes: how the config named them is not part of it.
        params: if source.is_some() { "{}".to_owned() } else { node.params.canonical() },
        inputs: inputs.iter().map(|input| input.key).collect(),
        tools: tools.iter().map(|tool| (tool.name.clone(), tool.hash)).collect(),
    };
    Ok(PlanNode {
        id: node.id,
        work,
        node_type: node.node_type,
        params: node.params,
        inputs: node.inputs,
        facts: node.facts,
        source,
        datum,
        key: parts.key(),
        parts,
        tools,
        state: if source.is_some() { State::Source } else { State::Unneeded },
        stage: None,
        forced: false,
        kept: false,
        cost: 0.0,
    })
}

/// The tools of the node's own work, the decoders of the blobs it reads, and the writer of its
/// stored form.
fn tools_of(node: &GraphNode, inputs: &[&PlanNode], work: Work, toolbox: &Toolbox) -> Result<Vec<Tool>, PlanError> {
    let GraphNode { node_type, params, facts, .. } = node;
    let mut tools = node_type.tools(params);
    let hands_on_bytes = matches!(facts.form, Form::Blob(_)) && node_type.name() != ENCODE.name();
    let is_heard = facts.has_sound() || inputs.iter().any(|input| input.facts.has_sound());
    let has_time = facts.has_time() || inputs.iter().any(|input| input.facts.has_time());
    if work != Work::Pixels && has_time && !hands_on_bytes && node.source.is_none() {
        let missing = || PlanError::NoFfmpeg { id: node.id.clone(), node_type: node_type.name() };
        tools.push(toolbox.ffmpeg.clone().ok_or_else(missing)?);
        // Decoding and resampling of sounds use floats, by code that is chosen by the CPU.
        if is_heard {
            tools.push(toolbox.cpu.clone());
        }
    }
    if !hands_on_bytes {
        for input in inputs {
            if let Form::Blob(source) = &input.facts.form
                && (input.facts.kind == Kind::Image || source.media_type == MediaType::Webp)
            {
                tools.extend(codec::decoder(source.media_type).map(Tool::from));
            }
        }
    }
    if facts.form == Form::Value && facts.kind == Kind::Image {
        tools.push(codec::STORED_PNG.into());
    }
    tools.sort();
    tools.dedup();
    Ok(tools)
}

/// What kind of work a node is.
fn work_of(node: &GraphNode, inputs: &[&PlanNode]) -> Work {
    let has_time = |facts: &Facts| facts.clip.is_some() || facts.has_time();
    let takes_time = inputs.iter().any(|input| has_time(&input.facts));
    if node.source.is_none() && node.facts.kind == Kind::Data && matches!(node.facts.form, Form::Value) {
        return Work::Data;
    }
    if node.source.is_some() || !(takes_time || has_time(&node.facts)) {
        return Work::Pixels;
    }
    // An effect is the only pixel operation that takes what has time.
    let facts: Vec<Facts> = inputs.iter().map(|input| input.facts.clone()).collect();
    match node.node_type.lower(&node.params, &facts) {
        Lowered::Pixels(_) => Work::Frames,
        _ => Work::Film,
    }
}

/// Appends the `ENCODE` of the output, unless the output is bytes that stay as they are.
fn append_encode(wanted: &Wanted, nodes: &mut Vec<PlanNode>, toolbox: &Toolbox) -> Result<usize, PlanError> {
    let output = &nodes[wanted.output];
    let encoding = wanted.encoding;
    let is_file = matches!(output.facts.form, Form::Blob(_)) || output.facts.kind == Kind::Data;
    let untouched = is_file && encoding.format.is_none();
    if untouched {
        return Ok(wanted.output);
    }
    let kind = output.facts.kind;
    let format = encoding.format.or(Format::default_of(kind)).unwrap_or(Format::Png);
    if !format.holds(kind) {
        let fitting: Vec<&str> =
            Format::ALL.iter().filter(|format| format.holds(kind)).map(|format| format.name()).collect();
        let remedy = match (kind, fitting.is_empty()) {
            (_, true) => "take the format out".to_owned(),
            (Kind::Video, _) if format.holds(Kind::Image) => format!("take {}, or a FRAME of it", fitting.join(", ")),
            (Kind::Video, _) if format.holds(Kind::Audio) => format!("take {}, or EXTRACT_AUDIO", fitting.join(", ")),
            _ => format!("take {}", fitting.join(", ")),
        };
        return Err(PlanError::NotEncodable {
            id: output.id.clone(),
            kind: kind.word(),
            format: format.name(),
            remedy,
        });
    }
    let mut entries = schema::defaults(ENCODE.params()).entries().clone();
    entries.insert("format".to_owned(), format.name().into());
    if let Some(quality) = encoding.quality.or_else(|| format.default_quality()) {
        entries.insert("quality".to_owned(), quality.into());
    }
    if let Some(crf) = encoding.crf {
        entries.insert("crf".to_owned(), crf.into());
    }
    if let Some(preset) = encoding.preset {
        entries.insert("preset".to_owned(), preset.into());
    }
    if let Some(audio_bitrate) = encoding.audio_bitrate {
        entries.insert("audio_bitrate".to_owned(), audio_bitrate.into());
    }
    let params = Params::new(entries);
    let not_writable = |reason: String| PlanError::NotWritable { id: output.id.clone(), format: format.name(), reason };
    if let Some((name, reason)) = ENCODE.check(&params, 1).into_iter().next() {
        return Err(not_writable(format!("{name}: {reason}")));
    }
    let facts = ENCODE.facts(&params, std::slice::from_ref(&output.facts)).map_err(|error| PlanError::NotWritable {
        id: output.id.clone(),
        format: format.name(),
        reason: error.to_string(),
    })?;
    let node = GraphNode {
        id: NodeId::new(format!("{}:encode", output.id)),
        node_type: &ENCODE,
        params,
        inputs: vec![wanted.output],
        source: None,
        facts,
        datum: None,
    };
    let planned = plan_node(node, nodes, toolbox)?;
    nodes.push(planned);
    Ok(nodes.len() - 1)
}

fn indices(nodes: &[PlanNode], option: &'static str, ids: &[NodeId]) -> Result<Vec<usize>, PlanError> {
    ids.iter()
        .map(|id| {
            nodes.iter().position(|node| node.id == *id).ok_or_else(|| PlanError::UnknownNode {
                option,
                id: id.clone(),
                suggestion: suggest::did_you_mean(id.as_str(), nodes.iter().map(|node| node.id.as_str())),
            })
        })
        .collect()
}

fn input_facts(nodes: &[PlanNode], index: usize) -> Vec<Facts> {
    nodes[index].inputs.iter().map(|input| nodes[*input].facts.clone()).collect()
}

/// From the output (and what is kept or forced) back: what is known is a hit and needs nothing
/// before it, what is not known must run and needs its inputs.
fn demand(
    nodes: &mut [PlanNode],
    output: usize,
    keep: &[usize],
    force: &[usize],
    options: &Options,
    known: &dyn Fn(&NodeKey) -> Option<ContentHash>,
) {
    let mut runs_again: HashSet<usize> = force.iter().copied().collect();
    let mut needed = vec![false; nodes.len()];
    for root in keep.iter().chain(force).chain(std::iter::once(&output)) {
        needed[*root] = true;
    }
    if !runs_again.is_empty() {
        for (index, node) in nodes.iter().enumerate() {
            if node.inputs.iter().any(|input| runs_again.contains(input)) {
                runs_again.insert(index);
            }
        }
    }
    for index in (0..nodes.len()).rev() {
        if !needed[index] || nodes[index].state == State::Source {
            continue;
        }
        nodes[index].forced = runs_again.contains(&index);
        let hit = if options.cache && !nodes[index].forced { known(&nodes[index].key) } else { None };
        // What the plan itself was made by is there.
        let hit = nodes[index].datum.or(hit);
        nodes[index].state = hit.map_or(State::Miss, State::Hit);
        if hit.is_none() {
            for input in nodes[index].inputs.clone() {
                needed[input] = true;
            }
        }
    }
}

/// For each stage: the value before its last node other than `ENCODE`, if the work above it is
/// worth more than storing it and there is room.
fn checkpoints(nodes: &[PlanNode], groups: &[Option<usize>], mut room: u64) -> Vec<usize> {
    let mut found = Vec::new();
    for root in (0..nodes.len()).filter(|index| groups[*index] == Some(*index)) {
        let last = if nodes[root].node_type.name() == ENCODE.name() { nodes[root].inputs[0] } else { root };
        if groups[last] != Some(root) {
            continue;
        }
        let members: Vec<usize> = (0..=last).filter(|index| groups[*index] == Some(root)).collect();
        let candidate = nodes[last].inputs.iter().copied().filter(|input| groups[*input] == Some(root)).max();
        let Some(candidate) = candidate else { continue };
        let above = cost_above(nodes, &members, candidate);
        let size = cost::stored_bytes(&nodes[candidate].facts);
        let storing = nodes[candidate].facts.pixels() as f64 * cost::STORE / 1e9;
        if above > CHECKPOINT_SECONDS && above > storing && size <= room {
            room -= size;
            found.push(candidate);
        }
    }
    found
}

/// Seconds of the members that `node` is made from, with its own.
fn cost_above(nodes: &[PlanNode], members: &[usize], node: usize) -> f64 {
    let mut wanted = HashSet::from([node]);
    let mut sum = 0.0;
    for member in members.iter().rev().filter(|member| **member <= node) {
        if wanted.contains(member) {
            sum += nodes[*member].cost;
            wanted.extend(nodes[*member].inputs.iter().copied());
        }
    }
    sum
}
