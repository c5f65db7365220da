//! One client's way through the log of events.
//!
//! The log is asked from where the client is; whenever that is no longer in it, the client
//! begins anew from the runs themselves. Nothing is kept for a client but its number and one
//! batch, so a slow one costs no memory.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::sse::Event;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::base::limits::{EVENT_BATCH, EVENT_SNAPSHOT_RUNS};
use crate::base::{ContentHash, NodeId, RunId};
use crate::engine::events::{Logged, NodeState, What};
use crate::engine::views::RunView;
use crate::engine::{EngineError, RunFilter};
use crate::http::App;
use crate::http::error::ApiResult;
use crate::http::route::Need;
use crate::records::RunStatus;

/// A stream of events, from its beginning to its end.
pub struct Feed {
    app: App,
    /// The run it is about; all if none.
    run: Option<RunId>,
    /// The number of the last event that was looked at; none before the first look.
    seen: Option<u64>,
    /// Was the client told something before? Then what is no longer known is missed.
    came_back: bool,
    ready: VecDeque<Event>,
    changed: watch::Receiver<u64>,
    /// The run had ended before the stream began: nothing new is to be waited for.
    settled: bool,
    ended: bool,
    listener: Listener,
    _place: OwnedSemaphorePermit,
}

/// Who listens to a stream: what they showed when they opened it may be taken back meanwhile.
#[derive(Debug, Clone)]
pub struct Listener {
    headers: HeaderMap,
    peer: IpAddr,
}

impl Listener {
    /// Whoever sent a request with these headers from there.
    pub const fn new(headers: HeaderMap, peer: IpAddr) -> Self {
        Self { headers, peer }
    }

    /// May they still hear of runs?
    fn check(&self, app: &App) -> ApiResult<()> {
        let principal = app.auth.identify(&self.headers, self.peer)?;
        app.auth.allows(&principal, Need::Read)
    }
}

/// The id of the event that says how a run ended, in the run's own stream.
pub fn final_id(run: RunId) -> String {
    format!("final-{run}")
}

/// A node's state changed.
#[derive(Serialize)]
struct NodeEvent<'a> {
    run_id: RunId,
    node: &'a NodeId,
    state: &'static str,
    output_hash: Option<ContentHash>,
    error: Option<&'a str>,
    /// The run that is making what this one waits for.
    waits_for: Option<RunId>,
}

/// Nodes done, of all; and how far the one is that is being made.
#[derive(Serialize)]
struct ProgressEvent<'a> {
    run_id: RunId,
    done: u64,
    nodes: u64,
    fraction: f64,
    node: Option<&'a NodeId>,
    /// Of that node's making.
    node_fraction: Option<f64>,
    /// Frames written, and frames expected.
    frames: Option<u64>,
    of_frames: Option<u64>,
    /// Left for that node.
    seconds_left: Option<f64>,
}

/// The run is no longer there.
#[derive(Serialize)]
struct DeletedEvent {
    run_id: RunId,
}

/// What happened after the last event that the client saw is no longer known.
#[derive(Serialize)]
struct MissedEvent {
    /// To which run; to any, if none.
    run_id: Option<RunId>,
}

impl Feed {
    /// The events of a run, as it was when the stream was asked for.
    pub fn of_run(app: App, view: &RunView, listener: Listener, place: OwnedSemaphorePermit) -> Self {
        let mut feed = Self::new(app, Some(view.run_id), listener, place);
        feed.settled = view.status.is_final();
        feed
    }

    /// The events of all runs.
    pub fn of_all(app: App, listener: Listener, place: OwnedSemaphorePermit) -> Self {
        Self::new(app, None, listener, place)
    }

    fn new(app: App, run: Option<RunId>, listener: Listener, place: OwnedSemaphorePermit) -> Self {
        let log = app.engine.events();
        let last = last_event_id(&listener.headers).filter(|last| !last.is_empty());
        let (seen, came_back) = (last.and_then(|last| number(last, log.boot())), last.is_some());
        let changed = log.changed();
        let ready = VecDeque::from([Event::default().retry(Duration::from_secs(2))]);
        Self { app, run, seen, came_back, ready, changed, settled: false, ended: false, listener, _place: place }
    }

