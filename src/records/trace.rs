//! Rows that tell how a run was carried out.

use serde::{Deserialize, Serialize};

use crate::base::{ContentHash, Timestamp};
use crate::db::{self, CodecError};
use crate::records::codec::Record;

/// What became of a run's nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceRow {
    /// In the order of the run's plan.
    pub nodes: Vec<NodeTrace>,
    /// The stages that the run had, as they were planned.
    pub stages: Vec<StageTrace>,
}

/// What became of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeTrace {
    /// The number of its state.
    pub state: u8,
    /// When its stage was begun.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Its value, if kept.
    pub output: Option<ContentHash>,
    /// The stage of this run that computed it.
    pub stage: Option<u32>,
    /// Microseconds that storing its value took, at the end of its work.
    pub stored: Option<u32>,
}

/// What became of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageTrace {
    /// When all that it reads was there.
    pub ready: Option<Timestamp>,
}

/// A trace as version 1 has it.
#[derive(Serialize, Deserialize)]
struct First {
    nodes: Vec<FirstNode>,
}

#[derive(Serialize, Deserialize)]
struct FirstNode {
    state: u8,
    started: Option<Timestamp>,
    ended: Option<Timestamp>,
    output: Option<ContentHash>,
}

impl From<First> for TraceRow {
    fn from(first: First) -> Self {
        let node = |node: FirstNode| {
            let FirstNode { state, started, ended, output } = node;
            NodeTrace { state, started, ended, output, stage: None, stored: None }
        };
        Self { nodes: first.nodes.into_iter().map(node).collect(), stages: Vec::new() }
    }
}

impl Record for TraceRow {
    const VERSION: u8 = 2;

    fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        match bytes.first() {
            Some(1) => db::decode::<First>(1, bytes).map(Self::from),
            _ => db::decode(Self::VERSION, bytes),
        }
    }
}

/// The commands that a stage ran.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandsRow {
    /// In the order in which they were started.
    pub commands: Vec<CommandTrace>,
}

/// A command that was run, in a directory of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandTrace {
    /// The program's file name.
    pub program: String,
    /// Its arguments; files are named as they lay in the directory.
    pub args: Vec<String>,
    /// What lay in the directory for it.
    pub files: Vec<FileTrace>,
}

/// A file that lay in a command's directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileTrace {
    /// Its name there.
    pub name: String,
    /// What it was.
    pub holds: Held,
}

/// What a file held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Held {
    /// A blob of the store.
    Blob(ContentHash),
    /// A text: the filters of a graph.
    Text(String),
    /// The pixels of a picture that was decoded before, RGBA.
    Pixels,
}
