//! Runs accepted, begun, held, cancelled: the durable queue.
//!
//! A run is on disk before its acceptance is told. Where there is room it begins at once, else
//! it waits in the table `queue`, which is the only list of what waits: by priority, then in the
//! order of acceptance. Every change of a recorded run is checked against its row within the
//! write that makes it, so that of two who want to begin, hold or cancel it one comes too late.

use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use redb::{ReadableTable as _, ReadableTableMetadata as _};

use crate::base::limits::QUEUED_RUNS;
use crate::base::{NodeKey, RunId, Timestamp};
use crate::db::DbError;
use crate::engine::accepting::{Accepted, Accepting, Submission};
use crate::engine::error::EngineError;
use crate::engine::events::What;
use crate::engine::idempotency::Idempotency;
use crate::engine::job::Job;
use crate::engine::request::{Data, Prepared, Request};
use crate::engine::runs::{new_row, put_run, request_of, run_in};
use crate::engine::tables::Pending;
use crate::engine::{Class, Engine, memory, references, tables, tasks};
use crate::records::tables as names;
use crate::records::{RunRow, RunStatus};

/// May refuse a plan before anything is recorded.
pub type Check<'a> = dyn Fn(&Prepared) -> Result<(), EngineError> + 'a;

/// A request on its way in.
struct Incoming<'a> {
    request: &'a Request,
    submission: Submission,
    /// Is it to begin in this process?
    start: bool,
    verifies: Option<RunId>,
}

impl Engine {
    /// Accepts a run: when this returns it is on disk. It begins as soon as there is room for it.
    pub fn accept(&self, request: &Request, submission: &Submission) -> Result<Accepted, EngineError> {
        self.accepting(request, submission)?.wait()
    }

    /// The same, but that the last wait for the disk, if there is one, is left to the caller.
    pub fn accepting(&self, request: &Request, submission: &Submission) -> Result<Accepting, EngineError> {
        let entry = Incoming { request, submission: submission.clone(), start: true, verifies: None };
        self.enter(&entry, &|_| Ok(()))
    }

    /// Accepts a run that begins in this process, or, if `start` is false, waits for whoever
    /// opens the home to work on what waits.
    pub fn submit(&self, request: &Request, start: bool, check: &Check<'_>) -> Result<RunId, EngineError> {
        let entry = Incoming { request, submission: Submission::default(), start, verifies: None };
        Ok(self.enter(&entry, check)?.wait()?.run)
    }

    /// Accepts a run that renders another one again.
    pub(super) fn submit_verifying(&self, request: &Request, verifies: RunId) -> Result<RunId, EngineError> {
        let submission = Submission::default();
        let entry = Incoming { request, submission, start: true, verifies: Some(verifies) };
        Ok(self.enter(&entry, &|_| Ok(()))?.wait()?.run)
    }

    fn enter(&self, entry: &Incoming<'_>, check: &Check<'_>) -> Result<Accepting, EngineError> {
        let idempotency = entry.submission.idempotency.clone();
        if let Some(known) = self.accepted_before(idempotency.as_ref())? {
            return Ok(known.into());
        }
        let (prepared, _counts_on_blobs) = self.prepare_to_run(entry.request, &Data::new())?;
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
        let config = prepared.config.clone().map(|(_, bytes)| self.put_record(bytes, "application/yaml", None));
        let config = config.transpose()?;
        let share = entry.request.options.cache && entry.verifies.is_none();
        let job = Job::new(run, prepared.plan, row.clone(), share, Vec::new(), place).with_data(prepared.data);
        let job = Arc::new(job);
        let begins = row.status == RunStatus::Running;
        let key = idempotency.clone();
        let (row, written) = if begins && job.plan.stages.is_empty() {
            // A run that has nothing to do is recorded once, when it is complete.
            self.complete_at_once(job, config, key)?
        } else {
            if begins {
                self.jobs().insert(run, job.clone());
            }
            (row, self.write_new(job, config, key))
        };
        let accepting = Accepting::new(run, row, written);
        match idempotency {
            None => Ok(accepting),
            // Somebody else's request with the same key may have come in between.
            Some(_) => match accepting.wait_claimed()? {
                Some(ours) => Ok(ours.into()),
                None => self.accepted_before(idempotency.as_ref())?.map(Accepting::from).ok_or_else(|| {
                    let detail = "the run that came first under this idempotency key has just been deleted; try again";
                    EngineError::Busy(detail.to_owned())
                }),
            },
        }
    }

