//! `SEGMENT_AT`: consecutive pieces between times, from the inputs in turn, joined.

use serde_json::Value;

use crate::base::Params;
use crate::base::limits::CONFIG_NODES;
use crate::base::schema::{Default, Kind as Type, Param};
use crate::media::{Facts, Kind};
use crate::nodes::segment::MOST_SECONDS;
use crate::nodes::switch::Switched;
use crate::nodes::{Lowered, NodeError, NodeType, Ports};

/// The node type.
pub(super) struct SegmentAt;

const PARAMS: &[Param] = &[
    Param {
        name: "times",
        kind: Type::List { of: &Type::Number { min: 0.0, max: MOST_SECONDS }, min: 2, max: CONFIG_NODES },
        default: Default::Required,
        doc: "Where pieces begin and end, ascending: each two neighbours hold one piece.",
        unit: "s",
    },
    Param {
        name: "distribute",
        kind: Type::Choice(&["round_robin"]),
        default: Default::Text("round_robin"),
        doc: "Which input each piece is of: each in turn.",
        unit: "",
    },
];

fn times(params: &Params) -> Vec<f64> {
    params.list("times").iter().filter_map(Value::as_f64).collect()
}

impl NodeType for SegmentAt {
    fn name(&self) -> &'static str {
        "SEGMENT_AT"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "Joins the pieces between times, of each input in turn; time goes on in all of them."
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn ports(&self) -> Ports {
        let kinds = &[Kind::Video, Kind::Image, Kind::Audio];
        Ports { min: 1, max: CONFIG_NODES, names: &["inputs"], kinds }
    }

    fn output(&self) -> Option<Kind> {
        None
    }

    fn check(&self, params: &Params, _inputs: usize) -> Vec<(String, String)> {
        let times = times(params);
        let disordered = times.windows(2).enumerate().filter(|(_, pair)| pair[1] <= pair[0]);
        disordered
            .map(|(at, pair)| (format!("times[{}]", at + 1), format!("{} is not after {}", pair[1], pair[0])))
            .collect()
    }

    fn facts(&self, params: &Params, inputs: &[Facts]) -> Result<Facts, NodeError> {
        Ok(Switched::between(&times(params), inputs)?.facts())
    }

    fn lower(&self, params: &Params, inputs: &[Facts]) -> Lowered {
        let pieces = Switched::between(&times(params), inputs);
        Lowered::Clip(Box::new(pieces.unwrap_or_else(|error| panic!("BUG: lowered without facts: {error}"))))
    }
}
