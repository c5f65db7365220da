//! Runs carried from one home to another: what of a run is told, and how it is taken in.

use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use crate::base::{ContentHash, NodeId, RunId, Timestamp};
use crate::engine::blobs::blob_row;
use crate::engine::error::EngineError;
use crate::engine::seal::Signature;
use crate::engine::{Engine, references, request, runs, seal, tables};
use crate::recipe::Recipe;
use crate::records::tables as names;
use crate::records::{BlobRow, Origin, RunOptions, RunRow, RunStats, RunStatus, SealRow};

/// A completed run, as far as another home needs it to show it and to render it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarriedRun {
    /// Its id, which it keeps.
    pub run_id: RunId,
    /// The effect's or the config's name.
    pub recipe: String,
    /// The config's version.
    pub recipe_version: Option<String>,
    /// The config; none for a bare effect.
    pub config: Option<ContentHash>,
    /// The variable inputs by node.
    pub bindings: Vec<(NodeId, Vec<ContentHash>)>,
    /// What the fixed inputs were.
    pub fixed: Vec<(NodeId, ContentHash)>,
    /// Every source that it read.
    pub inputs: Vec<ContentHash>,
    /// Parameters given with it.
    pub params: serde_json::Map<String, serde_json::Value>,
    /// The output's format, where it was asked for.
    pub format: Option<String>,
    /// The quality that goes with it.
    pub quality: Option<u8>,
    /// The output's name.
    pub output_name: String,
    /// The output.
    pub output: ContentHash,
    /// Its type.
    pub output_media_type: Option<String>,
    /// The provenance record.
    pub provenance: ContentHash,
    /// Who asked for it.
    pub username: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was complete.
    pub completed_at: Option<Timestamp>,
}

/// Somebody brings in files that are recorded later.
pub struct Bringing(Engine);