    /// Queues the write of a run that has something to do; when it is on disk the run begins, if it
    /// is one under way, or waits for its turn.
    fn write_new(
        &self,
        job: Arc<Job>,
        config: Option<impl FnOnce(&redb::WriteTransaction) -> Result<u64, DbError> + Send + 'static>,
        idempotency: Option<Idempotency>,
    ) -> Pending<Option<u64>> {
        let (engine, run, row) = (self.clone(), job.run, job.row());
        let mut stored = row.clone();
        let write = move |tx: &redb::WriteTransaction| {
            let Some(sequence) = enter_new(tx, run, &stored, config, idempotency.as_ref())? else { return Ok(None) };
            stored.sequence = sequence;
            put_run(tx, run, &stored)?;
            Ok(Some(sequence))
        };
        tables::write_then(&self.0.db, write, move |written| {
            let Ok(Some(sequence)) = written else {
                engine.jobs().remove(&run);
                return written;
            };
            let status = row.status;
            job.set_row(RunRow { sequence, ..row });
            engine.0.events.tell(run, What::Status(status));
            if status == RunStatus::Running {
                engine.carry_out(&job);
            } else {
                engine.0.housekeeper.look_at_queue();
            }
            written
        })
    }

    /// The run that a request made which came before under the same idempotency key.
    pub fn accepted_before(&self, idempotency: Option<&Idempotency>) -> Result<Option<Accepted>, EngineError> {
        let Some(idempotency) = idempotency else { return Ok(None) };
        let Some(known) = self.row_of_key(&idempotency.key)? else { return Ok(None) };
        if known.body != idempotency.body {
            return Err(EngineError::Refused(format!(
                "this idempotency key was used for another request, which made run {}; choose a new key",
                known.run
            )));
        }
        Ok(Some(Accepted { run: known.run, row: self.run_row(known.run)?, existing: true }))
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
        row.attempts += 1;
        row.status = RunStatus::Running;
        row.started_at.get_or_insert_with(Timestamp::now);
        let (prepared, counts_on_blobs) = match self.prepare_to_run(&request_of(&row), &Data::new()) {
            Ok(prepared) => prepared,
            // The machine's trouble is none of the run's: it waits until that is over.
            Err(EngineError::Db(error)) if error.is_passing() => return Err(EngineError::Db(error)),
            Err(error) if error.class() == Class::Full => return Err(error),
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
        // Somebody else may be about to begin it, or about to let it begin anew.
        match self.jobs().entry(run) {
            Entry::Occupied(_) => return Ok(()),
            Entry::Vacant(place) => drop(place.insert(job.clone())),
        }
        let begun = self.write(move |tx| match run_in(tx, run)? {
            Some(old) if old.status == RunStatus::Pending && !old.held => put_run(tx, run, &row).map(|()| true),
            _ => Ok(false),
        });
        drop(counts_on_blobs);
        match begun.wait() {
            Ok(true) => {
                self.0.events.tell(run, What::Status(RunStatus::Running));
                self.carry_out(&job);
                Ok(())
            }
            other => {
                self.jobs().remove(&run);
                Ok(other.map(drop)?)
            }
        }
    }

    /// Hands a run over that has begun. Whoever cancelled it before that is heard, too.
    pub(super) fn carry_out(&self, job: &Arc<Job>) {
        self.0.scheduler.submit(job.clone());
        if job.cancelled.load(Ordering::Relaxed) && !self.0.leaving.load(Ordering::Relaxed) {
            self.0.scheduler.cancel(job.run);
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

/// Records all that belongs to a run that is new, but for its row; `None` if its idempotency key was
/// taken in between. Its place among runs of its priority.
pub(super) fn enter_new(
    tx: &redb::WriteTransaction,
    run: RunId,
    row: &RunRow,
    config: Option<impl FnOnce(&redb::WriteTransaction) -> Result<u64, DbError>>,
    idempotency: Option<&Idempotency>,
) -> Result<Option<u64>, DbError> {
    if let Some(idempotency) = idempotency {
        if !idempotency.claim(tx, run, row.created_at)? {
            return Ok(None);
        }
        idempotency.task.iter().try_for_each(|task| tasks::put(tx, run, task))?;
    }
    if let Some(config) = config {
        config(tx)?;
    }
    for (hash, holder) in references::read_by(run, row) {
        tables::hold(tx, &hash, &holder)?;
    }
    tables::add_to_number(tx, names::SEQUENCE, 1).map(Some)
}
