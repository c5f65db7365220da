//! What happens to a run of an open home.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::RunId;
use crate::cli::backend::Answer;
use crate::cli::backend::follow::{Advance, Follow, Happened, NodeChange};
use crate::engine::Engine;
use crate::engine::events::{NodeState, Subscription, What};

/// Listens to the engine.
pub struct Listening<'a> {
    engine: &'a Engine,
    run: RunId,
    events: Subscription,
    /// What is told before anything that is heard.
    first: VecDeque<Happened>,
}

impl<'a> Listening<'a> {
    /// Listens to a run, beginning with how it stands.
    pub fn new(engine: &'a Engine, run: RunId) -> Answer<Self> {
        // In this order nothing is missed between the two.
        let events = engine.subscribe_to(run);
        let view = engine.run_view(run)?;
        Ok(Self { engine, run, events, first: VecDeque::from([Happened::Run(Box::new(view))]) })
    }

    fn as_it_stands(&self) -> Answer<Happened> {
        Ok(Happened::Run(Box::new(self.engine.run_view(self.run)?)))
    }

    fn ended(&self) -> Answer<Happened> {
        let row = self.engine.wait(self.run)?;
        Ok(Happened::Run(Box::new(self.engine.view_of(self.run, &row)?)))
    }

    /// What an event says; `None` where another one says the same.
    fn told(&self, what: What) -> Answer<Option<Happened>> {
        let run_id = self.run;
        Ok(match what {
            What::Status(status) if status.is_final() => Some(self.ended()?),
            What::Status(_) => Some(self.as_it_stands()?),
            What::Progress { done, nodes } => {
                let fraction = if nodes == 0 { 0.0 } else { done as f64 / nodes as f64 };
                Some(Happened::Progress(Advance::of(run_id, done, nodes, fraction)))
            }
            What::Advance { node, of_node, frames, seconds_left, done, nodes, fraction } => {
                Some(Happened::Progress(Advance {
                    run_id,
                    done,
                    nodes,
                    fraction,
                    node: Some(node.to_string()),
                    node_fraction: Some(of_node),
                    frames: frames.map(|(written, _)| written),
                    of_frames: frames.map(|(_, all)| all),
                    seconds_left: Some(seconds_left),
                }))
            }
            // Each node that waits is told; what was deleted had ended before.
            What::Waits { .. } | What::Deleted => None,
            What::Node { node, state } => {
                let word = match &state {
                    NodeState::Waiting { .. } => "waiting",
                    NodeState::Running => "running",
                    NodeState::Completed(_) => "completed",
                    NodeState::Cached => "cached",
                    NodeState::Failed(_) => "failed",
                    NodeState::Skipped => "skipped",
                };
                let mut change = NodeChange {
                    run_id,
                    node: node.to_string(),
                    state: word.to_owned(),
                    output_hash: None,
                    error: None,
                    waits_for: None,
                };
                match state {
                    NodeState::Waiting { on } => change.waits_for = Some(on),
                    NodeState::Completed(hash) => change.output_hash = hash,
                    NodeState::Failed(error) => change.error = Some(error),
                    _ => {}
                }
                Some(Happened::Node(change))
            }
        })
    }
}

impl Follow for Listening<'_> {
    fn next(&mut self, patience: Duration) -> Answer<Option<Happened>> {
        if let Some(first) = self.first.pop_front() {
            return Ok(Some(first));
        }
        match self.events.next_within(patience) {
            Some(event) => self.told(event.what),
            // Its end is told to all; asking as well costs nothing here.
            None if self.engine.run_row(self.run)?.status.is_final() => self.ended().map(Some),
            None => Ok(None),
        }
    }
}
