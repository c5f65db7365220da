//! Redis, for callers and readers of the original: all runs are shown there ([`mirror`]), and jobs
//! that Celery's clients push are taken from there and answered ([`intake`]).
//!
//! Each is a thread of its own with a connection of its own. Redis may be absent, slow, wrong or
//! empty: nothing waits for it, and what it should hold follows from what is committed here.

mod celery;
mod intake;
mod mirror;
mod original;
mod state;
mod wire;

pub use intake::{Intake, Task};
pub use original::{Unreadable, runs_of_the_original};
pub use state::{Figures, Link, Links};

use std::sync::mpsc;
use std::time::Duration;

use crate::engine::Engine;
use wire::{Stop, Wire};

/// Threads that speak to Redis; dropped, they end.
#[derive(Default)]
pub struct Threads {
    stop: Stop,
    ended: Vec<mpsc::Receiver<()>>,
}

/// Why an address cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("it is no address of a Redis database: {0}")]
pub struct BadAddress(String);

impl Threads {
    /// Shows all runs in this database.
    pub fn mirror(&mut self, engine: &Engine, url: &str, links: &Links) -> Result<(), BadAddress> {
        let wire = self.wire(url, &links.mirror)?;
        let (engine, link) = (engine.clone(), links.mirror.clone());
        self.spawn("redis-mirror", move |stop| mirror::run(&engine, wire, &link, stop));
        Ok(())
    }

    /// Takes jobs from one database and writes their results into another.
    pub fn intake(&mut self, engine: &Engine, intake: Intake, links: &Links) -> Result<(), BadAddress> {
        let broker = self.wire(&intake.broker, &links.intake)?;
        let (refusals, results) =
            (self.wire(&intake.results, &links.results)?, self.wire(&intake.results, &links.results)?);
        let (taking, link) = (engine.clone(), links.intake.clone());
        self.spawn("redis-intake", move |stop| intake::take(&taking, broker, refusals, &intake, &link, stop));
        let (answering, link) = (engine.clone(), links.results.clone());
        self.spawn("redis-results", move |stop| intake::answer(&answering, results, &link, stop));
        Ok(())
    }

    fn wire(&self, url: &str, link: &Link) -> Result<Wire, BadAddress> {
        link.wanted();
        Wire::new(url, link.clone(), self.stop.clone())
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce(&Stop) + Send + 'static) {
        let (stop, (ends, ended)) = (self.stop.clone(), mpsc::channel());
        let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            work(&stop);
            drop(ends);
        });
        match spawned {
            Ok(_) => self.ended.push(ended),
            Err(error) => tracing::error!(%error, name, "no thread can be started"),
        }
    }
}

impl Drop for Threads {
    /// A thread that waits for Redis is not waited for.
    fn drop(&mut self) {
        self.stop.begin();
        for ended in &self.ended {
            let _ = ended.recv_timeout(Duration::from_secs(1));
        }
    }
}
