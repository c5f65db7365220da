//! What schemas made from types cannot say: which fields go together, and that a parameter or a
//! form's field is there or not there, but never null.

use serde_json::{Value, json};

use crate::media::encode::Format;

/// Corrects a document.
pub fn add(document: &mut Value) {
    quality_goes_with_format(document);
    let fields = document.pointer_mut("/components/schemas/LogIn/properties").and_then(Value::as_object_mut);
    fields.into_iter().flatten().for_each(|(_, field)| never_null(field));
    let operations = document.pointer_mut("/paths").and_then(Value::as_object_mut).into_iter().flatten();
    for operation in operations.filter_map(|(_, item)| item.as_object_mut()).flatten() {
        let parameters = operation.1.get_mut("parameters").and_then(Value::as_array_mut);
        parameters.into_iter().flatten().for_each(|parameter| never_null(&mut parameter["schema"]));
    }
}

/// Takes `null` out of the types that a parameter may have.
fn never_null(schema: &mut Value) {
    let null = Value::from("null");
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|kind| *kind != null);
        if let [only] = types.as_slice() {
            schema["type"] = only.clone();
        }
    }
    if let Some(choices) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        choices.retain(|choice| choice["type"] != null);
        if let [only] = choices.as_slice() {
            *schema = only.clone();
        }
    }
}

/// Says in the schemas of the bodies that ask for runs that a quality goes with a format that
/// has one.
fn quality_goes_with_format(document: &mut Value) {
    let with_quality = Format::ALL.iter().filter(|format| format.has_quality()).map(|format| format.name());
    let names: Vec<&str> = with_quality.chain(["jpg"]).collect();
    for name in ["Run", "ConfigRun"] {
        if let Some(Value::Object(schema)) = document.pointer_mut(&format!("/components/schemas/{name}")) {
            schema.insert(
                "if".to_owned(),
                json!({"required": ["quality"], "properties": {"quality": {"type": "integer"}}}),
            );
            let then = json!({"required": ["format"], "properties": {"format": {"enum": names}}});
            schema.insert("then".to_owned(), then);
        }
    }
}
