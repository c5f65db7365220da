//! Runs, described.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{ContentHash, RunId, Timestamp};
use crate::db::DbError;
use crate::engine::error::EngineError;
use crate::engine::views::PublicationView;
use crate::engine::{Engine, publications};
use crate::records::{RunRow, RunStats, RunStatus, Verdict};

/// A run.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunView {
    /// Its id.
    pub run_id: RunId,
    /// What became of it so far.
    pub status: RunStatus,
    /// The effect's or config's name.
    pub recipe: String,
    /// The config.
    pub config_id: Option<ContentHash>,
    /// Hashes in the order of the variable inputs; a list input is nested.
    pub inputs: Vec<OneOrMany>,
    /// Node id → hash or hashes.
    pub bindings: BTreeMap<String, OneOrMany>,
    /// Parameters given with the run.
    pub params: serde_json::Value,
    /// Does it wait until released?
    pub held: bool,
    /// The output's name.
    pub output_name: String,
    /// The output, once there is one.
    pub output_hash: Option<ContentHash>,
    /// Its type.
    pub output_media_type: Option<String>,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<String>,
    /// More on that.
    pub error_detail: Option<String>,
    /// Times it was started.
    pub attempts: u32,
    /// Higher first.
    pub priority: i32,
    /// How far it is.
    pub progress: ProgressView,
    /// Its provenance record.
    pub provenance_hash: Option<ContentHash>,
    /// Is its output published?
    pub published: bool,
    /// The publication of it.
    #[serde(default)]
    pub publication: Option<PublicationView>,
    /// Who submitted it.
    pub username: Option<String>,
    /// Where its parts are found.
    pub links: BTreeMap<String, String>,
    /// Counts.
    pub stats: RunStats,
    /// Warnings of its config and inputs.
    pub warnings: Vec<String>,
    /// The run that it renders again.
    pub verifies: Option<RunId>,
    /// Whether that gave the same.
    pub verdict: Option<Verdict>,
    /// Did it fail for want of space?
    #[serde(default)]
    pub storage_full: bool,
}

/// A hash, or a list of hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(ContentHash),
    /// A list.
    Many(Vec<ContentHash>),
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ProgressView {
    /// Nodes in all, with `ENCODE`.
    pub nodes: u64,
    /// Nodes done.
    pub done: u64,
    /// Nodes that were known or not needed.
    pub cached: u64,
    /// `done / nodes`.
    pub fraction: f64,
}

/// A run's row as clients see it, within a read.
pub fn run_view(tx: &redb::ReadTransaction, run: RunId, row: &RunRow) -> Result<RunView, DbError> {
    let mut view = plain_view(run, row);
    if let Some(output) = &row.output {
        (view.published, view.publication) = publications::published_as(tx, output)?;
        if let Some(publication) = &view.publication {
            view.links.insert("activity".to_owned(), format!("/activities/{}", publication.run_id));
        }
    }
    Ok(view)
}

/// The same but for what is known of its output's publication.
fn plain_view(run: RunId, row: &RunRow) -> RunView {
    let (nodes, done, cached) = row.progress;
    let one_or_many = |hashes: &Vec<ContentHash>| match hashes.as_slice() {
        [one] => OneOrMany::One(*one),
        _ => OneOrMany::Many(hashes.clone()),
    };
    let mut links = BTreeMap::from([
        ("self".to_owned(), format!("/runs/{run}")),
        ("plan".to_owned(), format!("/runs/{run}/plan")),
        ("events".to_owned(), format!("/runs/{run}/events")),
    ]);
    if let Some(output) = row.output {
        links.insert("output".to_owned(), format!("/cache/{output}"));
    }
    if row.provenance.is_some() {
        links.insert("provenance".to_owned(), format!("/runs/{run}/provenance"));
    }
    RunView {
        run_id: run,
        status: row.status,
        recipe: row.recipe.clone(),
        config_id: row.config,
        inputs: row.bindings.iter().map(|(_, hashes)| one_or_many(hashes)).collect(),
        bindings: row.bindings.iter().map(|(node, hashes)| (node.to_string(), one_or_many(hashes))).collect(),
        params: serde_json::from_str(&row.params).unwrap_or_default(),
        held: row.held,
        output_name: row.output_name.clone(),
        output_hash: row.output,
        output_media_type: row.output_media_type.clone(),
        created_at: row.created_at,
        started_at: row.started_at,
        completed_at: row.completed_at,
        error: row.error.clone(),
        error_detail: row.error_detail.clone(),
        attempts: row.attempts,
        priority: row.priority,
        progress: ProgressView {
            nodes,
            done,
            cached,
            fraction: if nodes == 0 { 0.0 } else { done as f64 / nodes as f64 },
        },
        provenance_hash: row.provenance,
        published: false,
        publication: None,
        username: row.username.clone(),
        links,
        stats: row.stats,
        warnings: row.warnings.clone(),
        verifies: row.verifies,
        verdict: row.verdict,
        storage_full: row.storage_full,
    }
}

impl Engine {
    /// A run as clients see it.
    pub fn run_view(&self, run: RunId) -> Result<RunView, EngineError> {
        let run = self.our_run(run)?;
        self.view_of(run, &self.run_row(run)?)
    }

    /// A run's row as clients see it.
    pub fn view_of(&self, run: RunId, row: &RunRow) -> Result<RunView, EngineError> {
        Ok(self.0.db.read(|tx| run_view(tx, run, row))?)
    }

    /// Runs of a page as clients see them.
    pub fn views_of(&self, runs: &[(RunId, RunRow)]) -> Result<Vec<RunView>, EngineError> {
        runs.iter().map(|(run, row)| self.view_of(*run, row)).collect()
    }
}
