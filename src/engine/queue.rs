//! Runs accepted, begun, held, cancelled: the durable queue.
//!
//! A run is on disk before its acceptance is told. Where there is room it begins at once, else
//! it waits in the table `queue`, which is the only list of what waits: by priority, then in the
//! order of acceptance. Every change of a recorded run is checked against its row within the
//! write that makes it, so that of two who want to begin, hold or cancel it one comes too late.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use redb::{ReadableTable as _, ReadableTableMetadata as _};

use crate::base::limits::{IDEMPOTENCY_HOURS, QUEUED_RUNS};
use crate::base::{ContentHash, NodeKey, RunId, Timestamp};
use crate::db::DbError;
use crate::engine::error::EngineError;
use crate::engine::events::What;
use crate::engine::job::Job;
use crate::engine::request::{Prepared, Request};
use crate::engine::runs::{new_row, put_run, request_of, run_in};
use crate::engine::{Engine, memory, references, tables, tasks};
use crate::records::tables as names;
use crate::records::{IdempotencyRow, Record, RunRow, RunStatus, TaskRow};

/// How a request is accepted.
#[derive(Debug, Clone, Default)]
pub struct Submission {
    /// Does the run wait until it is released?
    pub held: bool,
    /// What tells a request that is made again from a new one.
    pub idempotency: Option<Idempotency>,
}

/// What tells a request that is made again from a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// Who asks, and the key that they chose.
    pub key: String,
    /// BLAKE3 of all that they ask for.
    pub body: ContentHash,
    /// The task that the request came as, if it did.
    pub task: Option<TaskRow>,
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

/// May refuse a plan before anything is recorded.
pub type Check<'a> = dyn Fn(&Prepared) -> Result<(), EngineError> + 'a;

/// A request on its way in.
struct Entry<'a> {
    request: &'a Request,
    submission: Submission,
    /// Is it to begin in this process?
    start: bool,
    verifies: Option<RunId>,
}

impl Engine {
    /// Accepts a run: when this returns it is on disk. It begins as soon as there is room for it.
    pub fn accept(&self, request: &Request, submission: &Submission) -> Result<Accepted, EngineError> {
        let entry = Entry { request, submission: submission.clone(), start: true, verifies: None };
        self.enter(&entry, &|_| Ok(()))
    }

    /// Accepts a run that begins in this process, or, if `start` is false, waits for whoever
    /// opens the home to work on what waits.
    pub fn submit(&self, request: &Request, start: bool, check: &Check<'_>) -> Result<RunId, EngineError> {
        let entry = Entry { request, submission: Submission::default(), start, verifies: None };
        Ok(self.enter(&entry, check)?.run)
    }

    /// Accepts a run that renders another one again.
    pub(super) fn submit_verifying(&self, request: &Request, verifies: RunId) -> Result<RunId, EngineError> {
        let submission = Submission::default();
        let entry = Entry { request, submission, start: true, verifies: Some(verifies) };
        Ok(self.enter(&entry, &|_| Ok(()))?.run)
    }

