//! Runs: submitted, found, waited for, cancelled.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use redb::ReadableTable as _;

use crate::base::{ContentHash, RunId, Timestamp};
use crate::db::DbError;
use crate::engine::error::EngineError;
use crate::engine::events::What;
use crate::engine::job::Job;
use crate::engine::request::{Prepared, Request};
use crate::engine::{Engine, Inputs, RecipeRef, references, tables};
use crate::media::encode::Format;
use crate::records::tables as names;
use crate::records::{Holder, MemoRow, Record, RunRow, RunStats, RunStatus};

impl Engine {
    /// Accepts a run: when this returns it is on disk, and started unless `start` is false
    /// (then it waits for whoever opens the home to work on what waits).
    /// `check` may refuse the plan before anything is recorded.
    pub fn submit(
        &self,
        request: &Request,
        start: bool,
        check: &dyn Fn(&Prepared) -> Result<(), EngineError>,
    ) -> Result<RunId, EngineError> {
        self.submit_as(request, start, None, check)
    }

    pub(super) fn submit_as(
        &self,
        request: &Request,
        start: bool,
        verifies: Option<RunId>,
        check: &dyn Fn(&Prepared) -> Result<(), EngineError>,
    ) -> Result<RunId, EngineError> {
        let counts_on_blobs = self.keep_all();
        let prepared = self.prepare(request)?;
        check(&prepared)?;
        let run = RunId::new();
        let mut row = new_row(request, &prepared, !start);
        row.verifies = verifies;
        if start {
            row.status = RunStatus::Running;
            row.started_at = Some(row.created_at);
            row.attempts = 1;
        }
        let share = request.options.cache && verifies.is_none();
        let config = prepared.config.as_ref();
        let store_config = config.map(|(_, bytes)| self.put_record(bytes.clone(), "application/yaml")).transpose()?;
        let job = Arc::new(Job::new(run, prepared.plan, row.clone(), share));
        if start {
            self.jobs().insert(run, job.clone());
        }
        // A run that has nothing to do is recorded once, when it is complete.
        let nothing_to_do = start && job.plan.stages.is_empty();
        let record = move |tx: &redb::WriteTransaction| {
            if let Some(store_config) = store_config {
                store_config(tx)?;
            }
            for (hash, holder) in references::held_by(run, &row) {
                tables::hold(tx, &hash, &holder)?;
            }
            tx.open_table(names::UNFINISHED)?.insert(run.as_bytes(), ())?;
            put_run(tx, run, &row)
        };
        let ticket = self.write(record);
        if !nothing_to_do && let Err(error) = ticket.wait() {
            self.jobs().remove(&run);
            return Err(error.into());
        }
        drop(counts_on_blobs);
        self.0.listeners.tell(run, &What::Status(job.row().status));
        if start {
            self.0.scheduler.submit(job);
        }
        Ok(run)
    }

    /// Starts every run that waits: a worker's and a server's way to begin.
    pub fn start_waiting(&self) -> Result<Vec<RunId>, EngineError> {
        let mut started = Vec::new();
        for run in self.unfinished()? {
            let row = self.run_row(run)?;
            if row.status == RunStatus::Pending && !row.held && !self.jobs().contains_key(&run) {
                self.start_again(run, row)?;
                started.push(run);
            }
        }
        Ok(started)
    }

    /// Plans a recorded run anew and starts it. One that can no longer be planned fails with
    /// the reason.
    pub(super) fn start_again(&self, run: RunId, mut row: RunRow) -> Result<(), EngineError> {
        let counts_on_blobs = self.keep_all();
        row.attempts += 1;
        row.status = RunStatus::Running;
        row.started_at.get_or_insert_with(Timestamp::now);
        let request = request_of(&row);
        let prepared = match self.prepare(&request) {
            Ok(prepared) => prepared,
            Err(error) => {
                row.status = RunStatus::Failed;
                row.error = Some(error.to_string());
                row.completed_at = Some(Timestamp::now());
                return self.record_end(run, row).map(|_| ());
            }
        };
        let share = row.options.cache && row.verifies.is_none();
        let job = Arc::new(Job::new(run, prepared.plan, row.clone(), share));
        self.jobs().insert(run, job.clone());
        self.write(move |tx| put_run(tx, run, &row)).wait()?;
        drop(counts_on_blobs);
        self.0.listeners.tell(run, &What::Status(RunStatus::Running));
        self.0.scheduler.submit(job);
        Ok(())
    }

