//! From what somebody asks for to a plan: recipe found, inputs matched, sources looked at.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLockReadGuard};

use serde_json::{Map, Value};

use crate::base::limits::LIST_ITEMS;
use crate::base::{ContentHash, NodeId, NodeKey, RunId};
use crate::effects;
use crate::engine::error::EngineError;
use crate::engine::{Engine, blobs};
use crate::media::MediaType;
use crate::media::encode::Format;
use crate::plan::{self, Checkpoint, Options, Plan, State};
use crate::recipe::{Datum, Graph, Later, OutputEncoding, Problem, Recipe, Source, SourceSpec};
use crate::records::RunOptions;

/// What somebody asks to be run.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which recipe.
    pub recipe: RecipeRef,
    /// Its variable inputs.
    pub inputs: Inputs,
    /// Parameters: of an effect, or by node id of a config.
    pub params: Map<String, Value>,
    /// The output's name; by default the recipe's.
    pub output_name: Option<String>,
    /// The output's format and quality, in the place of what the recipe asks for.
    pub format: Option<(Format, Option<u8>)>,
    /// How it is run.
    pub options: RunOptions,
    /// Higher first.
    pub priority: i32,
    /// Who asks.
    pub username: Option<String>,
    /// What fixed inputs were when the run was first submitted, for a run that is planned
    /// again: an asset may have been pointed elsewhere since.
    pub fixed: Vec<(NodeId, ContentHash)>,
}

impl Request {
    /// A recipe with these inputs, run as ever.
    pub fn new(recipe: RecipeRef, inputs: Inputs) -> Self {
        Self {
            recipe,
            inputs,
            params: Map::new(),
            output_name: None,
            format: None,
            options: RunOptions::default(),
            priority: 0,
            username: None,
            fixed: Vec::new(),
        }
    }
}

/// Which recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecipeRef {
    /// A bare effect.
    Effect(String),
    /// A config that the store holds.
    Config(ContentHash),
    /// A config's bytes.
    Bytes(Vec<u8>),
}

/// A config's hash and bytes.
pub type ConfigBytes = (ContentHash, Vec<u8>);

/// The blobs for a recipe's variable inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inputs {
    /// By node id or name. A list input has several.
    Named(Vec<(String, Vec<ContentHash>)>),
    /// In the order of the variable inputs.
    Listed(Vec<ContentHash>),
}

/// Values that a recipe's nodes are planned by: by the position of what makes them.
pub type Data = BTreeMap<usize, ContentHash>;

/// A request that has been checked and planned; nothing has been run or recorded.
pub struct Prepared {
    /// The recipe's name.
    pub recipe_name: String,
    /// The recipe's version.
    pub recipe_version: Option<String>,
    /// The config's hash and bytes.
    pub config: Option<ConfigBytes>,
    /// The plan; of its first part, where the rest depends on what that finds.
    pub plan: Plan,
    /// The values that it was planned by: by position in the recipe.
    pub data: Data,
    /// The blobs of the variable inputs, by node id, in the config's order.
    pub bindings: Vec<(NodeId, Vec<ContentHash>)>,
    /// The blobs of the fixed inputs, by node id.
    pub fixed: Vec<(NodeId, ContentHash)>,
    /// The output's name.
    pub output_name: String,
    /// Warnings of the config and the inputs.
    pub warnings: Vec<String>,
}

/// A request that has been read, with what was seen of the media that it is about.
struct Seen {
    recipe: Recipe,
    config: Option<ConfigBytes>,
    given: Vec<(usize, Vec<ContentHash>)>,
    fixed: Vec<(NodeId, ContentHash)>,
    sources: BTreeMap<usize, Vec<Source>>,
    warnings: Vec<Problem>,
}

impl Prepared {
    /// The type of the output's bytes, if it is known before the run.
    pub fn output_media_type(&self) -> Option<MediaType> {
        let known = self.plan.later.is_none();
        known.then(|| super::finish::media_type(&self.plan.nodes[self.plan.output].facts))
    }
}

