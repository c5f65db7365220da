//! What happens to runs, told to whoever listens. Telling never waits: a listener that went
//! away is forgotten.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::base::{ContentHash, NodeId, RunId};
use crate::records::RunStatus;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEvent {
    /// To which run.
    pub run: RunId,
    /// What.
    pub what: What,
}

/// What happened to a run.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// Its status changed; final ones are told after the commit that holds them.
    Status(RunStatus),
    /// A node's state changed.
    Node {
        /// The node.
        node: NodeId,
        /// Its state now.
        state: NodeState,
    },
    /// Nodes done, of all nodes.
    Progress {
        /// Done, with those that were known.
        done: u64,
        /// All.
        nodes: u64,
    },
    /// A stage waits for a value that another run is making.
    Waits {
        /// That run.
        on: RunId,
    },
}

/// The state of a node within a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeState {
    /// Its stage runs.
    Running,
    /// Its value was made; the hash, if kept.
    Completed(Option<ContentHash>),
    /// Its value was known.
    Cached,
    /// It could not be made.
    Failed(String),
    /// It did not run, as a node before it failed or the run was cancelled.
    Skipped,
}

/// Those who listen.
#[derive(Default)]
pub struct Listeners(Mutex<Vec<Sender<RunEvent>>>);

impl Listeners {
    /// Everything from now on.
    pub fn subscribe(&self) -> Receiver<RunEvent> {
        let (sender, receiver) = channel();
        self.lock().push(sender);
        receiver
    }

    /// Tells all.
    pub fn tell(&self, run: RunId, what: &What) {
        self.lock().retain(|listener| listener.send(RunEvent { run, what: what.clone() }).is_ok());
    }

    /// Does anybody listen? Spares making events for nobody.
    pub fn any(&self) -> bool {
        !self.lock().is_empty()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Sender<RunEvent>>> {
        // The list is whole at every moment, even where a holder of the lock panicked.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
