//! What happens to a run of an open home.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::base::RunId;
use crate::cli::backend::Answer;
use crate::cli::backend::follow::{Advance, Follow, Happened, NodeChange};
use crate::engine::Engine;
use crate::engine::events::{NodeState, RunEvent, What};
use crate::engine::views::run_view;

/// Listens to the engine.
pub struct Listening<'a> {
    engine: &'a Engine,
    run: RunId,
    events: Receiver<RunEvent>,
    /// What is told before anything that is heard.
    first: VecDeque<Happened>,
}

impl<'a> Listening<'a> {
    /// Listens to a run, beginning with how it stands.
    pub fn new(engine: &'a Engine, run: RunId) -> Answer<Self> {
        // In this order nothing is missed between the two.
        let events = engine.subscribe();
        let view = engine.run_view(run)?;
        Ok(Self { engine, run, events, first: VecDeque::from([Happened::Run(Box::new(view))]) })
    }

    fn as_it_stands(&self) -> Answer<Happened> {
        Ok(Happened::Run(Box::new(self.engine.run_view(self.run)?)))
    }

    fn ended(&self) -> Answer<Happened> {
        Ok(Happened::Run(Box::new(run_view(self.run, &self.engine.wait(self.run)?))))
    }

    fn told(&self, what: What) -> Answer<Happened> {
        let run_id = self.run;
        Ok(match what {
            What::Status(status) if status.is_final() => self.ended()?,
            What::Status(_) => self.as_it_stands()?,
            What::Progress { done, nodes } => Happened::Progress(Advance { run_id, done, nodes }),
            What::Waits { on } => Happened::Node(NodeChange {
                run_id,
                node: None,
                state: "waiting".to_owned(),
                error: None,
                waits_for: Some(on),
            }),
            What::Node { node, state } => {
                let (state, error) = match state {
                    NodeState::Running => ("running", None),
                    NodeState::Completed(_) => ("completed", None),
                    NodeState::Cached => ("cached", None),
                    NodeState::Failed(error) => ("failed", Some(error)),
                    NodeState::Skipped => ("skipped", None),
                };
                let (node, state) = (Some(node.to_string()), state.to_owned());
                Happened::Node(NodeChange { run_id, node, state, error, waits_for: None })
            }
        })
    }
}

impl Follow for Listening<'_> {
    fn next(&mut self, patience: Duration) -> Answer<Option<Happened>> {
        if let Some(first) = self.first.pop_front() {
            return Ok(Some(first));
        }
        match self.events.recv_timeout(patience) {
            Ok(event) if event.run != self.run => Ok(None),
            Ok(event) => self.told(event.what).map(Some),
            // Its end is told to all; asking as well costs nothing here.
            Err(RecvTimeoutError::Timeout) if self.engine.run_row(self.run)?.status.is_final() => {
                self.ended().map(Some)
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => self.ended().map(Some),
        }
    }
}
