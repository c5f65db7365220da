//! Recording what stages made.
//!
//! A stage's blobs are durable before its memo rows are queued; a run is complete only when all
//! its rows are on disk.

use std::sync::atomic::Ordering;

use crate::base::{ContentHash, NodeKey, RunId, Timestamp};
use crate::db::DbError;
use crate::engine::changes::{self, Subject};
use crate::engine::infra::Infrastructure;
use crate::engine::job::{Job, NodeFailure, Rows};
use crate::engine::{Engine, tables, work};
use crate::plan::{PlanNode, hands_on_bytes};
use crate::records::tables as names;
use crate::records::{BlobRow, InfraRow, KeyRow, MemoRow, Origin};

/// Rows of stages that cost nothing are gathered up to this many before they are queued.
const GATHERED_ROWS: usize = 1024;

impl Engine {
    /// Takes what a stage made on its way to disk. A key that is known to give other bytes fails
    /// the run: the old row stands and both blobs stay.
    pub(super) fn publish(&self, job: &Job, stage: usize, outcome: &work::Outcome) -> Result<(), NodeFailure> {
        let stage = &job.plan.stages[stage];
        let (infra, now) = (Infrastructure::here_fingerprint(), Timestamp::now());
        let mut contradiction = None;
        let mut light = true;
        let mut rows = Rows::default();
        for (index, hash) in &outcome.kept {
            let node = &job.plan.nodes[*index];
            let memo = MemoRow { hash: *hash, run: job.run, infra, made_at: now };
            if hands_on_bytes(node) {
                rows.results.push((node.key, memo, None));
                continue;
            }
            light = false;
            // A rendering that is to be compared has a verdict, and does not fail.
            if !job.verifies
                && let Ok(Some(old)) = self.memo(&node.key)
                && old.hash != *hash
            {
                contradiction.get_or_insert(nondeterministic(node, *index, &old.hash, hash));
            }
            let blob = self.row_of_value(node, hash, now);
            self.0.fresh.add(node.key, memo, blob.clone());
            rows.results.push((node.key, memo, Some(blob)));
        }
        if outcome.failure.is_none() {
            // With the sources that the stage reads: what can be made again is told from these.
            let sources = stage.reads.iter().filter(|read| job.plan.nodes[**read].source.is_some());
            rows.keys.extend(stage.nodes.iter().chain(sources).map(|node| key_row(&job.plan.nodes[*node])));
        }
        let gathered = job.gather(rows);
        // The rows of a run's last stage go with the record of its end.
        let last = job.stages_left.load(Ordering::Relaxed) <= 1;
        let wait = gathered < GATHERED_ROWS && (light || last);
        let queued = if wait { Ok(()) } else { self.queue_rows(job) };
        match (contradiction, queued) {
            (Some(contradiction), _) => Err(contradiction),
            (None, Ok(())) => Ok(()),
            (None, Err(error)) => {
                let node = stage.keeps.first().copied().unwrap_or(job.plan.output);
                Err(NodeFailure { node, message: error.to_string(), damaged: None, full: error.is_full() })
            }
        }
    }

    fn queue_rows(&self, job: &Job) -> Result<(), DbError> {
        let rows = job.take_rows();
        if rows.is_empty() {
            return Ok(());
        }
        let run = job.run;
        job.queue(self.write(move |tx| record(tx, run, &rows)))
    }

    fn row_of_value(&self, node: &PlanNode, hash: &ContentHash, now: Timestamp) -> BlobRow {
        let media_type = super::finish::media_type(&node.facts);
        BlobRow {
            size: self.0.store.size_of(hash).ok().flatten().unwrap_or_default(),
            origin: Origin::Derived,
            created_at: now,
            used_at: now,
            media_type: media_type.mime().to_owned(),
            dimensions: Some((node.facts.width, node.facts.height)),
            animated: false,
            damage: None,
            inline: false,
            sequence: 0,
            record_of: None,
        }
    }
}

/// Writes what stages of a run have made.
pub(super) fn record(tx: &redb::WriteTransaction, run: RunId, rows: &Rows) -> Result<(), DbError> {
    use crate::records::Record as _;
    use redb::ReadableTable as _;
    let infra = Infrastructure::here_fingerprint();
    if tables::get::<InfraRow>(tx, names::INFRA, infra.as_bytes())?.is_none() {
        let json = crate::base::canonical::to_string(Infrastructure::here());
        tables::put(tx, names::INFRA, infra.as_bytes(), &InfraRow { json })?;
    }
    for (_, memo, blob) in &rows.results {
        if let Some(blob) = blob {
            tables::record_blob(tx, &memo.hash, blob)?;
        }
    }
    let mut used = std::collections::BTreeSet::new();
    {
        let (mut results, mut made) = (tx.open_table(names::MEMO)?, tx.open_table(names::MADE)?);
        for (key, memo, _) in &rows.results {
            if results.get(key.as_bytes())?.is_none() {
                results.insert(key.as_bytes(), memo.to_bytes().as_slice())?;
                made.insert(names::pair(memo.hash.as_bytes(), key.as_bytes()).as_slice(), ())?;
            }
            used.insert(memo.hash);
        }
    }
    for hash in &used {
        tables::use_value(tx, run, hash)?;
    }
    let mut keys = tx.open_table(names::KEYS)?;
    for (key, row) in &rows.keys {
        keys.insert(key.as_bytes(), row.to_bytes().as_slice())?;
    }
    used.into_iter().try_for_each(|hash| changes::note(tx, &Subject::Content(hash)))
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
