//! The provenance record of a run: what its output was made from, with what, by whom, where.
//!
//! The record is canonical JSON (RFC 8785). It is written from structs whose fields stand in
//! canonical order, because a record of 10,000 nodes is large; a test holds that against the
//! canonicaliser.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::base::{ContentHash, Fingerprint, NodeKey, RunId, canonical};
use crate::db::DbError;
use crate::engine::error::EngineError;
use crate::engine::infra::{self, MadeOn};
use crate::engine::job::Job;
use crate::engine::{Engine, finish, tables};
use crate::nodes::Tool;
use crate::plan::{Plan, State};
use crate::records::{Holder, InfraRow, MemoRow, RunRow, tables as names};

/// Runs that gave the same output of which the signatures are looked at: with the first that is
/// right the search is over, and as a rule that is the first.
const MAKERS_LOOKED_AT: usize = 16;

/// The record. Fields in canonical (alphabetical) order.
#[derive(Serialize)]
struct Record<'a> {
    effects: Vec<Effect>,
    infrastructure: InfrastructureOf<'a>,
    inputs: Vec<Named>,
    nodes: Vec<Node<'a>>,
    output: Output<'a>,
    plan_hash: ContentHash,
    recipe: Option<RecipeOf>,
    rendered_at: String,
    rendered_by: String,
    run_id: RunId,
    task_id: RunId,
}

#[derive(Serialize)]
struct Effect {
    content_hash: Fingerprint,
    name: String,
    params: Box<RawValue>,
    version: String,
}

#[derive(Serialize)]
struct InfrastructureOf<'a> {
    cached: bool,
    hardware: &'a RawValue,
    software: &'a RawValue,
    tools: Vec<ToolOf>,
}

#[derive(Serialize, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct ToolOf {
    content_hash: Fingerprint,
    name: String,
    version: String,
}

#[derive(Serialize)]
struct Named {
    content_hash: ContentHash,
    name: String,
}

#[derive(Serialize)]
struct Node<'a> {
    id: &'a str,
    inputs: Vec<&'a str>,
    key: NodeKey,
    made_by: Option<MadeBy<'a>>,
    output_hash: Option<ContentHash>,
    #[serde(rename = "type")]
    kind: &'a str,
}

#[derive(Serialize)]
struct MadeBy<'a> {
    cached: bool,
    host: &'a str,
    run: RunId,
    tools: Vec<&'a str>,
}

#[derive(Serialize)]
struct Output<'a> {
    content_hash: ContentHash,
    media_type: &'static str,
    name: &'a str,
}

#[derive(Serialize)]
struct RecipeOf {
    content_hash: ContentHash,
    name: String,
    version: Option<String>,
}

/// Who made each node's value: for each, the memo row that holds it or holds something made
/// from it; `None` for what this run made itself.
struct Makers {
    rows: Vec<Option<MemoRow>>,
    /// What they were made on.
    hosts: HashMap<Fingerprint, Arc<MadeOn>>,
}

/// The record of a run that is complete, as canonical JSON.
pub fn record(engine: &Engine, job: &Job, row: &RunRow) -> Result<String, EngineError> {
    let plan = &job.plan;
    let makers = makers(engine, job)?;
    let here = MadeOn::here();
    let output = row.output.unwrap_or_else(|| panic!("BUG: a record of run {} without an output", job.run));
    let record = Record {
        effects: effects(plan),
        infrastructure: infrastructure(plan, &makers, here),
        inputs: inputs(engine, plan)?,
        nodes: nodes(job, &makers, &here.host),
        output: Output {
            content_hash: output,
            media_type: finish::media_type(&plan.nodes[plan.output].facts).mime(),
            name: &row.output_name,
        },
        plan_hash: plan_hash(plan),
        recipe: row.config.map(|content_hash| RecipeOf {
            content_hash,
            name: row.recipe.clone(),
            version: row.recipe_version.clone(),
        }),
        rendered_at: row.completed_at.unwrap_or(row.created_at).to_string(),
        rendered_by: row.username.clone().unwrap_or_else(|| infra::rendered_here().to_owned()),
        run_id: job.run,
        task_id: job.run,
    };
    // `params` and the infrastructure are values whose keys are sorted below.
    let text = serde_json::to_string(&record);
    Ok(text.unwrap_or_else(|error| panic!("BUG: a provenance record is always JSON: {error}")))
}

