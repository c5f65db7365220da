//! Runs as they are recorded: found, listed, waited for.

use std::ops::Bound;

use redb::{ReadableTable as _, ReadableTableMetadata as _};
use serde::{Deserialize, Serialize};

use crate::base::limits::PAGE_ROWS;
use crate::base::{ContentHash, RunId, Timestamp};
use crate::db::DbError;
use crate::engine::changes::{self, Subject};
use crate::engine::error::EngineError;
use crate::engine::request::{Prepared, Request};
use crate::engine::{Engine, Inputs, Page, RecipeRef, references, tables, tasks};
use crate::media::encode::Format;
use crate::records::tables as names;
use crate::records::{Holder, MemoRow, Record, RunRow, RunStats, RunStatus};

/// Which runs are listed; what is `None` matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Of this status.
    pub status: Option<RunStatus>,
    /// Of the effect or config of this name, or the config of this id.
    pub recipe: Option<String>,
    /// With this blob among what they read.
    pub input: Option<ContentHash>,
    /// With this output.
    pub output: Option<ContentHash>,
}

/// How many runs there are of each status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Counts {
    /// Accepted, not started.
    pub pending: u64,
    /// Started.
    pub running: u64,
    /// With an output.
    pub completed: u64,
    /// Without.
    pub failed: u64,
    /// Ended by somebody.
    pub cancelled: u64,
}

impl Counts {
    /// How many have this status.
    pub const fn of(&self, status: RunStatus) -> u64 {
        match status {
            RunStatus::Pending => self.pending,
            RunStatus::Running => self.running,
            RunStatus::Completed => self.completed,
            RunStatus::Failed => self.failed,
            RunStatus::Cancelled => self.cancelled,
        }
    }

    /// How many there are.
    pub const fn all(&self) -> u64 {
        self.pending + self.running + self.completed + self.failed + self.cancelled
    }
}

impl RunFilter {
    fn takes(&self, row: &RunRow) -> bool {
        let of_recipe = |name: &String| row.recipe == *name || row.config.is_some_and(|id| name.parse() == Ok(id));
        self.status.is_none_or(|status| row.status == status)
            && self.recipe.as_ref().is_none_or(of_recipe)
            && self.input.is_none_or(|input| row.inputs.contains(&input))
            && self.output.is_none_or(|output| row.output == Some(output))
    }

    /// The rows of `HOLDERS` that name the runs in question, if the filter is about a blob.
    fn holder_range(&self, before: Option<RunId>) -> Option<(Vec<u8>, Vec<u8>)> {
        type Kind = fn(RunId) -> Holder;
        let (hash, kind) = match (self.output, self.input) {
            (Some(hash), _) => (hash, Holder::RunOutput as Kind),
            (None, Some(hash)) => (hash, Holder::RunInput as Kind),
            (None, None) => return None,
        };
        let first = names::holder_key(&hash, &kind(RunId::from_bytes([0; 16])));
        let end = names::holder_key(&hash, &kind(before.unwrap_or(RunId::from_bytes([0xff; 16]))));
        Some((first, end))
    }
}