impl Engine {
    /// The recipe that a word names: an effect, a config's id, or a config's name (its newest
    /// version).
    pub fn find_recipe(&self, word: &str) -> Result<RecipeRef, EngineError> {
        if effects::find(word).is_some() {
            return Ok(RecipeRef::Effect(word.to_owned()));
        }
        if let Some(config) = self.config_of_id(word)? {
            return Ok(RecipeRef::Config(config.id));
        }
        let configs = self.configs()?;
        let newest = configs.iter().filter(|config| config.row.name == word).max_by_key(|config| config.row.sequence);
        match newest {
            Some(config) => Ok(RecipeRef::Config(config.id)),
            None => {
                let mut known: Vec<&str> = effects::names().collect();
                known.extend(configs.iter().map(|config| config.row.name.as_str()));
                Err(EngineError::not_found("effect or config", word, known))
            }
        }
    }

    /// Reads and checks a recipe, with its parameters replaced.
    pub fn read_recipe(
        &self,
        recipe: &RecipeRef,
        params: &Map<String, Value>,
    ) -> Result<(Recipe, Option<ConfigBytes>), EngineError> {
        let bytes = match recipe {
            RecipeRef::Effect(name) => {
                if effects::find(name).is_none() {
                    return Err(EngineError::not_found("effect", name, effects::names()));
                }
                return Ok((Recipe::bare_effect(name, params).map_err(EngineError::Problems)?, None));
            }
            RecipeRef::Config(id) => self.read_blob(id)?.to_vec(),
            RecipeRef::Bytes(bytes) => bytes.clone(),
        };
        let parsed = Recipe::parse(&bytes).map_err(EngineError::Problems)?;
        let parsed = parsed.with_params(params).map_err(EngineError::Problems)?;
        let hash = ContentHash::of(&bytes);
        Ok((parsed, Some((hash, bytes))))
    }

    /// Checks and plans a request that is not run.
    pub fn prepare(&self, request: &Request) -> Result<Prepared, EngineError> {
        self.plan_seen(self.look_at(request)?, request, &Data::new())
    }

    /// Checks and plans a request that is to be run, for a run that has found these values already.
    /// What the plan counts on stays for as long as the guard is held.
    pub(super) fn prepare_to_run(
        &self,
        request: &Request,
        found: &Data,
    ) -> Result<(Prepared, RwLockReadGuard<'_, ()>), EngineError> {
        let (seen, kept) = self.look_and_keep(|| self.look_at(request))?;
        Ok((self.plan_seen(seen, request, found)?, kept))
    }

    /// Reads and checks a request and looks at the media that it is about.
    fn look_at(&self, request: &Request) -> Result<Seen, EngineError> {
        let (recipe, config) = self.read_recipe(&request.recipe, &request.params)?;
        let (given, mut warnings) = match &request.inputs {
            Inputs::Named(named) => recipe.match_inputs(named),
            Inputs::Listed(listed) => {
                let each: Vec<Vec<ContentHash>> = listed.iter().map(|hash| vec![*hash]).collect();
                recipe.match_listed(&each)
            }
        }
        .map_err(EngineError::Problems)?;
        warnings.extend(recipe.warnings.iter().cloned());
        let mut sources = BTreeMap::new();
        let mut ours = Vec::with_capacity(given.len());
        for (node, hashes) in given {
            ours.push((node, hashes.into_iter().map(|hash| self.ours(hash)).collect::<Result<Vec<_>, _>>()?));
        }
        let given = ours;
        for (node, hashes) in &given {
            let id = &recipe.nodes[*node].id;
            if hashes.len() != 1 && !recipe.nodes[*node].is_list() {
                let given = hashes.len();
                return Err(EngineError::Input(format!("the input {id} takes one file, and {given} were given")));
            }
            if hashes.len() > LIST_ITEMS {
                return Err(EngineError::Input(format!("the input {id} has more than {LIST_ITEMS} items")));
            }
            let what = format!("the input {id}");
            let all = hashes.iter().map(|hash| self.source(*hash, &what)).collect::<Result<Vec<_>, _>>()?;
            sources.insert(*node, all);
        }
        let mut fixed = Vec::new();
        for node in recipe.fixed_needed() {
            let all = self.fixed_sources(&recipe, node, &request.fixed)?;
            fixed.extend(all.iter().map(|source| (recipe.nodes[node].id.clone(), source.hash)));
            sources.insert(node, all);
        }
        Ok(Seen { recipe, config, given, fixed, sources, warnings })
    }

