//! A run that is being carried out: its plan, and what has come of it so far.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::base::limits::COMMIT_WRITES;
use crate::base::{ContentHash, NodeKey, RunId};
use crate::db::DbError;
use crate::engine::tables::Pending;
use crate::plan::{Plan, State};
use crate::records::{BlobRow, KeyRow, MemoRow, RunRow, RunStats};

/// A run in flight.
pub struct Job {
    /// The run.
    pub run: RunId,
    /// Its plan.
    pub plan: Plan,
    /// May its stages take what other runs have made?
    pub share: bool,
    /// Set when the run is to stop.
    pub cancelled: AtomicBool,
    /// Nodes done.
    pub done: AtomicU64,
    progress: Mutex<Progress>,
    /// Writes of its stages on their way to disk.
    pending: Mutex<VecDeque<Pending<()>>>,
    /// Rows of its stages that are not queued yet.
    gathered: Mutex<Rows>,
    row: Mutex<RunRow>,
    ended: Condvar,
    /// Does it render another run again?
    pub verifies: bool,
}

/// What stages made, on its way to the database.
#[derive(Default)]
pub struct Rows {
    /// Results, with the row of the blob where it is new.
    pub results: Vec<(NodeKey, MemoRow, Option<BlobRow>)>,
    /// What keys are made of.
    pub keys: Vec<(NodeKey, KeyRow)>,
}

/// What has come of a run.
#[derive(Debug, Default, Clone)]
pub struct Progress {
    /// The blobs of sources, hits and kept values.
    pub values: HashMap<usize, ContentHash>,
    /// Nodes that were planned to run and were found known when their stage started.
    pub adopted: Vec<usize>,
    /// Stages that ran.
    pub stages: u64,
    /// Blobs that were new.
    pub written: u64,
    /// The first node that failed and why.
    pub failure: Option<NodeFailure>,
    /// Nodes that did not run.
    pub skipped: Vec<usize>,
}

/// Why a node failed.
#[derive(Debug, Clone)]
pub struct NodeFailure {
    /// The node.
    pub node: usize,
    /// One sentence.
    pub message: String,
    /// The blob that was found damaged or missing, if that was why.
    pub damaged: Option<ContentHash>,
    /// Was it for want of space?
    pub full: bool,
}

impl Job {
    /// A run about to start.
    pub fn new(run: RunId, plan: Plan, row: RunRow, share: bool) -> Self {
        let mut progress = Progress::default();
        let mut done = 0;
        for (index, node) in plan.nodes.iter().enumerate() {
            match (node.state, node.source) {
                (State::Hit(hash), _) | (_, Some(hash)) => {
                    progress.values.insert(index, hash);
                }
                _ => {}
            }
            done += u64::from(node.state != State::Miss);
        }
        Self {
            run,
            plan,
            share,
            cancelled: AtomicBool::new(false),
            done: AtomicU64::new(done),
            progress: Mutex::new(progress),
            pending: Mutex::default(),
            gathered: Mutex::default(),
            verifies: row.verifies.is_some(),
            row: Mutex::new(row),
            ended: Condvar::new(),
        }
    }

    /// Takes note of a write; waits for an earlier one if too many are on their way.
    pub fn queue(&self, write: Pending<()>) -> Result<(), DbError> {
        let earliest = {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            pending.push_back(write);
            if pending.len() > 2 * COMMIT_WRITES { pending.pop_front() } else { None }
        };
        earliest.map_or(Ok(()), Pending::wait)
    }

    /// Adds rows to those that are to be queued; how many there are now.
    pub fn gather(&self, rows: Rows) -> usize {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.results.extend(rows.results);
        gathered.keys.extend(rows.keys);
        gathered.keys.len() + gathered.results.len()
    }

    /// Takes the rows that are to be queued.
    pub fn take_rows(&self) -> Rows {
        std::mem::take(&mut *self.gathered.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until all its writes are on disk.
    pub fn settle(&self) -> Result<(), DbError> {
        let pending = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        pending.into_iter().try_for_each(Pending::wait)
    }

    /// What has come of it so far.
    pub fn progress(&self) -> MutexGuard<'_, Progress> {
        // Every change is one statement: the state is whole even where a holder panicked.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its row as it stands.
    pub fn row(&self) -> RunRow {
        self.lock_row().clone()
    }

    /// Replaces its row and wakes those who wait for its end.
    pub fn set_row(&self, row: RunRow) {
        *self.lock_row() = row;
        self.ended.notify_all();
    }

    /// Waits until its row says that it has ended.
    pub fn wait(&self) -> RunRow {
        let row = self.lock_row();
        let row = self.ended.wait_while(row, |row| !row.status.is_final());
        row.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts for the run's record.
    pub fn stats(&self) -> RunStats {
        let progress = self.progress();
        let adopted = progress.adopted.len() as u64;
        RunStats {
            stages: progress.stages,
            hits: self.plan.hits() as u64 + adopted,
            misses: (self.plan.misses() as u64).saturating_sub(adopted),
            blobs_written: progress.written,
        }
    }

    /// Nodes: all, done, and of these known before.
    pub fn counts(&self) -> (u64, u64, u64) {
        let cached = self.plan.nodes.iter().filter(|node| node.state != State::Miss && node.state != State::Source);
        (self.plan.nodes.len() as u64, self.done.load(Ordering::Relaxed), cached.count() as u64)
    }

    fn lock_row(&self) -> MutexGuard<'_, RunRow> {
        self.row.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