impl Engine {
    /// A run as it stands now.
    pub fn run_row(&self, run: RunId) -> Result<RunRow, EngineError> {
        let run = self.our_run(run)?;
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

    /// Runs that the filter takes, newest first, from before the run `before`. Where few are
    /// taken a page may have fewer than there are: `next` goes on.
    pub fn runs_page(
        &self,
        filter: &RunFilter,
        before: Option<RunId>,
        limit: usize,
    ) -> Result<Page<(RunId, RunRow), RunId>, EngineError> {
        let mut filter = filter.clone();
        for hash in [&mut filter.input, &mut filter.output].into_iter().flatten() {
            *hash = self.ours(*hash)?;
        }
        let ids = |tx: &redb::ReadTransaction| -> Result<Page<(RunId, RunRow), RunId>, DbError> {
            let runs = tx.open_table(names::RUNS)?;
            let mut page = Page::default();
            let take = |looked_at: usize, run: RunId, page: &mut Page<(RunId, RunRow), RunId>| {
                if page.items.len() == limit || looked_at == PAGE_ROWS {
                    return Ok::<bool, DbError>(false);
                }
                page.next = Some(run);
                if let Some(bytes) = runs.get(run.as_bytes())? {
                    let row = RunRow::from_bytes(bytes.value())?;
                    if filter.takes(&row) {
                        page.items.push((run, row));
                    }
                }
                Ok(true)
            };
            let mut more = false;
            if let Some((first, end)) = filter.holder_range(before) {
                let holders = tx.open_table(names::HOLDERS)?;
                for (looked_at, row) in holders.range(first.as_slice()..end.as_slice())?.rev().enumerate() {
                    let Some(run) = row?.0.value().last_chunk::<16>().copied() else { continue };
                    more = !take(looked_at, RunId::from_bytes(run), &mut page)?;
                    if more {
                        break;
                    }
                }
            } else if filter.status.is_some_and(|status| status != RunStatus::Completed) {
                let unfinished = filter.status.is_some_and(|status| !status.is_final());
                let few = tx.open_table(if unfinished { names::UNFINISHED } else { names::UNSUCCESSFUL })?;
                for (looked_at, row) in few.range::<&[u8; 16]>(below(before.as_ref()))?.rev().enumerate() {
                    more = !take(looked_at, RunId::from_bytes(*row?.0.value()), &mut page)?;
                    if more {
                        break;
                    }
                }
            } else {
                for (looked_at, row) in runs.range::<&[u8; 16]>(below(before.as_ref()))?.rev().enumerate() {
                    more = !take(looked_at, RunId::from_bytes(*row?.0.value()), &mut page)?;
                    if more {
                        break;
                    }
                }
            }
            page.next = page.next.filter(|_| more);
            Ok(page)
        };
        let mut page = self.0.db.read(ids)?;
        for (run, row) in &mut page.items {
            // What is under way is further than its row.
            if let Some(job) = self.jobs().get(run) {
                *row = job.row();
                row.progress = job.counts();
            }
        }
        page.items.retain(|(_, row)| filter.takes(row));
        Ok(page)
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

    /// How many runs there are of each status, from counters.
    pub fn run_counts(&self) -> Result<Counts, EngineError> {
        let count = |status| self.number(names::run_count(status));
        Ok(Counts {
            pending: count(RunStatus::Pending)?,
            running: count(RunStatus::Running)?,
            completed: count(RunStatus::Completed)?,
            failed: count(RunStatus::Failed)?,
            cancelled: count(RunStatus::Cancelled)?,
        })
    }

    /// The run that a word names: its id, the beginning of exactly one id, or `latest`.
    pub fn find_run(&self, word: &str) -> Result<RunId, EngineError> {
        if let Ok(run) = word.parse::<RunId>() {
            return self.run_row(run).and_then(|_| self.our_run(run));
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
        self.0.ended.wait_until(|| match self.run_row(run) {
            Ok(row) if !row.status.is_final() => None,
            other => Some(other),
        })
    }

    /// How many results are recorded.
    pub fn memo_len(&self) -> Result<usize, EngineError> {
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
}

fn below(before: Option<&RunId>) -> (Bound<&[u8; 16]>, Bound<&[u8; 16]>) {
    (Bound::Unbounded, before.map_or(Bound::Unbounded, |run| Bound::Excluded(run.as_bytes())))
}

/// A run's row, within a write.
pub(super) fn run_in(tx: &redb::WriteTransaction, run: RunId) -> Result<Option<RunRow>, DbError> {
    let table = tx.open_table(names::RUNS)?;
    let row = table.get(run.as_bytes())?.map(|bytes| RunRow::from_bytes(bytes.value())).transpose()?;
    Ok(row)
}

/// Writes a run's row, and all that follows from its status: the counters, the list of runs that
/// have not ended, the queue, what it holds.
pub(super) fn put_run(tx: &redb::WriteTransaction, run: RunId, row: &RunRow) -> Result<(), DbError> {
    let bytes = row.to_bytes();
    let old = {
        let mut runs = tx.open_table(names::RUNS)?;
        let old = runs.insert(run.as_bytes(), bytes.as_slice())?;
        old.map(|bytes| RunRow::from_bytes(bytes.value())).transpose()?
    };
    if old.as_ref().map(|old| old.status) != Some(row.status) {
        if let Some(old) = &old {
            tables::add_to_number(tx, names::run_count(old.status), -1)?;
        }
        tables::add_to_number(tx, names::run_count(row.status), 1)?;
    }
    let waits = |row: &RunRow| row.status == RunStatus::Pending && !row.held;
    if waits(row) {
        let key = names::queue_key(row.priority, row.sequence);
        tx.open_table(names::QUEUE)?.insert(&key, run.as_bytes())?;
    } else if let Some(old) = old.as_ref().filter(|old| waits(old)) {
        tx.open_table(names::QUEUE)?.remove(&names::queue_key(old.priority, old.sequence))?;
    }
    if !row.status.is_final() {
        tx.open_table(names::UNFINISHED)?.insert(run.as_bytes(), u8::from(row.status == RunStatus::Running))?;
    } else if old.is_some() {
        tx.open_table(names::UNFINISHED)?.remove(run.as_bytes())?;
    }
    if matches!(row.status, RunStatus::Failed | RunStatus::Cancelled) {
        let cancelled = u8::from(row.status == RunStatus::Cancelled);
        tx.open_table(names::UNSUCCESSFUL)?.insert(run.as_bytes(), cancelled)?;
    }
    if row.status.is_final() && old.is_none_or(|old| !old.status.is_final()) {
        tasks::ended(tx, run)?;
    }
    for (hash, holder) in references::made_by(run, row) {
        tables::hold(tx, &hash, &holder)?;
    }
    changes::note(tx, &Subject::Run(run))
}

pub(super) fn new_row(request: &Request, prepared: &Prepared, detached: bool) -> RunRow {
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
        sequence: 0,
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