    fn enter(&self, entry: &Entry<'_>, check: &Check<'_>) -> Result<Accepted, EngineError> {
        if let Some(idempotency) = &entry.submission.idempotency
            && let Some(known) = self.row_of_key(&idempotency.key)?
        {
            return self.again(known, idempotency);
        }
        let counts_on_blobs = self.keep_all();
        let prepared = self.prepare(entry.request)?;
        check(&prepared)?;
        let run = RunId::new();
        let nodes = prepared.plan.count();
        let priority = entry.request.priority;
        let place = if entry.start && !entry.submission.held { self.0.slots.take(nodes, priority) } else { None };
        if place.is_none() && self.queue_len()? >= QUEUED_RUNS {
            return Err(EngineError::Busy(format!(
                "{QUEUED_RUNS} runs wait already, and no more may; try again when some have been begun"
            )));
        }
        let mut row = new_row(entry.request, &prepared, !entry.start || self.0.slots.is_open());
        row.verifies = entry.verifies;
        row.held = entry.submission.held;
        row.progress.0 = nodes as u64;
        if place.is_some() {
            row.status = RunStatus::Running;
            row.started_at = Some(row.created_at);
            row.attempts = 1;
        }
        let config = prepared.config.clone().map(|(_, bytes)| self.put_record(bytes, "application/yaml"));
        let config = config.transpose()?;
        let share = entry.request.options.cache && entry.verifies.is_none();
        let job = Job::new(run, prepared.plan, row.clone(), share, Vec::new(), place).with_data(prepared.data);
        let job = Arc::new(job);
        let begins = row.status == RunStatus::Running;
        if begins && job.plan.stages.is_empty() {
            // A run that has nothing to do is recorded once, when it is complete.
            row = self.complete_at_once(&job, config, entry.submission.idempotency.clone())?;
            return self.accepted(run, row, &entry.submission);
        }
        if begins {
            self.jobs().insert(run, job.clone());
        }
        let stored = row.clone();
        let idempotency = entry.submission.idempotency.clone();
        let written = self.write(move |tx| record_new(tx, run, stored, config, idempotency.as_ref())).wait();
        let sequence = match written {
            Ok(Some(sequence)) => sequence,
            other => {
                self.jobs().remove(&run);
                other?;
                // Somebody else's request with the same key came in between.
                return self.accepted(run, row, &entry.submission);
            }
        };
        row.sequence = sequence;
        job.set_row(row.clone());
        drop(counts_on_blobs);
        self.0.events.tell(run, What::Status(row.status));
        if begins {
            self.0.scheduler.submit(job);
        } else {
            self.0.housekeeper.look_at_queue();
        }
        self.accepted(run, row, &entry.submission)
    }

    /// The answer to a request that is recorded; under an idempotency key whoever was first.
    fn accepted(&self, run: RunId, row: RunRow, submission: &Submission) -> Result<Accepted, EngineError> {
        if let Some(idempotency) = &submission.idempotency
            && let Some(known) = self.row_of_key(&idempotency.key)?
            && known.run != run
        {
            return self.again(known, idempotency);
        }
        Ok(Accepted { run, row, existing: false })
    }

    fn again(&self, known: IdempotencyRow, idempotency: &Idempotency) -> Result<Accepted, EngineError> {
        if known.body != idempotency.body {
            return Err(EngineError::Refused(format!(
                "this idempotency key was used for another request, which made run {}; choose a new key",
                known.run
            )));
        }
        Ok(Accepted { run: known.run, row: self.run_row(known.run)?, existing: true })
    }

    fn row_of_key(&self, key: &str) -> Result<Option<IdempotencyRow>, EngineError> {
        let row = self.0.db.read(|tx| {
            let table = tx.open_table(names::IDEMPOTENCY)?;
            let row = table.get(key)?.map(|bytes| IdempotencyRow::from_bytes(bytes.value())).transpose()?;
            let runs = tx.open_table(names::RUNS)?;
            // With its run a key is free again.
            Ok(match row {
                Some(row) if runs.get(row.run.as_bytes())?.is_some() => Some(row),
                _ => None,
            })
        })?;
        Ok(row.filter(|row| !is_old(row)))
    }

    /// Forgets idempotency keys that are no longer remembered; how many.
    pub(super) fn forget_old_keys(&self) -> Result<u64, EngineError> {
        Ok(self.write(|tx| forget_keys(tx, is_old)).wait()?)
    }

    /// Lets this process work on all that waits, from now on. What this thread needed to get so
    /// far is given back.
    pub fn work_on_queue(&self) -> Result<(), EngineError> {
        self.0.slots.open(self.number(names::QUEUE_PAUSED)? == 1);
        self.0.housekeeper.look_at_queue();
        memory::give_back();
        Ok(())
    }

