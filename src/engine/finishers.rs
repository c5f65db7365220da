//! The threads that record the ends of runs.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::engine::Engine;
use crate::engine::job::Job;
use crate::engine::machine::Outcome;

/// A run whose stages have all answered, and how.
type End = (Arc<Job>, Outcome);

/// The threads that record ends: a few, since each may wait for the disk.
pub struct Finishers {
    ends: Mutex<Option<Sender<End>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// The other end, until the threads start.
pub struct Ends(Receiver<End>);

/// Runs whose ends are recorded at once.
const FINISHERS: usize = 4;

impl Finishers {
    /// Finishers whose threads are still to be started.
    pub fn new() -> (Self, Ends) {
        let (ends, receiver) = channel();
        (Self { ends: Mutex::new(Some(ends)), threads: Mutex::default() }, Ends(receiver))
    }

    /// Hands over a run that has ended.
    pub fn finish(&self, job: Arc<Job>, outcome: Outcome) {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        if ends.as_ref().is_none_or(|ends| ends.send((job, outcome)).is_err()) {
            tracing::debug!("the finishers have stopped");
        }
    }

    /// Ends the threads once they have recorded what was handed over.
    pub fn stop(&self) {
        drop(self.ends.lock().unwrap_or_else(PoisonError::into_inner).take());
        for thread in std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner)) {
            if thread.join().is_err() {
                tracing::error!("a finisher panicked");
            }
        }
    }
}

impl Ends {
    /// Starts the threads.
    pub fn start(self, engine: &Engine) {
        let ends = Arc::new(Mutex::new(self.0));
        for number in 0..FINISHERS {
            let (ends, inner) = (ends.clone(), Arc::downgrade(&engine.0));
            let spawned = std::thread::Builder::new().name(format!("finish-{number}")).spawn(move || {
                loop {
                    let next = ends.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let (Ok((job, outcome)), Some(inner)) = (next, inner.upgrade()) else { break };
                    Engine(inner).finish(&job, outcome);
                }
            });
            match spawned {
                Ok(thread) => engine.0.finishers.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread),
                Err(error) => tracing::error!(%error, "a finisher cannot start"),
            }
        }
    }
}