/// BLAKE3 of the canonical JSON of the nodes' `[id, key]` pairs, in topological order.
pub fn plan_hash(plan: &Plan) -> ContentHash {
    let pairs: Vec<(&str, NodeKey)> = plan.nodes.iter().map(|node| (node.id.as_str(), node.key)).collect();
    ContentHash::of(canonical::to_string(&pairs).as_bytes())
}

fn makers(engine: &Engine, job: &Job) -> Result<Makers, EngineError> {
    let plan = &job.plan;
    let found = engine.memos(plan.nodes.iter().map(|node| &node.key))?;
    let adopted: HashSet<usize> = job.progress().adopted.iter().copied().collect();
    let mut rows: Vec<Option<MemoRow>> = vec![None; plan.nodes.len()];
    let mut hosts = HashMap::new();
    for index in (0..plan.nodes.len()).rev() {
        let node = &plan.nodes[index];
        let own = node.state == State::Miss && !adopted.contains(&index) && rows[index].is_none();
        if own || job.made_before(index) {
            continue;
        }
        if node.source.is_none()
            && let Some(row) = found[index]
        {
            rows[index] = Some(row);
        }
        // What a known value was made from was made by the same run, unless its own row says
        // otherwise.
        if let Some(row) = rows[index] {
            for input in &node.inputs {
                let is_known = plan.nodes[*input].state != State::Miss || adopted.contains(input);
                if is_known && !job.made_before(*input) {
                    rows[*input].get_or_insert(row);
                }
            }
            if let Entry::Vacant(entry) = hosts.entry(row.infra)
                && let Some(made_on) = engine.0.made_on.get(row.infra, |infra| {
                    let stored = engine.row::<InfraRow>(names::INFRA, infra.as_bytes())?;
                    Ok::<_, EngineError>(stored.map(|row| Arc::new(MadeOn::of(&row.json))))
                })?
            {
                entry.insert(made_on);
            }
        }
    }
    Ok(Makers { rows, hosts })
}

fn infrastructure<'a>(plan: &Plan, makers: &'a Makers, here: &'a MadeOn) -> InfrastructureOf<'a> {
    let of_output = makers.rows[plan.output];
    let made_on = of_output.and_then(|row| makers.hosts.get(&row.infra)).map_or(here, |made_on| made_on);
    let mut tools: Vec<ToolOf> = plan.nodes.iter().flat_map(|node| node.tools.iter().map(tool_of)).collect();
    tools.sort();
    tools.dedup();
    InfrastructureOf { cached: of_output.is_some(), hardware: &made_on.hardware, software: &made_on.software, tools }
}

fn tool_of(tool: &Tool) -> ToolOf {
    ToolOf { content_hash: tool.hash, name: tool.name.clone(), version: tool.version.clone() }
}

fn nodes<'a>(job: &'a Job, makers: &'a Makers, here: &'a str) -> Vec<Node<'a>> {
    let plan = &job.plan;
    let progress = job.progress();
    let each = plan.nodes.iter().enumerate();
    each.map(|(index, node)| {
        let known = makers.rows[index];
        let host = known.and_then(|row| makers.hosts.get(&row.infra)).map_or(here, |made_on| made_on.host.as_str());
        let own_row = known.filter(|_| node.source.is_none() && node.state != State::Miss);
        Node {
            id: node.id.as_str(),
            inputs: node.inputs.iter().map(|input| plan.nodes[*input].id.as_str()).collect(),
            key: node.key,
            made_by: node.source.is_none().then(|| MadeBy {
                cached: known.is_some(),
                host,
                run: known.map_or(job.run, |row| row.run),
                tools: node.tools.iter().map(|tool| tool.name.as_str()).collect(),
            }),
            output_hash: progress.values.get(&index).copied().or(match (node.state, own_row) {
                (State::Hit(hash), _) => Some(hash),
                _ => None,
            }),
            kind: node.node_type.name(),
        }
    })
    .collect()
}