    /// The next event, as soon as there is one; none when the stream is at its end.
    pub async fn next(mut self) -> Option<(Event, Self)> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some((event, self));
            }
            if self.ended || self.app.stop.begun() || self.advance().await.is_err() {
                return None;
            }
        }
    }

    /// Makes the next events ready, or waits until there may be some. An error ends the stream:
    /// the client comes back and is told what it missed.
    async fn advance(&mut self) -> ApiResult<()> {
        // What is told after this look wakes us.
        self.changed.borrow_and_update();
        let after = self.seen.and_then(|seen| self.app.engine.events().after(seen, self.run, EVENT_BATCH));
        let Some((events, looked)) = after else { return self.begin_anew().await };
        self.seen = Some(looked);
        if !events.is_empty() {
            self.listener.check(&self.app)?;
            return self.tell(events).await;
        }
        if self.settled {
            // It ended while nobody listened, and what was said of that is gone.
            return self.begin_anew().await;
        }
        tokio::select! {
            changed = self.changed.changed() => self.ended |= changed.is_err(),
            () = self.app.stop.wait() => {}
        }
        Ok(())
    }

    /// Begins with the runs as they are now.
    async fn begin_anew(&mut self) -> ApiResult<()> {
        self.listener.check(&self.app)?;
        let seen = self.app.engine.events().latest();
        let missed = self.came_back;
        (self.seen, self.came_back) = (Some(seen), true);
        let run = self.run;
        let views = self.app.blocking(move |engine| match run {
            Some(run) => Ok(vec![engine.run_view(run)?]),
            None => {
                let mut views = Vec::new();
                for status in [RunStatus::Pending, RunStatus::Running] {
                    let filter = RunFilter { status: Some(status), ..RunFilter::default() };
                    let page = engine.runs_page(&filter, None, EVENT_SNAPSHOT_RUNS)?;
                    views.extend(engine.views_of(&page.items)?);
                }
                Ok(views)
            }
        });
        let views = views.await?;
        // Only the last event has a number: who is cut off before it has not seen the rest, and begins anew.
        let last = views.len().saturating_sub(1);
        for (at, view) in views.iter().enumerate() {
            self.tell_run(view, (at == last && !missed).then_some(seen));
        }
        if views.is_empty() && !missed {
            // Whoever is cut off now has seen nothing, and misses nothing when they come back.
            self.ready.push_back(Event::default().id(self.id(seen)));
        }
        if missed && !self.ended {
            let event = data("missed", &MissedEvent { run_id: run });
            self.ready.extend(event.map(|event| event.id(self.id(seen))));
        }
        Ok(())
    }

    /// Makes events ready, each run as it is now.
    async fn tell(&mut self, events: Vec<Logged>) -> ApiResult<()> {
        let mut runs: Vec<RunId> = events
            .iter()
            .filter(|logged| matches!(logged.event.what, What::Status(_)))
            .map(|logged| logged.event.run)
            .collect();
        runs.dedup();
        let views = self.app.blocking(move |engine| {
            let mut views = HashMap::new();
            for run in runs {
                match engine.run_view(run) {
                    Ok(view) => views.insert(run, view),
                    // Deleted since.
                    Err(EngineError::NotFound { .. }) => None,
                    Err(error) => return Err(error),
                };
            }
            Ok(views)
        });
        let views = views.await?;
        for Logged { seq, event } in events {
            if self.ended {
                break;
            }
            match (&event.what, views.get(&event.run)) {
                (What::Status(status), Some(view)) => {
                    // A run that has ended since is told when its end is.
                    if status.is_final() || !view.status.is_final() {
                        self.tell_run(view, Some(seq));
                    }
                }
                // That it was deleted is told next.
                (What::Status(_), None) => {}
                (What::Deleted, _) => {
                    self.ended |= self.run.is_some();
                    let event = data("deleted", &DeletedEvent { run_id: event.run });
                    self.ready.extend(event.map(|event| event.id(self.id(seq))));
                }
                (what, _) => self.ready.extend(part(event.run, what).map(|event| event.id(self.id(seq)))),
            }
        }
        Ok(())
    }

    /// Makes a run's event ready, with the number if there is one that says where the client is.
    fn tell_run(&mut self, view: &RunView, seq: Option<u64>) {
        let last = self.run.is_some() && view.status.is_final();
        let id = if last { Some(final_id(view.run_id)) } else { seq.map(|seq| self.id(seq)) };
        self.ended |= last;
        let event = data("run", view);
        self.ready.extend(event.map(|event| if let Some(id) = id { event.id(id) } else { event }));
    }

    fn id(&self, seq: u64) -> String {
        format!("{:016x}-{seq}", self.app.engine.events().boot())
    }
}

/// The last event that a client has seen.
pub fn last_event_id(headers: &HeaderMap) -> Option<&str> {
    headers.get("last-event-id")?.to_str().ok()
}

/// The number in an event's id, if this process gave it.
fn number(id: &str, boot: u64) -> Option<u64> {
    let (of, seq) = id.split_once('-')?;
    (of == format!("{boot:016x}")).then(|| seq.parse().ok()).flatten()
}

/// The event of a part of a run.
fn part(run_id: RunId, what: &What) -> Option<Event> {
    let plain = |node, state| NodeEvent { run_id, node, state, output_hash: None, error: None, waits_for: None };
    let node_event = match what {
        // That a run waits is told of each node that does.
        What::Status(_) | What::Waits { .. } | What::Deleted => return None,
        What::Progress { done, nodes } => {
            let fraction = if *nodes == 0 { 0.0 } else { *done as f64 / *nodes as f64 };
            let (done, nodes) = (*done, *nodes);
            let (node, frames, rest) = (None, None, None);
            let event = ProgressEvent {
                run_id,
                done,
                nodes,
                fraction,
                node,
                node_fraction: rest,
                frames,
                of_frames: frames,
                seconds_left: rest,
            };
            return data("progress", &event);
        }
        What::Advance { node, of_node, frames, seconds_left, done, nodes, fraction } => {
            let event = ProgressEvent {
                run_id,
                done: *done,
                nodes: *nodes,
                fraction: *fraction,
                node: Some(node),
                node_fraction: Some(*of_node),
                frames: frames.map(|(written, _)| written),
                of_frames: frames.map(|(_, all)| all),
                seconds_left: Some(*seconds_left),
            };
            return data("progress", &event);
        }
        What::Node { node, state } => match state {
            NodeState::Waiting { on } => NodeEvent { waits_for: Some(*on), ..plain(node, "waiting") },
            NodeState::Running => plain(node, "running"),
            NodeState::Completed(hash) => NodeEvent { output_hash: *hash, ..plain(node, "completed") },
            NodeState::Cached => plain(node, "cached"),
            NodeState::Failed(error) => NodeEvent { error: Some(error), ..plain(node, "failed") },
            NodeState::Skipped => plain(node, "skipped"),
        },
    };
    data("node", &node_event)
}

fn data(kind: &'static str, data: &impl Serialize) -> Option<Event> {
    let event = Event::default().event(kind).json_data(data);
    event.inspect_err(|error| tracing::error!(%error, "BUG: an event is no JSON")).ok()
}