    /// After a crash: runs that were being carried out wait again.
    pub(super) fn requeue_interrupted(&self) -> Result<(), EngineError> {
        for run in self.unfinished()? {
            let mut row = self.run_row(run)?;
            if row.status == RunStatus::Running {
                row.status = RunStatus::Pending;
                self.write(move |tx| put_run(tx, run, &row)).wait()?;
            }
        }
        Ok(())
    }

    /// Runs that have not ended, oldest first.
    pub fn unfinished(&self) -> Result<Vec<RunId>, EngineError> {
        let runs = self.0.db.read(|tx| {
            let table = tx.open_table(names::UNFINISHED)?;
            let mut runs = Vec::new();
            for row in table.iter()? {
                runs.push(RunId::from_bytes(*row?.0.value()));
            }
            Ok(runs)
        })?;
        Ok(runs)
    }

    /// Does a run wait that is to go on without the command that submitted it?
    pub fn detached_waiting(&self) -> bool {
        let waits = |run: RunId| {
            let row = self.run_row(run);
            row.is_ok_and(|row| row.detached && !row.held && row.status == RunStatus::Pending)
        };
        self.unfinished().is_ok_and(|runs| runs.into_iter().any(waits))
    }

    /// Is there no run under way, and none that waits to start?
    pub fn is_idle(&self) -> Result<bool, EngineError> {
        let busy = |run: RunId| self.run_row(run).is_ok_and(|row| !row.held && !row.status.is_final());
        Ok(self.jobs().is_empty() && !self.unfinished()?.into_iter().any(busy))
    }

    /// A run as it stands now.
    pub fn run_row(&self, run: RunId) -> Result<RunRow, EngineError> {
        if let Some(job) = self.jobs().get(&run) {
            let mut row = job.row();
            row.progress = job.counts();
            return Ok(row);
        }
        let row = self.0.db.read(|tx| {
            let table = tx.open_table(names::RUNS)?;
            Ok(table.get(run.as_bytes())?.map(|bytes| RunRow::from_bytes(bytes.value())).transpose()?)
        })?;
        row.ok_or_else(|| EngineError::NotFound { what: "run", name: run.to_string(), hint: String::new() })
    }

    /// Runs that `keep` takes, newest first, at most `limit`.
    pub fn runs(&self, limit: usize, keep: &dyn Fn(&RunRow) -> bool) -> Result<Vec<(RunId, RunRow)>, EngineError> {
        let runs = self.0.db.read(|tx| {
            let table = tx.open_table(names::RUNS)?;
            let mut runs = Vec::new();
            for row in table.iter()?.rev() {
                if runs.len() == limit {
                    break;
                }
                let (run, bytes) = row?;
                let row = RunRow::from_bytes(bytes.value())?;
                if keep(&row) {
                    runs.push((RunId::from_bytes(*run.value()), row));
                }
            }
            Ok(runs)
        })?;
        Ok(runs)
    }

    /// The run that a word names: its id, the beginning of exactly one id, or `latest`.
    pub fn find_run(&self, word: &str) -> Result<RunId, EngineError> {
        if let Ok(run) = word.parse::<RunId>() {
            return self.run_row(run).map(|_| run);
        }
        let missing = || EngineError::NotFound { what: "run", name: word.to_owned(), hint: String::new() };
        if word == "latest" {
            return self.runs(1, &|_| true)?.first().map(|(run, _)| *run).ok_or_else(missing);
        }
        let plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        if !plain {
            return Err(missing());
        }
        let word = word.to_ascii_lowercase();
        let all = self.runs(usize::MAX, &|_| true)?;
        let mut matching = all.iter().filter(|(run, _)| run.to_string().starts_with(&word));
        match (matching.next(), matching.next()) {
            (Some((run, _)), None) => Ok(*run),
            (Some(_), Some(_)) => {
                Err(EngineError::Usage(format!("several runs begin with {word:?}; write more of it")))
            }
            (None, _) => Err(missing()),
        }
    }

    /// Waits until a run has ended.
    pub fn wait(&self, run: RunId) -> Result<RunRow, EngineError> {
        let job = self.jobs().get(&run).cloned();
        match job {
            Some(job) => Ok(job.wait()),
            None => self.run_row(run),
        }
    }

