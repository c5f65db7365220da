//! A JSON object read field by field, every problem gathered with its place.
//!
//! Types are told apart as `FastAPI` tells them (`missing`, `string_type`, `extra_forbidden`, …),
//! so that clients which look at `type` and `loc` find what they know. A field that is `null`
//! counts as absent. What fields mean is not known here.

use serde_json::{Map, Value, json};

use crate::base::limits::BODY_PROBLEMS;
use crate::base::suggest::did_you_mean;
use crate::http::error::{ApiError, ApiResult};

/// An object's fields, and what was found to be wrong so far.
pub struct Fields {
    loc: Vec<Value>,
    entries: Map<String, Value>,
    known: Vec<&'static str>,
    problems: Vec<Value>,
}

impl Fields {
    /// The fields of a request's body.
    pub fn of_body(entries: Map<String, Value>) -> Self {
        Self { loc: vec!["body".into()], entries, known: Vec::new(), problems: Vec::new() }
    }

    /// A field of any type.
    pub fn value(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.entries.remove(name).filter(|value| !value.is_null())
    }

    /// A text that must be there.
    pub fn required_text(&mut self, name: &'static str) -> Option<String> {
        match self.value(name) {
            Some(value) => self.as_text(name, value),
            None => {
                self.problem(&[name.into()], "missing", format!("{name:?} is required"));
                None
            }
        }
    }

    /// A text.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        let value = self.value(name)?;
        self.as_text(name, value)
    }

    fn as_text(&mut self, name: &'static str, value: Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text),
            other => self.wrong(name, "string_type", "a text", &other),
        }
    }

    /// True or false.
    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.value(name)? {
            Value::Bool(flag) => Some(flag),
            other => self.wrong(name, "bool_type", "true or false", &other),
        }
    }

    /// A whole number in a range; `2.0` is one too.
    pub fn integer(&mut self, name: &'static str, min: i64, max: i64) -> Option<i64> {
        let value = self.value(name)?;
        let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64);
        let Some(number) = value.as_i64().or_else(|| value.as_f64().and_then(whole)) else {
            return self.wrong(name, "int_type", &format!("a whole number from {min} to {max}"), &value);
        };
        if (min..=max).contains(&number) {
            return Some(number);
        }
        let kind = if number < min { "greater_than_equal" } else { "less_than_equal" };
        self.problem(&[name.into()], kind, format!("{name:?} is {number}; {min} to {max} is allowed"));
        None
    }

    /// A map.
    pub fn object(&mut self, name: &'static str) -> Option<Map<String, Value>> {
        match self.value(name)? {
            Value::Object(entries) => Some(entries),
            other => self.wrong(name, "dict_type", "an object", &other),
        }
    }

    /// A list of texts.
    pub fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        let items = match self.value(name)? {
            Value::Array(items) => items,
            other => return self.wrong(name, "list_type", "a list of texts", &other),
        };
        let mut texts = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            match item {
                Value::String(text) => texts.push(text),
                other => self.problem(&[name.into(), index.into()], "string_type", wanted("a text", &other)),
            }
        }
        Some(texts)
    }

    /// An object with fields of its own, if it is there.
    pub fn nested<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let entries = self.object(name)?;
        let mut loc = self.loc.clone();
        loc.push(name.into());
        let mut inner = Self { loc, entries, known: Vec::new(), problems: Vec::new() };
        let value = read(&mut inner);
        inner.refuse_unknown();
        self.problems.append(&mut inner.problems);
        Some(value)
    }

    /// Something that is wrong at the end of a path from here.
    pub fn problem(&mut self, path: &[Value], kind: &str, message: impl Into<String>) {
        if self.problems.len() < BODY_PROBLEMS {
            let loc: Vec<&Value> = self.loc.iter().chain(path).collect();
            self.problems.push(json!({"loc": loc, "msg": message.into(), "type": kind}));
        }
    }

    fn wrong<T>(&mut self, name: &'static str, kind: &str, what: &str, found: &Value) -> Option<T> {
        self.problem(&[name.into()], kind, format!("{name:?}: {}", wanted(what, found)));
        None
    }

    fn refuse_unknown(&mut self) {
        // More are not told, and need not be looked for.
        let room = BODY_PROBLEMS.saturating_sub(self.problems.len());
        for name in std::mem::take(&mut self.entries).into_iter().map(|(name, _)| name).take(room) {
            let suggestion = did_you_mean(&name, self.known.iter().copied());
            let message = format!("there is no field {name:?}{suggestion}");
            self.problem(&[name.into()], "extra_forbidden", message);
        }
    }

    /// Refuses the body if anything was wrong, fields that nobody asked for included.
    pub fn finish(mut self) -> ApiResult<()> {
        self.refuse_unknown();
        if self.problems.is_empty() { Ok(()) } else { Err(ApiError::problems(self.problems)) }
    }
}

/// What was wanted, and what was found instead.
pub fn wanted(what: &str, found: &Value) -> String {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    format!("{what} is wanted, and {found} was given")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(value: Value) -> Fields {
        match value {
            Value::Object(entries) => Fields::of_body(entries),
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn of_many_unknown_fields_some_are_told() {
        let many: Map<String, Value> = (0..100_000).map(|n| (format!("field{n}"), Value::Null)).collect();
        let told = Fields::of_body(many).finish().unwrap_err();
        assert_eq!(told.detail().as_array().map(Vec::len), Some(BODY_PROBLEMS));
    }

    #[test]
    fn every_problem_is_told_with_its_place() {
        let mut fields = fields(json!({"name": 1, "size": 2.5, "many": 11, "keep": ["a", 2], "optoins": {}}));
        assert_eq!(fields.required_text("recipe"), None);
        assert_eq!(fields.text("name"), None);
        assert_eq!(fields.integer("size", 0, 10), None);
        assert_eq!(fields.integer("many", 0, 10), None);
        assert_eq!(fields.texts("keep"), Some(vec!["a".to_owned()]));
        assert_eq!(fields.object("options"), None);
        let problems = fields.problems.clone();
        assert!(fields.finish().is_err());
        let kinds: Vec<&str> = problems.iter().filter_map(|problem| problem["type"].as_str()).collect();
        assert_eq!(kinds, ["missing", "string_type", "int_type", "less_than_equal", "string_type"]);
        assert_eq!(problems[4]["loc"], json!(["body", "keep", 1]));
    }

    #[test]
    fn what_nobody_asked_for_is_refused_at_every_depth() {
        let mut fields = fields(json!({"options": {"cahce": true}, "priority": 1.0, "held": null}));
        let cache = fields.nested("options", |options| options.flag("cache"));
        assert_eq!(cache, Some(None));
        assert_eq!((fields.integer("priority", -5, 5), fields.flag("held")), (Some(1), None));
        assert_eq!(
            fields.problems,
            [json!({"loc": ["body", "options", "cahce"], "type": "extra_forbidden",
                    "msg": "there is no field \"cahce\"; did you mean \"cache\"?"})]
        );
        assert!(fields.finish().is_err());
    }
}
