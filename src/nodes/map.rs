//! `MAP`: the same done to each item of a list.
//!
//! Where a recipe is bound, each item becomes a node of the operation's type, so that its value is
//! the very one that such a node has, and is known where that one is.

use serde_json::Value;

use crate::base::Params;
use crate::base::limits::{self, CONFIG_NODES};
use crate::base::schema::{self, Default, Kind as Type, Param};
use crate::media::{Facts, Kind};
use crate::nodes::segment::MOST_SECONDS;
use crate::nodes::{Lowered, NodeError, NodeType, Ports, table};

/// The node type's name.
pub const MAP: &str = "MAP";

/// The node type.
pub(super) struct Map;

const PARAMS: &[Param] = &[
    Param {
        name: "operation",
        kind: Type::Text { max: 64 },
        default: Default::Required,
        doc: "RANDOM_SLICE (a piece of each item, from a random place), or any node type with inputs.",
        unit: "",
    },
    Param {
        name: "items",
        kind: Type::Nodes,
        default: Default::Absent,
        doc: "The list, or nodes that are its items, where they are not written as `inputs`.",
        unit: "",
    },
    Param {
        name: "config",
        kind: Type::NodeParams,
        default: Default::Entries,
        doc: "The operation's own parameters.",
        unit: "",
    },
    Param {
        name: "effects",
        kind: Type::List { of: &Type::Map(super::transform::EFFECTS), min: 0, max: limits::LIST_ITEMS },
        default: Default::EmptyList,
        doc: "For TRANSFORM: the effects of each item in turn, from the first again after the last.",
        unit: "",
    },
    Param {
        name: "duration",
        kind: Type::Number { min: 0.001, max: MOST_SECONDS },
        default: Default::Number(1.0),
        doc: "For RANDOM_SLICE: how long each piece lasts; an item that is shorter is taken as it is.",
        unit: "s",
    },
    Param {
        name: "seed",
        kind: Type::Integer { min: 0, max: i64::MAX },
        default: Default::Number(0.0),
        doc: "For RANDOM_SLICE: another seed takes other pieces.",
        unit: "",
    },
    Param {
        name: SEED_FROM,
        kind: Type::Text { max: 256 },
        default: Default::Absent,
        doc: "What goes into the seed: the content of the source with this id, or these words.",
        unit: "",
    },
];

/// The parameter that names what goes into the seed.
pub const SEED_FROM: &str = "seed_from";

/// A piece from a random place.
const RANDOM_SLICE: &str = "RANDOM_SLICE";

/// The parameters that `config` of a `MAP` has for an operation; `None` if there is no such
/// operation.
pub fn node_params(operation: &str) -> Option<&'static [Param]> {
    if operation == RANDOM_SLICE {
        return Some(&[]);
    }
    let node_type = table::find(operation).filter(|node_type| node_type.ports().max > 0 && node_type.name() != MAP)?;
    Some(node_type.params())
}

/// What a `MAP` does to item `index`: a node type and its parameters.
pub fn of_item(params: &Params, index: usize, item: &Facts) -> (&'static dyn NodeType, Params) {
    let operation = params.text("operation");
    let find =
        |name: &str| table::find(name).unwrap_or_else(|| panic!("BUG: validation let the operation {name:?} pass"));
    if operation == RANDOM_SLICE {
        let segment = find("SEGMENT");
        return (segment, slice(params, index, item, segment));
    }
    let node_type = find(operation);
    let effects = params.list("effects");
    let own = params.nested("config");
    if effects.is_empty() {
        return (node_type, own);
    }
    let mut entries = own.entries().clone();
    entries.insert("effects".to_owned(), effects[index % effects.len()].clone());
    (node_type, Params::new(entries))
}

