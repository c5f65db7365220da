//! The shapes of a plan.

use crate::base::{ContentHash, NodeId, NodeKey, Params};
use crate::media::Facts;
use crate::nodes::{NodeType, Tool};
use crate::plan::key::KeyParts;
use crate::recipe::Later;

/// What must be done for a graph's output, and what need not.
pub struct Plan {
    /// Nodes in topological order: inputs come before their consumers.
    pub nodes: Vec<PlanNode>,
    /// Stages in an order in which they can run one after another.
    pub stages: Vec<Stage>,
    /// The node whose value is the run's output (the `ENCODE`, where there is one).
    pub output: usize,
    /// What is planned when the output is known, if the output is not the run's but what its plan
    /// depends on.
    pub later: Option<Later>,
}

/// A node, planned.
pub struct PlanNode {
    /// Its id in the config; `<output>:encode` for the `ENCODE` that planning appends.
    pub id: NodeId,
    /// Its type.
    pub node_type: &'static dyn NodeType,
    /// Its parameters, complete.
    pub params: Params,
    /// Indices of its inputs.
    pub inputs: Vec<usize>,
    /// What is known of its value.
    pub facts: Facts,
    /// The bytes of a source.
    pub source: Option<ContentHash>,
    /// Its value, if others were planned by it.
    pub datum: Option<ContentHash>,
    /// What its key is made of.
    pub parts: KeyParts,
    /// Its key.
    pub key: NodeKey,
    /// The tools that take part in it.
    pub tools: Vec<Tool>,
    /// Known, needed, or neither.
    pub state: State,
    /// The stage that computes it.
    pub stage: Option<usize>,
    /// Must it run although its result may be known?
    pub forced: bool,
    /// Is its value written as a blob, with a memo row?
    pub kept: bool,
    /// Estimated seconds of one core.
    pub cost: f64,
    /// What kind of work it is.
    pub work: Work,
}

/// The kinds of work that stages are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Pictures, in memory.
    Pixels,
    /// Films and sounds, through ffmpeg.
    Film,
    /// A native effect over the frames of a film.
    Frames,
    /// Analysis of a film, sound or picture.
    Data,
}

/// What a plan says of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// A source: its bytes are there.
    Source,
    /// Its result is known and will be used.
    Hit(ContentHash),
    /// Nothing that must run needs it.
    Unneeded,
    /// It must run.
    Miss,
}

impl State {
    /// The state in a word or two.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Hit(_) => "hit",
            Self::Unneeded => "not needed",
            Self::Miss => "miss",
        }
    }
}

/// A group of nodes that run as one.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// What kind of work it is; of films with effects, `Film`.
    pub work: Work,
    /// What is done, in order; nothing but for pixels.
    pub steps: Vec<Step>,
    /// Nodes outside of it whose values it reads as blobs.
    pub reads: Vec<usize>,
    /// Its nodes whose values it writes as blobs.
    pub keeps: Vec<usize>,
    /// Its nodes, in topological order.
    pub nodes: Vec<usize>,
    /// Stages that must be done before.
    pub after: Vec<usize>,
    /// Estimated seconds of one core.
    pub cost: f64,
    /// Estimated seconds of the longest chain of stages from this one (with it) to the output.
    pub remaining: f64,
    /// Estimated bytes of memory at the peak.
    pub memory: u64,
}

/// One step of a stage. Pictures are freed after their last use.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The node's value, a blob outside of the stage, is decoded.
    Load(usize),
    /// The node's blob is its input's blob.
    Alias(usize),
    /// The node's value is its input's value.
    Pass(usize),
    /// Point operations one after another in one pass, over the first one's input.
    Points(Vec<usize>),
    /// The node's picture is drawn.
    Draw(usize),
    /// The operation takes its first input.
    Start(usize),
    /// The operation takes input `.1`.
    Fold(usize, usize),
    /// The node's picture becomes a file.
    Encode(usize),
}

impl Plan {
    /// Nodes, with those that can be planned only later.
    pub fn count(&self) -> usize {
        self.nodes.len() + self.later.as_ref().map_or(0, |later| later.nodes.len())
    }

    /// The node with this id.
    pub fn find(&self, id: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.id.as_str() == id)
    }

    /// Nodes whose known results are used.
    pub fn hits(&self) -> usize {
        self.nodes.iter().filter(|node| matches!(node.state, State::Hit(_))).count()
    }

    /// Nodes that must run.
    pub fn misses(&self) -> usize {
        self.nodes.iter().filter(|node| node.state == State::Miss).count()
    }
}
