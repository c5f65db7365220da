//! Configs: from YAML or JSON to a validated [`Recipe`], and from that and its inputs to a
//! [`Graph`] that can be planned.
//!
//! Everything wrong with a config is found at once, with the place where it is written. Nothing
//! here does I/O or depends on the machine: what assets stand for and what files are is told by
//! the caller.

mod place;
mod problem;
mod problems;
mod words;

mod yaml;

mod path;
mod scalar;

mod leaf;

mod check;
mod keys;

mod draft;
mod links;
mod ports;
mod registry;
mod source;

mod document;
mod model;

mod bind;
mod graph;
mod inputs;
mod params;

#[cfg(test)]
mod tests;

pub use document::parse;
pub use graph::{Datum, Graph, GraphNode, Later, LaterNode, Source};
pub use inputs::Matched;
pub use model::{Output, OutputEncoding, Recipe, RecipeNode, SourceSpec};
pub use problem::{LocPart, Mark, Problem, Severity};
