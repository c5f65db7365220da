//! `SEGMENT_AT`: consecutive pieces between times, from the inputs in turn, joined.
//!
//! The times are written, or are what an `ANALYZE` node finds: then how long the value is, is
//! known only when that node's value is.

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
        default: Default::Absent,
        doc: "Where pieces begin and end, ascending: each two neighbours hold one piece.",
        unit: "s",
    },
    Param {
        name: TIMES_FROM,
        kind: Type::Node,
        default: Default::Absent,
        doc: "An ANALYZE node whose times are taken in the place of `times`: beats, else onsets, else scene changes.",
        unit: "",
    },
    Param {
        name: "distribute",
        kind: Type::Choice(&["round_robin"]),
        default: Default::Text("round_robin"),
        doc: "Which input each piece is of: each in turn.",
        unit: "",
    },
];

const TIMES_FROM: &str = "times_from";

fn times(params: &Params) -> Vec<f64> {
    params.list("times").iter().filter_map(Value::as_f64).collect()
}

/// The times of an analysis, of whatever feature.
fn found_in(data: &Value) -> Option<&Vec<Value>> {
    let places = [&data["beat_times"], &data["beats"]["beat_times"], &data["onsets"], &data["scene_changes"]];
    places.into_iter().find_map(Value::as_array)
}

/// The pieces: written times are each at least a frame apart; found ones that are not are left out.
fn pieces(params: &Params, inputs: &[Facts]) -> Result<Switched, NodeError> {
    let (Some((last, films)), true) = (inputs.split_last(), params.flag(TIMES_FROM)) else {
        return Switched::between(&times(params), inputs);
    };
    let data = last.data.as_deref().unwrap_or_else(|| panic!("BUG: SEGMENT_AT is judged before its data is known"));
    let Some(found) = found_in(data) else {
        return Err(NodeError::Inputs(
            "times_from has no times; take an ANALYZE of beats, onsets or scene_changes".to_owned(),
        ));
    };
    let times: Vec<f64> = found.iter().filter_map(Value::as_f64).collect();
    let times = Switched::apart(&times, films)?;
    if times.len() < 2 {
        let count = found.len();
        return Err(NodeError::Inputs(format!("times_from found {count} times, and a piece lies between two")));
    }
    Switched::between(&times, films)
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
        let reason = match (params.get("times").is_some(), params.flag(TIMES_FROM)) {
            (true, true) => "times_from is written too; one of them says where the pieces are",
            (false, false) => "it is missing; write times, or times_from with the id of an ANALYZE node",
            _ => "",
        };
        if !reason.is_empty() {
            return vec![("times".to_owned(), reason.to_owned())];
        }
        let disordered = times.windows(2).enumerate().filter(|(_, pair)| pair[1] <= pair[0]);
        disordered
            .map(|(at, pair)| (format!("times[{}]", at + 1), format!("{} is not after {}", pair[1], pair[0])))
            .collect()
    }

    fn facts(&self, params: &Params, inputs: &[Facts]) -> Result<Facts, NodeError> {
        Ok(pieces(params, inputs)?.facts())
    }

    fn lower(&self, params: &Params, inputs: &[Facts]) -> Lowered {
        Lowered::Clip(Box::new(
            pieces(params, inputs).unwrap_or_else(|error| panic!("BUG: lowered without facts: {error}")),
        ))
    }
}
