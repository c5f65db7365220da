//! `openapi.json` against the table of routes, and against what the server answers.

use std::collections::BTreeSet;

use serde_json::Value;

use super::site::Site;
use crate::http::route::{Need, ROUTES, Takes};

async fn document() -> Value {
    Site::new().get("/openapi.json").await.value()
}

fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let of_path = |(path, item): (&String, &'_ Value)| -> Vec<(String, String)> {
        let methods = item.as_object().expect("methods").keys();
        methods.map(|method| (method.to_uppercase(), path.clone())).collect()
    };
    let all = paths.iter().flat_map(of_path).collect::<Vec<_>>();
    all.into_iter()
        .map(|(method, path)| {
            let operation = &document["paths"][&path][method.to_lowercase()];
            (method, path, operation)
        })
        .collect()
}

#[tokio::test]
async fn the_document_and_the_table_of_routes_agree_exactly() {
    let document = document().await;
    let described: BTreeSet<(String, String)> =
        operations(&document).into_iter().map(|(method, path, _)| (method, path)).collect();
    let listed: BTreeSet<(String, String)> =
        ROUTES.iter().map(|route| (route.method.to_string(), route.path.to_owned())).collect();
    assert_eq!(described.difference(&listed).collect::<Vec<_>>(), Vec::<&(String, String)>::new());
    assert_eq!(listed.difference(&described).collect::<Vec<_>>(), Vec::<&(String, String)>::new());
    for route in ROUTES {
        let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
        let security = operation["security"].as_array().expect("security");
        let (open, token) = (security.contains(&serde_json::json!({})), !security.is_empty());
        let expected = match route.need {
            Need::Public => (false, false),
            Need::Read | Need::Run => (true, true),
            Need::Publish | Need::Delete | Need::Admin => (false, true),
        };
        assert_eq!((open, token), expected, "{} {}", route.method, route.path);
        // A form may be empty; what else is taken is described.
        let (described, taken) = (operation["requestBody"].is_object(), route.takes);
        let expected = taken != Takes::Nothing && (taken != Takes::Form || described);
        assert_eq!(described, expected, "{} {}", route.method, route.path);
    }
}

#[tokio::test]
async fn every_operation_is_described_in_full() {
    let document = document().await;
    assert_eq!(document["openapi"], "3.1.0");
    let tags: BTreeSet<&str> =
        document["tags"].as_array().unwrap().iter().filter_map(|tag| tag["name"].as_str()).collect();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let name = format!("{method} {path}");
        assert!(
            ids.insert(operation["operationId"].as_str().expect("an id").to_owned()),
            "{name}: its id is another's"
        );
        assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 5), "{name}");
        assert!(tags.contains(operation["tags"][0].as_str().unwrap_or_default()), "{name}");
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let in_path: Vec<&str> =
            parameters.iter().filter(|p| p["in"] == "path").filter_map(|p| p["name"].as_str()).collect();
        let of_path: Vec<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
        assert_eq!(in_path, of_path, "{name}");
        for parameter in &parameters {
            assert!(parameter["description"].is_string() && parameter["schema"].is_object(), "{name}: {parameter}");
        }
        for (status, response) in operation["responses"].as_object().expect("responses") {
            assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{name} {status}");
            if status.starts_with(['4', '5']) {
                let schema = &response["content"]["application/json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Error", "{name} {status}");
            }
        }
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let document = document().await;
    let mut open = vec![&document];
    let mut references = 0;
    while let Some(value) = open.pop() {
        match value {
            Value::Object(entries) => {
                if let Some(Value::String(reference)) = entries.get("$ref") {
                    let pointer = reference.strip_prefix('#').expect("a reference within the document");
                    assert!(document.pointer(pointer).is_some(), "{reference}");
                    references += 1;
                }
                open.extend(entries.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    assert!(references > 100);
}
