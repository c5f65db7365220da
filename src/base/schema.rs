//! What parameters a node type or an effect takes.
//!
//! One description serves validation, help, the docs and forms. Only data lives here:
//! `recipe::check` judges what a person wrote against it.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};

use crate::base::params::Params;

/// One parameter.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// The name, `snake_case`.
    pub name: &'static str,
    /// Type and range.
    pub kind: Kind,
    /// What holds when it is not written.
    pub default: Default,
    /// One line for people.
    pub doc: &'static str,
    /// The unit, e.g. `px`; empty for a bare number.
    pub unit: &'static str,
}

/// What a parameter's value may be.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A finite number in `min..=max`.
    Number {
        /// Least value.
        min: f64,
        /// Greatest value.
        max: f64,
    },
    /// A whole number in `min..=max`.
    Integer {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// True or false.
    Bool,
    /// Text of at most this many bytes.
    Text {
        /// Most bytes.
        max: usize,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A colour: a CSS basic colour name or `#rgb`, `#rgba`, `#rrggbb`, `#rrggbbaa`
    /// (see [`colour`]). Kept as `#rrggbbaa`.
    Colour,
    /// A content hash.
    Hash,
    /// A list whose items are all of one kind.
    List {
        /// The kind of each item.
        of: &'static Kind,
        /// Fewest items.
        min: usize,
        /// Most items.
        max: usize,
    },
    /// A map with these entries.
    Map(&'static [Param]),
    /// The name of an effect of the effect table.
    EffectName,
    /// Parameters of the effect named by the sibling parameter `effect`.
    EffectParams,
    /// Parameters of the node type named by the sibling parameter `operation`.
    NodeParams,
    /// The id of a node whose data the node reads beside its inputs. It is an input of its own, after
    /// them; the parameter's kept form is `true`.
    Node,
    /// Ids of nodes that are further inputs. The parameter's kept form is `true`.
    Nodes,
}

impl Kind {
    /// Does a value of it name nodes, and so is part of the graph?
    pub const fn is_reference(&self) -> bool {
        matches!(self, Self::Node | Self::Nodes)
    }
}

/// What holds when a parameter is not written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Default {
    /// It must be written.
    Required,
    /// It stays absent.
    Absent,
    /// A number (also for integers).
    Number(f64),
    /// A boolean.
    Bool(bool),
    /// A text, choice or colour in its kept form.
    Text(&'static str),
    /// An empty list.
    EmptyList,
    /// A map of its entries' defaults.
    Entries,
    /// A list of numbers.
    Numbers(&'static [f64]),
}

impl Param {
    /// The value when it is not written; `None` if it must be, or stays absent.
    pub fn default_value(&self) -> Option<Value> {
        match self.default {
            Default::Required | Default::Absent => None,
            Default::Number(number) => Some(number_value(self.kind, number)),
            Default::Bool(flag) => Some(Value::Bool(flag)),
            Default::Text(text) => Some(Value::String(text.to_owned())),
            Default::EmptyList => Some(Value::Array(Vec::new())),
            Default::Numbers(numbers) => {
                Some(Value::Array(numbers.iter().map(|n| number_value(self.kind, *n)).collect()))
            }
            Default::Entries => match self.kind {
                Kind::Map(entries) => Some(Value::Object(defaults(entries).entries().clone())),
                _ => Some(Value::Object(Map::new())),
            },
        }
    }
}

fn number_value(kind: Kind, number: f64) -> Value {
    let item = if let Kind::List { of, .. } = kind { *of } else { kind };
    if matches!(item, Kind::Integer { .. }) { Value::from(number as i64) } else { Value::from(number) }
}

/// All defaults of a schema.
pub fn defaults(params: &[Param]) -> Params {
    let entries = params.iter().filter_map(|param| Some((param.name.to_owned(), param.default_value()?)));
    Params::new(entries.collect())
}

impl Serialize for Param {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(None)?;
        map.serialize_entry("name", self.name)?;
        map.serialize_entry("type", self.kind.word())?;
        match self.kind {
            Kind::Number { min, max } => {
                map.serialize_entry("minimum", &min)?;
                map.serialize_entry("maximum", &max)?;
            }
            Kind::Integer { min, max } => {
                map.serialize_entry("minimum", &min)?;
                map.serialize_entry("maximum", &max)?;
            }
            Kind::Choice(words) => map.serialize_entry("choices", words)?,
            Kind::Map(entries) => map.serialize_entry("entries", entries)?,
            Kind::List { of: Kind::Map(entries), .. } => map.serialize_entry("entries", entries)?,
            _ => {}
        }
        map.serialize_entry("required", &(self.default == Default::Required))?;
        map.serialize_entry("default", &self.default_value())?;
        map.serialize_entry("unit", self.unit)?;
        map.serialize_entry("description", self.doc)?;
        map.end()
    }
}

impl Kind {
    /// The kind in one word, as help and API show it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Number { .. } => "number",
            Self::Integer { .. } => "integer",
            Self::Bool => "boolean",
            Self::Text { .. } => "text",
            Self::Choice(_) => "choice",
            Self::Colour => "colour",
            Self::Hash => "hash",
            Self::List { .. } => "list",
            Self::Map(_) => "map",
            Self::EffectName => "effect",
            Self::EffectParams => "parameters of the effect",
            Self::NodeParams => "parameters of the operation",
            Self::Node => "node",
            Self::Nodes => "nodes",
        }
    }
}

