//! Delivering publications: each is sent until L2 has it.
//!
//! One thread, oldest first. What came of a try is committed before the next one; what L2 has
//! and we do not know of, because we ended between its answer and our commit, is sent again under
//! the same id, which L2 knows. Waiting is by the monotonic clock, and doubles up to an hour.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::base::limits::L2_WAIT_SECONDS;
use crate::base::{RunId, Timestamp};
use crate::engine::{DeliveryRow, DeliveryState, Engine, EngineError, Publication};
use crate::link::identity::ACTIVITY_JSON;
use crate::link::l2::{Answer, L2};

/// Until what the database refused is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// What the thread is told.
pub enum Message {
    /// This one is wanted now, whatever it waits for.
    Wanted(RunId),
    /// The process ends.
    Stop,
}

/// What came of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// When it is tried again; `None` if L2 has it.
    after: Option<Duration>,
    /// Would any other fare the same?
    all: bool,
}

/// How long is waited after so many tries: 1 second, then twice as long each time, up to an hour.
pub fn patience(tries: u32) -> Duration {
    let doubled = 1_u64.checked_shl(tries.saturating_sub(1)).unwrap_or(u64::MAX);
    Duration::from_secs(doubled.min(L2_WAIT_SECONDS))
}

/// Sends what L2 does not have yet of a publication, once.
pub fn deliver(engine: &Engine, l2: &L2, run: RunId) -> Result<Tried, EngineError> {
    let Publication { row, mut delivery, .. } = engine.publication(run)?;
    if delivery.state == DeliveryState::Delivered {
        return Ok(Tried { after: None, all: false });
    }
    delivery.attempts = delivery.attempts.saturating_add(1);
    let parts =
        [("/activities", ACTIVITY_JSON, &row.activity), ("/registry/record-run", "application/json", &row.record)];
    loop {
        let Some((path, kind, body)) = parts.get(usize::from(delivery.parts)) else {
            let now = Timestamp::now();
            let done = DeliveryRow {
                state: DeliveryState::Delivered,
                error: None,
                tried_at: Some(now),
                next_at: None,
                delivered_at: Some(now),
                ..delivery
            };
            engine.record_delivery(run, done)?;
            tracing::info!(%run, "L2 has the publication");
            return Ok(Tried { after: None, all: false });
        };
        let (state, why, after, all) = match l2.post(path, kind, &run.to_string(), body) {
            Answer::Taken => {
                delivery.parts += 1;
                if usize::from(delivery.parts) < parts.len() {
                    engine.record_delivery(run, DeliveryRow { state: DeliveryState::Waiting, ..delivery.clone() })?;
                }
                continue;
            }
            Answer::Closed(why) => (DeliveryState::Refused, why, Some(Duration::from_secs(L2_WAIT_SECONDS)), true),
            Answer::Refused(why) => (DeliveryState::Refused, why, Some(Duration::from_secs(L2_WAIT_SECONDS)), false),
            Answer::Later(why, after) => (DeliveryState::Waiting, why, after, false),
            Answer::Silent(why) => (DeliveryState::Waiting, why, None, true),
        };
        let after = after.unwrap_or_default().max(patience(delivery.attempts));
        let now = Timestamp::now();
        let next_at = Timestamp::from_micros(now.micros().saturating_add(after.as_micros() as i64));
        tracing::warn!(%run, why, seconds = after.as_secs(), "L2 does not have the publication yet");
        let tried = DeliveryRow {
            state,
            error: Some(format!("L2: {why}")),
            tried_at: Some(now),
            next_at: Some(next_at),
            ..delivery
        };
        engine.record_delivery(run, tried)?;
        return Ok(Tried { after: Some(after), all });
    }
}

