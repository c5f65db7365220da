//! The graph that is planned: a recipe's nodes with their inputs bound to contents.

use std::sync::Arc;

use serde_json::Value;

use crate::base::{ContentHash, NodeId, Params};
use crate::media::{Facts, SourceFacts};
use crate::nodes::NodeType;
use crate::recipe::model::OutputEncoding;

/// The content that a source is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name.
    pub hash: ContentHash,
    /// What one look at it told.
    pub facts: SourceFacts,
    /// Why it cannot be used although its type is known: damaged, too large.
    pub damage: Option<String>,
}

/// The nodes that the output needs, each after its inputs, no placeholder left.
#[derive(Debug, Clone)]
pub struct Graph {
    /// The nodes. Each comes as soon as its inputs are there, in the order written.
    pub nodes: Vec<GraphNode>,
    /// The position of the node whose value is wanted.
    pub output: usize,
    /// How it is written.
    pub encoding: OutputEncoding,
    /// Where the shape of what comes after depends on data: the graph is what leads to that data,
    /// its output, and this is the rest.
    pub later: Option<Later>,
}

/// What can be planned only when a value is known.
#[derive(Debug, Clone)]
pub struct Later {
    /// The node whose value is waited for, by its position in the recipe.
    pub awaits: usize,
    /// Its id.
    pub until: NodeId,
    /// The nodes, each after its inputs.
    pub nodes: Vec<LaterNode>,
}

/// A node that can be planned only when a value is known.
#[derive(Debug, Clone)]
pub struct LaterNode {
    /// Its id.
    pub id: NodeId,
    /// Its type's name.
    pub node_type: &'static str,
    /// Ids of its inputs.
    pub inputs: Vec<NodeId>,
}

/// A node's value that is known and that others are planned by.
#[derive(Debug, Clone)]
pub struct Datum {
    /// Its name.
    pub hash: ContentHash,
    /// What it says.
    pub value: Arc<Value>,
}

/// A node of a graph.
#[derive(Clone)]
pub struct GraphNode {
    /// Its id.
    pub id: NodeId,
    /// Its type.
    pub node_type: &'static dyn NodeType,
    /// Its parameters.
    pub params: Params,
    /// Its inputs in order, as positions among the graph's nodes, all smaller than its own.
    pub inputs: Vec<usize>,
    /// The content that it is, if and only if it is a source.
    pub source: Option<ContentHash>,
    /// What is known of its value.
    pub facts: Facts,
    /// Its value's name, if others were planned by it: it is there, whatever else is known.
    pub datum: Option<ContentHash>,
}

impl std::fmt::Debug for GraphNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GraphNode")
            .field("id", &self.id)
            .field("type", &self.node_type.name())
            .field("params", &self.params)
            .field("inputs", &self.inputs)
            .field("source", &self.source)
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}