    /// Begins what waits, as far as there is room.
    pub(super) fn begin_waiting(&self) -> Result<(), EngineError> {
        // One that cannot be begun now (it was held in this moment) is passed over.
        let mut passed: Option<[u8; 12]> = None;
        loop {
            let next = self.0.db.read(|tx| {
                let table = tx.open_table(names::QUEUE)?;
                let from = passed.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
                let from = from.as_ref();
                let row = table.range::<&[u8; 12]>((from, std::ops::Bound::Unbounded))?.next().transpose()?;
                Ok(row.map(|(key, run)| (*key.value(), RunId::from_bytes(*run.value()))))
            })?;
            let Some((key, run)) = next else { break };
            let row = self.run_row(run)?;
            // One that does not fit waits until it does, and those after it wait with it.
            if !self.0.slots.has_room(row.progress.0 as usize, row.priority) {
                break;
            }
            passed = Some(key);
            self.begin(run)?;
        }
        self.0.slots.set_waiting(self.queue_len()? > 0);
        Ok(())
    }

    /// Runs that wait to be begun, without those that are held.
    pub fn queue_len(&self) -> Result<u64, EngineError> {
        Ok(self.0.db.read(|tx| Ok(tx.open_table(names::QUEUE)?.len()?))?)
    }

    /// Plans a recorded run and begins it. One that can no longer be planned fails with the
    /// reason.
    pub(super) fn begin(&self, run: RunId) -> Result<(), EngineError> {
        let mut row = self.run_row(run)?;
        if row.status != RunStatus::Pending || row.held {
            return Ok(());
        }
        let counts_on_blobs = self.keep_all();
        row.attempts += 1;
        row.status = RunStatus::Running;
        row.started_at.get_or_insert_with(Timestamp::now);
        let prepared = match self.prepare(&request_of(&row)) {
            Ok(prepared) => prepared,
            Err(error) => {
                row.status = RunStatus::Failed;
                row.error = Some(error.to_string());
                row.completed_at = Some(Timestamp::now());
                return self.record_end(run, row).map(drop);
            }
        };
        let suspects = self.suspects_of(run)?;
        let place = Some(self.0.slots.take_anyway(prepared.plan.count(), row.priority));
        let share = row.options.cache && row.verifies.is_none();
        let job = Job::new(run, prepared.plan, row.clone(), share, suspects, place).with_data(prepared.data);
        let job = Arc::new(job);
        self.jobs().insert(run, job.clone());
        let begun = self.write(move |tx| match run_in(tx, run)? {
            Some(old) if old.status == RunStatus::Pending && !old.held => put_run(tx, run, &row).map(|()| true),
            _ => Ok(false),
        });
        drop(counts_on_blobs);
        match begun.wait() {
            Ok(true) => {
                self.0.events.tell(run, What::Status(RunStatus::Running));
                self.0.scheduler.submit(job);
                Ok(())
            }
            other => {
                self.jobs().remove(&run);
                Ok(other.map(drop)?)
            }
        }
    }

    /// Lets a run that waits wait until it is released.
    pub fn hold(&self, run: RunId) -> Result<RunRow, EngineError> {
        self.set_held(run, true)
    }

    /// Lets a held run take its place among those that wait.
    pub fn release(&self, run: RunId) -> Result<RunRow, EngineError> {
        let row = self.set_held(run, false)?;
        self.0.slots.set_waiting(true);
        self.0.housekeeper.look_at_queue();
        Ok(row)
    }

    fn set_held(&self, run: RunId, held: bool) -> Result<RunRow, EngineError> {
        let row = self.change(run, move |row| row.held = held)?;
        self.0.events.tell(run, What::Status(row.status));
        Ok(row)
    }

