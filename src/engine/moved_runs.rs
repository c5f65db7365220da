//! Runs of the original, as rows of ours.

use serde::Deserialize;

use crate::base::{ContentHash, NodeId, RunId, Timestamp};
use crate::db::DbError;
use crate::engine::error::EngineError;
use crate::engine::{references, runs, tables, tasks};
use crate::records::tables as names;
use crate::records::{RunOptions, RunRow, RunStats, RunStatus, TaskRow};

/// A run as the original kept it in Redis.
#[derive(Debug, Deserialize)]
pub struct OldRun {
    /// Its id.
    pub run_id: String,
    status: String,
    #[serde(default)]
    recipe: String,
    #[serde(default)]
    inputs: Vec<String>,
    output_name: Option<String>,
    output_hash: Option<String>,
    created_at: Option<String>,
    completed_at: Option<String>,
    error: Option<String>,
    celery_task_id: Option<String>,
    username: Option<String>,
}

/// A run on its way in: its id here, its id there, its task, its row.
pub type Coming = (RunId, Option<RunId>, Option<TaskRow>, RunRow);

/// Finds what a hash of the original names here.
pub type Find<'a> = dyn Fn(&ContentHash) -> Result<Option<ContentHash>, EngineError> + 'a;

impl OldRun {
    /// Its id here, always the same: ids sort by time, and the original's are random.
    pub fn new_id(&self) -> RunId {
        let millis = self.created().micros().max(0) as u64 / 1000;
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&ContentHash::of(self.run_id.as_bytes()).as_bytes()[..16]);
        bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        // A UUID of version 7.
        bytes[6] = bytes[6] & 0x0f | 0x70;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        RunId::from_bytes(bytes)
    }

    /// The task that it was.
    pub fn task(&self) -> Option<TaskRow> {
        let task = self.celery_task_id.clone()?;
        Some(TaskRow { task, wants_result: false, parent: None, group: None })
    }

    fn created(&self) -> Timestamp {
        self.created_at.as_deref().and_then(time_of).unwrap_or(Timestamp::from_micros(0))
    }

    /// Its row, or why it is not taken.
    pub fn row(&self, find: &Find<'_>) -> Result<Result<RunRow, String>, EngineError> {
        let Some(status) = RunStatus::parse(&self.status).filter(|status| status.is_final()) else {
            return Ok(Err(format!("it is {}; only what has ended is taken over", self.status)));
        };
        let found = |word: &str| match word.parse::<ContentHash>() {
            Ok(hash) => find(&hash),
            Err(_) => Ok(None),
        };
        let output = match &self.output_hash {
            Some(hash) => found(hash)?,
            None => None,
        };
        if status == RunStatus::Completed && output.is_none() {
            let hash = self.output_hash.as_deref().unwrap_or("none");
            return Ok(Err(format!("its output, {hash}, is not here")));
        }
        let (mut inputs, mut warnings) = (Vec::new(), Vec::new());
        for word in &self.inputs {
            match found(word)? {
                Some(hash) => inputs.push(hash),
                None => warnings.push(format!("its input {word} was not there when it was moved in")),
            }
        }
        let node = |index: usize| NodeId::new(if index == 0 { "input".to_owned() } else { format!("input_{index}") });
        Ok(Ok(RunRow {
            status,
            recipe: self.recipe.clone(),
            recipe_version: None,
            config: None,
            bindings: inputs.iter().enumerate().map(|(index, hash)| (node(index), vec![*hash])).collect(),
            fixed: Vec::new(),
            inputs,
            params: "{}".to_owned(),
            format: None,
            quality: None,
            options: RunOptions::default(),
            output_name: self.output_name.clone().unwrap_or_else(|| self.recipe.clone()),
            output: output.filter(|_| status == RunStatus::Completed),
            output_media_type: None,
            provenance: None,
            created_at: self.created(),
            started_at: None,
            completed_at: self.completed_at.as_deref().and_then(time_of),
            error: self.error.clone(),
            error_detail: None,
            storage_full: false,
            warnings,
            priority: 0,
            held: false,
            attempts: 1,
            detached: false,
            username: self.username.clone(),
            stats: RunStats::default(),
            progress: (0, 0, 0),
            verifies: None,
            verdict: None,
            sequence: 0,
        }))
    }
}

/// A time as Python writes it: without a zone it is UTC.
fn time_of(text: &str) -> Option<Timestamp> {
    let zoned = text.ends_with('Z') || text.get(10..).is_some_and(|time| time.contains(['+', '-']));
    let text = if zoned { text.to_owned() } else { format!("{text}Z") };
    serde_json::from_value(serde_json::Value::String(text)).ok()
}

/// Records a run, with what it holds and how its id there leads to it.
pub(super) fn put(tx: &redb::WriteTransaction, (run, old, task, row): &Coming) -> Result<(), DbError> {
    let mut row = row.clone();
    row.sequence = tables::add_to_number(tx, names::SEQUENCE, 1)?;
    for (hash, holder) in references::read_by(*run, &row) {
        tables::hold(tx, &hash, &holder)?;
    }
    if let Some(old) = old {
        tx.open_table(names::RUN_ALIASES)?.insert(old.as_bytes(), run.as_bytes())?;
    }
    if let Some(task) = task {
        tasks::put(tx, *run, task)?;
    }
    runs::put_run(tx, *run, &row)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn old(json: &str) -> OldRun {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn ids_are_the_same_each_time_and_sort_by_time() {
        let first = r#"{"run_id": "b", "status": "failed", "created_at": "2026-01-07T10:00:00.123456"}"#;
        let later = r#"{"run_id": "a", "status": "failed", "created_at": "2026-01-07T10:00:01+00:00"}"#;
        assert_eq!(old(first).new_id(), old(first).new_id());
        assert!(old(first).new_id() < old(later).new_id());
        assert_eq!(old(first).new_id().to_string().as_bytes()[14], b'7');
    }

    #[test]
    fn what_is_not_taken_says_why() {
        let none: &Find<'_> = &|_| Ok(None);
        for (json, because) in [
            (r#"{"run_id": "a", "status": "running"}"#, "it is running"),
            (r#"{"run_id": "a", "status": "completed", "output_hash": "00"}"#, "its output, 00, is not here"),
        ] {
            let row = old(json).row(none).unwrap();
            assert!(row.as_ref().is_err_and(|why| why.contains(because)), "{row:?}");
        }
        let failed = old(r#"{"run_id": "a", "status": "failed", "error": "why", "inputs": ["gone"]}"#);
        let row = failed.row(none).unwrap().unwrap();
        assert_eq!((row.error.as_deref(), row.warnings.len()), (Some("why"), 1));
    }
}
