//! What became of each node of a run, kept with the run: for its plan as it was carried out.

use crate::base::RunId;
use crate::db::DbError;
use crate::engine::Engine;
use crate::engine::error::EngineError;
use crate::engine::job::Job;
use crate::engine::views::PlanView;
use crate::plan::State;
use crate::records::tables as names;
use crate::records::{CommandTrace, CommandsRow, NodeTrace, Record, RunStatus, StageTrace, TraceRow};

/// The states of a node within a run, in the order of their numbers in a trace.
const STATES: [&str; 8] = ["pending", "waiting", "running", "cached", "completed", "failed", "cancelled", "skipped"];

/// What a job's nodes have come to, by the status of the run.
pub fn of_job(job: &Job, status: RunStatus) -> TraceRow {
    let progress = job.progress();
    let skipped: std::collections::HashSet<usize> = progress.skipped.iter().copied().collect();
    let adopted: std::collections::HashSet<usize> = progress.adopted.iter().copied().collect();
    let failed = progress.failure.as_ref().map(|failure| failure.node);
    let nodes = job.plan.nodes.iter().enumerate().map(|(index, node)| {
        let times = job.notes_of(index);
        // A source, too: its bytes are there, and may be of no picture.
        let state = if failed == Some(index) && status == RunStatus::Failed {
            "failed"
        } else if job.made_before(index) {
            "completed"
        } else if node.state != State::Miss || adopted.contains(&index) {
            "cached"
        } else if skipped.contains(&index) {
            if status == RunStatus::Cancelled { "cancelled" } else { "skipped" }
        } else if times.ended.is_some() {
            "completed"
        } else {
            match status {
                RunStatus::Completed => "completed",
                RunStatus::Cancelled => "cancelled",
                RunStatus::Failed => "skipped",
                RunStatus::Pending => "pending",
                RunStatus::Running if times.started.is_some() => "running",
                RunStatus::Running => "pending",
            }
        };
        NodeTrace {
            state: STATES.iter().position(|known| *known == state).unwrap_or(0) as u8,
            started: times.started,
            ended: times.ended,
            output: progress.values.get(&index).copied(),
            stage: times.stage,
            stored: times.stored,
        }
    });
    let nodes = nodes.collect();
    let stages = job.notes().stages().iter().map(|stage| StageTrace { ready: stage.ready }).collect();
    TraceRow { nodes, stages }
}

/// What is kept of how a run was carried out.
pub struct Kept {
    trace: TraceRow,
    commands: Vec<(u32, CommandsRow)>,
}

/// What is to be kept of a job, by the status of the run.
pub fn kept(job: &Job, status: RunStatus) -> Kept {
    Kept { trace: of_job(job, status), commands: job.notes().commands() }
}

/// Writes a run's trace and the commands that its stages ran.
pub fn put(tx: &redb::WriteTransaction, run: RunId, kept: &Kept) -> Result<(), DbError> {
    tx.open_table(names::TRACES)?.insert(run.as_bytes(), kept.trace.to_bytes().as_slice())?;
    let mut commands = tx.open_table(names::COMMANDS)?;
    for (stage, row) in &kept.commands {
        commands.insert(&names::stage_key(&run, *stage), row.to_bytes().as_slice())?;
    }
    Ok(())
}

/// Takes out what is kept of how a run was carried out.
pub fn forget(tx: &redb::WriteTransaction, run: RunId) -> Result<(), DbError> {
    tx.open_table(names::TRACES)?.remove(run.as_bytes())?;
    let (first, last) = (names::stage_key(&run, 0), names::stage_key(&run, u32::MAX));
    tx.open_table(names::COMMANDS)?.retain_in::<&[u8; 20], _>(&first..=&last, |_, _| false)?;
    Ok(())
}

/// Writes a trace into the plan it is of. A plan of another shape (an asset was pointed elsewhere
/// since) is left as it is.
pub fn overlay(view: &mut PlanView, trace: &TraceRow) {
    if view.nodes.len() != trace.nodes.len() {
        return;
    }
    let stages = &trace.stages;
    for (node, trace) in view.nodes.iter_mut().zip(&trace.nodes) {
        node.state = STATES.get(usize::from(trace.state)).copied().unwrap_or("pending").into();
        node.started_at = trace.started;
        node.completed_at = trace.ended;
        node.output_hash = trace.output;
        node.ready_at = trace.stage.and_then(|stage| stages.get(stage as usize)).and_then(|stage| stage.ready);
        node.store_seconds = trace.stored.map(|microseconds| f64::from(microseconds) / 1e6);
        if let Some(why) = why(&node.known, &node.state) {
            why.clone_into(&mut node.why);
        }
    }
}

/// Why a node ran in a run that has ended, where that is not what a plan of today would say.
fn why(known: &str, state: &str) -> Option<&'static str> {
    match (known, state) {
        ("source", "failed") => Some("its bytes cannot be used"),
        ("source", _) => None,
        (_, "completed" | "failed") => Some("no result with its key was known"),
        (_, "cached") => Some("its result was known, or what is made from it was"),
        (_, "skipped") => Some("a node before it failed"),
        (_, "cancelled") => Some("the run was cancelled before it"),
        _ => None,
    }
}

