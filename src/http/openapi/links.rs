//! Where ids in answers lead: who submits a run finds in the answer's description every
//! operation that takes its id.

use utoipa::openapi::link::LinkBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{OpenApi, RefOr};

/// Operations whose answers name something new: the answer's field, and the variable part of
/// paths that takes it.
const MAKERS: &[(&str, &str, &str)] = &[
    ("submit_run", "run_id", "run_id"),
    ("run_config", "run_id", "run_id"),
    ("verify_run", "run_id", "run_id"),
    ("upload_blob", "content_hash", "hash"),
    ("import_blob", "content_hash", "hash"),
    ("upload_config", "config_id", "id"),
    ("put_asset", "name", "name"),
];

/// Adds the links.
pub fn add(document: &mut OpenApi) {
    let takers: Vec<(String, String)> = document
        .paths
        .paths
        .iter()
        .filter_map(|(path, item)| Some((path.split_once('{')?.1.split_once('}')?.0.to_owned(), item)))
        .flat_map(|(part, item)| ids(item).into_iter().map(move |id| (part.clone(), id)))
        .collect();
    for item in document.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.post, &mut item.put, &mut item.delete].into_iter().flatten() {
            let id = operation.operation_id.clone().unwrap_or_default();
            let Some((_, field, part)) = MAKERS.iter().find(|(maker, ..)| *maker == id) else { continue };
            let of_part = takers.iter().filter(|(taken, _)| taken == part);
            link(operation, part, field, &of_part.map(|(_, taker)| taker.as_str()));
        }
    }
}

fn ids(item: &PathItem) -> Vec<String> {
    let operations = [&item.get, &item.post, &item.put, &item.delete];
    operations.into_iter().flatten().filter_map(|operation| operation.operation_id.clone()).collect()
}

fn link<'a>(operation: &mut Operation, part: &str, field: &str, takers: &(impl Iterator<Item = &'a str> + Clone)) {
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        if status.starts_with('2') {
            for taker in takers.clone() {
                let link = LinkBuilder::new().operation_id(taker).parameter(part, format!("$response.body#/{field}"));
                response.links.insert(taker.to_owned(), link.build().into());
            }
        }
    }
}
