//! Runs and plans as clients see them: the objects of the API, which the command line prints.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{ContentHash, NodeId, NodeKey, RunId, Timestamp};
use crate::engine::error::EngineError;
use crate::engine::request::Prepared;
use crate::engine::{Engine, finish, runs, trace};
use crate::plan::{Plan, State};
use crate::recipe::{Recipe, SourceSpec};
use crate::records::{BlobRow, Origin, RunRow, RunStats, RunStatus, Verdict};

/// A part of a list, and where the next part begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, C> {
    /// The part.
    pub items: Vec<T>,
    /// Where to go on; `None` at the end.
    pub next: Option<C>,
}

impl<T, C> Default for Page<T, C> {
    fn default() -> Self {
        Self { items: Vec::new(), next: None }
    }
}

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

/// A plan.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PlanView {
    /// Nodes in topological order.
    pub nodes: Vec<PlanNodeView>,
    /// Stages in an order in which they can run.
    pub stages: Vec<StageView>,
    /// Estimated seconds of one core.
    pub estimated_seconds: f64,
    /// Nodes whose known results are used.
    pub hits: usize,
    /// Nodes that must run.
    pub misses: usize,
    /// The output's media type.
    pub output_media_type: String,
    /// Warnings of its config and inputs.
    pub warnings: Vec<String>,
}

/// A node of a plan.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PlanNodeView {
    /// Its id.
    pub id: NodeId,
    /// Its type.
    #[serde(rename = "type")]
    pub node_type: Cow<'static, str>,
    /// Its key.
    pub key: NodeKey,
    /// Ids of its inputs.
    pub inputs: Vec<NodeId>,
    /// `pending waiting running cached completed failed cancelled skipped`.
    pub state: Cow<'static, str>,
    /// `source`, `hit`, `miss` or `not needed`.
    pub known: Cow<'static, str>,
    /// The stage that computes it.
    pub stage: Option<usize>,
    /// Its value's hash, if kept.
    pub output_hash: Option<ContentHash>,
    /// Estimated seconds of one core.
    pub estimated_seconds: f64,
    /// Why it runs, or need not.
    pub why: String,
    /// Width and height of its picture, in pixels.
    #[schema(value_type = Option<Vec<u32>>, min_items = 2, max_items = 2)]
    pub size: Option<(u32, u32)>,
    /// When its stage was begun.
    pub started_at: Option<Timestamp>,
    /// When it was done, or failed.
    pub completed_at: Option<Timestamp>,
}

/// A stage of a plan.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StageView {
    /// Its number.
    pub id: usize,
    /// Its nodes.
    pub nodes: Vec<NodeId>,
    /// Stages before it.
    pub after: Vec<usize>,
    /// Nodes whose values it keeps.
    pub keeps: Vec<NodeId>,
    /// Estimated seconds of one core.
    pub estimated_seconds: f64,
    /// Estimated bytes of memory at its peak.
    pub estimated_memory_bytes: u64,
}

/// Everything that is known of a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BlobInfo {
    /// Its name.
    pub content_hash: ContentHash,
    /// Bytes.
    pub size: u64,
    /// Its type, by our own sniffing.
    pub media_type: String,
    /// Pixels across, of a picture that can be decoded.
    pub width: Option<u32>,
    /// Pixels down.
    pub height: Option<u32>,
    /// Seconds, of what has a duration.
    pub duration: Option<u64>,
    /// Assets that name it.
    pub names: Vec<String>,
    /// When it came.
    pub created_at: Timestamp,
    /// How it came.
    pub origin: Origin,
    /// The run and node that made it.
    pub made_by: Option<MadeBy>,
    /// What holds it.
    pub used_by: Vec<String>,
    /// Is it published?
    pub published: bool,
    /// May it be deleted?
    pub deletable: bool,
    /// Why not.
    pub because: Option<String>,
    /// Why it cannot be decoded.
    pub damage: Option<String>,
}

/// Who made a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MadeBy {
    /// The run.
    pub run: RunId,
    /// Its node, as far as the run is still recorded.
    pub node: Option<String>,
}