/// Delivers what waits until it is told to stop.
pub fn run(engine: &Engine, l2: &L2, inbox: &Receiver<Message>) {
    let mut queue = Queue::default();
    loop {
        let wait = match pass(engine, l2, &mut queue, inbox) {
            Ok(Some(wait)) => wait,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "publications cannot be delivered now");
                TRY_AGAIN
            }
        };
        match inbox.recv_timeout(wait) {
            Ok(Message::Wanted(run)) => queue.want(run),
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// When each may be tried again, by the monotonic clock. After a start all may be.
#[derive(Default)]
struct Queue {
    due: HashMap<RunId, Instant>,
    /// Before then L2 is not asked for anything.
    closed: Option<Instant>,
    /// Has it taken nothing since it was found closed?
    shut: bool,
    /// The one by which it was found closed: others go first, as it may be this one's own fault.
    by: Option<RunId>,
}

impl Queue {
    /// Tries one again now.
    fn want(&mut self, run: RunId) {
        self.due.remove(&run);
        self.closed = None;
    }

    /// How long until one may be tried again.
    fn wait(&self, run: RunId, now: Instant) -> Duration {
        let until = |time: Option<&Instant>| time.map_or(Duration::ZERO, |time| time.saturating_duration_since(now));
        until(self.due.get(&run)).max(until(self.closed.as_ref()))
    }

    /// Notes what came of a try; how long until there is more to do because of it.
    fn tried(&mut self, run: RunId, tried: Tried, now: Instant) -> Duration {
        if let Some(after) = tried.after {
            self.due.insert(run, now + after);
            if tried.all {
                (self.closed, self.shut, self.by) = (Some(now + after), true, Some(run));
            }
            return after;
        }
        self.closed = None;
        self.due.remove(&run);
        if std::mem::take(&mut self.shut) {
            // L2 takes things again: what it took nothing of need not wait on.
            self.due.clear();
            return Duration::ZERO;
        }
        Duration::from_secs(L2_WAIT_SECONDS)
    }
}

/// Tries all that may be tried; how long until there is more to do. `None` if it was told to stop.
fn pass(
    engine: &Engine,
    l2: &L2,
    queue: &mut Queue,
    inbox: &Receiver<Message>,
) -> Result<Option<Duration>, EngineError> {
    let mut longest = Duration::from_secs(L2_WAIT_SECONDS);
    let mut runs = engine.undelivered()?;
    runs.sort_by_key(|run| queue.by == Some(*run));
    for run in runs {
        loop {
            match inbox.try_recv() {
                Ok(Message::Wanted(run)) => {
                    queue.want(run);
                    // It may be none of those that this pass is about.
                    longest = Duration::ZERO;
                }
                Ok(Message::Stop) => return Ok(None),
                Err(_) => break,
            }
        }
        let mut wait = queue.wait(run, Instant::now());
        if wait.is_zero() {
            let tried = deliver(engine, l2, run)?;
            wait = queue.tried(run, tried, Instant::now());
        }
        longest = longest.min(wait);
    }
    Ok(Some(longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_doubles_up_to_an_hour_and_is_the_same_each_time() {
        let seconds: Vec<u64> = [0, 1, 2, 3, 12, 13, 40, u32::MAX].map(|tries| patience(tries).as_secs()).into();
        assert_eq!(seconds, [1, 1, 2, 4, 2048, 3600, 3600, 3600]);
    }

    #[test]
    fn what_l2_takes_opens_it_again_for_all() {
        let (one, other, now) = (RunId::new(), RunId::new(), Instant::now());
        let hour = Duration::from_secs(3600);
        let mut queue = Queue::default();
        queue.tried(one, Tried { after: Some(hour), all: true }, now);
        assert_eq!((queue.wait(one, now), queue.wait(other, now)), (hour, hour));
        queue.want(other);
        assert_eq!((queue.wait(one, now), queue.wait(other, now)), (hour, Duration::ZERO));
        assert_eq!(queue.tried(other, Tried { after: None, all: false }, now), Duration::ZERO);
        assert_eq!((queue.wait(one, now), queue.wait(other, now)), (Duration::ZERO, Duration::ZERO));
        assert_eq!(queue.by, Some(one), "it is tried after the others");
        // What is refused for itself alone waits on.
        queue.tried(one, Tried { after: Some(hour), all: false }, now);
        assert_eq!(queue.tried(other, Tried { after: None, all: false }, now), hour);
        assert_eq!(queue.wait(one, now), hour);
    }
}
