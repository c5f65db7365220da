//! Recording how runs ended, and planning again what failed for a value that can be made again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::base::{ContentHash, RunId, Timestamp};
use crate::cas::{StoreError, Verdict};
use crate::db::DbError;
use crate::engine::blobs::{Bytes, OTHER_BYTES, damaged};
use crate::engine::error::EngineError;
use crate::engine::events::What;
use crate::engine::idempotency::Idempotency;
use crate::engine::job::{Job, NodeFailure, Rows};
use crate::engine::machine::Outcome;
use crate::engine::seal::Subject;
use crate::engine::tables::Pending;
use crate::engine::work::panic_text;
use crate::engine::{Engine, provenance, publish, queue, runs, seal, tables, trace};
use crate::media::{Facts, Form, Kind, MediaType};
use crate::plan::{PlanNode, State};
use crate::records::tables as names;
use crate::records::{BlobRow, Origin, RunRow, RunStatus, Verdict as Compared};

/// What is written within a transaction.
pub(super) trait Write: FnOnce(&redb::WriteTransaction) -> Result<(), DbError> + Send + 'static {}

impl<W: FnOnce(&redb::WriteTransaction) -> Result<(), DbError> + Send + 'static> Write for W {}

/// Times that a run is planned again because a value it counted on was found damaged.
const REPLANS: u32 = 3;

impl Engine {
    /// A blob for a stage, checked against its hash. What a stage before has just made may not
    /// be recorded yet, so the store alone is asked.
    pub(super) fn stage_read(&self, hash: &ContentHash) -> Result<Bytes, EngineError> {
        let bytes = match self.0.store.open_blob(hash, None) {
            Ok(blob) => Bytes::Mapped(Arc::new(blob)),
            Err(StoreError::NotFound { .. }) => match self.read_blob(hash) {
                Err(EngineError::NotFound { .. }) => return Err(damaged(*hash, "its file is gone")),
                other => other?,
            },
            Err(error) => return Err(error.into()),
        };
        let mut hasher = blake3::Hasher::new();
        hasher.update_rayon(&bytes);
        if ContentHash::from(hasher.finalize()) != *hash {
            return Err(damaged(*hash, OTHER_BYTES));
        }
        Ok(bytes)
    }

    /// Checks a blob that another program reads: piece by piece, as films are larger than memory.
    pub(super) fn stage_check(&self, hash: &ContentHash) -> Result<(), EngineError> {
        match self.0.store.verify(hash)? {
            Verdict::Whole { .. } => Ok(()),
            Verdict::Missing => Err(damaged(*hash, "its file is gone")),
            Verdict::Damaged { .. } => Err(damaged(*hash, OTHER_BYTES)),
            Verdict::Unreadable(error) => Err(damaged(*hash, &format!("the disk does not give it back: {error}"))),
        }
    }

    /// Records the end of a run whose stages are all answered, and tells everybody.
    pub(super) fn finish(&self, job: &Arc<Job>, outcome: Outcome) {
        match catch_unwind(AssertUnwindSafe(|| self.record(job, outcome))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.unrecorded(job, outcome, &error),
            Err(panic) => {
                let message = format!("BUG: recording the end panicked: {}", panic_text(panic.as_ref()));
                tracing::error!(run = %job.run, message);
                let node = job.plan.output;
                job.progress().failure =
                    Some(NodeFailure { node, message: message.clone(), damaged: None, full: false });
                // What cannot be recorded as it is, is recorded as failed.
                let panicked = EngineError::Db(Arc::new(DbError::Panicked { message }));
                self.unrecorded(job, Outcome::Failed, &panicked);
            }
        }
    }

    fn record(&self, job: &Arc<Job>, outcome: Outcome) -> Result<(), EngineError> {
        match outcome {
            Outcome::Failed if self.replan(job) => Ok(()),
            // Without its rows the end would count on what nobody knows of.
            Outcome::Completed if job.rows_lost.load(Ordering::Relaxed) => self.begin_anew(job),
            Outcome::Completed if job.plan.later.is_some() => self.go_on(job),
            Outcome::Completed => self.complete(job),
            Outcome::Cancelled => self.end(job, RunStatus::Cancelled),
            Outcome::Failed => self.end(job, RunStatus::Failed),
        }
    }