/// The parameters of a random piece: its place is the seed's hash modulo the places there are, so
/// that it is the same everywhere.
fn slice(params: &Params, index: usize, item: &Facts, segment: &dyn NodeType) -> Params {
    let duration = params.number("duration");
    let words = params.optional_text(SEED_FROM).unwrap_or_default();
    let seed = (params.integer("seed") as u64).to_le_bytes();
    let hash = blake3::hash(&[&seed[..], &(index as u64).to_le_bytes(), words.as_bytes()].concat());
    let random = hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let (length, wanted, unit): (u64, u64, f64) = match item.clip {
        Some(clip) => (clip.frames, clip.rate.frame_at(duration), clip.rate.seconds(1)),
        None => (item.samples, crate::media::time::sample_at(duration), 1.0 / 48_000.0),
    };
    let places = length.saturating_sub(wanted) + 1;
    let mut entries = schema::defaults(segment.params()).entries().clone();
    entries.insert("offset".to_owned(), Value::from((random % places) as f64 * unit));
    entries.insert("duration".to_owned(), Value::from(duration));
    Params::new(entries)
}

impl NodeType for Map {
    fn name(&self) -> &'static str {
        MAP
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "Does the same to each item of a list; the result is a list, for SEQUENCE and its like."
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn ports(&self) -> Ports {
        Ports { min: 1, max: CONFIG_NODES, names: &["items"], kinds: &[] }
    }

    fn output(&self) -> Option<Kind> {
        None
    }

    fn check(&self, params: &Params, _inputs: usize) -> Vec<(String, String)> {
        let operation = params.text("operation");
        let mut problems = Vec::new();
        if node_params(operation).is_none() {
            let hint = crate::base::suggest::did_you_mean(operation, table::names().chain([RANDOM_SLICE]));
            problems.push(("operation".to_owned(), format!("there is no operation {operation:?}{hint}")));
        }
        let own = params.nested("config");
        let references = node_params(operation).unwrap_or_default().iter().filter(|param| param.kind.is_reference());
        for param in references.filter(|param| own.flag(param.name)) {
            problems.push((format!("config.{}", param.name), "it cannot be given for each item of a list".to_owned()));
        }
        if !params.list("effects").is_empty() && operation != "TRANSFORM" {
            problems.push(("effects".to_owned(), "it is for the operation TRANSFORM".to_owned()));
        }
        problems
    }

    fn facts(&self, _params: &Params, _inputs: &[Facts]) -> Result<Facts, NodeError> {
        Err(NodeError::Inputs("a list is known by its items alone".to_owned()))
    }

    fn lower(&self, _params: &Params, _inputs: &[Facts]) -> Lowered {
        panic!("BUG: a MAP is its items' nodes once it is bound")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::media::{Clip, Pixels, Rate};
    use crate::nodes::testing::params;

    #[test]
    fn random_pieces_lie_inside_and_follow_the_seed() {
        let item = Facts::video(8, 8, Clip { rate: Rate::STILL, frames: 100, pixels: Pixels::Yuv420, sound: false });
        let places = |seed: u64| -> Vec<u64> {
            let params = params(&Map, json!({"operation": "RANDOM_SLICE", "duration": 2, "seed": seed}));
            let place = |index| {
                let (node_type, own) = of_item(&params, index, &item);
                let facts = node_type.facts(&own, std::slice::from_ref(&item)).unwrap();
                assert_eq!(facts.clip.unwrap().frames, 50);
                Rate::STILL.frame_at(own.number("offset"))
            };
            (0..20).map(place).collect()
        };
        assert_eq!(places(1), places(1));
        assert_ne!(places(1), places(2));
        assert!(places(1).iter().all(|place| *place <= 50) && places(1).iter().max() > Some(&30));
    }

    #[test]
    fn effects_are_taken_in_turn() {
        let effects = json!([{"hue": 10}, {"hue": 20}]);
        let params = params(&Map, json!({"operation": "TRANSFORM", "effects": effects}));
        let hue = |index| of_item(&params, index, &Facts::image(1, 1)).1.nested("effects").number("hue") as i32;
        assert_eq!([hue(0), hue(1), hue(2)], [10, 20, 10]);
        let problems = |config| Map.check(&super::tests::params(&Map, config), 1).len();
        assert_eq!(problems(json!({"operation": "TRANSFROM"})), 1);
        assert_eq!(problems(json!({"operation": "MAP"})), 1);
        assert_eq!(problems(json!({"operation": "RESIZE", "effects": effects})), 1);
    }
}
