//! What happens to a run, as it is told to a command that waits for it or watches it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{ContentHash, RunId};
use crate::cli::backend::Answer;
use crate::engine::views::RunView;

/// Tells what happens to a run.
pub trait Follow {
    /// What happened next, or `None` if nothing did within `patience`. The last thing told is a
    /// run that has ended.
    fn next(&mut self, patience: Duration) -> Answer<Option<Happened>>;
}

/// Something that happened to a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Happened {
    /// How it stands now.
    Run(Box<RunView>),
    /// A node's state changed.
    Node(NodeChange),
    /// More nodes are done.
    Progress(Advance),
    /// The way to the server was lost; it is tried again.
    Reconnecting,
}

/// A node's new state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeChange {
    /// The run.
    pub run_id: RunId,
    /// The node.
    pub node: String,
    /// `running completed cached failed skipped waiting`.
    pub state: String,
    /// Its value's hash, if kept.
    pub output_hash: Option<ContentHash>,
    /// Why it failed.
    pub error: Option<String>,
    /// The run that is making the value it waits for.
    pub waits_for: Option<RunId>,
}

/// Nodes done.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Advance {
    /// The run.
    pub run_id: RunId,
    /// Done, with those that were known.
    pub done: u64,
    /// All.
    pub nodes: u64,
    /// `done / nodes`.
    pub fraction: f64,
}