    fn plan_seen(&self, seen: Seen, request: &Request, found: &Data) -> Result<Prepared, EngineError> {
        let Seen { recipe, config, given, fixed, sources, warnings } = seen;
        let (plan, data) = self.plan_as_far(&recipe, &sources, request, found)?;
        let output_name = match &request.output_name {
            Some(name) => checked_output_name(name)?,
            None => component(&recipe.name),
        };
        Ok(Prepared {
            bindings: given.into_iter().map(|(node, hashes)| (recipe.nodes[node].id.clone(), hashes)).collect(),
            fixed,
            recipe_name: recipe.name.clone(),
            recipe_version: recipe.version.clone(),
            config,
            plan,
            data,
            output_name,
            warnings: warnings.iter().map(ToString::to_string).collect(),
        })
    }

    /// The plan; where it depends on values that are not known, of what finds the first of them.
    fn plan_as_far(
        &self,
        recipe: &Recipe,
        sources: &BTreeMap<usize, Vec<Source>>,
        request: &Request,
        found: &Data,
    ) -> Result<(Plan, Data), EngineError> {
        let mut data = BTreeMap::new();
        for (node, hash) in found {
            data.insert(*node, self.datum(*hash)?);
        }
        loop {
            let mut graph = recipe.bind_with(sources, &data).map_err(EngineError::Problems)?;
            let mut options = plan_options(&request.options);
            if let Some(later) = &graph.later {
                narrow(&mut options, &graph, later)?;
            } else if let Some((format, quality)) = request.format {
                // What the config says of another format means nothing to this one.
                let same = graph.encoding.format == Some(format);
                let rest = if same { graph.encoding } else { OutputEncoding::default() };
                graph.encoding = OutputEncoding { format: Some(format), quality, ..rest };
            }
            let toolbox = self.toolbox(graph.nodes.iter().any(|node| node.facts.has_time()));
            let plan = plan::plan(graph, &options, self.derived_room()?, &toolbox, &|key| self.known_value(key))?;
            match (&plan.later, plan.nodes[plan.output].state) {
                (Some(later), State::Hit(hash)) => drop(data.insert(later.awaits, self.datum(hash)?)),
                _ => return Ok((plan, data.into_iter().map(|(node, datum)| (node, datum.hash)).collect())),
            }
        }
    }

    /// A value that nodes are planned by.
    fn datum(&self, hash: ContentHash) -> Result<Datum, EngineError> {
        let value = serde_json::from_slice(&self.stage_read(&hash)?);
        let damaged = |error: serde_json::Error| EngineError::Damaged { hash, what: error.to_string() };
        Ok(Datum { hash, value: Arc::new(value.map_err(damaged)?) })
    }

    /// The content hash of a known result whose blob is there.
    pub fn known_value(&self, key: &NodeKey) -> Option<ContentHash> {
        let row = self.memo(key).ok().flatten()?;
        self.has_blob(&row.hash).then_some(row.hash)
    }

    /// The same, if another run than this made it.
    pub(super) fn known_from_others(&self, key: &NodeKey, run: RunId) -> Option<ContentHash> {
        let row = self.memo(key).ok().flatten()?;
        (row.run != run && self.has_blob(&row.hash)).then_some(row.hash)
    }

    fn fixed_sources(
        &self,
        recipe: &Recipe,
        node: usize,
        before: &[(NodeId, ContentHash)],
    ) -> Result<Vec<Source>, EngineError> {
        let id = &recipe.nodes[node].id;
        let what = format!("the node {id}");
        let before: Vec<ContentHash> =
            before.iter().filter(|(before, _)| before == id).map(|(_, hash)| *hash).collect();
        if !before.is_empty() {
            return before.iter().map(|hash| self.source(*hash, &what)).collect();
        }
        match recipe.nodes[node].source.as_ref() {
            Some(SourceSpec::Hash(hash)) => Ok(vec![self.source(*hash, &what)?]),
            Some(SourceSpec::Hashes(hashes)) => hashes.iter().map(|hash| self.source(*hash, &what)).collect(),
            Some(SourceSpec::Asset { name, pinned }) => {
                let hash = match pinned {
                    Some(hash) => *hash,
                    None => self.asset(name.as_str())?,
                };
                Ok(vec![self.source(hash, &format!("the asset {name} of node {id}"))?])
            }
            _ => unreachable!("BUG: a fixed input is an asset or a hash"),
        }
    }

