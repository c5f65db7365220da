//! Parameters of effects and node types as clients see them, and as a table for people.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cli::table::Table;

/// A parameter: the JSON of a schema, read back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParamView {
    /// Its name.
    pub name: String,
    /// Its type in a word.
    #[serde(rename = "type")]
    pub kind: String,
    /// The least value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Value>,
    /// The greatest value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Value>,
    /// The words to choose from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<String>>,
    /// What it consists of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<Vec<ParamView>>,
    /// Must it be written?
    pub required: bool,
    /// What holds when it is not.
    pub default: Value,
    /// Its unit.
    pub unit: String,
    /// One line for people.
    pub description: String,
}

/// What a server tells, read as its client does.
pub fn read_back<T: DeserializeOwned>(told: &impl Serialize) -> T {
    let read_back = serde_json::to_value(told).and_then(serde_json::from_value);
    read_back.unwrap_or_else(|error| panic!("BUG: what is told cannot be read back: {error}"))
}

/// Parameters as a table.
pub fn table(params: &[ParamView]) -> Table {
    let mut table = Table::new(&["parameter", "type", "default", "about"]);
    for param in params {
        let default = match &param.default {
            Value::String(text) => text.clone(),
            Value::Null if param.required => "required".to_owned(),
            Value::Null => "-".to_owned(),
            value => value.to_string(),
        };
        table.row(&[param.name.clone(), kind(param), default, param.description.clone()]);
    }
    table
}

fn kind(param: &ParamView) -> String {
    if let Some(choices) = &param.choices {
        return choices.join("|");
    }
    match (&param.minimum, &param.maximum) {
        (Some(min), Some(max)) => {
            let text = format!("{} {} to {} {}", param.kind, number(min), number(max), param.unit);
            text.trim_end().to_owned()
        }
        _ => param.kind.clone(),
    }
}

/// A number as people write it: 1, not 1.0.
fn number(value: &Value) -> String {
    match (value.as_i64(), value.as_f64()) {
        (None, Some(number)) => number.to_string(),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_reads_back_as_it_was_written() {
        for effect in crate::effects::EFFECTS {
            let views: Vec<ParamView> = read_back(&effect.params());
            assert_eq!(serde_json::to_value(&views).unwrap(), serde_json::to_value(effect.params()).unwrap());
        }
        for node_type in crate::nodes::NODE_TYPES {
            let views: Vec<ParamView> = read_back(&node_type.params());
            assert_eq!(serde_json::to_value(&views).unwrap(), serde_json::to_value(node_type.params()).unwrap());
        }
    }

    #[test]
    fn numbers_are_written_as_people_write_them() {
        assert_eq!([number(&1.0.into()), number(&0.5.into()), number(&3.into())], ["1", "0.5", "3"]);
    }
}
