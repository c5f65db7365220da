//! What happens to a run, as it is told to a command that waits for it or watches it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::RunId;
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
    /// The node; `None` where a whole stage waits.
    pub node: Option<String>,
    /// `running completed cached failed skipped waiting`.
    pub state: String,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The run that is making the value it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<RunId>,
}

/// Nodes done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advance {
    /// The run.
    pub run_id: RunId,
    /// Done, with those that were known.
    pub done: u64,
    /// All.
    pub nodes: u64,
}
