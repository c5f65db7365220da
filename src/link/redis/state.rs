//! How it goes, for those who watch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// All that speaks to Redis.
#[derive(Debug, Clone, Default)]
pub struct Links {
    /// Runs, shown.
    pub mirror: Link,
    /// Jobs, taken.
    pub intake: Link,
    /// Results, written.
    pub results: Link,
}

/// One connection.
#[derive(Debug, Clone, Default)]
pub struct Link(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    wanted: AtomicBool,
    connected: AtomicBool,
    done: AtomicU64,
    refused: AtomicU64,
    anew: AtomicU64,
    place: AtomicU64,
}

/// A connection at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Is Redis reached?
    pub connected: bool,
    /// Subjects written, jobs taken, or results written.
    pub done: u64,
    /// Jobs that were not understood.
    pub refused: u64,
    /// Times that everything was written anew.
    pub anew: u64,
    /// The last change that was written.
    pub place: u64,
}

impl Link {
    /// The figures, if the settings want this connection.
    pub fn figures(&self) -> Option<Figures> {
        let counts = &self.0;
        let number = |of: &AtomicU64| of.load(Ordering::Relaxed);
        counts.wanted.load(Ordering::Relaxed).then(|| Figures {
            connected: counts.connected.load(Ordering::Relaxed),
            done: number(&counts.done),
            refused: number(&counts.refused),
            anew: number(&counts.anew),
            place: number(&counts.place),
        })
    }

    /// One word for people, if the settings want this connection.
    pub fn word(&self) -> Option<&'static str> {
        self.figures().map(|figures| if figures.connected { "connected" } else { "away" })
    }

    pub(super) fn wanted(&self) {
        self.0.wanted.store(true, Ordering::Relaxed);
    }

    /// True if that is new.
    pub(super) fn set_connected(&self, connected: bool) -> bool {
        self.0.connected.swap(connected, Ordering::Relaxed) != connected
    }

    pub(super) fn add_done(&self, count: usize) {
        self.0.done.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn add_refused(&self) {
        self.0.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_anew(&self) {
        self.0.anew.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn set_place(&self, place: u64) {
        self.0.place.store(place, Ordering::Relaxed);
    }
}
