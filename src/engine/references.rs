//! What is freed and what stays when something is deleted: one rule behind every path.

use serde::{Deserialize, Serialize};

use crate::base::{ContentHash, RunId};
use crate::db::DbError;
use crate::engine::changes::{self, Subject};
use crate::engine::error::EngineError;
use crate::engine::{Engine, assets, runs, tables, tasks, trace};
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Kept {
    /// The blob.
    pub content_hash: ContentHash,
    /// Why it stayed.
    pub because: String,
}

impl Engine {
    /// Deletes a run that has ended, with what only it used: its output, its intermediates and
    /// its provenance. Uploads are never deleted.
    pub fn delete_run(&self, run: RunId, dry_run: bool) -> Result<Freed, EngineError> {
        let run = self.our_run(run)?;
        let row = self.run_row(run)?;
        if !row.status.is_final() {
            return Err(EngineError::Refused(format!("run {run} is {}; cancel it first", row.status)));
        }
        let _nobody_plans = self.evict()?;
        self.refuse_if_published(run, &row)?;
        let mut freed = Freed::default();
        let mut gone = Vec::new();
        for hash in self.of_run(run, &row)? {
            let Some(blob) = self.blob_row(&hash)? else { continue };
            match self.why_kept(run, &hash, &blob)? {
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
            self.write(move |tx| forget_run(tx, run)).wait()?;
            self.take_away(&gone)?;
        }
        Ok(freed)
    }

    /// Refuses, naming the publication, if a run's output is published.
    fn refuse_if_published(&self, run: RunId, row: &RunRow) -> Result<(), EngineError> {
        let Some(output) = row.output else { return Ok(()) };
        match self.holders(&output)?.into_iter().find(Holder::is_publication) {
            Some(holder) => Err(EngineError::Refused(format!(
                "run {run} stays: its output {output} is {holder}, and that is for good"
            ))),
            None => Ok(()),
        }
    }

    /// What a run holds, and the values that it made or took as known.
    fn of_run(&self, run: RunId, row: &RunRow) -> Result<Vec<ContentHash>, EngineError> {
        let mut hashes: Vec<ContentHash> = held_by(run, row).into_iter().map(|(hash, _)| hash).collect();
        let values = self.0.db.read(|tx| tables::second_halves(&tx.open_table(names::VALUES)?, run.as_bytes()))?;
        hashes.extend(values.into_iter().map(ContentHash::from_bytes));
        hashes.sort_unstable();
        hashes.dedup();
        Ok(hashes)
    }

    /// Why a blob stays when this run goes.
    fn why_kept(&self, run: RunId, hash: &ContentHash, blob: &BlobRow) -> Result<Option<String>, EngineError> {
        if let Some(other) = self.holders(hash)?.into_iter().find(|holder| !is_of(holder, run)) {
            return Ok(Some(format!("it is {other}")));
        }
        let users = self.0.db.read(|tx| tables::second_halves(&tx.open_table(names::USERS)?, hash.as_bytes()))?;
        if let Some(other) = users.into_iter().map(RunId::from_bytes).find(|user| *user != run) {
            return Ok(Some(format!("run {other} used it")));
        }
        if let Some(other) = self.user_under_way(hash) {
            return Ok(Some(format!("run {other} is using it")));
        }
        Ok((blob.origin == Origin::Upload).then(|| "it was uploaded, not made".to_owned()))
    }

    /// A run under way that counts on a blob.
    fn user_under_way(&self, hash: &ContentHash) -> Option<RunId> {
        let jobs = self.jobs();
        jobs.values().find(|job| job.progress().values.values().any(|value| value == hash)).map(|job| job.run)
    }

    /// Removes a blob that nothing holds, with the names that point to it.
    pub fn remove_blob(&self, hash: &ContentHash, dry_run: bool) -> Result<Freed, EngineError> {
        let missing = || EngineError::NotFound { what: "blob", name: hash.to_string(), hint: String::new() };
        let _nobody_plans = self.evict()?;
        let hash = &self.ours(*hash)?;
        let row = self.blob_row(hash)?.ok_or_else(missing)?;
        self.refuse_if_held(hash)?;
        if !dry_run {
            self.take_away(&[*hash])?;
        }
        Ok(Freed { freed_bytes: row.size, kept: Vec::new() })
    }

    /// Refuses, naming the holder, while anything holds the blob.
    fn refuse_if_held(&self, hash: &ContentHash) -> Result<(), EngineError> {
        let mut holders = self.holders(hash)?;
        // A publication is for good: it is told first.
        holders.sort_by_key(|holder| !holder.is_publication());
        if holders.is_empty() {
            return match self.user_under_way(hash) {
                Some(run) => Err(EngineError::Refused(format!("blob {hash} is in use: run {run} is using it"))),
                None => Ok(()),
            };
        }
        let listed: Vec<String> = holders.iter().take(3).map(Holder::to_string).collect();
        let more = match holders.len().saturating_sub(3) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Err(EngineError::Refused(format!("blob {hash} is in use: it is {}{more}", listed.join(", "))))
    }

    /// Takes blobs away: their rows, names and memo rows in one commit, then their files. One
    /// that somebody holds by then stays. The caller holds the eviction guard.
    pub(super) fn take_away(&self, hashes: &[ContentHash]) -> Result<(), EngineError> {
        let wanted = hashes.to_vec();
        let gone = self.write(move |tx| {
            let mut gone = Vec::new();
            for hash in wanted {
                if tables::holders_in(tx, &hash)?.is_empty() {
                    for name in assets::names_in(tx, &hash)? {
                        assets::unpoint(tx, &name)?;
                    }
                    tables::forget_blob(tx, &hash)?;
                    gone.push(hash);
                }
            }
            Ok(gone)
        });
        for hash in gone.wait()? {
            self.0.opened.forget(&hash);
            self.0.store.remove(&hash)?;
        }
        Ok(())
    }

    /// Why a blob may not be deleted, if it may not.
    pub fn undeletable(&self, hash: &ContentHash) -> Result<Option<String>, EngineError> {
        match self.refuse_if_held(hash) {
            Err(EngineError::Refused(reason)) => Ok(Some(reason)),
            other => other.map(|()| None),
        }
    }
}

/// Takes out a run's row, and all that says what it holds and used.
fn forget_run(tx: &redb::WriteTransaction, run: RunId) -> Result<(), DbError> {
    let Some(row) = runs::run_in(tx, run)? else { return Ok(()) };
    tx.open_table(names::RUNS)?.remove(run.as_bytes())?;
    tx.open_table(names::UNSUCCESSFUL)?.remove(run.as_bytes())?;
    trace::forget(tx, run)?;
    tasks::forget(tx, run)?;
    if let Some(record) = row.provenance
        && let Some(blob) = tables::get::<BlobRow>(tx, names::BLOBS, record.as_bytes())?
    {
        tx.open_table(names::SIGNATURES)?.remove(blob.sequence)?;
    }
    tables::add_to_number(tx, names::run_count(row.status), -1)?;
    for (hash, holder) in held_by(run, &row) {
        tables::release(tx, &hash, &holder)?;
    }
    let (mut values, mut users) = (tx.open_table(names::VALUES)?, tx.open_table(names::USERS)?);
    for hash in tables::second_halves::<32>(&values, run.as_bytes())? {
        values.remove(names::pair(run.as_bytes(), &hash).as_slice())?;
        users.remove(names::pair(&hash, run.as_bytes()).as_slice())?;
    }
    changes::note(tx, &Subject::Run(run))
}

fn is_of(holder: &Holder, run: RunId) -> bool {
    matches!(holder, Holder::RunInput(id) | Holder::RunOutput(id) | Holder::RunProvenance(id) | Holder::RunConfig(id) if *id == run)
}

/// Every blob that a run holds, and as what.
fn held_by(run: RunId, row: &RunRow) -> Vec<(ContentHash, Holder)> {
    read_by(run, row).chain(made_by(run, row)).collect()
}

/// What a run holds from its beginning.
pub(super) fn read_by(run: RunId, row: &RunRow) -> impl Iterator<Item = (ContentHash, Holder)> {
    let inputs = row.inputs.iter().map(move |hash| (*hash, Holder::RunInput(run)));
    inputs.chain(row.config.map(|hash| (hash, Holder::RunConfig(run))))
}

/// What it holds once it has an end.
pub(super) fn made_by(run: RunId, row: &RunRow) -> impl Iterator<Item = (ContentHash, Holder)> {
    let output = row.output.map(|hash| (hash, Holder::RunOutput(run)));
    output.into_iter().chain(row.provenance.map(|hash| (hash, Holder::RunProvenance(run))))
}
