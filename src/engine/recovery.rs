//! After a crash, or a stop with work left: runs that were under way wait again, and the stages
//! that ran are suspects.

use std::collections::HashSet;

use redb::ReadableTable as _;

use crate::base::limits::CRASHES;
use crate::base::{NodeKey, RunId, Timestamp};
use crate::db::DbError;
use crate::engine::Engine;
use crate::engine::error::EngineError;
use crate::engine::runs::{put_run, run_in};
use crate::records::RunStatus;
use crate::records::tables as names;

impl Engine {
    /// Sets runs that were under way to wait again. `killed` are the stages that ran when the
    /// process died, each by its run and the key of one of its nodes. A stage that was the only
    /// one is to blame; one that has been so [`CRASHES`] times fails its run.
    pub(super) fn requeue_interrupted(&self, killed: &[(RunId, NodeKey)]) -> Result<(), EngineError> {
        let begun = self.0.db.read(|tx| {
            let table = tx.open_table(names::UNFINISHED)?;
            let mut begun = Vec::new();
            for row in table.iter()? {
                let (run, started) = row?;
                if started.value() == 1 {
                    begun.push(RunId::from_bytes(*run.value()));
                }
            }
            Ok(begun)
        })?;
        if begun.is_empty() {
            return Ok(());
        }
        let killed = killed.to_vec();
        self.write(move |tx| {
            let guilty = blame(tx, &begun, &killed)?;
            for run in begun {
                let Some(mut row) = run_in(tx, run)?.filter(|row| row.status == RunStatus::Running) else { continue };
                row.status = RunStatus::Pending;
                if guilty.contains(&run) {
                    row.status = RunStatus::Failed;
                    row.completed_at = Some(Timestamp::now());
                    row.error = Some(format!(
                        "a stage of this run has brought the server down {CRASHES} times while it ran alone, \
                         so the run is given up; it may need more memory than there is"
                    ));
                    forget_suspects(tx, run)?;
                }
                put_run(tx, run, &row)?;
            }
            Ok(())
        })
        .wait()?;
        Ok(())
    }

    /// A stage of the run has ended well or badly, but has ended: nothing of the run is suspect.
    pub(super) fn acquit(&self, run: RunId) {
        // Whether this is on disk at the next crash only decides how that is counted.
        drop(self.write(move |tx| forget_suspects(tx, run)));
    }
}

/// Counts a crash for the stages that ran; the runs whose measure is full.
fn blame(tx: &redb::WriteTransaction, begun: &[RunId], killed: &[(RunId, NodeKey)]) -> Result<HashSet<RunId>, DbError> {
    let mut guilty = HashSet::new();
    let mut suspects = tx.open_table(names::SUSPECTS)?;
    for (run, key) in killed.iter().filter(|(run, _)| begun.contains(run)) {
        let row = names::suspect_key(run, key);
        let before = suspects.get(&row)?.map_or(0, |count| count.value());
        let count = before + u32::from(killed.len() == 1);
        suspects.insert(&row, count)?;
        if count >= CRASHES {
            guilty.insert(*run);
        }
    }
    Ok(guilty)
}

fn forget_suspects(tx: &redb::WriteTransaction, run: RunId) -> Result<(), DbError> {
    let mut suspects = tx.open_table(names::SUSPECTS)?;
    let first = names::suspect_key(&run, &NodeKey::from_bytes([0; 32]));
    let last = names::suspect_key(&run, &NodeKey::from_bytes([0xff; 32]));
    suspects.retain_in::<&[u8; 48], _>(&first..=&last, |_, _| false)?;
    Ok(())
}
