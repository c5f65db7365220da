//! The maps of a config that are not parameters: their keys, and the texts in them.

use crate::recipe::check::unknown_keys;
use crate::recipe::leaf::wrong_type;
use crate::recipe::place::Place;
use crate::recipe::problem::Mark;
use crate::recipe::problems::Problems;
use crate::recipe::yaml::{Map, Node};

/// A map with a fixed set of keys. Keys that begin with `x-` are left to their writer.
pub(crate) struct Section<'a> {
    map: &'a Map,
    /// Keys that are probably there, misspelt.
    meant: Vec<&'static str>,
    /// Where it is written.
    pub(crate) mark: Mark,
}

impl<'a> Section<'a> {
    /// The map that a node is, its keys checked; `None` if it is no map.
    pub(crate) fn new(
        node: &'a Node,
        keys: &[&'static str],
        place: &Place<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let Some(map) = node.map() else {
            return wrong_type(node, "a map", place, problems);
        };
        let meant = unknown_keys(map, keys, place, problems).unwrap_or_default();
        Some(Self { map, meant, mark: node.mark })
    }

    /// The value of a key that is written as something.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Node> {
        self.map.get(key).map(|entry| &entry.node).filter(|node| !node.is_null())
    }

    /// The value of a key that must be there.
    pub(crate) fn require(&self, key: &str, place: &Place<'_>, problems: &mut Problems) -> Option<&'a Node> {
        let node = self.get(key);
        // A misspelt key is one slip, not two.
        if node.is_none() && !self.meant.contains(&key) {
            let place = place.key(key);
            problems.error("missing", &place, self.mark, format!("{} is missing", place.label()));
        }
        node
    }
}

/// The text of a scalar of at most `max` bytes without control characters but tabs and line ends.
pub(crate) fn text<'a>(node: &'a Node, max: usize, place: &Place<'_>, problems: &mut Problems) -> Option<&'a str> {
    let Some(scalar) = node.scalar() else {
        return wrong_type(node, "a text", place, problems);
    };
    let text = scalar.text.as_str();
    let label = || place.label();
    let message = if text.len() > max {
        format!("{} has {} bytes, and the limit is {max}", label(), text.len())
    } else if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        format!("{} holds a control character", label())
    } else {
        return Some(text);
    };
    problems.error("bad_value", place, node.mark, message);
    None
}