    /// The end cannot be recorded. A command tells; a server tries again, and until then the run
    /// goes on as far as anybody can see.
    fn unrecorded(&self, job: &Arc<Job>, outcome: Outcome, error: &EngineError) {
        tracing::error!(run = %job.run, %error, "the end of the run cannot be recorded");
        if self.0.patient.load(Ordering::Relaxed) && !self.0.leaving.load(Ordering::Relaxed) {
            return self.0.housekeeper.record_later(job.clone(), outcome);
        }
        let full = error.class() == crate::engine::Class::Full;
        let row = RunRow { status: RunStatus::Failed, error: Some(error.to_string()), storage_full: full, ..job.row() };
        job.set_row(row);
        // The job stays: what is on disk says that the run still runs, and this is the last word.
        self.0.events.tell(job.run, What::Status(RunStatus::Failed));
        self.0.ended.notify();
    }

    /// Whatever became of the run, this process is done with it.
    fn left(&self, job: &Arc<Job>, row: RunRow) {
        let (run, status) = (job.run, row.status);
        if status.is_final() {
            self.0.totals.add(&row.stats);
        }
        job.set_row(row);
        self.0.fresh.forget(job.plan.nodes.iter().filter(|node| node.kept).map(|node| &node.key));
        job.leave();
        self.jobs().remove(&run);
        self.0.housekeeper.look_at_queue();
        self.0.events.tell(run, What::Status(status));
        self.0.ended.notify();
        if status == RunStatus::Completed {
            self.0.housekeeper.make_room();
        }
    }

    fn ended_row(job: &Job, status: RunStatus) -> RunRow {
        let row = RunRow {
            status,
            completed_at: Some(Timestamp::now()),
            stats: job.stats(status),
            progress: job.counts(),
            ..job.row()
        };
        if status == RunStatus::Failed { failed(job, row) } else { row }
    }

    /// Records an end without an output.
    fn end(&self, job: &Arc<Job>, status: RunStatus) -> Result<(), EngineError> {
        let row = Self::ended_row(job, status);
        // What its stages have made is kept, whatever became of the others.
        let made = job.settle();
        made.inspect_err(|error| tracing::warn!(run = %job.run, %error, "results could not be recorded")).ok();
        let rows = Arc::new(job.take_rows());
        let (run, stored) = (job.run, row.clone());
        let trace = trace::kept(job, status);
        let outcome = if status == RunStatus::Cancelled { Outcome::Cancelled } else { Outcome::Failed };
        let write = {
            let rows = rows.clone();
            move |tx: &redb::WriteTransaction| {
                publish::record(tx, run, &rows)?;
                trace::put(tx, run, &trace)?;
                runs::put_run(tx, run, &stored)
            }
        };
        self.write_end(job, outcome, rows, row, write);
        Ok(())
    }

    /// Queues the write of an end; when it is on disk everybody is told, and when it cannot be,
    /// its rows are given back.
    fn write_end(&self, job: &Arc<Job>, outcome: Outcome, rows: Arc<Rows>, row: RunRow, write: impl Write) {
        let (engine, job) = (self.clone(), job.clone());
        tables::write_then(&self.0.db, write, move |written| {
            match written {
                Ok(()) => engine.left(&job, row),
                Err(error) => {
                    job.gather(Arc::unwrap_or_clone(rows));
                    engine.unrecorded(&job, outcome, &error.into());
                }
            }
            Ok(())
        });
    }

    fn complete(&self, job: &Arc<Job>) -> Result<(), EngineError> {
        // The rows of stages are on disk before the end that counts on them.
        job.settle()?;
        let (row, write) = self.completion(job)?;
        let rows = Arc::new(job.take_rows());
        let (run, made, stored) = (job.run, rows.clone(), row.clone());
        let trace = trace::kept(job, RunStatus::Completed);
        let write = move |tx: &redb::WriteTransaction| {
            publish::record(tx, run, &made)?;
            trace::put(tx, run, &trace)?;
            write(tx)?;
            runs::put_run(tx, run, &stored)
        };
        self.write_end(job, Outcome::Completed, rows, row, write);
        Ok(())
    }

