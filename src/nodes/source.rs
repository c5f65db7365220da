//! `SOURCE`: media from outside.
//!
//! Only says what may be written. Which bytes a source holds is settled where a recipe is bound
//! to its inputs, what they are by one look at them; its key is their hash alone.

use crate::base::Params;
use crate::base::limits;
use crate::base::schema::{Default, Kind as Type, Param};
use crate::media::{Facts, Kind};
use crate::nodes::{Lowered, NodeError, NodeType, Ports};

/// The node type.
pub(super) struct Source;

const PARAMS: &[Param] = &[
    Param {
        name: "input",
        kind: Type::Bool,
        default: Default::Bool(false),
        doc: "Is it given for each run (a variable input)?",
        unit: "",
    },
    Param {
        name: "name",
        kind: Type::Text { max: limits::NODE_ID_BYTES },
        default: Default::Absent,
        doc: "What a variable input is called for people and in a run's inputs, beside its node id.",
        unit: "",
    },
    Param {
        name: "description",
        kind: Type::Text { max: 4096 },
        default: Default::Absent,
        doc: "What a variable input is for.",
        unit: "",
    },
    Param {
        name: "media",
        kind: Type::Choice(&["image", "video", "audio", "data"]),
        default: Default::Absent,
        doc: "The kind that the input must have; any, if not written.",
        unit: "",
    },
    Param {
        name: "asset",
        kind: Type::Text { max: limits::ASSET_NAME_BYTES },
        default: Default::Absent,
        doc: "The name of an asset: of the config's registry, or of the home.",
        unit: "",
    },
    Param {
        name: "hash",
        kind: Type::Hash,
        default: Default::Absent,
        doc: "The content hash of what it holds.",
        unit: "",
    },
];

impl NodeType for Source {
    fn name(&self) -> &'static str {
        "SOURCE"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "Media from outside: given for each run (`input: true`), or fixed (`asset: NAME` or `hash: \"…\"`)."
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn ports(&self) -> Ports {
        Ports { min: 0, max: 0, names: &[], kinds: &[] }
    }

    fn output(&self) -> Option<Kind> {
        None
    }

    fn check(&self, params: &Params, _inputs: usize) -> Vec<(String, String)> {
        let written = [
            ("input", params.flag("input")),
            ("asset", params.optional_text("asset").is_some()),
            ("hash", params.optional_text("hash").is_some()),
        ];
        let mut held = written.iter().filter(|(_, is_written)| *is_written).map(|(name, _)| *name);
        match (held.next(), held.next()) {
            (Some(_), None) => Vec::new(),
            (None, _) => {
                let reason = "a SOURCE has `input: true` (given for each run), `asset: NAME` or `hash: \"…\"`";
                vec![("input".to_owned(), reason.to_owned())]
            }
            (Some(first), Some(second)) => {
                let reason =
                    format!("a SOURCE has one of `input: true`, `asset` and `hash`; this one has `{first}` too");
                vec![(second.to_owned(), reason)]
            }
        }
    }

    fn facts(&self, _params: &Params, _inputs: &[Facts]) -> Result<Facts, NodeError> {
        Err(NodeError::Inputs("a SOURCE is known by its bytes alone".to_owned()))
    }

    fn lower(&self, _params: &Params, _inputs: &[Facts]) -> Lowered {
        Lowered::Source
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::nodes::testing::params;

    #[test]
    fn it_holds_exactly_one_thing() {
        let paths = |config| -> Vec<String> {
            Source.check(&params(&Source, config), 0).into_iter().map(|(path, _)| path).collect()
        };
        assert!(paths(json!({"input": true, "name": "picture", "media": "image"})).is_empty());
        assert!(paths(json!({"asset": "cat"})).is_empty());
        assert!(paths(json!({"hash": "0".repeat(64), "input": false})).is_empty());
        assert_eq!(paths(json!({})), ["input"]);
        assert_eq!(paths(json!({"input": true, "asset": "cat"})), ["asset"]);
        assert_eq!(paths(json!({"asset": "cat", "hash": "0".repeat(64)})), ["hash"]);
    }
}