    /// Asks a run to stop. Refused when it has ended.
    pub fn cancel(&self, run: RunId) -> Result<(), EngineError> {
        let job = self.jobs().get(&run).cloned();
        if let Some(job) = job.filter(|job| !job.row().status.is_final()) {
            job.cancelled.store(true, Ordering::Relaxed);
            self.0.scheduler.cancel(run);
            return Ok(());
        }
        let mut row = self.run_row(run)?;
        if row.status.is_final() {
            return Err(EngineError::Refused(format!("run {run} has ended: it is {}", row.status)));
        }
        row.status = RunStatus::Cancelled;
        row.completed_at = Some(Timestamp::now());
        self.record_end(run, row).map(|_| ())
    }

    /// How many results are recorded.
    pub fn memo_len(&self) -> Result<usize, EngineError> {
        use redb::ReadableTableMetadata as _;
        Ok(self.0.db.read(|tx| Ok(tx.open_table(names::MEMO)?.len()? as usize))?)
    }

    /// All memo rows.
    pub(super) fn memo_rows(&self) -> Result<Vec<(crate::base::NodeKey, MemoRow)>, EngineError> {
        let rows = self.0.db.read(|tx| {
            let table = tx.open_table(names::MEMO)?;
            let mut rows = Vec::new();
            for row in table.iter()? {
                let (key, bytes) = row?;
                rows.push((crate::base::NodeKey::from_bytes(*key.value()), MemoRow::from_bytes(bytes.value())?));
            }
            Ok(rows)
        })?;
        Ok(rows)
    }

    /// Records that a run has ended and waits for the commit.
    pub(super) fn record_end(&self, run: RunId, row: RunRow) -> Result<RunRow, EngineError> {
        let stored = row.clone();
        self.write(move |tx| end_run(tx, run, &stored)).wait()?;
        self.0.listeners.tell(run, &What::Status(row.status));
        Ok(row)
    }
}

/// Writes a run's row.
pub(super) fn put_run(tx: &redb::WriteTransaction, run: RunId, row: &RunRow) -> Result<(), DbError> {
    tx.open_table(names::RUNS)?.insert(run.as_bytes(), row.to_bytes().as_slice())?;
    Ok(())
}

/// Writes an ended run's row, with what it holds now.
pub(super) fn end_run(tx: &redb::WriteTransaction, run: RunId, row: &RunRow) -> Result<(), DbError> {
    tx.open_table(names::UNFINISHED)?.remove(run.as_bytes())?;
    if let Some(output) = row.output {
        tables::hold(tx, &output, &Holder::RunOutput(run))?;
    }
    if let Some(provenance) = row.provenance {
        tables::hold(tx, &provenance, &Holder::RunProvenance(run))?;
    }
    put_run(tx, run, row)
}

fn new_row(request: &Request, prepared: &Prepared, detached: bool) -> RunRow {
    let mut inputs: Vec<ContentHash> = prepared.plan.nodes.iter().filter_map(|node| node.source).collect();
    inputs.sort_unstable();
    inputs.dedup();
    RunRow {
        status: RunStatus::Pending,
        recipe: prepared.recipe_name.clone(),
        recipe_version: prepared.recipe_version.clone(),
        config: prepared.config.as_ref().map(|(hash, _)| *hash),
        bindings: prepared.bindings.clone(),
        fixed: prepared.fixed.clone(),
        inputs,
        params: serde_json::Value::Object(request.params.clone()).to_string(),
        format: request.format.map(|(format, _)| format.name().to_owned()),
        quality: request.format.and_then(|(_, quality)| quality),
        options: request.options.clone(),
        output_name: prepared.output_name.clone(),
        output: None,
        output_media_type: None,
        provenance: None,
        created_at: Timestamp::now(),
        started_at: None,
        completed_at: None,
        error: None,
        error_detail: None,
        storage_full: false,
        warnings: prepared.warnings.clone(),
        priority: request.priority,
        held: false,
        attempts: 0,
        detached,
        username: request.username.clone(),
        stats: RunStats::default(),
        progress: (0, 0, 0),
        verifies: None,
        verdict: None,
    }
}

/// The request that a recorded run was.
pub(super) fn request_of(row: &RunRow) -> Request {
    Request {
        recipe: row.config.map_or_else(|| RecipeRef::Effect(row.recipe.clone()), RecipeRef::Config),
        inputs: Inputs::Named(row.bindings.iter().map(|(node, hashes)| (node.to_string(), hashes.clone())).collect()),
        // Written by us from a map.
        params: serde_json::from_str(&row.params).unwrap_or_default(),
        output_name: Some(row.output_name.clone()),
        format: row.format.as_deref().and_then(Format::parse).map(|format| (format, row.quality)),
        options: row.options.clone(),
        priority: row.priority,
        username: row.username.clone(),
        fixed: row.fixed.clone(),
    }
}
