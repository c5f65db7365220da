//! A recipe: what a config says, validated.

use std::fmt;

use crate::base::schema::{self, Param};
use crate::base::{AssetName, ContentHash, NodeId, Params};
use crate::media::Kind;
use crate::media::encode::Format;
use crate::nodes::{NodeType, SOURCE_LIST};
use crate::recipe::problem::{Mark, Problem};

/// A validated config. Its nodes are connected by their positions in [`nodes`](Self::nodes),
/// without cycles; their parameters are complete and in range.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// Its name.
    pub name: String,
    /// Its version, as written.
    pub version: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Whose it is.
    pub owner: Option<String>,
    /// The nodes in the order written.
    pub nodes: Vec<RecipeNode>,
    /// What a run of it gives.
    pub output: Output,
    /// What works, but hardly as it was meant.
    pub warnings: Vec<Problem>,
    /// Is it an effect on its own, whose parameters need no node's name?
    pub bare: bool,
}

/// A node of a recipe.
#[derive(Clone)]
pub struct RecipeNode {
    /// Its id, unique in the recipe.
    pub id: NodeId,
    /// Its type.
    pub node_type: &'static dyn NodeType,
    /// Its parameters.
    pub params: Params,
    /// Its inputs in order, as positions among the recipe's nodes; in a number that the type takes.
    pub inputs: Vec<usize>,
    /// Where its content comes from, if and only if it is a `SOURCE` or a `SOURCE_LIST`.
    pub source: Option<SourceSpec>,
    /// Where it is written.
    pub mark: Mark,
}

/// Where a source's content comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceSpec {
    /// Given for each run, under the node's id or this name.
    Variable {
        /// Another name for it.
        name: Option<String>,
        /// What it is for.
        description: Option<String>,
        /// The kind it must have; any if `None`.
        media: Option<Kind>,
    },
    /// What an asset's name stands for.
    Asset {
        /// The asset.
        name: AssetName,
        /// What the config's registry says the name stands for; else the home is asked.
        pinned: Option<ContentHash>,
    },
    /// This content.
    Hash(ContentHash),
    /// The contents of a list.
    Hashes(Vec<ContentHash>),
}

/// What a run gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output {
    /// The node whose value it is, by position.
    pub node: usize,
    /// How it is written.
    pub encoding: OutputEncoding,
}

/// How an output is written, as far as somebody says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutputEncoding {
    /// The format asked for; by default the one of the value's kind.
    pub format: Option<Format>,
    /// The quality asked for, 1 to 100; only beside a format that has one.
    pub quality: Option<u8>,
    /// The constant rate factor asked for; only beside a format that has one.
    pub crf: Option<u8>,
    /// x264's preset asked for.
    pub preset: Option<&'static str>,
    /// Bits a second of the sound.
    pub audio_bitrate: Option<u32>,
}

impl fmt::Debug for RecipeNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecipeNode")
            .field("id", &self.id)
            .field("type", &self.node_type.name())
            .field("params", &self.params)
            .field("inputs", &self.inputs)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl RecipeNode {
    /// Is it given for each run?
    pub const fn is_variable(&self) -> bool {
        matches!(self.source, Some(SourceSpec::Variable { .. }))
    }

    /// Is it a source whose content the config fixes?
    pub const fn is_fixed(&self) -> bool {
        matches!(self.source, Some(SourceSpec::Asset { .. } | SourceSpec::Hash(_) | SourceSpec::Hashes(_)))
    }

    /// Does it read the data of a node, which is then its last input?
    pub fn reads_data(&self) -> bool {
        let names = |param: &&Param| matches!(param.kind, schema::Kind::Node) && self.params.flag(param.name);
        self.node_type.params().iter().any(|param| names(&param))
    }

    /// Is it a list of sources?
    pub fn is_list(&self) -> bool {
        self.node_type.name() == SOURCE_LIST
    }

    /// The name that a variable input has beside its id.
    pub fn input_name(&self) -> Option<&str> {
        match &self.source {
            Some(SourceSpec::Variable { name, .. }) => name.as_deref(),
            _ => None,
        }
    }
}

impl Recipe {
    /// The inputs that are given for each run, with their positions, in the order written.
    pub fn variable_inputs(&self) -> impl Iterator<Item = (usize, &RecipeNode)> {
        self.nodes.iter().enumerate().filter(|(_, node)| node.is_variable())
    }

    /// The sources whose content the config fixes, with their positions, in the order written.
    pub fn fixed_inputs(&self) -> impl Iterator<Item = (usize, &RecipeNode)> {
        self.nodes.iter().enumerate().filter(|(_, node)| node.is_fixed())
    }

    /// The positions of the fixed inputs that the output needs.
    pub fn fixed_needed(&self) -> Vec<usize> {
        let needed = self.needed();
        self.fixed_inputs().map(|(index, _)| index).filter(|index| needed[*index]).collect()
    }

    /// For each node, whether the output needs it.
    pub fn needed(&self) -> Vec<bool> {
        let mut needed = vec![false; self.nodes.len()];
        let mut open = vec![self.output.node];
        while let Some(index) = open.pop() {
            if !std::mem::replace(&mut needed[index], true) {
                open.extend(&self.nodes[index].inputs);
            }
        }
        needed
    }
}
