//! Canonical JSON (RFC 8785): one text for one value, whatever wrote it.

use serde::Serialize;
use serde_json::value::RawValue;

/// The canonical text of `value`.
///
/// Every type of this crate that is written canonically has string keys and finite numbers,
/// the only things that RFC 8785 cannot do without.
pub fn to_string<T: Serialize>(value: &T) -> String {
    serde_json_canonicalizer::to_string(value).expect("BUG: a value that is written canonically has a canonical form")
}

/// The canonical text of `value`, which any writer of JSON puts in its place as it is.
pub fn raw<T: Serialize>(value: &T) -> Box<RawValue> {
    RawValue::from_string(to_string(value)).expect("BUG: a canonical form is JSON")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn keys_are_sorted_and_numbers_have_one_form() {
        assert_eq!(super::to_string(&json!({"b": 1.0, "a": [1e2, 0.5, -0.0]})), r#"{"a":[100,0.5,0],"b":1}"#);
    }
}