    /// Changes the row of a run that has not begun; refused for others.
    fn change(&self, run: RunId, change: impl FnOnce(&mut RunRow) + Send + 'static) -> Result<RunRow, EngineError> {
        let missing = || EngineError::NotFound { what: "run", name: run.to_string(), hint: String::new() };
        let changed = self.write(move |tx| {
            let Some(mut row) = run_in(tx, run)? else { return Ok(None) };
            let waits = row.status == RunStatus::Pending;
            if waits {
                change(&mut row);
                put_run(tx, run, &row)?;
            }
            Ok(Some((row, waits)))
        });
        match changed.wait()?.ok_or_else(missing)? {
            (row, true) => Ok(row),
            (row, false) => {
                Err(EngineError::Refused(format!("run {run} is {}; only a pending one can be held", row.status)))
            }
        }
    }

    /// Asks a run to stop. Refused when it has ended.
    pub fn cancel(&self, run: RunId) -> Result<(), EngineError> {
        let waiting = self.write(move |tx| {
            let Some(mut row) = run_in(tx, run)?.filter(|row| row.status == RunStatus::Pending) else {
                return Ok(None);
            };
            row.status = RunStatus::Cancelled;
            row.completed_at = Some(Timestamp::now());
            put_run(tx, run, &row)?;
            Ok(Some(row))
        });
        if waiting.wait()?.is_some() {
            self.0.events.tell(run, What::Status(RunStatus::Cancelled));
            self.0.ended.notify();
            return Ok(());
        }
        let row = self.run_row(run)?;
        if row.status.is_final() {
            return Err(EngineError::Refused(format!("run {run} has ended: it is {}", row.status)));
        }
        if let Some(job) = self.jobs().get(&run) {
            job.cancelled.store(true, Ordering::Relaxed);
        }
        self.0.scheduler.cancel(run);
        Ok(())
    }

    /// Lets a run go on without the command that waits for it: when this process closes the home
    /// it stops the run, and whoever works on the home next goes on with it. False if it has ended.
    pub fn leave(&self, run: RunId) -> Result<bool, EngineError> {
        let left = self.write(move |tx| {
            let Some(mut row) = run_in(tx, run)?.filter(|row| !row.status.is_final()) else { return Ok(false) };
            row.detached = true;
            put_run(tx, run, &row)?;
            Ok(true)
        });
        let left = left.wait()?;
        self.0.patient.fetch_or(left, Ordering::Relaxed);
        Ok(left)
    }

    /// Lets no run begin until it is called again with false. Those under way go on.
    pub fn pause_queue(&self, paused: bool) -> Result<(), EngineError> {
        self.write(move |tx| tables::set_number(tx, names::QUEUE_PAUSED, u64::from(paused))).wait()?;
        self.0.slots.pause(paused);
        self.0.housekeeper.look_at_queue();
        Ok(())
    }

    /// Is the queue paused?
    pub fn queue_paused(&self) -> Result<bool, EngineError> {
        Ok(self.number(names::QUEUE_PAUSED)? == 1)
    }

    /// Does a run wait that is to go on without the command that submitted it?
    pub fn detached_waiting(&self) -> bool {
        let detached = |run: RunId| self.run_row(run).is_ok_and(|row| row.detached);
        let runs = self.0.db.read(|tx| {
            let table = tx.open_table(names::QUEUE)?;
            let mut runs = Vec::new();
            for row in table.iter()? {
                runs.push(RunId::from_bytes(*row?.1.value()));
            }
            Ok(runs)
        });
        !self.queue_paused().unwrap_or(true) && runs.is_ok_and(|runs| runs.into_iter().any(detached))
    }

    /// Is there no run under way, and none that could begin?
    pub fn is_idle(&self) -> Result<bool, EngineError> {
        Ok(self.jobs().is_empty() && (self.queue_paused()? || self.queue_len()? == 0))
    }

