//! What is wrong with a config, or with what was given to it.
//!
//! A problem knows where it stands (line, column, path, node) and says in one sentence what is
//! wrong and, where it can, what to do. Problems are gathered, never thrown: a person who
//! mends a config wants all of them at once.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::base::NodeId;
use crate::recipe::words::quoted;

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The config is refused.
    Error,
    /// The config works, but hardly as it was meant.
    Warning,
}

/// Where a text is written: line and column from 1, the column in characters. Zeros where it
/// comes from no file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// One step of the path to a value.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum LocPart {
    /// A key of a map, or a node's id.
    Key(String),
    /// A position in a list, from 0.
    Index(usize),
}

/// One thing that is wrong.
///
/// As JSON it is `{"loc", "msg", "type", "line", "column", "node"}`, the last three only where
/// known. As text it is one line, `line:column: node "id": message`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// Its kind, `snake_case`, for programs.
    pub kind: &'static str,
    /// The path to the value, e.g. `dag, nodes, <id>, config, width`.
    pub loc: Vec<LocPart>,
    /// The node it concerns.
    pub node: Option<NodeId>,
    /// The line, from 1; 0 where it is not about a place of the text.
    pub line: u32,
    /// The column, from 1, in characters; 0 where there is no line.
    pub column: u32,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Problem {
    /// An error of no particular place.
    pub fn error(kind: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { severity: Severity::Error, kind, loc: Vec::new(), node: None, line: 0, column: 0, message }
    }

    /// The same at this place of the text.
    #[must_use]
    pub fn at(self, mark: Mark) -> Self {
        Self { line: mark.line, column: mark.column, ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "{}:{}: ", self.line, self.column)?;
        }
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        if let Some(node) = &self.node {
            write!(f, "node {}: ", quoted(node.as_str()))?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(None)?;
        map.serialize_entry("loc", &self.loc)?;
        map.serialize_entry("msg", &self.message)?;
        map.serialize_entry("type", self.kind)?;
        if self.line > 0 {
            map.serialize_entry("line", &self.line)?;
            map.serialize_entry("column", &self.column)?;
        }
        if let Some(node) = &self.node {
            map.serialize_entry("node", node)?;
        }
        map.end()
    }
}
