//! `SOURCE_LIST`: several media from outside, in order.
//!
//! A list is no value of its own: where a recipe is bound, each item becomes a `SOURCE`, and a node
//! with any number of inputs takes them all.

use crate::base::Params;
use crate::base::limits;
use crate::base::schema::{Default, Kind as Type, Param};
use crate::media::{Facts, Kind};
use crate::nodes::{Lowered, NodeError, NodeType, Ports};

/// The node type's name.
pub const SOURCE_LIST: &str = "SOURCE_LIST";

/// The node type.
pub(super) struct SourceList;

const PARAMS: &[Param] = &[
    Param {
        name: "input",
        kind: Type::Bool,
        default: Default::Bool(true),
        doc: "Is it given for each run (a variable input: several hashes)?",
        unit: "",
    },
    Param {
        name: "name",
        kind: Type::Text { max: limits::NODE_ID_BYTES },
        default: Default::Absent,
        doc: "What it is called for people and in a run's inputs, beside its node id.",
        unit: "",
    },
    Param {
        name: "description",
        kind: Type::Text { max: 4096 },
        default: Default::Absent,
        doc: "What it is for.",
        unit: "",
    },
    Param {
        name: "media",
        kind: Type::Choice(&["image", "video", "audio", "data"]),
        default: Default::Absent,
        doc: "The kind that each item must have; any, if not written.",
        unit: "",
    },
    Param {
        name: "items",
        kind: Type::List { of: &Type::Hash, min: 1, max: limits::LIST_ITEMS },
        default: Default::Absent,
        doc: "The content hashes of a list that the config fixes.",
        unit: "",
    },
];

impl NodeType for SourceList {
    fn name(&self) -> &'static str {
        SOURCE_LIST
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "Several media from outside, for nodes with any number of inputs and for MAP."
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
        if params.flag("input") || params.get("items").is_some() {
            Vec::new()
        } else {
            vec![("items".to_owned(), "a list that is not given for each run needs items".to_owned())]
        }
    }

    fn facts(&self, _params: &Params, _inputs: &[Facts]) -> Result<Facts, NodeError> {
        Err(NodeError::Inputs("a list is known by its items alone".to_owned()))
    }

    fn lower(&self, _params: &Params, _inputs: &[Facts]) -> Lowered {
        Lowered::Source
    }
}