    /// Stages of the run that ran when the process died, by the key of a node.
    fn suspects_of(&self, run: RunId) -> Result<Vec<NodeKey>, EngineError> {
        let keys = self.0.db.read(|tx| {
            let table = tx.open_table(names::SUSPECTS)?;
            let (first, last) = (names::suspect_key(&run, &NodeKey::from_bytes([0; 32])), [0xff; 32]);
            let last = names::suspect_key(&run, &NodeKey::from_bytes(last));
            let mut keys = Vec::new();
            for row in table.range::<&[u8; 48]>(&first..=&last)? {
                let mut key = [0; 32];
                key.copy_from_slice(&row?.0.value()[16..]);
                keys.push(NodeKey::from_bytes(key));
            }
            Ok(keys)
        })?;
        Ok(keys)
    }
}

/// Records a run that is new; `None` if its idempotency key was taken in between.
pub(super) fn record_new(
    tx: &redb::WriteTransaction,
    run: RunId,
    mut row: RunRow,
    config: Option<impl FnOnce(&redb::WriteTransaction) -> Result<(), DbError>>,
    idempotency: Option<&Idempotency>,
) -> Result<Option<u64>, DbError> {
    if let Some(idempotency) = idempotency {
        let mut keys = tx.open_table(names::IDEMPOTENCY)?;
        let known = keys.get(idempotency.key.as_str())?.map(|bytes| IdempotencyRow::from_bytes(bytes.value()));
        if let Some(known) = known.transpose()?.filter(|known| !is_old(known))
            && run_in(tx, known.run)?.is_some()
        {
            return Ok(None);
        }
        let known = IdempotencyRow { body: idempotency.body, run, created_at: row.created_at };
        keys.insert(idempotency.key.as_str(), known.to_bytes().as_slice())?;
        idempotency.task.iter().try_for_each(|task| tasks::put(tx, run, task))?;
    }
    if let Some(config) = config {
        config(tx)?;
    }
    row.sequence = tables::add_to_number(tx, names::SEQUENCE, 1)?;
    for (hash, holder) in references::held_by(run, &row) {
        tables::hold(tx, &hash, &holder)?;
    }
    put_run(tx, run, &row)?;
    Ok(Some(row.sequence))
}

fn forget_keys(tx: &redb::WriteTransaction, old: impl Fn(&IdempotencyRow) -> bool) -> Result<u64, DbError> {
    let mut keys = tx.open_table(names::IDEMPOTENCY)?;
    let before = keys.len()?;
    // One that cannot be read is nobody's any more.
    keys.retain(|_, bytes| IdempotencyRow::from_bytes(bytes).is_ok_and(|row| !old(&row)))?;
    Ok(before - keys.len()?)
}

fn is_old(row: &IdempotencyRow) -> bool {
    Timestamp::now().seconds_since(row.created_at) > (IDEMPOTENCY_HOURS * 3600) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Db, initialise};

    #[test]
    fn old_idempotency_keys_are_forgotten_and_others_stay() {
        let file = tempfile::NamedTempFile::new().unwrap();
        initialise(&redb::Database::create(file.path()).unwrap()).unwrap();
        let db = Db::open(file.path()).unwrap();
        tables::create(&db).unwrap();
        let hour = 3_600_000_000;
        let now = Timestamp::now().micros();
        let left = tables::write(&db, move |tx| {
            for (key, age) in [("new", 0), ("day", IDEMPOTENCY_HOURS - 1), ("old", IDEMPOTENCY_HOURS + 1)] {
                let created_at = Timestamp::from_micros(now - age * hour);
                let row = IdempotencyRow { body: ContentHash::of(b""), run: RunId::new(), created_at };
                tx.open_table(names::IDEMPOTENCY)?.insert(key, row.to_bytes().as_slice())?;
            }
            let forgotten = forget_keys(tx, is_old)?;
            Ok((forgotten, tx.open_table(names::IDEMPOTENCY)?.len()?))
        });
        assert_eq!(left.wait().unwrap(), (1, 2));
    }
}
