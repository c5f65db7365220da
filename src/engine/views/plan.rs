//! Plans, described: before a run, while it goes on, and as it was carried out.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::base::{ContentHash, NodeId, NodeKey, RunId, Timestamp};
use crate::engine::error::EngineError;
use crate::engine::request::{Prepared, Request};
use crate::engine::{Engine, finish, runs, trace};
use crate::plan::{Plan, State};
use crate::records::RunStatus;

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
    /// The output's media type; null while it is not known.
    pub output_media_type: Option<String>,
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
    /// Its key; null while it depends on what a node before it will find.
    pub key: Option<NodeKey>,
    /// Ids of its inputs.
    pub inputs: Vec<NodeId>,
    /// `pending waiting running cached completed failed cancelled skipped`.
    pub state: Cow<'static, str>,
    /// `source`, `hit`, `miss`, `not needed`, or `unknown until` a node that it depends on has run.
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
    /// When all that its stage reads was there, and it could have begun.
    pub ready_at: Option<Timestamp>,
    /// When its stage was begun.
    pub started_at: Option<Timestamp>,
    /// When it was done, or failed.
    pub completed_at: Option<Timestamp>,
    /// Seconds of that in which its value was stored, at the end of its work; null if it was not.
    pub store_seconds: Option<f64>,
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

/// A plan as clients see it, before it runs.
pub fn plan_view(plan: &Plan) -> PlanView {
    let ids = |nodes: &[usize]| nodes.iter().map(|node| plan.nodes[*node].id.clone()).collect();
    let nodes = plan.nodes.iter().map(|node| PlanNodeView {
        id: node.id.clone(),
        node_type: node.node_type.name().into(),
        key: Some(node.key),
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
        ready_at: None,
        started_at: None,
        completed_at: None,
        store_seconds: None,
    });
    let later = plan.later.iter().flat_map(|later| {
        later.nodes.iter().map(|node| PlanNodeView {
            id: node.id.clone(),
            node_type: node.node_type.into(),
            key: None,
            inputs: node.inputs.clone(),
            state: "pending".into(),
            known: format!("unknown until {}", later.until).into(),
            stage: None,
            output_hash: None,
            estimated_seconds: 0.0,
            why: format!("what it is made of is known when {} has run", later.until),
            size: None,
            ready_at: None,
            started_at: None,
            completed_at: None,
            store_seconds: None,
        })
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
        nodes: nodes.chain(later).collect(),
        stages: stages.collect(),
        // The sum of nothing is -0.
        estimated_seconds: plan.stages.iter().map(|stage| stage.cost).sum::<f64>() + 0.0,
        hits: plan.hits(),
        misses: plan.misses(),
        output_media_type: plan
            .later
            .is_none()
            .then(|| finish::media_type(&plan.nodes[plan.output].facts).mime().to_owned()),
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
    /// The plan of a request; nothing is run or recorded.
    pub fn plan_request(&self, request: &Request) -> Result<(PlanView, Prepared), EngineError> {
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
        let mut request = runs::request_of(&row);
        let mut plan = self.prepare(&request)?.plan;
        if plan.later.is_some() && row.status.is_final() {
            // It was planned by what it found, whatever it was to take from the cache.
            request.options.cache = true;
            request.options.force.clear();
            plan = self.prepare(&request)?.plan;
        }
        let mut view = plan_view(&plan);
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
