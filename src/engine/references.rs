//! What is freed and what stays when something is deleted: one rule behind every path.

use serde::{Deserialize, Serialize};

use crate::base::{ContentHash, RunId};
use crate::db::DbError;
use crate::engine::changes::{self, Subject};
use crate::engine::error::EngineError;
use crate::engine::events::What;
use crate::engine::job::Job;
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
            self.0.events.tell(run, What::Deleted);
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
        // Asked before the users that are recorded: a run that ends meanwhile is one or the other.
        let under_way = self.user_under_way(hash);
        let users = self.0.db.read(|tx| tables::second_halves(&tx.open_table(names::USERS)?, hash.as_bytes()))?;
        if let Some(other) = users.into_iter().map(RunId::from_bytes).find(|user| *user != run) {
            return Ok(Some(format!("run {other} used it")));
        }
        if let Some(other) = under_way {
            return Ok(Some(format!("run {other} is using it")));
        }
        Ok((blob.origin == Origin::Upload).then(|| "it was uploaded, not made".to_owned()))
    }

    /// A run under way that counts on a blob.
    pub(super) fn user_under_way(&self, hash: &ContentHash) -> Option<RunId> {
        self.jobs().values().find(|job| job.counts_on(hash)).map(|job| job.run)
    }

    /// Lets a run under way count on a blob: from now on no deletion takes its file. False if one
    /// was quicker.
    pub(super) fn count_on(&self, job: &Job, hash: ContentHash) -> Result<bool, EngineError> {
        job.count_on(hash);
        // Whoever had looked before has removed it when the guard is there; others see the note.
        let _unremoved = self.keep_all();
        Ok(self.0.store.contains(&hash)?)
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex, mpsc};
    use std::thread;

    use super::*;
    use crate::engine::machine::Attempt;
    use crate::engine::stage_blobs::StageBlobs;
    use crate::engine::testing::{opened, opened_on, opening, picture, submitted};
    use crate::engine::work::Blobs as _;
    use crate::engine::{Inputs, RecipeRef, Request};
    use crate::records::{RunOptions, RunStatus};

    /// A kept picture, and another made of it.
    fn config(last: &str) -> Vec<u8> {
        format!(
            "name: two\ndag:\n  nodes:\n    - {{id: in, type: SOURCE, config: {{input: true}}}}\n    \
             - {{id: a, type: EFFECT, config: {{effect: invert}}, inputs: [in]}}\n    \
             - {{id: b, type: EFFECT, config: {{effect: {last}}}, inputs: [a]}}\n  output: b\n"
        )
        .into_bytes()
    }

    #[test]
    fn a_deletion_does_not_take_what_a_run_under_way_has_made_too() {
        let home = tempfile::tempdir().unwrap();
        let hangs = Arc::new(AtomicBool::new(false));
        let ((hanging, hangs_now), (go, let_go)) = (mpsc::channel(), mpsc::channel::<()>());
        let (of_disk, let_go) = (hangs.clone(), Mutex::new(let_go));
        let engine = opened_on(&opening(home.path()), move || {
            if of_disk.swap(false, Ordering::SeqCst) {
                let _ = hanging.send(());
                let _ = let_go.lock().unwrap().recv();
            }
        });
        let go = go;
        let picture = picture(&engine, [1, 2, 3, 255]);
        let submit = |last: &str, cache: bool| {
            let inputs = Inputs::Listed(vec![picture]);
            let options = RunOptions { cache, keep: vec![crate::base::NodeId::new("a")], ..RunOptions::default() };
            let request = Request { options, ..Request::new(RecipeRef::Bytes(config(last)), inputs) };
            engine.submit(&request, true, &|_| Ok(())).unwrap()
        };
        let first = submit("sepia", true);
        assert_eq!(engine.wait(first).unwrap().status, RunStatus::Completed);
        // The second makes the kept picture once more, and hangs where it stores its output.
        hangs.store(true, Ordering::SeqCst);
        let second = submit("grayscale", false);
        hangs_now.recv().unwrap();
        let job = engine.jobs().get(&second).cloned().unwrap();
        let made: Vec<ContentHash> = job.counted_on().into_iter().filter(|hash| *hash != picture).collect();
        assert_eq!(made.len(), 1, "{made:?}");
        let freed = engine.delete_run(first, false).unwrap();
        let kept = freed.kept.iter().find(|kept| kept.content_hash == made[0]).expect("it stays");
        assert_eq!(kept.because, format!("run {second} is using it"));
        assert!(engine.read_checked(&made[0]).is_ok());

        // Somebody who had looked before removes what the run stores in this moment.
        let other = b"made by another run, too";
        let hash = engine.0.store.put_bytes(other).unwrap().hash;
        let removing = engine.evict().unwrap();
        let storing = thread::spawn({
            let (engine, job) = (engine.clone(), job.clone());
            move || {
                let attempt = Attempt { run: second, stage: 0, number: 1 };
                let (checked, broken) = (Mutex::default(), Mutex::default());
                let blobs = StageBlobs { engine: &engine, job: &job, attempt, light: false, checked, broken };
                blobs.write(0, other).unwrap()
            }
        });
        while !job.counts_on(&hash) {
            thread::yield_now();
        }
        engine.0.store.remove(&hash).unwrap();
        drop(removing);
        assert_eq!(storing.join().unwrap(), (hash, true), "it is stored again");
        assert!(engine.0.store.contains(&hash).unwrap());

        go.send(()).unwrap();
        assert_eq!(engine.wait(second).unwrap().status, RunStatus::Completed);
        assert!(engine.read_checked(&made[0]).is_ok());
        engine.close().unwrap();
    }

    /// Each run ends while somebody makes room.
    #[test]
    fn making_room_takes_nothing_of_runs_that_end_meanwhile() {
        let home = tempfile::tempdir().unwrap();
        let engine = opened(home.path());
        let over = Arc::new(AtomicBool::new(false));
        let making_room = thread::spawn({
            let (engine, over) = (engine.clone(), over.clone());
            move || {
                while !over.load(Ordering::SeqCst) {
                    engine.gc(None, false, false).unwrap();
                }
            }
        });
        for n in 0..40_u8 {
            let row = engine.wait(submitted(&engine, "invert", picture(&engine, [n, 1, 2, 255]))).unwrap();
            let output = row.output.expect("it is complete");
            assert!(engine.read_checked(&output).is_ok(), "the output of run {n} is gone");
        }
        over.store(true, Ordering::SeqCst);
        making_room.join().unwrap();
        engine.close().unwrap();
    }
}