impl Drop for Bringing {
    fn drop(&mut self) {
        self.0.0.bringing.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Engine {
    /// A run for another home.
    pub fn carried_run(&self, run: RunId) -> Result<CarriedRun, EngineError> {
        let row = self.run_row(run)?;
        let (Some(output), Some(provenance), RunStatus::Completed) = (row.output, row.provenance, row.status) else {
            let status = row.status;
            return Err(EngineError::Refused(format!("run {run} is {status}; only a completed run has what to carry")));
        };
        let is_read = |hash: &ContentHash| row.inputs.contains(hash);
        Ok(CarriedRun {
            run_id: run,
            recipe: row.recipe,
            recipe_version: row.recipe_version,
            config: row.config,
            // What was given and not needed goes no further.
            bindings: row.bindings.into_iter().filter(|(_, hashes)| hashes.iter().all(is_read)).collect(),
            fixed: row.fixed.into_iter().filter(|(_, hash)| is_read(hash)).collect(),
            inputs: row.inputs.clone(),
            params: serde_json::from_str(&row.params).unwrap_or_default(),
            format: row.format,
            quality: row.quality,
            output_name: row.output_name,
            output,
            output_media_type: row.output_media_type,
            provenance,
            username: row.username,
            created_at: row.created_at,
            completed_at: row.completed_at,
        })
    }

    /// Is this very run here? A run of the same id with another record is refused.
    pub fn has_run(&self, carried: &CarriedRun) -> Result<bool, EngineError> {
        let run = carried.run_id;
        match self.run_row(run) {
            Ok(row) if row.provenance == Some(carried.provenance) => Ok(true),
            Ok(_) => Err(EngineError::Refused(format!("another run has the id {run} here; delete it first"))),
            Err(EngineError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// While the answer lives, files that no record names yet stay.
    pub fn bring(&self) -> Bringing {
        // Nobody is about to remove what belonged to nothing before this.
        let _nothing_goes = self.keep_all();
        self.0.bringing.fetch_add(1, Ordering::AcqRel);
        Bringing(self.clone())
    }

    /// Takes in a run from elsewhere with its record and signature, and what it made as far as that
    /// was brought, in one commit; false if the run is here. The caller has checked all of it, and
    /// has brought what the run reads.
    pub fn take_run(
        &self,
        carried: &CarriedRun,
        record: Vec<u8>,
        signature: Signature,
        made: Vec<ContentHash>,
    ) -> Result<bool, EngineError> {
        let _unrecorded = self.keep_all();
        let run = carried.run_id;
        let known = self.has_run(carried)?;
        let brought = self.stored_alone(&made)?;
        if known && brought.is_empty() {
            return Ok(false);
        }
        if let Some(gone) = carried.inputs.iter().find(|input| !self.has_blob(input)) {
            return Err(EngineError::Refused(format!("input {gone} of run {run} was removed meanwhile; try again")));
        }
        let row = row_of(carried);
        let store_record = self.put_record(record, "application/json", Some(run))?;
        let Signature { key_id, signature, sha256 } = signature;
        let signature = SealRow { key_id, signature, sha256 };
        let taken = self.write(move |tx| {
            for (hash, row) in &brought {
                tables::record_blob(tx, hash, row)?;
            }
            if runs::run_in(tx, run)?.is_some() {
                return Ok(false);
            }
            // With the run goes what only it has made.
            for hash in &made {
                if tables::get::<BlobRow>(tx, names::BLOBS, hash.as_bytes())?.is_some() {
                    tables::use_value(tx, run, hash)?;
                }
            }
            seal::put(tx, store_record(tx)?, &signature)?;
            let sequence = tables::add_to_number(tx, names::SEQUENCE, 1)?;
            let row = RunRow { sequence, ..row };
            for (hash, holder) in references::read_by(run, &row) {
                tables::hold(tx, &hash, &holder)?;
            }
            runs::put_run(tx, run, &row)?;
            Ok(true)
        });
        Ok(taken.wait()?)
    }

    /// Of these the ones that are stored and not recorded, with what is to be recorded of them.
    fn stored_alone(&self, made: &[ContentHash]) -> Result<Vec<(ContentHash, BlobRow)>, EngineError> {
        let mut rows = Vec::new();
        for hash in made {
            let size = self.0.store.size_of(hash)?;
            let Some(size) = size.filter(|_| self.blob_row(hash).is_ok_and(|row| row.is_none())) else { continue };
            rows.push((*hash, blob_row(&self.0.store.open_blob(hash, Some(size))?, size, Origin::Derived)));
        }
        Ok(rows)
    }

    /// Is there room for this many bytes more?
    pub fn has_room(&self, bytes: u64) -> Result<(), EngineError> {
        self.check_room(bytes)
    }

    /// The size of a blob that is here.
    pub fn blob_size(&self, hash: &ContentHash) -> Result<Option<u64>, EngineError> {
        Ok(self.blob_row(hash)?.filter(|_| self.has_blob(hash)).map(|row| row.size))
    }
}

/// Milliseconds that another machine's clock may be ahead.
const CLOCK_AHEAD_MILLIS: u64 = 24 * 3600 * 1000;

/// Checks what a run from elsewhere is called: a file name for its output, and an id of a time that
/// has come, since the newest run is the one with the greatest.
pub fn check_names(run: &CarriedRun) -> Result<(), EngineError> {
    request::checked_output_name(&run.output_name)?;
    let id = run.run_id.as_bytes();
    let millis = id[..6].iter().fold(0, |millis, byte| millis << 8 | u64::from(*byte));
    let now = Timestamp::now().micros().max(0).unsigned_abs() / 1000;
    if id[6] >> 4 != 7 || millis > now + CLOCK_AHEAD_MILLIS {
        return Err(EngineError::Usage("its id is not one of a run that has been".to_owned()));
    }
    Ok(())
}

/// Refuses the bytes of a config that has problems.
pub fn check_config(bytes: &[u8]) -> Result<(), EngineError> {
    Recipe::parse(bytes).map(drop).map_err(EngineError::Problems)
}

fn row_of(carried: &CarriedRun) -> RunRow {
    let carried = carried.clone();
    RunRow {
        status: RunStatus::Completed,
        recipe: carried.recipe,
        recipe_version: carried.recipe_version,
        config: carried.config,
        bindings: carried.bindings,
        fixed: carried.fixed,
        inputs: carried.inputs,
        params: serde_json::Value::Object(carried.params).to_string(),
        format: carried.format,
        quality: carried.quality,
        options: RunOptions::default(),
        output_name: carried.output_name,
        output: Some(carried.output),
        output_media_type: carried.output_media_type,
        provenance: Some(carried.provenance),
        created_at: carried.created_at,
        started_at: None,
        completed_at: carried.completed_at,
        error: None,
        error_detail: None,
        storage_full: false,
        warnings: Vec::new(),
        priority: 0,
        held: false,
        attempts: 0,
        detached: false,
        username: carried.username,
        stats: RunStats::default(),
        progress: (0, 0, 0),
        verifies: None,
        verdict: None,
        sequence: 0,
    }
}
