//! Configs, described.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::base::ContentHash;
use crate::engine::Engine;
use crate::engine::error::EngineError;
use crate::recipe::{Recipe, SourceSpec};

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
            Some(SourceSpec::Hashes(hashes)) => {
                let fixed = |hash: &ContentHash| FixedInput { id: id.clone(), asset: None, content_hash: Some(*hash) };
                view.fixed_inputs.extend(hashes.iter().map(fixed));
            }
            Some(SourceSpec::Hash(hash)) => {
                view.fixed_inputs.push(FixedInput { id, asset: None, content_hash: Some(*hash) });
            }
            None => {}
        }
    }
    view
}

impl Engine {
    /// A registered config as clients see it.
    pub fn config_view(&self, id: ContentHash) -> Result<ConfigView, EngineError> {
        let recipe = Recipe::parse(&self.read_checked(&id)?).map_err(EngineError::Problems)?;
        Ok(config_view(id, &recipe))
    }
}
