//! Why a node is no hit: which parts of its key differ from the nearest known key.

use serde::{Deserialize, Serialize};

use crate::base::NodeKey;
use crate::plan::key::KeyParts;

/// One part of a key that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Difference {
    /// Which part: `parameters.sigma`, `input 0`, `tool effect:dog`, …
    pub part: String,
    /// Its value in the node asked about; `None` where it has no such part.
    pub here: Option<String>,
    /// Its value in the nearest known key.
    pub known: Option<String>,
}

/// The known parts nearest to `parts`: of the same node type, with the fewest differences;
/// among equals the first.
pub fn nearest<'a>(parts: &KeyParts, known: impl Iterator<Item = &'a KeyParts>) -> Option<&'a KeyParts> {
    known.filter(|other| other.node_type == parts.node_type).min_by_key(|other| differences(parts, other).len())
}

/// What differs, part by part. Parameters are compared one by one.
pub fn differences(here: &KeyParts, known: &KeyParts) -> Vec<Difference> {
    let (here, known) = (flat_lines(here), flat_lines(known));
    let value_in = |lines: &[(String, String)], part: &str| {
        lines.iter().find(|(label, _)| label == part).map(|(_, value)| value.clone())
    };
    let only_known = known.iter().filter(|(label, _)| value_in(&here, label).is_none());
    here.iter()
        .chain(only_known)
        .map(|(label, _)| Difference {
            part: label.clone(),
            here: value_in(&here, label),
            known: value_in(&known, label),
        })
        .filter(|difference| difference.here != difference.known)
        .collect()
}

/// The key's lines with the parameters spread out, one line each.
fn flat_lines(parts: &KeyParts) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for (label, value) in parts.lines() {
        match serde_json::from_str::<serde_json::Value>(&value) {
            Ok(json) if label == "parameters" => spread(&label, &json, &mut lines),
            _ => lines.push((label, value)),
        }
    }
    lines
}

fn spread(path: &str, value: &serde_json::Value, lines: &mut Vec<(String, String)>) {
    match value {
        serde_json::Value::Object(entries) => {
            for (name, value) in entries {
                spread(&format!("{path}.{name}"), value, lines);
            }
        }
        other => lines.push((path.to_owned(), other.to_string())),
    }
}

/// An explanation for people and clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Why {
    /// The node asked about.
    pub node: String,
    /// Its key.
    pub key: NodeKey,
    /// `hit`, `miss`, `source`, or `not needed` (something after it is known).
    pub state: String,
    /// The parts of the key.
    #[schema(value_type = Vec<Vec<String>>)]
    pub parts: Vec<(String, String)>,
    /// The nearest known key, if any of this node type is known.
    pub nearest: Option<NodeKey>,
    /// What differs from it.
    pub differences: Vec<Difference>,
    /// The same for the inputs whose keys differ, so that the cause is at the end of a path.
    #[schema(no_recursion)]
    pub causes: Vec<Why>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(node_type: &str, params: &str) -> KeyParts {
        KeyParts {
            node_type: node_type.to_owned(),
            version: 1,
            content: None,
            params: params.to_owned(),
            inputs: vec![NodeKey::from_bytes([7; 32])],
            tools: Vec::new(),
        }
    }

    #[test]
    fn a_changed_parameter_is_named() {
        let here = parts("EFFECT", r#"{"effect":"dog","params":{"k":1.6,"sigma":2}}"#);
        let known = parts("EFFECT", r#"{"effect":"dog","params":{"k":1.6,"sigma":1.4}}"#);
        assert_eq!(
            differences(&here, &known),
            [Difference {
                part: "parameters.params.sigma".to_owned(),
                here: Some("2".to_owned()),
                known: Some("1.4".to_owned()),
            }]
        );
    }

    #[test]
    fn the_nearest_is_of_the_same_type_with_fewest_differences() {
        let here = parts("RESIZE", r#"{"height":10,"width":10}"#);
        let known = [
            parts("LAYER", r#"{"height":10,"width":10}"#),
            parts("RESIZE", r#"{"height":20,"width":20}"#),
            parts("RESIZE", r#"{"height":10,"width":20}"#),
        ];
        assert_eq!(nearest(&here, known.iter()), Some(&known[2]));
        assert_eq!(nearest(&parts("BLEND", "{}"), known.iter()), None);
    }
}