    /// Records a run that had nothing to do, from its beginning to its end. Its row, without the
    /// sequence number that the write gives, unless its idempotency key was taken in between.
    pub(super) fn complete_at_once(
        &self,
        job: Arc<Job>,
        config: Option<impl FnOnce(&redb::WriteTransaction) -> Result<u64, DbError> + Send + 'static>,
        idempotency: Option<Idempotency>,
    ) -> Result<(RunRow, Pending<Option<u64>>), EngineError> {
        let (row, end) = self.completion(&job)?;
        let (run, status, mut ended) = (job.run, row.status, row.clone());
        let write = move |tx: &redb::WriteTransaction| {
            let Some(sequence) = queue::enter_new(tx, run, &ended, config, idempotency.as_ref())? else {
                return Ok(None);
            };
            end(tx)?;
            ended.sequence = sequence;
            runs::put_run(tx, run, &ended)?;
            Ok(Some(sequence))
        };
        let engine = self.clone();
        let written = tables::write_then(&self.0.db, write, move |written| {
            job.leave();
            if let Ok(Some(_)) = written {
                engine.0.events.tell(run, What::Status(status));
                engine.0.ended.notify();
            }
            written
        });
        Ok((row, written))
    }

    /// The row of a completed run, and the write of all that belongs to it beside that row.
    fn completion(&self, job: &Job) -> Result<(RunRow, impl Write), EngineError> {
        let output = *job
            .progress()
            .values
            .get(&job.plan.output)
            .unwrap_or_else(|| panic!("BUG: run {} is complete without an output", job.run));
        let mut row = Self::ended_row(job, RunStatus::Completed);
        row.output = Some(output);
        row.output_media_type = Some(media_type(&job.plan.nodes[job.plan.output].facts).mime().to_owned());
        if let Some(verified) = row.verifies {
            let same = self.run_row(verified)?.output == Some(output);
            row.verdict = Some(if same { Compared::Same } else { Compared::Different });
        }
        let record = provenance::record(self, job, &row)?;
        row.provenance = Some(ContentHash::of(record.as_bytes()));
        let subject = Subject { name: row.output_name.clone(), content_hash: output };
        // A run is not lost for want of a key: its record can be signed later.
        let seal = self.seal(&record, &subject);
        if let (Err(why), true) = (&seal, self.0.signer.is_some()) {
            tracing::error!(run = %job.run, why, "the run's record cannot be signed");
            row.warnings.push(format!("its record is not signed: {why}"));
        }
        let store_record = self.put_record(record.into_bytes(), "application/json", Some(job.run))?;
        let mut used: Vec<ContentHash> = job.plan.nodes.iter().filter_map(hit).collect();
        {
            let progress = job.progress();
            used.extend(progress.adopted.iter().filter_map(|node| progress.values.get(node)));
        }
        used.push(output);
        used.sort_unstable();
        used.dedup();
        let (run, now) = (job.run, Timestamp::now());
        let write = move |tx: &redb::WriteTransaction| {
            let record = store_record(tx)?;
            if let Ok(seal) = &seal {
                seal::put(tx, record, seal)?;
            }
            for hash in &used {
                tables::use_value(tx, run, hash)?;
                if let Some(mut blob) = tables::get::<BlobRow>(tx, names::BLOBS, hash.as_bytes())? {
                    blob.used_at = now;
                    tables::put(tx, names::BLOBS, hash.as_bytes(), &blob)?;
                }
            }
            Ok(())
        };
        Ok((row, write))
    }

    /// Records that a run has ended before it began, and waits for the commit.
    pub(super) fn record_end(&self, run: RunId, row: RunRow) -> Result<RunRow, EngineError> {
        let stored = row.clone();
        self.write(move |tx| runs::put_run(tx, run, &stored)).wait()?;
        self.0.events.tell(run, What::Status(row.status));
        self.0.ended.notify();
        Ok(row)
    }

