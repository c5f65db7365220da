//! Recording what stages made and how runs ended.
//!
//! A stage's blobs are durable before its memo rows are queued; commits keep the order in
//! which writes are queued, so a run's last commit holds all of it.

use std::sync::Arc;

use crate::base::{ContentHash, NodeKey, Timestamp};
use crate::cas::StoreError;
use crate::engine::blobs::Bytes;
use crate::engine::error::EngineError;
use crate::engine::events::What;
use crate::engine::infra::Infrastructure;
use crate::engine::job::{Job, NodeFailure};
use crate::engine::machine::Outcome;
use crate::engine::{Engine, provenance, runs, tables, work};
use crate::media::{Facts, Form, MediaType};
use crate::plan::{PlanNode, State};
use crate::records::tables as names;
use crate::records::{BlobRow, InfraRow, KeyRow, MemoRow, Origin, RunRow, RunStatus, Verdict};

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

    /// Queues the rows of what a stage made. A key that is known to give other bytes fails the
    /// run: the old row stands and both blobs stay.
    pub(super) fn publish(&self, job: &Job, stage: usize, outcome: &work::Outcome) -> Result<(), NodeFailure> {
        let here = Infrastructure::here();
        let (infra, now) = (here.fingerprint(), Timestamp::now());
        // A rendering that is to be compared has a verdict, and does not fail.
        let verifies = job.row().verifies.is_some();
        let mut rows = Vec::new();
        let mut contradiction = None;
        for (index, hash) in &outcome.kept {
            let node = &job.plan.nodes[*index];
            if !verifies
                && let Ok(Some(old)) = self.memo(&node.key)
                && old.hash != *hash
            {
                contradiction.get_or_insert(nondeterministic(node, *index, &old.hash, hash));
            }
            let blob = self.row_of_value(node, hash, now);
            rows.push((node.key, MemoRow { hash: *hash, run: job.run, infra, made_at: now }, blob));
        }
        let done: Vec<usize> = if outcome.failure.is_some() { Vec::new() } else { job.plan.stages[stage].nodes.clone() };
        // With the sources that the stage reads: what can be made again is told from these.
        let sources = job.plan.stages[stage].reads.iter().filter(|read| job.plan.nodes[**read].source.is_some());
        let named = done.iter().chain(sources);
        let keys: Vec<(NodeKey, KeyRow)> = named.map(|node| key_row(&job.plan.nodes[*node])).collect();
        let infra_json = crate::base::canonical::to_string(here);
        // The run's end waits for it.
        let queued = job.queue(self.write(move |tx| {
            if tables::get::<InfraRow>(tx, names::INFRA, infra.as_bytes())?.is_none() {
                tables::put(tx, names::INFRA, infra.as_bytes(), &InfraRow { json: infra_json })?;
            }
            for (key, memo, blob) in &rows {
                if let Some(blob) = blob {
                    tables::record_blob(tx, &memo.hash, blob)?;
                }
                if tables::get::<MemoRow>(tx, names::MEMO, key.as_bytes())?.is_none() {
                    tables::put(tx, names::MEMO, key.as_bytes(), memo)?;
                }
            }
            for (key, row) in &keys {
                tables::put(tx, names::KEYS, key.as_bytes(), row)?;
            }
            Ok(())
        }));
        match (contradiction, queued) {
            (Some(contradiction), _) => Err(contradiction),
            (None, Ok(())) => Ok(()),
            (None, Err(error)) => {
                let node = job.plan.stages[stage].keeps.first().copied().unwrap_or(job.plan.output);
                Err(NodeFailure { node, message: error.to_string(), damaged: None, full: error.is_full() })
            }
        }
    }

    /// The blob row of a value; `None` for a blob that is there already as somebody's source.
    fn row_of_value(&self, node: &PlanNode, hash: &ContentHash, now: Timestamp) -> Option<BlobRow> {
        if crate::plan::hands_on_bytes(node) {
            return None;
        }
        let media_type = match node.facts {
            Facts { form: Form::Blob(file), .. } => file.media_type,
            Facts { form: Form::Value, .. } => MediaType::Png,
        };
        Some(BlobRow {
            size: self.0.store.size_of(hash).ok().flatten().unwrap_or_default(),
            origin: Origin::Derived,
            created_at: now,
            used_at: now,
            media_type: media_type.mime().to_owned(),
            dimensions: Some((node.facts.width, node.facts.height)),
            animated: false,
            damage: None,
            inline: false,
        })
    }

    /// Records the end of a run whose stages are all answered, and tells everybody.
    pub(super) fn finish(&self, job: &Arc<Job>, outcome: Outcome) {
        let mut row = job.row();
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
        job.settle()?;
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

fn nondeterministic(node: &PlanNode, index: usize, old: &ContentHash, new: &ContentHash) -> NodeFailure {
    let message = format!(
        "nondeterministic: node {} gave {new} now and {old} before under the same key {}; both are kept",
        node.id, node.key
    );
    NodeFailure { node: index, message, damaged: None, full: false }
}

fn key_row(node: &PlanNode) -> (NodeKey, KeyRow) {
    let parts = &node.parts;
    let row = KeyRow {
        node_type: parts.node_type.clone(),
        version: parts.version,
        content: parts.content,
        params: parts.params.clone(),
        inputs: parts.inputs.clone(),
        tools: parts.tools.clone(),
    };
    (node.key, row)
}
