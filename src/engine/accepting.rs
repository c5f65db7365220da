//! What becomes of a request, from the moment it is planned until it is on disk.

use crate::base::RunId;
use crate::engine::error::EngineError;
use crate::engine::idempotency::Idempotency;
use crate::engine::tables::Pending;
use crate::records::RunRow;

/// How a request is accepted.
#[derive(Debug, Clone, Default)]
pub struct Submission {
    /// Does the run wait until it is released?
    pub held: bool,
    /// What tells a request that is made again from a new one.
    pub idempotency: Option<Idempotency>,
}

/// A request that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// The run.
    pub run: RunId,
    /// Its row.
    pub row: RunRow,
    /// Was it accepted before, under the same idempotency key?
    pub existing: bool,
}

/// A request that will be accepted when the disk has it, or is already. Dropping it leaves the run
/// to itself.
pub struct Accepting {
    accepted: Accepted,
    /// The run's sequence number, once it is on disk; `None` if it is.
    written: Option<Pending<Option<u64>>>,
}

impl From<Accepted> for Accepting {
    fn from(accepted: Accepted) -> Self {
        Self { accepted, written: None }
    }
}

impl Accepting {
    pub(super) const fn new(run: RunId, row: RunRow, written: Pending<Option<u64>>) -> Self {
        Self { accepted: Accepted { run, row, existing: false }, written: Some(written) }
    }

    /// What will have been accepted: all but the row's sequence number stands.
    pub const fn as_planned(&self) -> &Accepted {
        &self.accepted
    }

    /// Waits until it is on disk.
    pub fn wait(mut self) -> Result<Accepted, EngineError> {
        let written = self.written.take().map(Pending::wait).transpose()?;
        Ok(self.numbered(written.flatten()))
    }

    /// The same; `None` if the idempotency key had been taken in between, and nothing was recorded.
    pub(super) fn wait_claimed(mut self) -> Result<Option<Accepted>, EngineError> {
        match self.written.take().map(Pending::wait).transpose()? {
            Some(None) => Ok(None),
            written => Ok(Some(self.numbered(written.flatten()))),
        }
    }

    /// Waits until it is on disk, and no thread is held meanwhile.
    pub async fn written(mut self) -> Result<Accepted, EngineError> {
        let written = match self.written.take() {
            Some(written) => written.written().await?,
            None => None,
        };
        Ok(self.numbered(written))
    }

    fn numbered(mut self, sequence: Option<u64>) -> Accepted {
        self.accepted.row.sequence = sequence.unwrap_or(self.accepted.row.sequence);
        self.accepted
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::thread;

    use super::*;
    use crate::engine::testing::{opened, picture, request};
    use crate::engine::{Engine, Request};
    use crate::records::RunStatus;

    /// A home where the result of a request is known, the request, and its run.
    fn with_a_known_result(home: &Path) -> (Engine, Request, RunId) {
        let engine = opened(home);
        let request = request("invert", picture(&engine, [1, 2, 3, 255]));
        let run = engine.accept(&request, &Submission::default()).unwrap().run;
        assert_eq!(engine.wait(run).unwrap().status, RunStatus::Completed);
        (engine, request, run)
    }

    #[test]
    fn a_deletion_does_not_take_what_a_run_on_its_way_to_disk_counts_on() {
        let home = tempfile::tempdir().unwrap();
        let (engine, request, first) = with_a_known_result(home.path());
        let release = engine.hold_writes();
        let accepting = engine.accepting(&request, &Submission::default()).unwrap();
        assert_eq!(accepting.as_planned().row.status, RunStatus::Completed);
        let waiting = engine.waiting_writes();
        let deleting = thread::spawn({
            let engine = engine.clone();
            move || engine.delete_run(first, false)
        });
        // It has looked at what is recorded, or waits until it may.
        while engine.waiting_writes() == waiting {
            thread::yield_now();
        }
        release();
        let second = accepting.wait().unwrap();
        let freed = deleting.join().unwrap().unwrap();
        let output = second.row.output.expect("it is complete");
        assert!(freed.kept.iter().any(|kept| kept.content_hash == output), "{freed:?}");
        assert!(engine.read_blob(&output).is_ok(), "the output of {} is gone", second.run);
        assert_eq!(engine.run_row(second.run).unwrap(), second.row);
        engine.close().unwrap();
    }

    #[test]
    fn a_run_whose_caller_goes_away_before_it_is_on_disk_is_recorded_and_told_of() {
        let home = tempfile::tempdir().unwrap();
        let (engine, request, _) = with_a_known_result(home.path());
        let release = engine.hold_writes();
        let accepting = engine.accepting(&request, &Submission::default()).unwrap();
        let planned = accepting.as_planned().clone();
        drop(accepting);
        assert!(engine.run_row(planned.run).is_err(), "it is not on disk");
        release();
        engine.0.db.settle().unwrap();
        let row = engine.run_row(planned.run).unwrap();
        assert_eq!(row, RunRow { sequence: row.sequence, ..planned.row });
        let (told, _) = engine.0.events.after(0, Some(planned.run), 10).unwrap();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(engine.is_idle().unwrap());
        engine.close().unwrap();
    }
}