/// A config as clients see it.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ConfigView {
    /// The content hash of its bytes.
    pub config_id: ContentHash,
    /// Its name.
    pub name: String,
    /// Its version, as written.
    pub version: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// How many nodes it has.
    pub nodes: usize,
    /// Inputs to be given with each run.
    pub variable_inputs: Vec<VariableInput>,
    /// Inputs that it names itself.
    pub fixed_inputs: Vec<FixedInput>,
    /// The node whose value is the output.
    pub output: String,
    /// What is hardly meant as it is written.
    pub warnings: Vec<String>,
}

/// An input to be given with each run.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct VariableInput {
    /// The node's id.
    pub id: String,
    /// Another name for it.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The kind it must have.
    pub media: Option<Cow<'static, str>>,
}

/// An input that a config names itself.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FixedInput {
    /// The node's id.
    pub id: String,
    /// The asset.
    pub asset: Option<String>,
    /// The content, where the config says it.
    pub content_hash: Option<ContentHash>,
}

/// A recipe as clients see it.
pub fn config_view(config_id: ContentHash, recipe: &Recipe) -> ConfigView {
    let mut view = ConfigView {
        config_id,
        name: recipe.name.clone(),
        version: recipe.version.clone(),
        description: recipe.description.clone(),
        nodes: recipe.nodes.len(),
        variable_inputs: Vec::new(),
        fixed_inputs: Vec::new(),
        output: recipe.nodes[recipe.output.node].id.to_string(),
        warnings: recipe.warnings.iter().map(ToString::to_string).collect(),
    };
    for node in &recipe.nodes {
        let id = node.id.to_string();
        match &node.source {
            Some(SourceSpec::Variable { name, description, media }) => view.variable_inputs.push(VariableInput {
                id,
                name: name.clone(),
                description: description.clone(),
                media: media.map(|kind| kind.word().into()),
            }),
            Some(SourceSpec::Asset { name, pinned }) => {
                view.fixed_inputs.push(FixedInput { id, asset: Some(name.to_string()), content_hash: *pinned });
            }
            Some(SourceSpec::Hash(hash)) => {
                view.fixed_inputs.push(FixedInput { id, asset: None, content_hash: Some(*hash) });
            }
            None => {}
        }
    }
    view
}

/// A run's row as clients see it.
pub fn run_view(run: RunId, row: &RunRow) -> RunView {
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
        username: row.username.clone(),
        links,
        stats: row.stats,
        warnings: row.warnings.clone(),
        verifies: row.verifies,
        verdict: row.verdict,
        storage_full: row.storage_full,
    }
}

/// A plan as clients see it, before it runs.
pub fn plan_view(plan: &Plan) -> PlanView {
    let ids = |nodes: &[usize]| nodes.iter().map(|node| plan.nodes[*node].id.clone()).collect();
    let nodes = plan.nodes.iter().map(|node| PlanNodeView {
        id: node.id.clone(),
        node_type: node.node_type.name().into(),
        key: node.key,
        inputs: ids(&node.inputs),
        state: if node.state == State::Miss { "pending" } else { "cached" }.into(),
        known: node.state.word().into(),
        stage: node.stage,
        output_hash: match node.state {
            State::Hit(hash) => Some(hash),
            _ => node.source,
        },
        estimated_seconds: node.cost,
        why: why(plan, node.state, node.kept),
        size: (node.facts.width > 0).then_some((node.facts.width, node.facts.height)),
        started_at: None,
        completed_at: None,
    });
    let stages = plan.stages.iter().enumerate().map(|(id, stage)| StageView {
        id,
        nodes: ids(&stage.nodes),
        after: stage.after.clone(),
        keeps: ids(&stage.keeps),
        estimated_seconds: stage.cost,
        estimated_memory_bytes: stage.memory,
    });
    PlanView {
        nodes: nodes.collect(),
        stages: stages.collect(),
        estimated_seconds: plan.stages.iter().map(|stage| stage.cost).sum(),
        hits: plan.hits(),
        misses: plan.misses(),
        output_media_type: finish::media_type(&plan.nodes[plan.output].facts).mime().to_owned(),
        warnings: Vec::new(),
    }
}