fn effects(plan: &Plan) -> Vec<Effect> {
    let of_effects = plan.nodes.iter().filter_map(|node| {
        let name = node.params.optional_text("effect")?;
        let effect = crate::effects::find(name)?;
        Some(Effect {
            content_hash: crate::effects::hash(effect),
            name: name.to_owned(),
            params: canonical::raw(node.params.get("params").unwrap_or(&Value::Object(serde_json::Map::new()))),
            version: effect.version().to_string(),
        })
    });
    let mut effects: Vec<Effect> = Vec::new();
    let mut seen = HashSet::new();
    for effect in of_effects {
        if seen.insert((effect.name.clone(), effect.params.get().to_owned())) {
            effects.push(effect);
        }
    }
    effects
}

fn inputs(engine: &Engine, plan: &Plan) -> Result<Vec<Named>, EngineError> {
    let sources = plan.nodes.iter().filter(|node| node.source.is_some());
    let mut named = Vec::new();
    for (hash, node) in sources.filter_map(|node| Some((node.source?, node))) {
        let name = engine.names_of(&hash)?.into_iter().next();
        named.push(Named { content_hash: hash, name: name.unwrap_or_else(|| node.id.to_string()) });
    }
    Ok(named)
}

/// The runs whose output a blob is, in the order of their ids.
pub(super) fn runs_that_gave(
    holders: &impl redb::ReadableTable<&'static [u8], ()>,
    hash: &ContentHash,
) -> Result<Vec<RunId>, DbError> {
    let range = names::runs_that_gave(hash);
    let mut runs = Vec::new();
    for row in holders.range(range.start.as_slice()..range.end.as_slice())? {
        if let Some(Holder::RunOutput(run)) = names::holder_of(row?.0.value()) {
            runs.push(run);
        }
    }
    Ok(runs)
}

impl Engine {
    /// The provenance record of a run, or of the run that made a blob; or the record itself,
    /// if the hash is one's.
    pub fn provenance(&self, word: &str) -> Result<Vec<u8>, EngineError> {
        Ok(self.read_checked(&self.provenance_hash(word)?)?.to_vec())
    }

    /// The hash of that record.
    pub fn provenance_hash(&self, word: &str) -> Result<ContentHash, EngineError> {
        let record = match word.parse::<ContentHash>() {
            Ok(hash) => self.provenance_of_blob(&self.ours(hash)?)?,
            Err(_) => self.run_row(self.find_run(word)?)?.provenance,
        };
        let none = || EngineError::NotFound { what: "provenance of", name: word.to_owned(), hint: String::new() };
        record.ok_or_else(none)
    }

    fn provenance_of_blob(&self, hash: &ContentHash) -> Result<Option<ContentHash>, EngineError> {
        let is_record = self.holders(hash)?.iter().any(|holder| matches!(holder, Holder::RunProvenance(_)));
        if is_record {
            return Ok(Some(*hash));
        }
        Ok(self.maker_of(hash)?.map(|(_, record)| record))
    }

    /// The run that tells how a blob came to be, and its record: of those whose output it is the
    /// oldest with a signature that is right, else the oldest; else the one that made it on the way.
    pub fn maker_of(&self, hash: &ContentHash) -> Result<Option<(RunId, ContentHash)>, EngineError> {
        let mut oldest = None;
        for run in self.runs_that_gave(hash)?.into_iter().take(MAKERS_LOOKED_AT) {
            let Some(record) = self.run_row(run)?.provenance else { continue };
            if self.is_sealed(&record)? {
                return Ok(Some((run, record)));
            }
            oldest = oldest.or(Some((run, record)));
        }
        if oldest.is_some() {
            return Ok(oldest);
        }
        let of_run = |run: RunId| Some((run, self.run_row(run).ok()?.provenance?));
        let key = self.keys_of(hash)?.first().copied();
        if let Some(row) = key.map(|key| self.memo(&key)).transpose()?.flatten() {
            return Ok(of_run(row.run));
        }
        // Of a run from elsewhere there is no memo, and still it says what it made.
        let users = self.0.db.read(|tx| tables::second_halves(&tx.open_table(names::USERS)?, hash.as_bytes()))?;
        Ok(users.into_iter().map(RunId::from_bytes).find_map(of_run))
    }

    /// The runs whose output a blob is, oldest first.
    pub fn runs_that_gave(&self, hash: &ContentHash) -> Result<Vec<RunId>, EngineError> {
        // Holders come in the order of their ids, which is that of time.
        let hash = self.ours(*hash)?;
        Ok(self.0.db.read(|tx| runs_that_gave(&tx.open_table(names::HOLDERS)?, &hash))?)
    }
}