/// Reads a colour as RGBA bytes, straight alpha: the sixteen basic colours of CSS, `orange`,
/// `transparent`, or `#rgb`, `#rgba`, `#rrggbb`, `#rrggbbaa` (also with `0x` for `#`, as ffmpeg
/// writes it).
pub fn colour(text: &str) -> Option<[u8; 4]> {
    const NAMED: &[(&str, u32)] = &[
        ("transparent", 0),
        ("black", 0x0000_00ff),
        ("silver", 0xc0c0_c0ff),
        ("gray", 0x8080_80ff),
        ("grey", 0x8080_80ff),
        ("white", 0xffff_ffff),
        ("maroon", 0x8000_00ff),
        ("red", 0xff00_00ff),
        ("purple", 0x8000_80ff),
        ("fuchsia", 0xff00_ffff),
        ("magenta", 0xff00_ffff),
        ("green", 0x0080_00ff),
        ("lime", 0x00ff_00ff),
        ("olive", 0x8080_00ff),
        ("yellow", 0xffff_00ff),
        ("navy", 0x0000_80ff),
        ("blue", 0x0000_ffff),
        ("teal", 0x0080_80ff),
        ("aqua", 0x00ff_ffff),
        ("cyan", 0x00ff_ffff),
        ("orange", 0xffa5_00ff),
    ];
    let lower = text.to_ascii_lowercase();
    if let Some((_, rgba)) = NAMED.iter().find(|(name, _)| *name == lower) {
        return Some(rgba.to_be_bytes());
    }
    let hex = lower.strip_prefix('#').or_else(|| lower.strip_prefix("0x"))?;
    let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
    let pair = |i: usize| digits[i] << 4 | digits[i + 1];
    let single = |i: usize| digits[i] * 17;
    match digits.len() {
        3 => Some([single(0), single(1), single(2), 255]),
        4 => Some([single(0), single(1), single(2), single(3)]),
        6 => Some([pair(0), pair(2), pair(4), 255]),
        8 => Some([pair(0), pair(2), pair(4), pair(6)]),
        _ => None,
    }
}

/// The kept form of a colour, `#rrggbbaa`.
pub fn colour_text([r, g, b, a]: [u8; 4]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}{a:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_in_every_form() {
        assert_eq!(colour("Black"), Some([0, 0, 0, 255]));
        assert_eq!(colour("#fa0"), Some([255, 170, 0, 255]));
        assert_eq!(colour("#ff880040"), Some([255, 136, 0, 64]));
        assert_eq!(colour("0xFF8800"), Some([255, 136, 0, 255]));
        for bad in ["", "#", "#12345", "blackish", "#gggggg", "#é"] {
            assert_eq!(colour(bad), None, "{bad}");
        }
        assert_eq!(colour_text([1, 2, 255, 0]), "#0102ff00");
    }
}