fn why(_plan: &Plan, state: State, kept: bool) -> String {
    match (state, kept) {
        (State::Source, _) => "its bytes are in the cache",
        (State::Hit(_), _) => "its result is known",
        (State::Unneeded, _) => "what is made from it is known",
        (State::Miss, true) => "no result with its key is known; its value will be kept",
        (State::Miss, false) => "no result with its key is known",
    }
    .to_owned()
}

impl Engine {
    /// A registered config as clients see it.
    pub fn config_view(&self, id: ContentHash) -> Result<ConfigView, EngineError> {
        let recipe = Recipe::parse(&self.read_checked(&id)?).map_err(EngineError::Problems)?;
        Ok(config_view(id, &recipe))
    }

    /// What is recorded of a blob.
    pub fn describe(&self, hash: &ContentHash) -> Result<BlobRow, EngineError> {
        let missing = || EngineError::NotFound { what: "blob", name: hash.to_string(), hint: String::new() };
        self.blob_row(hash)?.ok_or_else(missing)
    }

    /// The run and node that made a blob, if one did.
    pub fn made_by(&self, hash: &ContentHash) -> Result<Option<MadeBy>, EngineError> {
        if self.describe(hash)?.origin != Origin::Derived {
            return Ok(None);
        }
        let Some(key) = self.keys_of(hash)?.first().copied() else { return Ok(None) };
        let Some(row) = self.memo(&key)? else { return Ok(None) };
        let plan = self.run_plan(row.run).ok();
        let node = plan.and_then(|plan| plan.nodes.into_iter().find(|node| node.key == key));
        Ok(Some(MadeBy { run: row.run, node: node.map(|node| node.id.to_string()) }))
    }

    /// Everything that is known of a blob, for people.
    pub fn blob_info(&self, hash: &ContentHash) -> Result<BlobInfo, EngineError> {
        let row = self.describe(hash)?;
        let because = self.undeletable(hash)?;
        Ok(BlobInfo {
            content_hash: *hash,
            size: row.size,
            media_type: row.media_type,
            width: row.dimensions.map(|(width, _)| width),
            height: row.dimensions.map(|(_, height)| height),
            duration: None,
            names: self.names_of(hash)?,
            created_at: row.created_at,
            origin: row.origin,
            made_by: self.made_by(hash)?,
            used_by: self.holders(hash)?.iter().map(ToString::to_string).collect(),
            published: false,
            deletable: because.is_none(),
            because,
            damage: row.damage,
        })
    }

    /// A run as clients see it.
    pub fn run_view(&self, run: RunId) -> Result<RunView, EngineError> {
        Ok(run_view(run, &self.run_row(run)?))
    }

    /// The plan of a request; nothing is run or recorded.
    pub fn plan_request(&self, request: &super::Request) -> Result<(PlanView, Prepared), EngineError> {
        let prepared = self.prepare(request)?;
        let view = PlanView { warnings: prepared.warnings.clone(), ..plan_view(&prepared.plan) };
        Ok((view, prepared))
    }

    /// The plan of a recorded run: as it is carried out now, or as it would be now.
    pub fn run_plan(&self, run: RunId) -> Result<PlanView, EngineError> {
        let row = self.run_row(run)?;
        let job = self.jobs().get(&run).cloned();
        if let Some(job) = job {
            let mut view = PlanView { warnings: row.warnings, ..plan_view(&job.plan) };
            trace::overlay(&mut view, &trace::of_job(&job, row.status));
            return Ok(view);
        }
        let mut view = plan_view(&self.prepare(&runs::request_of(&row))?.plan);
        view.warnings.clone_from(&row.warnings);
        match self.trace(run)? {
            Some(found) => trace::overlay(&mut view, &found),
            None if row.status.is_final() => settle(&mut view, row.status),
            None => {}
        }
        Ok(view)
    }
}

/// What did not end as cached says how the run ended.
fn settle(view: &mut PlanView, status: RunStatus) {
    let state = match status {
        RunStatus::Completed => "completed",
        RunStatus::Cancelled => "cancelled",
        _ => return,
    };
    for node in &mut view.nodes {
        if node.state == "pending" {
            node.state = state.into();
        }
    }
}
