//! What happens to a run of an open home.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::RunId;
use crate::cli::backend::Answer;
use crate::cli::backend::follow::{Advance, Follow, Happened, NodeChange};
use crate::engine::Engine;
use crate::engine::events::{NodeState, Subscription, What};
use crate::engine::views::run_view;

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
        Ok(Happened::Run(Box::new(run_view(self.run, &self.engine.wait(self.run)?))))
    }

    fn told(&self, what: What) -> Answer<Happened> {
        let run_id = self.run;
        let change = |node, state: &str, error, waits_for| {
            Happened::Node(NodeChange { run_id, node, state: state.to_owned(), error, waits_for })
        };
        Ok(match what {
            What::Status(status) if status.is_final() => self.ended()?,
            What::Status(_) => self.as_it_stands()?,
            What::Progress { done, nodes } => Happened::Progress(Advance { run_id, done, nodes }),
            What::Waits { on } => change(None, "waiting", None, Some(on)),
            What::Node { node, state } => {
                let node = Some(node.to_string());
                match state {
                    NodeState::Waiting { on } => change(node, "waiting", None, Some(on)),
                    NodeState::Running => change(node, "running", None, None),
                    NodeState::Completed(_) => change(node, "completed", None, None),
                    NodeState::Cached => change(node, "cached", None, None),
                    NodeState::Failed(error) => change(node, "failed", Some(error), None),
                    NodeState::Skipped => change(node, "skipped", None, None),
                }
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
            Some(event) => self.told(event.what).map(Some),
            // Its end is told to all; asking as well costs nothing here.
            None if self.engine.run_row(self.run)?.status.is_final() => self.ended().map(Some),
            None => Ok(None),
        }
    }
}