impl Engine {
    /// The trace of a run that has ended, if it had anything to do.
    pub(super) fn trace(&self, run: RunId) -> Result<Option<TraceRow>, EngineError> {
        let trace = self.0.db.read(|tx| {
            let table = tx.open_table(names::TRACES)?;
            Ok(table.get(run.as_bytes())?.map(|bytes| TraceRow::from_bytes(bytes.value())).transpose()?)
        })?;
        Ok(trace)
    }

    /// The commands by which the stage of a node of a run made it, as they were started. None where no
    /// tool was needed, where the value was known, and where the run's plan would be another now.
    pub fn commands_of(&self, run: RunId, plan: &PlanView, node: &str) -> Result<Vec<CommandTrace>, EngineError> {
        let index = plan.nodes.iter().position(|known| known.id.as_str() == node);
        let Some(index) = index else { return Ok(Vec::new()) };
        let job = self.jobs().get(&run).cloned();
        if let Some(job) = job {
            let Some(stage) = job.plan.nodes.get(index).and_then(|_| job.notes_of(index).stage) else {
                return Ok(Vec::new());
            };
            let commands = job.notes().commands().into_iter().find(|(number, _)| *number == stage);
            return Ok(commands.map(|(_, row)| row.commands).unwrap_or_default());
        }
        let trace = self.trace(run)?.filter(|trace| trace.nodes.len() == plan.nodes.len());
        let Some(trace) = trace else { return Ok(Vec::new()) };
        let Some(stage) = trace.nodes.get(index).and_then(|node| node.stage) else { return Ok(Vec::new()) };
        let row = self.0.db.read(|tx| {
            let table = tx.open_table(names::COMMANDS)?;
            let bytes = table.get(&names::stage_key(&run, stage))?;
            Ok(bytes.map(|bytes| CommandsRow::from_bytes(bytes.value())).transpose()?)
        })?;
        Ok(row.map(|row| row.commands).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{ContentHash, Timestamp};

    #[test]
    fn a_source_that_cannot_be_decoded_is_what_failed() {
        use crate::engine::testing::{opened, submitted};
        use crate::media::{Image, encode::encode_stored};
        let home = tempfile::tempdir().unwrap();
        let engine = opened(home.path());
        let whole = encode_stored(&Image::filled(64, 64, [1, 2, 3, 255]));
        let half = engine.add_bytes(&whole[..whole.len() / 2], None).unwrap().content_hash;
        let run = submitted(&engine, "invert", half);
        assert_eq!(engine.wait(run).unwrap().status, RunStatus::Failed);
        let plan = engine.run_plan(run).unwrap();
        let states: Vec<&str> = plan.nodes.iter().map(|node| node.state.as_ref()).collect();
        assert_eq!(states, ["failed", "skipped", "skipped"]);
        assert_eq!(plan.nodes[0].why, "its bytes cannot be used");
        let stats = engine.run_row(run).unwrap().stats;
        assert_eq!((stats.misses, stats.hits, stats.blobs_written), (0, 0, 0), "nothing was computed");
        engine.close().unwrap();
    }

    #[test]
    fn of_a_run_that_fails_in_the_middle_what_was_computed_counts() {
        use crate::engine::testing::{opened, picture};
        use crate::engine::{Inputs, RecipeRef, Request};
        use crate::media::{Image, encode::encode_stored};
        use crate::records::RunOptions;
        let home = tempfile::tempdir().unwrap();
        let engine = opened(home.path());
        let whole = encode_stored(&Image::filled(64, 64, [1, 2, 3, 255]));
        let half = engine.add_bytes(&whole[..whole.len() / 2], None).unwrap().content_hash;
        let yaml = "name: halves\ndag:\n  nodes:\n    - {id: one, type: SOURCE, config: {input: true}}\n    \
                    - {id: other, type: SOURCE, config: {input: true}}\n    \
                    - {id: dark, type: EFFECT, config: {effect: invert}, inputs: [one]}\n    \
                    - {id: grey, type: EFFECT, config: {effect: grayscale}, inputs: [dark]}\n    \
                    - {id: both, type: LAYER, inputs: [grey, other]}\n  output: both\n";
        let inputs = Inputs::Listed(vec![picture(&engine, [1, 2, 3, 255]), half]);
        let options = RunOptions { fuse: false, ..RunOptions::default() };
        let request = Request { options, ..Request::new(RecipeRef::Bytes(yaml.into()), inputs) };
        let run = engine.submit(&request, true, &|_| Ok(())).unwrap();
        let row = engine.wait(run).unwrap();
        let plan = engine.run_plan(run).unwrap();
        let computed = plan.nodes.iter().filter(|node| node.state == "completed").count() as u64;
        assert_eq!((row.status, row.stats.misses, computed), (RunStatus::Failed, 2, 2), "{:?}", row.error);
        engine.close().unwrap();
    }

    #[test]
    fn a_trace_is_small() {
        let node = NodeTrace {
            state: 4,
            started: Some(Timestamp::from_micros(1)),
            ended: Some(Timestamp::from_micros(2)),
            output: Some(ContentHash::of(b"x")),
            stage: Some(3),
            stored: Some(4),
        };
        let bytes = TraceRow { nodes: vec![node; 100_000], stages: Vec::new() }.to_bytes();
        assert!(bytes.len() < crate::base::limits::RECORD_BYTES / 10, "{}", bytes.len());
    }
}
