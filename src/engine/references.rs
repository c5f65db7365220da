//! What is freed and what stays when something is deleted: one rule behind every path.

use serde::{Deserialize, Serialize};

use crate::base::{ContentHash, RunId};
use crate::db::DbError;
use crate::engine::error::EngineError;
use crate::engine::{Engine, tables};
use crate::records::tables as names;
use crate::records::{BlobRow, Holder, Origin, RunRow};

/// What a deletion did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freed {
    /// Bytes freed.
    pub freed_bytes: u64,
    /// What stayed, and why.
    pub kept: Vec<Kept>,
}

/// A blob that stayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The blob.
    pub content_hash: ContentHash,
    /// Why it stayed.
    pub because: String,
}

impl Engine {
    /// Deletes a run that has ended, with what only it used: its output and its provenance.
    /// Uploads are never deleted.
    pub fn delete_run(&self, run: RunId, dry_run: bool) -> Result<Freed, EngineError> {
        let row = self.run_row(run)?;
        if !row.status.is_final() {
            return Err(EngineError::Refused(format!("run {run} is {}; cancel it first", row.status)));
        }
        let _nobody_plans = self.evict();
        let mut freed = Freed::default();
        let mut gone = Vec::new();
        for (hash, holder) in held_by(run, &row) {
            let Some(blob) = self.blob_row(&hash)? else { continue };
            let others: Vec<Holder> = self.holders(&hash)?.into_iter().filter(|other| *other != holder).collect();
            let because = match (others.iter().find(|other| !of_run(other, run)), blob.origin) {
                (Some(other), _) => Some(format!("it is {other}")),
                (None, Origin::Upload) => Some("it was uploaded, not made".to_owned()),
                (None, _) => None,
            };
            match because {
                Some(because) => freed.kept.push(Kept { content_hash: hash, because }),
                None if gone.contains(&hash) => {}
                None => {
                    freed.freed_bytes += blob.size;
                    gone.push(hash);
                }
            }
        }
        freed.kept.sort_by_key(|kept| kept.content_hash);
        freed.kept.dedup();
        if !dry_run {
            self.write(move |tx| {
                tx.open_table(names::RUNS)?.remove(run.as_bytes())?;
                for (hash, holder) in held_by(run, &row) {
                    tables::release(tx, &hash, &holder)?;
                }
                Ok::<(), DbError>(())
            })
            .wait()?;
            self.take_away(&gone)?;
        }
        Ok(freed)
    }

    /// Why a blob may not be deleted, if it may not.
    pub fn undeletable(&self, hash: &ContentHash) -> Result<Option<String>, EngineError> {
        match self.refuse_if_held(hash) {
            Err(EngineError::Refused(reason)) => Ok(Some(reason)),
            other => other.map(|()| None),
        }
    }

    /// Does the blob belong to what can be made again?
    pub fn is_derived(row: &BlobRow) -> bool {
        row.origin == Origin::Derived
    }
}

fn of_run(holder: &Holder, run: RunId) -> bool {
    matches!(holder, Holder::RunInput(id) | Holder::RunOutput(id) | Holder::RunProvenance(id) | Holder::RunConfig(id) if *id == run)
}

/// Every blob that a run holds, and as what.
pub(super) fn held_by(run: RunId, row: &RunRow) -> Vec<(ContentHash, Holder)> {
    let inputs = row.inputs.iter().map(|hash| (*hash, Holder::RunInput(run)));
    inputs
        .chain(row.config.map(|hash| (hash, Holder::RunConfig(run))))
        .chain(row.output.map(|hash| (hash, Holder::RunOutput(run))))
        .chain(row.provenance.map(|hash| (hash, Holder::RunProvenance(run))))
        .collect()
}