    /// A source: its hash, and what was seen of it when it came.
    fn source(&self, hash: ContentHash, what: &str) -> Result<Source, EngineError> {
        let hash = self.ours(hash)?;
        let row = self.blob_row(&hash)?.ok_or_else(|| EngineError::NotFound {
            what: "blob",
            name: hash.to_string(),
            hint: format!(", which is {what}; add the file with `artdag cache add FILE`"),
        })?;
        let mut facts = blobs::source_facts(&row);
        let empty = || "it is empty".to_owned();
        let mut damage = row.damage.clone().or_else(|| (row.size == 0).then(empty));
        match self.clip_of(&hash, &row)? {
            Some(Ok(clip)) => facts.clip = Some(Arc::new(clip)),
            // A picture in motion is still a picture.
            Some(Err(why)) if facts.size.is_none() => damage = Some(why),
            _ => {}
        }
        Ok(Source { hash, facts, damage })
    }
}

/// The planner's options from a run's.
pub fn plan_options(options: &RunOptions) -> Options {
    Options {
        cache: options.cache,
        fuse: options.fuse,
        keep: options.keep.clone(),
        force: options.force.clone(),
        checkpoint: match options.checkpoint.as_str() {
            "auto" => Checkpoint::Auto,
            "never" => Checkpoint::Never,
            id => Checkpoint::At(NodeId::new(id)),
        },
    }
}

/// Leaves of the options what is of a graph that is not the whole one. What is of neither is refused.
fn narrow(options: &mut Options, graph: &Graph, later: &Later) -> Result<(), EngineError> {
    let here = |id: &NodeId| graph.nodes.iter().any(|node| node.id == *id);
    let checkpoint = match &options.checkpoint {
        Checkpoint::At(id) => Some(id),
        _ => None,
    };
    let named = options.keep.iter().chain(&options.force).chain(checkpoint);
    for id in named.filter(|id| !here(id)) {
        // Of an id such as `slices[3]` the list is known.
        let list = id.as_str().split('[').next().unwrap_or_default();
        let encoded = id.as_str().strip_suffix(":encode").unwrap_or(list);
        let known = |node: &NodeId| node == id || node.as_str() == list || node.as_str() == encoded;
        if !later.nodes.iter().any(|node| known(&node.id)) {
            let known = graph.nodes.iter().map(|node| node.id.as_str());
            return Err(EngineError::not_found(
                "node",
                id.as_str(),
                known.chain(later.nodes.iter().map(|n| n.id.as_str())),
            ));
        }
    }
    if checkpoint.is_some_and(|id| !here(id)) {
        options.checkpoint = Checkpoint::Never;
    }
    options.keep.retain(here);
    options.force.retain(here);
    Ok(())
}

/// Refuses an output name that is not one path component.
pub(super) fn checked_output_name(name: &str) -> Result<String, EngineError> {
    let refused = name.is_empty()
        || name.len() > 200
        || matches!(name, "." | "..")
        || name.chars().any(|c| c == '/' || c == '\\' || c.is_control());
    if refused {
        return Err(EngineError::Usage(format!(
            "the output name {name:?} is no file name: use 1 to 200 bytes without slashes and control characters"
        )));
    }
    Ok(name.to_owned())
}

/// A recipe's name as one path component.
fn component(name: &str) -> String {
    let safe: String = name.chars().map(|c| if c == '/' || c == '\\' || c.is_control() { '-' } else { c }).collect();
    let mut end = safe.len().min(200);
    while !safe.is_char_boundary(end) {
        end -= 1;
    }
    match &safe[..end] {
        "" | "." | ".." => "output".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_names_are_one_component() {
        for good in ["a", "my output.png", "ünï"] {
            assert!(checked_output_name(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "../x", "a\\b", "a\nb", &"x".repeat(201)] {
            assert!(checked_output_name(bad).is_err(), "{bad}");
        }
        assert_eq!(component("a/b"), "a-b");
        assert_eq!(component(".."), "output");
    }
}
