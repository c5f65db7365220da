//! What runs have done since the home was opened.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::Engine;
use crate::records::RunStats;

/// Sums over the runs that ended.
#[derive(Debug, Default)]
pub struct Totals {
    stages: AtomicU64,
    computed: AtomicU64,
    known: AtomicU64,
}

/// The sums at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkDone {
    /// Stages that ran.
    pub stages: u64,
    /// Nodes that were computed.
    pub computed: u64,
    /// Nodes whose results were known.
    pub known: u64,
}

impl Totals {
    /// Adds a run that has ended.
    pub fn add(&self, stats: &RunStats) {
        self.stages.fetch_add(stats.stages, Ordering::Relaxed);
        self.computed.fetch_add(stats.misses, Ordering::Relaxed);
        self.known.fetch_add(stats.hits, Ordering::Relaxed);
    }
}

impl Engine {
    /// What the runs that ended since the home was opened have done.
    pub fn work_done(&self) -> WorkDone {
        let totals = &self.0.totals;
        WorkDone {
            stages: totals.stages.load(Ordering::Relaxed),
            computed: totals.computed.load(Ordering::Relaxed),
            known: totals.known.load(Ordering::Relaxed),
        }
    }
}
