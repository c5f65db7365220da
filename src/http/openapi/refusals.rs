//! What every operation says because of its row in the table of routes: who may call it, and
//! how it is refused.

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use crate::http::route::{Need, Route, Takes};

/// Adds to an operation what follows from its row.
pub fn describe(operation: &mut Operation, route: &Route) {
    operation.security = Some(match route.need {
        Need::Public => Vec::new(),
        // Where nothing but this machine is listened to, none is needed.
        Need::Read | Need::Run => vec![SecurityRequirement::default(), token()],
        Need::Publish | Need::Delete | Need::Admin => vec![token()],
    });
    for (status, about) in refusals(operation, route) {
        let responses = &mut operation.responses.responses;
        responses.entry(status.to_owned()).or_insert_with(|| ResponseBuilder::new().description(about).build().into());
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            finish(response, status);
        }
    }
}

fn token() -> SecurityRequirement {
    SecurityRequirement::new("token", Vec::<String>::new())
}

/// Statuses that follow from what a route needs and takes.
fn refusals(operation: &Operation, route: &Route) -> Vec<(&'static str, &'static str)> {
    let mut refusals = vec![
        ("401", "A token is needed, or the one shown is not valid."),
        ("403", "The token does not allow it, or the Host or Origin is foreign."),
    ];
    if operation.parameters.as_ref().is_some_and(|parameters| !parameters.is_empty()) || route.takes != Takes::Nothing {
        refusals.push(("422", "What was sent is not valid: each problem has its place."));
    }
    if route.takes != Takes::Nothing {
        refusals.extend([
            ("400", "The body is malformed, or broke off."),
            ("413", "The body is too large."),
            ("415", "The body is of a type that is not taken."),
        ]);
    }
    if matches!(route.takes, Takes::Bytes | Takes::Config) {
        refusals.push(("411", "Its length is needed and was not said."));
        refusals.push(("408", "The body stopped coming."));
    }
    refusals.push(("429", "Too many failed logins, or too much at once."));
    if route.need != Need::Public {
        refusals.push(("503", "The server cannot do it now; it says when to try again."));
    }
    if !matches!(route.need, Need::Public | Need::Read) {
        refusals.push(("507", "The disk is full."));
    }
    refusals
}

/// Gives a refusal its body, and an answer that has none a description.
fn finish(response: &mut Response, status: &str) {
    if response.content.is_empty() && status.starts_with(['4', '5']) {
        let error = ContentBuilder::new().schema(Some(Ref::from_schema_name("Error"))).build();
        response.content.insert("application/json".to_owned(), error.into());
    }
    if response.description.is_empty() {
        let about = match status {
            "404" => "There is no such thing.",
            "201" => "It was made.",
            _ => "What was asked for.",
        };
        about.clone_into(&mut response.description);
    }
}
