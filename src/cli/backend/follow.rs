//! What happens to a run, as it is told to a command that waits for it or watches it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{ContentHash, RunId};
use crate::cli::backend::Answer;
use crate::cli::table::seconds;
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

impl Advance {
    /// So many nodes are done, and nothing is known of others.
    pub const fn of(run_id: RunId, done: u64, nodes: u64, fraction: f64) -> Self {
        let (node, frames, rest) = (None, None, None);
        Self { run_id, done, nodes, fraction, node, node_fraction: rest, frames, of_frames: frames, seconds_left: rest }
    }

    /// How far the node is, in words: `120/300 frames, about 4 s left`.
    pub fn words(&self) -> Option<String> {
        let fraction = self.node_fraction?;
        let part = match (self.frames, self.of_frames) {
            (Some(frames), Some(all)) => format!("{frames}/{all} frames"),
            _ => format!("{:.0} %", fraction * 100.0),
        };
        let left = self.seconds_left.filter(|_| fraction > 0.02);
        Some(part + &left.map_or_else(String::new, |left| format!(", about {} left", seconds(left))))
    }
}

/// Nodes done, and how far the one is that is being made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Advance {
    /// The run.
    pub run_id: RunId,
    /// Done, with those that were known.
    pub done: u64,
    /// All.
    pub nodes: u64,
    /// Of the run's nodes, 0 to 1.
    pub fraction: f64,
    /// The node that is being made, where that takes long enough to tell.
    pub node: Option<String>,
    /// Of its making, 0 to 1.
    pub node_fraction: Option<f64>,
    /// Frames written.
    pub frames: Option<u64>,
    /// Frames expected.
    pub of_frames: Option<u64>,
    /// Seconds left for the node.
    pub seconds_left: Option<f64>,
}