    /// If the run failed because a value that can be made again was damaged or gone: forgets
    /// that value and lets the run begin anew. True if it did.
    fn replan(&self, job: &Arc<Job>) -> bool {
        let Some(damaged) = job.progress().failure.as_ref().and_then(|failure| failure.damaged) else { return false };
        let derived = self.blob_row(&damaged).is_ok_and(|row| row.is_some_and(|row| row.origin == Origin::Derived));
        if !derived || job.row().attempts >= REPLANS {
            return false;
        }
        tracing::warn!(run = %job.run, blob = %damaged, "a known value is damaged; it is made again");
        let forgotten = self.evict().and_then(|_nobody_plans| self.forget_value(damaged));
        let again = forgotten.and_then(|()| self.begin_anew(job));
        again.inspect_err(|error| tracing::warn!(run = %job.run, %error, "the run cannot be planned again")).is_ok()
    }

    /// Plans a run again and lets it begin once more: what is known by then is not computed again.
    fn begin_anew(&self, job: &Arc<Job>) -> Result<(), EngineError> {
        // Rows that were lost are made again.
        job.settle().ok();
        let (run, rows) = (job.run, job.take_rows());
        let pending = RunRow { status: RunStatus::Pending, ..job.row() };
        self.write(move |tx| {
            publish::record(tx, run, &rows)?;
            runs::put_run(tx, run, &pending)
        })
        .wait()?;
        self.jobs().remove(&run);
        let begun = self.begin(run);
        job.leave();
        begun
    }

    /// Plans the rest of a run whose first part has found what the plan depends on, and lets it go on.
    fn go_on(&self, job: &Arc<Job>) -> Result<(), EngineError> {
        job.settle()?;
        let (run, rows) = (job.run, job.take_rows());
        self.write(move |tx| publish::record(tx, run, &rows)).wait()?;
        self.0.fresh.forget(job.plan.nodes.iter().filter(|node| node.kept).map(|node| &node.key));
        let mut data = job.data.clone();
        let found = job.progress().values.get(&job.plan.output).copied();
        data.extend(job.plan.later.as_ref().map(|later| later.awaits).zip(found));
        let mut row = job.row();
        let (prepared, counts_on_blobs) = match self.prepare_to_run(&runs::request_of(&row), &data) {
            Ok(prepared) => prepared,
            Err(error) => {
                let (node, message) = (job.plan.output, error.to_string());
                job.progress().failure.get_or_insert(NodeFailure { node, message, damaged: None, full: false });
                return self.end(job, RunStatus::Failed);
            }
        };
        row.progress.0 = prepared.plan.count() as u64;
        let rest = Arc::new(Job::rest_of(job, prepared.plan, row, prepared.data));
        self.jobs().insert(run, rest.clone());
        drop(counts_on_blobs);
        // Who cancelled the first part meant the run.
        rest.cancelled.fetch_or(job.cancelled.load(Ordering::Relaxed), Ordering::Relaxed);
        self.carry_out(&rest);
        Ok(())
    }

    /// Forgets a damaged value: its memo rows and its file go, what holds it stays.
    pub(super) fn forget_value(&self, hash: ContentHash) -> Result<(), EngineError> {
        self.write(move |tx| tables::forget_blob(tx, &hash)).wait()?;
        self.0.opened.forget(&hash);
        self.0.store.remove(&hash)?;
        Ok(())
    }
}

fn hit(node: &PlanNode) -> Option<ContentHash> {
    match node.state {
        State::Hit(hash) => Some(hash),
        _ => None,
    }
}

fn failed(job: &Job, mut row: RunRow) -> RunRow {
    let progress = job.progress();
    row.status = RunStatus::Failed;
    row.error = progress.failure.as_ref().map(|failure| failure.message.clone());
    row.storage_full = progress.failure.as_ref().is_some_and(|failure| failure.full);
    let skipped: Vec<&str> = progress.skipped.iter().map(|node| job.plan.nodes[*node].id.as_str()).collect();
    if !skipped.is_empty() {
        let more = if skipped.len() > 20 { ", …" } else { "" };
        row.error_detail = Some(format!("skipped: {}{more}", skipped[..skipped.len().min(20)].join(", ")));
    }
    row
}

/// The type of a node's value as bytes.
pub(super) fn media_type(facts: &Facts) -> MediaType {
    match &facts.form {
        Form::Blob(file) => file.media_type,
        Form::Value => match facts.kind {
            Kind::Video | Kind::Audio => MediaType::Matroska,
            Kind::Data => MediaType::Json,
            Kind::Image | Kind::Bytes => MediaType::Png,
        },
    }
}
