//! The way to a value in a config, for messages about it.

use crate::base::NodeId;
use crate::recipe::problem::LocPart;
use crate::recipe::words::quoted;

/// The way to a value while it is looked at: a list through the callers' frames, which costs
/// nothing until a problem is found.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    part: Part<'a>,
    /// The node that it is in.
    pub(crate) node: Option<&'a NodeId>,
}

#[derive(Clone, Copy)]
enum Part<'a> {
    Root,
    Key(&'a str),
    Index(usize),
    /// What a message calls a value begins after this one.
    Node(&'a str),
}

impl<'a> Place<'a> {
    /// The whole document.
    pub(crate) const ROOT: Place<'static> = Place { parent: None, part: Part::Root, node: None };

    /// The value of this key.
    pub(crate) fn key(&'a self, key: &'a str) -> Place<'a> {
        Place { parent: Some(self), part: Part::Key(key), node: self.node }
    }

    /// The item at this position.
    pub(crate) fn index(&'a self, index: usize) -> Place<'a> {
        Place { parent: Some(self), part: Part::Index(index), node: self.node }
    }

    /// The node of this id.
    pub(crate) fn node(&'a self, id: &'a NodeId) -> Place<'a> {
        Place { parent: Some(self), part: Part::Node(id.as_str()), node: Some(id) }
    }

    /// The path from the root.
    pub(crate) fn loc(&self) -> Vec<LocPart> {
        let mut loc = self.parent.map_or_else(Vec::new, Place::loc);
        match self.part {
            Part::Root => {}
            Part::Key(key) | Part::Node(key) => loc.push(LocPart::Key(key.to_owned())),
            Part::Index(index) => loc.push(LocPart::Index(index)),
        }
        loc
    }

    /// What a message calls the value: its path within its node, such as `config.gains[2]`.
    pub(crate) fn label(&self) -> String {
        let before = || self.parent.map_or_else(String::new, Place::label);
        match self.part {
            Part::Root | Part::Node(_) => String::new(),
            Part::Key(key) => LocPart::Key(key.to_owned()).after(before()),
            Part::Index(index) => LocPart::Index(index).after(before()),
        }
    }
}

impl LocPart {
    /// The path that is `before` with this step after it. A key stands as it is where that is
    /// harmless, else quoted.
    pub(crate) fn after(&self, before: String) -> String {
        let harmless = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        match self {
            Self::Index(index) => format!("{before}[{index}]"),
            Self::Key(key) => {
                let dot = if before.is_empty() { "" } else { "." };
                if !key.is_empty() && key.len() <= 60 && key.chars().all(harmless) {
                    before + dot + key
                } else {
                    before + dot + &quoted(key)
                }
            }
        }
    }
}
