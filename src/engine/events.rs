//! What happens to runs: kept for a while, so that whoever was away can catch up.
//!
//! Each event has a number. The last [`EVENTS_KEPT`] are kept; who asks for older ones is told
//! that they are gone, and begins anew from the run itself. Telling never waits for a listener.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::base::limits::EVENTS_KEPT;
use crate::base::{ContentHash, NodeId, RunId};
use crate::engine::Engine;
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
    /// The making of a node goes on.
    Advance {
        /// The last node of the stage that runs.
        node: NodeId,
        /// Of its making, 0 to 1.
        of_node: f64,
        /// Frames written, of all that are expected, of what has frames.
        frames: Option<(u64, u64)>,
        /// Seconds left for the node, by the pace so far.
        seconds_left: f64,
        /// Nodes done.
        done: u64,
        /// All nodes.
        nodes: u64,
        /// Of the run's nodes, the stage's counted by their part, 0 to 1.
        fraction: f64,
    },
    /// A stage waits for a value that another run is making.
    Waits {
        /// That run.
        on: RunId,
    },
    /// It was deleted: told after the commit that takes it out.
    Deleted,
}

/// The state of a node within a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeState {
    /// Its stage waits for a value that another run is making.
    Waiting {
        /// That run.
        on: RunId,
    },
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

/// An event and its number.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    /// Numbers grow by one.
    pub seq: u64,
    /// What happened.
    pub event: RunEvent,
}

/// The latest events.
pub struct EventLog {
    kept: Mutex<VecDeque<Logged>>,
    /// The number of the latest.
    latest: watch::Sender<u64>,
    told: Condvar,
    boot: u64,
}

impl Default for EventLog {
    fn default() -> Self {
        // The last half of such an id is random.
        let boot = uuid::Uuid::now_v7().as_u64_pair().1;
        Self { kept: Mutex::default(), latest: watch::Sender::new(0), told: Condvar::new(), boot }
    }
}

impl EventLog {
    /// Tells everybody.
    pub fn tell(&self, run: RunId, what: What) {
        let mut kept = self.kept();
        let seq = *self.latest.borrow() + 1;
        if kept.len() == EVENTS_KEPT {
            kept.pop_front();
        }
        kept.push_back(Logged { seq, event: RunEvent { run, what } });
        // Under the lock, so that numbers are announced in their order.
        self.latest.send_replace(seq);
        self.told.notify_all();
    }

    /// Waits at most this long for events after this number.
    pub fn wait_after(&self, seq: u64, most: Duration) {
        let kept = self.kept();
        let waits = |_: &mut VecDeque<Logged>| *self.latest.borrow() <= seq;
        drop(self.told.wait_timeout_while(kept, most, waits));
    }

    /// At most `most` events after this number, those of one run if one is given, and the number
    /// up to which was looked. `None` if events after that number are no longer kept.
    pub fn after(&self, seq: u64, run: Option<RunId>, most: usize) -> Option<(Vec<Logged>, u64)> {
        let kept = self.kept();
        let latest = *self.latest.borrow();
        let oldest = kept.front().map_or(latest + 1, |logged| logged.seq);
        if seq + 1 < oldest || seq > latest {
            return None;
        }
        let wanted = |logged: &&Logged| run.is_none_or(|run| logged.event.run == run);
        let events: Vec<Logged> =
            kept.iter().skip((seq + 1 - oldest) as usize).filter(wanted).take(most).cloned().collect();
        let looked = if events.len() == most { events.last().map_or(latest, |last| last.seq) } else { latest };
        Some((events, looked))
    }

    /// The number of the latest event.
    pub fn latest(&self) -> u64 {
        *self.latest.borrow()
    }

    /// The number before the oldest that is kept.
    fn before_all(&self) -> u64 {
        self.kept().front().map_or(self.latest(), |logged| logged.seq - 1)
    }

    /// Wakes whenever there are new ones.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.latest.subscribe()
    }

    /// Tells apart numbers of this process from those of an earlier one.
    pub const fn boot(&self) -> u64 {
        self.boot
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Logged>> {
        // The list is whole at every moment, even where a holder of the lock panicked.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What happens from a moment on, for a thread that waits for it.
pub struct Subscription {
    engine: Engine,
    run: Option<RunId>,
    seen: u64,
    next: VecDeque<RunEvent>,
}

impl Subscription {
    /// The next event, if there is one within this time. Who is so slow that events are no
    /// longer kept misses them.
    pub fn next_within(&mut self, most: Duration) -> Option<RunEvent> {
        if self.next.is_empty() {
            let log = self.engine.events();
            log.wait_after(self.seen, most);
            match log.after(self.seen, self.run, EVENTS_KEPT) {
                Some((events, looked)) => {
                    self.seen = looked;
                    self.next.extend(events.into_iter().map(|logged| logged.event));
                }
                None => self.seen = log.latest(),
            }
        }
        self.next.pop_front()
    }
}

impl Engine {
    /// Everything that happens to runs from now on.
    pub fn subscribe(&self) -> Subscription {
        Subscription { engine: self.clone(), run: None, seen: self.events().latest(), next: VecDeque::new() }
    }

    /// What has happened to a run, as far as it is kept, and what happens to it from now on.
    pub fn subscribe_to(&self, run: RunId) -> Subscription {
        let seen = self.events().before_all();
        Subscription { engine: self.clone(), run: Some(run), seen, next: VecDeque::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(done: u64) -> What {
        What::Progress { done, nodes: 10 }
    }

    #[test]
    fn events_are_replayed_from_where_somebody_was_and_old_ones_are_gone() {
        let log = EventLog::default();
        let (one, other) = (RunId::new(), RunId::new());
        assert_eq!(log.after(0, None, 10), Some((Vec::new(), 0)));
        for n in 1..=4 {
            log.tell(if n % 2 == 0 { one } else { other }, progress(n));
        }
        let seqs = |events: &[Logged]| events.iter().map(|logged| logged.seq).collect::<Vec<_>>();
        let (events, looked) = log.after(1, None, 10).unwrap();
        assert_eq!((seqs(&events), looked), (vec![2, 3, 4], 4));
        let (events, looked) = log.after(0, Some(other), 10).unwrap();
        assert_eq!((seqs(&events), looked), (vec![1, 3], 4));
        let (events, looked) = log.after(0, None, 2).unwrap();
        assert_eq!((seqs(&events), looked), (vec![1, 2], 2));
        assert_eq!(log.after(5, None, 10), None, "a number of the future is another process's");
        for n in 0..EVENTS_KEPT as u64 {
            log.tell(one, progress(n));
        }
        assert_eq!(log.after(3, None, 10), None);
        assert!(log.after(4, None, 10).is_some());
    }
}
