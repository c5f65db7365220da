//! Group commit: one thread runs everyone's writes and commits them together.
//!
//! A commit costs the disk the same for one write as for many. While one commit is being synced
//! the next writes gather, and go with the next; so the busier, the fewer syncs a write.
//!
//! When a write goes wrong after it may have written (a storage error, a panic) the transaction
//! is aborted: that write gets its own error, those that ran before it in the same transaction
//! get [`DbError::Aborted`] (or the storage error, if it is one), and those after it are run in
//! a new one. A refusal disturbs nobody.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::base::limits;
use crate::db::error::DbError;
use crate::db::keeper::Keeper;
use crate::db::ticket::{Job, Outcome};

/// Writes that may wait: many commits' worth, so that a burst passes, and not so many that a
/// stalled disk fills the memory.
pub(super) const QUEUE_WRITES: usize = 16 * limits::COMMIT_WRITES;

/// Between two tries to bring a database back that has failed, while nobody writes.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// The writes that wait for the committer.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Box<dyn Job>>,
    /// Did a read find that the database has failed?
    look: bool,
    closed: bool,
}

impl Queue {
    /// Adds a write, or answers it at once if it cannot wait. Never waits itself.
    pub(super) fn push(&self, job: Box<dyn Job>) {
        let mut waiting = self.waiting();
        let refusal = match &*waiting {
            Waiting { closed: true, .. } => DbError::Closed,
            Waiting { jobs, .. } if jobs.len() >= QUEUE_WRITES => DbError::Busy,
            _ => {
                waiting.jobs.push_back(job);
                drop(waiting);
                self.changed.notify_one();
                return;
            }
        };
        drop(waiting);
        job.settle(Err(refusal));
    }

    /// Takes no more writes; those that wait are still done.
    pub(super) fn close(&self) {
        self.waiting().closed = true;
        self.changed.notify_all();
    }

    /// Lets the committer see that the database has failed.
    pub(super) fn look(&self) {
        self.waiting().look = true;
        self.changed.notify_all();
    }

    /// The next writes, at most as many as one commit takes; `None` when closed and empty. None of
    /// them after a while, if there is an end to patience, and when a read found trouble.
    fn take(&self, patience: Option<Duration>) -> Option<VecDeque<Box<dyn Job>>> {
        let idle = |waiting: &mut Waiting| waiting.jobs.is_empty() && !waiting.look && !waiting.closed;
        let mut waiting = match patience {
            None => self.changed.wait_while(self.waiting(), idle).unwrap_or_else(PoisonError::into_inner),
            Some(most) => {
                let waited = self.changed.wait_timeout_while(self.waiting(), most, idle);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        waiting.look = false;
        let count = waiting.jobs.len().min(limits::COMMIT_WRITES);
        let left = waiting.jobs.split_off(count);
        let taken = std::mem::replace(&mut waiting.jobs, left);
        (!taken.is_empty() || !waiting.closed).then_some(taken)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.waiting().jobs.len()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The committer's thread: returns when the queue is closed and empty.
pub(super) fn run(queue: &Arc<Queue>, keeper: &Keeper) {
    /// Should this thread die of a bug, nobody shall wait for it in vain.
    struct Last<'a>(&'a Queue);
    impl Drop for Last<'_> {
        fn drop(&mut self) {
            self.0.close();
            // Dropped without the lock: one of them may have the last handle, and close it again.
            let left = std::mem::take(&mut self.0.waiting().jobs);
            drop(left);
        }
    }
    let last = Last(queue);
    loop {
        let troubled = keeper.trouble().is_some();
        let Some(mut jobs) = last.0.take(troubled.then_some(TRY_AGAIN)) else { break };
        if troubled && jobs.is_empty() {
            keeper.try_again();
        }
        while !jobs.is_empty() {
            commit_some(&mut jobs, keeper);
        }
    }
}

/// Runs writes in one transaction, up to the first that spoils it, commits or aborts, and
/// answers those that ran.
fn commit_some(jobs: &mut VecDeque<Box<dyn Job>>, keeper: &Keeper) {
    let begun = match keeper.begin_write() {
        Ok(begun) => begun,
        Err(error) => {
            for job in jobs.drain(..) {
                job.settle(Err(error.clone()));
            }
            return;
        }
    };
    let (mut ran, mut wrote, mut spoilt) = (Vec::new(), false, None);
    while let Some(mut job) = jobs.pop_front() {
        let outcome = job.run(&begun.tx);
        ran.push(job);
        match outcome {
            Outcome::Wrote => wrote = true,
            Outcome::Refused => {}
            Outcome::Failed(error) => {
                spoilt = Some(error);
                break;
            }
        }
    }
    let result = match spoilt {
        Some(error) => {
            let storage = error.is_latched();
            let error = keeper.judge(&begun, error);
            keeper.abort(begun);
            Err(if storage { error } else { DbError::Aborted })
        }
        None if wrote => keeper.commit(begun),
        // Nothing to make durable: the refusals rest on what was committed before.
        None => {
            keeper.abort(begun);
            Ok(())
        }
    };
    for job in ran {
        job.settle(result.clone());
    }
}
