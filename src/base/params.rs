//! A node's parameters after validation: complete, typed, in range.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::base::canonical;

/// The parameters of a node or effect, every default filled in. Cloning shares them.
///
/// The getters panic ("BUG:") on a name or type that the schema does not have: validation
/// against the same schema is what makes a `Params`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Params(Arc<Map<String, Value>>);

impl Params {
    /// Parameters from validated entries.
    pub fn new(entries: Map<String, Value>) -> Self {
        Self(Arc::new(entries))
    }

    /// The entries.
    pub fn entries(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Canonical JSON, which enters the node's key.
    pub fn canonical(&self) -> String {
        canonical::to_string(&*self.0)
    }

    /// The value of a parameter, `None` when absent or null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A number parameter.
    pub fn number(&self, name: &str) -> f64 {
        self.optional_number(name).unwrap_or_else(|| panic!("BUG: no number {name:?} in {self:?}"))
    }

    /// A number parameter that may be absent.
    pub fn optional_number(&self, name: &str) -> Option<f64> {
        self.get(name).and_then(Value::as_f64)
    }

    /// An integer parameter.
    pub fn integer(&self, name: &str) -> i64 {
        self.optional_integer(name).unwrap_or_else(|| panic!("BUG: no integer {name:?} in {self:?}"))
    }

    /// An integer parameter that may be absent.
    pub fn optional_integer(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(Value::as_i64)
    }

    /// A text, choice or colour parameter.
    pub fn text(&self, name: &str) -> &str {
        self.optional_text(name).unwrap_or_else(|| panic!("BUG: no text {name:?} in {self:?}"))
    }

    /// A text, choice or colour parameter that may be absent.
    pub fn optional_text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// A boolean parameter; absent is false.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A map parameter as parameters of its own; empty when absent.
    #[must_use]
    pub fn nested(&self, name: &str) -> Params {
        Self::new(self.get(name).and_then(Value::as_object).cloned().unwrap_or_default())
    }

    /// A list parameter; empty when absent.
    pub fn list(&self, name: &str) -> &[Value] {
        self.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}
