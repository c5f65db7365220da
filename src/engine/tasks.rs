//! Runs that came as tasks of another system, whose callers wait for an answer.
//!
//! The task is recorded in the commit that accepts its run, and with the end of the run is owed an
//! answer until somebody says that it was given.

use redb::ReadableTable as _;

use crate::base::RunId;
use crate::db::DbError;
use crate::engine::Engine;
use crate::engine::error::EngineError;
use crate::engine::views::{RunView, run_view};
use crate::records::tables as names;
use crate::records::{Record, RunRow, TaskRow};

pub use crate::records::TaskRow as Task;

/// A task whose caller has yet to be answered.
#[derive(Debug, Clone)]
pub struct Owed {
    /// Its run.
    pub run: RunId,
    /// The task.
    pub task: Task,
    /// The run as it stands; `None` if it was deleted.
    pub view: Option<RunView>,
}

/// Records the task that a new run came as.
pub(super) fn put(tx: &redb::WriteTransaction, run: RunId, task: &TaskRow) -> Result<(), DbError> {
    tx.open_table(names::TASKS)?.insert(run.as_bytes(), task.to_bytes().as_slice())?;
    Ok(())
}

/// With the end of its run the caller of a task is owed an answer.
pub(super) fn ended(tx: &redb::WriteTransaction, run: RunId) -> Result<(), DbError> {
    let task = {
        let table = tx.open_table(names::TASKS)?;
        table.get(run.as_bytes())?.map(|bytes| TaskRow::from_bytes(bytes.value())).transpose()?
    };
    if task.is_some_and(|task| task.wants_result) {
        tx.open_table(names::OWED)?.insert(run.as_bytes(), ())?;
    }
    Ok(())
}

/// The task that a run came as.
pub(super) fn of_run(tx: &redb::ReadTransaction, run: RunId) -> Result<Option<TaskRow>, DbError> {
    let table = tx.open_table(names::TASKS)?;
    let row = table.get(run.as_bytes())?.map(|bytes| TaskRow::from_bytes(bytes.value())).transpose()?;
    Ok(row)
}

/// With its run a task goes, unless somebody still waits for it.
pub(super) fn forget(tx: &redb::WriteTransaction, run: RunId) -> Result<(), DbError> {
    if tx.open_table(names::OWED)?.get(run.as_bytes())?.is_none() {
        tx.open_table(names::TASKS)?.remove(run.as_bytes())?;
    }
    Ok(())
}

impl Engine {
    /// The id of the task that a run came as.
    pub fn task_of(&self, run: RunId) -> Result<Option<String>, EngineError> {
        Ok(self.0.db.read(|tx| of_run(tx, run))?.map(|task| task.task))
    }

    /// Tasks that are owed an answer: their runs have ended, and may be gone. At most `most`.
    pub fn owed(&self, most: usize) -> Result<Vec<Owed>, EngineError> {
        let owed = self.0.db.read(|tx| {
            let (table, runs) = (tx.open_table(names::OWED)?, tx.open_table(names::RUNS)?);
            let mut owed = Vec::new();
            for row in table.iter()? {
                let id = *row?.0.value();
                let run = RunId::from_bytes(id);
                let row = runs.get(&id)?.map(|bytes| RunRow::from_bytes(bytes.value())).transpose()?;
                if let Some(task) = of_run(tx, run)? {
                    owed.push(Owed { run, task, view: row.map(|row| run_view(tx, run, &row)).transpose()? });
                }
                if owed.len() == most {
                    break;
                }
            }
            Ok(owed)
        })?;
        Ok(owed)
    }

    /// Owes the caller of a task an answer once more, if its run has ended: it asks again, and may have lost the first.
    pub fn owe_again(&self, run: RunId, task: Task) -> Result<(), EngineError> {
        let written = self.write(move |tx| {
            let row = tx.open_table(names::RUNS)?.get(run.as_bytes())?.map(|bytes| RunRow::from_bytes(bytes.value()));
            if row.transpose()?.is_some_and(|row| row.status.is_final()) {
                put(tx, run, &task)?;
                ended(tx, run)?;
            }
            Ok(())
        });
        Ok(written.wait()?)
    }

    /// Says that callers were answered.
    pub fn answered(&self, runs: Vec<RunId>) -> Result<(), EngineError> {
        let written = self.write(move |tx| {
            let (mut owed, mut tasks) = (tx.open_table(names::OWED)?, tx.open_table(names::TASKS)?);
            let known = tx.open_table(names::RUNS)?;
            for run in &runs {
                owed.remove(run.as_bytes())?;
                if known.get(run.as_bytes())?.is_none() {
                    tasks.remove(run.as_bytes())?;
                }
            }
            Ok(())
        });
        Ok(written.wait()?)
    }
}
