//! Recording how runs ended, and planning again what failed for a value that can be made again.

use std::sync::Arc;

use crate::base::{ContentHash, NodeKey, Timestamp};
use crate::cas::StoreError;
use crate::engine::blobs::Bytes;
use crate::engine::error::EngineError;
use crate::engine::events::What;
use crate::engine::job::Job;
use crate::engine::machine::Outcome;
use crate::engine::{Engine, provenance, runs, tables};
use crate::media::{Facts, Form, MediaType};
use crate::plan::{PlanNode, State};
use crate::records::tables as names;
use crate::records::{BlobRow, Origin, RunRow, RunStatus, Verdict};

/// Times that a run is planned again because a value it counted on was found damaged.
const REPLANS: u32 = 3;

impl Engine {
    /// A blob for a stage, checked against its hash. What a stage before has just made may not
    /// be recorded yet, so the store alone is asked.
    pub(super) fn stage_read(&self, hash: &ContentHash) -> Result<Bytes, EngineError> {
        let damaged = |what: &str| EngineError::Damaged { hash: *hash, what: what.to_owned() };
        let bytes = match self.0.store.open_blob(hash, None) {
            Ok(blob) => Bytes::Mapped(blob),
            Err(StoreError::NotFound { .. }) => match self.read_blob(hash) {
                Err(EngineError::NotFound { .. }) => return Err(damaged("its file is gone")),
                other => other?,
            },
            Err(error) => return Err(error.into()),
        };
        let mut hasher = blake3::Hasher::new();
        hasher.update_rayon(&bytes);
        if ContentHash::from(hasher.finalize()) != *hash {
            return Err(damaged("its bytes are not what its name says; add the original file again"));
        }
        Ok(bytes)
    }

    /// Records the end of a run whose stages are all answered, and tells everybody.
    pub(super) fn finish(&self, job: &Arc<Job>, outcome: Outcome) {
        let mut row = job.row();
        if let Err(error) = self.flush(job) {
            tracing::error!(run = %job.run, %error, "results cannot be recorded");
        }
        if outcome == Outcome::Failed && self.replan(job, &row) {
            return;
        }
        row.completed_at = Some(Timestamp::now());
        row.stats = job.stats();
        row.progress = job.counts();
        let ended = match outcome {
            Outcome::Completed => self.complete(job, row.clone()),
            Outcome::Cancelled => self.record_end(job.run, RunRow { status: RunStatus::Cancelled, ..row.clone() }),
            Outcome::Failed => self.record_end(job.run, failed(job, row.clone())),
        };
        let row = ended.unwrap_or_else(|error| {
            // What is on disk says that the run still runs: the next start goes on with it.
            tracing::error!(run = %job.run, %error, "the end of the run cannot be recorded");
            RunRow { status: RunStatus::Failed, error: Some(error.to_string()), ..row }
        });
        self.jobs().remove(&job.run);
        job.set_row(row);
    }

    fn complete(&self, job: &Job, mut row: RunRow) -> Result<RunRow, EngineError> {
        let output = *job
            .progress()
            .values
            .get(&job.plan.output)
            .unwrap_or_else(|| panic!("BUG: run {} is complete without an output", job.run));
        row.status = RunStatus::Completed;
        row.output = Some(output);
        row.output_media_type = Some(media_type(&job.plan.nodes[job.plan.output].facts).mime().to_owned());
        if let Some(verified) = row.verifies {
            let same = self.run_row(verified)?.output == Some(output);
            row.verdict = Some(if same { Verdict::Same } else { Verdict::Different });
        }
        let record = provenance::record(self, job, &row)?;
        row.provenance = Some(ContentHash::of(record.as_bytes()));
        let store_record = self.put_record(record.into_bytes(), "application/json")?;
        let used: Vec<ContentHash> = job.plan.nodes.iter().filter_map(hit).collect();
        let (run, stored, now) = (job.run, row.clone(), Timestamp::now());
        self.flush(job)?;
        self.write(move |tx| {
            store_record(tx)?;
            for hash in used.iter().chain([&output]) {
                if let Some(mut blob) = tables::get::<BlobRow>(tx, names::BLOBS, hash.as_bytes())? {
                    blob.used_at = now;
                    tables::put(tx, names::BLOBS, hash.as_bytes(), &blob)?;
                }
            }
            runs::end_run(tx, run, &stored)
        })
        .wait()?;
        self.0.listeners.tell(run, &What::Status(row.status));
        self.keep_to_the_cap();
        Ok(row)
    }

    /// If the run failed because a value that can be made again was damaged or gone: forgets
    /// that value and plans the run anew. True if it did.
    fn replan(&self, job: &Arc<Job>, row: &RunRow) -> bool {
        let Some(damaged) = job.progress().failure.as_ref().and_then(|failure| failure.damaged) else { return false };
        let derived = self.blob_row(&damaged).is_ok_and(|row| row.is_some_and(|row| row.origin == Origin::Derived));
        if !derived || row.attempts >= REPLANS {
            return false;
        }
        tracing::warn!(run = %job.run, blob = %damaged, "a known value is damaged; it is made again");
        let forgotten = {
            let _nobody_plans = self.evict();
            self.forget_value(damaged)
        };
        let again = forgotten.and_then(|()| self.plan_again(job, row.clone()));
        again.inspect_err(|error| tracing::warn!(run = %job.run, %error, "the run cannot be planned again")).is_ok()
    }

    /// Forgets a damaged value: its memo rows and its file go, what holds it stays.
    pub(super) fn forget_value(&self, hash: ContentHash) -> Result<(), EngineError> {
        let keys: Vec<NodeKey> =
            self.memo_rows()?.into_iter().filter(|(_, row)| row.hash == hash).map(|(key, _)| key).collect();
        self.write(move |tx| {
            for key in &keys {
                tx.open_table(names::MEMO)?.remove(key.as_bytes())?;
            }
            tables::forget_blob(tx, &hash)
        })
        .wait()?;
        self.0.store.remove(&hash)?;
        Ok(())
    }

    /// Puts a new plan in the place of a job's old one; who waits for the old one is told of
    /// the new one's end.
    fn plan_again(&self, job: &Arc<Job>, row: RunRow) -> Result<(), EngineError> {
        self.start_again(job.run, row)?;
        let Some(next) = self.jobs().get(&job.run).cloned() else { return Ok(()) };
        let old = job.clone();
        let spawned = std::thread::Builder::new().name("replanned".to_owned()).spawn(move || old.set_row(next.wait()));
        spawned.map(|_| ()).map_err(|error| EngineError::file(self.home(), &error))
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
    match facts.form {
        Form::Blob(file) => file.media_type,
        Form::Value => MediaType::Png,
    }
}
