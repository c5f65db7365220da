//! A config's text as a tree that knows where everything is written.
//!
//! Scalars keep their text: what a number or a truth is, the schema of the place decides, so
//! that a version `1.0` and a hash of digits stay what they are. The tree is bounded while it
//! is built (bytes, depth, values, all counted after aliases are expanded), and expanding an
//! alias shares, so reading a hostile file costs no more than its bytes. It knows nothing of
//! recipes.

mod build;
mod json;
mod read;

use std::collections::HashSet;
use std::sync::Arc;

use crate::base::limits;
use crate::recipe::problem::{Mark, Problem};

pub(crate) use read::read;

/// A value and where it is written.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) mark: Mark,
    value: Value,
}

#[derive(Debug, Clone)]
enum Value {
    Scalar(Scalar),
    Seq(Vec<Node>),
    Map(Map),
    /// What an anchor names, wherever it is used.
    Shared(Arc<Node>),
}

/// A text.
#[derive(Debug, Clone)]
pub(crate) struct Scalar {
    /// As written, escapes and folding resolved.
    pub(crate) text: String,
    pub(crate) style: Style,
}

/// How a scalar is written, which says how it may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Bare: a text, a number, a truth or nothing, as the place wants.
    Plain,
    /// In quotes, as a block, or tagged as text: a text.
    Quoted,
    /// A text that came with a request or the command line: a text, a number or a truth, as
    /// the place wants, and never nothing.
    Given,
}

/// A map in the order written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Map {
    entries: Vec<Entry>,
    /// What `<<` merges: a map, or a list of maps of which the first wins.
    merged: Option<Box<Node>>,
}

/// A key, where it is written, and its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) mark: Mark,
    pub(crate) node: Node,
}

/// A node's value, aliases resolved.
#[derive(Debug, Clone, Copy)]
pub(crate) enum View<'a> {
    Scalar(&'a Scalar),
    Seq(&'a [Node]),
    Map(&'a Map),
}

impl Node {
    fn new(mark: Mark, value: Value) -> Self {
        Self { mark, value }
    }

    /// The value.
    pub(crate) fn view(&self) -> View<'_> {
        match &self.value {
            Value::Scalar(scalar) => View::Scalar(scalar),
            Value::Seq(items) => View::Seq(items),
            Value::Map(map) => View::Map(map),
            Value::Shared(node) => node.view(),
        }
    }

    /// The text of a scalar.
    pub(crate) fn scalar(&self) -> Option<&Scalar> {
        match self.view() {
            View::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The map that this is.
    pub(crate) fn map(&self) -> Option<&Map> {
        match self.view() {
            View::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Written, but as nothing: empty, `~` or `null`.
    pub(crate) fn is_null(&self) -> bool {
        self.scalar().is_some_and(Scalar::is_null)
    }

    /// Written as nothing at all, which is what a comment leaves.
    pub(crate) fn is_empty(&self) -> bool {
        self.mark.line > 0 && self.scalar().is_some_and(|scalar| scalar.is_null() && scalar.text.is_empty())
    }

    /// A value that came with a request: its texts are read as the place wants.
    pub(crate) fn from_json(value: &serde_json::Value) -> Result<Self, Problem> {
        Self::from_json_at(value, limits::CONFIG_DEPTH)
    }

    fn from_json_at(value: &serde_json::Value, depth: usize) -> Result<Self, Problem> {
        use serde_json::Value as Json;
        let scalar = |text: String, style| Value::Scalar(Scalar { text, style });
        let nested = matches!(value, Json::Array(_) | Json::Object(_));
        let inside = depth.checked_sub(usize::from(nested)).ok_or_else(build::too_deep)?;
        let value = match value {
            Json::Null => scalar(String::new(), Style::Plain),
            Json::Bool(flag) => scalar(flag.to_string(), Style::Plain),
            Json::Number(number) => scalar(number.to_string(), Style::Plain),
            Json::String(text) => scalar(text.clone(), Style::Given),
            Json::Array(items) => {
                Value::Seq(items.iter().map(|item| Self::from_json_at(item, inside)).collect::<Result<_, _>>()?)
            }
            Json::Object(object) => {
                let entry = |(key, value): (&String, &Json)| {
                    let node = Self::from_json_at(value, inside)?;
                    Ok(Entry { key: key.clone(), mark: Mark::default(), node })
                };
                Value::Map(Map { entries: object.iter().map(entry).collect::<Result<_, _>>()?, merged: None })
            }
        };
        Ok(Self::new(Mark::default(), value))
    }
}

impl Scalar {
    fn is_null(&self) -> bool {
        self.style == Style::Plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }
}

impl Map {
    /// The value of this key: the map's own, else that of the first merged map that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        let own = self.entries.iter().find(|entry| entry.key == key);
        own.or_else(|| self.merged().find_map(|map| map.get(key)))
    }

    /// All entries: the map's own in the order written, then what is merged.
    pub(crate) fn entries(&self) -> Vec<&Entry> {
        let mut all: Vec<&Entry> = self.entries.iter().collect();
        if self.merged.is_some() {
            let mut known: HashSet<&str> = all.iter().map(|entry| entry.key.as_str()).collect();
            let merged = self.merged().flat_map(Map::entries);
            all.extend(merged.filter(|entry| known.insert(&entry.key)));
        }
        all
    }

    /// The merged maps, the winning one first.
    fn merged(&self) -> impl Iterator<Item = &Map> {
        let maps = self.merged.iter().map(|node| match node.view() {
            View::Seq(items) => items,
            _ => std::slice::from_ref(&**node),
        });
        maps.flatten().filter_map(Node::map)
    }
}
