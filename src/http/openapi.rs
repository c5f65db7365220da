//! The description of all routes, `openapi.json`, made from the handlers.
//!
//! Handlers describe what is their own. What follows from the table of routes is added here for
//! all of them: who needs a token, and the refusals that every route of a kind can give. A test
//! holds the document and the table together.

use bytes::Bytes;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::Tag;
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Response,
    ResponseBuilder,
};

use crate::base::ContentHash;
use crate::http::route::{Need, ROUTES, Route, Takes};

/// The document as it is sent.
#[derive(Clone)]
pub struct Document {
    /// Its text.
    pub json: Bytes,
    /// Its entity tag.
    pub etag: String,
}

impl Document {
    /// The text of a document.
    pub fn of(document: &OpenApi) -> Self {
        let json = serde_json::to_vec(document).unwrap_or_else(|error| panic!("BUG: the API's description: {error}"));
        Self { etag: format!("\"{}\"", ContentHash::of(&json)), json: json.into() }
    }
}

/// The document before there are routes in it.
pub fn base() -> OpenApi {
    let about = "Renders media through DAGs of nodes. Content is named by its BLAKE3 hash; every output can be traced \
                 back and made again.\n\nOn this machine's own address reading and running need no token. Deleting, \
                 importing and administration always do: `Authorization: Bearer <token>`; the first one is in the \
                 file `token` of the server's home.";
    let tags = [
        ("runs", "Rendering: submit, follow, explain, verify"),
        ("cache", "Blobs by content hash: upload, download, delete"),
        ("assets", "Friendly names of blobs"),
        ("configs", "Pipelines written as YAML"),
        ("catalogue", "Effects and node types"),
        ("queue", "The queue of all runs"),
        ("events", "What happens, as it happens"),
        ("server", "The server itself"),
        ("docs", "This description"),
        ("auth", "Logging in from a browser"),
    ];
    let tag = |(name, about): (&str, &str)| {
        let mut tag = Tag::new(name);
        tag.description = Some(about.to_owned());
        tag
    };
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("artdag")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(about))
                .license(Some(LicenseBuilder::new().name("MIT").identifier(Some("MIT")).build())),
        )
        .tags(Some(tags.map(tag)))
        .components(Some(components()))
        .build()
}

fn components() -> utoipa::openapi::Components {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let number = || ObjectBuilder::new().schema_type(Type::Integer);
    let step = OneOfBuilder::new().item(text()).item(number());
    let problem = ObjectBuilder::new()
        .description(Some("One thing that is wrong with a request."))
        .property("loc", ArrayBuilder::new().items(step).description(Some("The path to it")))
        .property("msg", text().description(Some("What is wrong, and what to do")))
        .property("type", text().description(Some("Its kind, for programs")))
        .property("line", number().description(Some("Where a config has it")))
        .property("column", number())
        .property("node", text().description(Some("The node it concerns")))
        .required("loc")
        .required("msg")
        .required("type");
    let problems = ArrayBuilder::new().items(Ref::from_schema_name("Problem"));
    let error = ObjectBuilder::new()
        .description(Some("Why a request was refused."))
        .property("detail", OneOfBuilder::new().item(text()).item(problems))
        .required("detail");
    let bearer =
        Http::builder().scheme(HttpAuthScheme::Bearer).description(Some("A token of `artdag token new`, or of L2"));
    ComponentsBuilder::new()
        .schema("Problem", problem)
        .schema("Error", error)
        .security_scheme("token", SecurityScheme::Http(bearer.build()))
        .build()
}

/// Adds to each operation what follows from its row in the table of routes.
pub fn complete(mut document: OpenApi) -> OpenApi {
    for route in ROUTES {
        let Some(item) = document.paths.paths.get_mut(route.path) else { continue };
        let operation = match route.method.as_str() {
            "GET" => &mut item.get,
            "POST" => &mut item.post,
            "PUT" => &mut item.put,
            "DELETE" => &mut item.delete,
            _ => continue,
        };
        if let Some(operation) = operation {
            describe(operation, route);
        }
    }
    document
}

fn describe(operation: &mut Operation, route: &Route) {
    operation.security = Some(match route.need {
        Need::Public => Vec::new(),
        // Where nothing but this machine is listened to, none is needed.
        Need::Read | Need::Run => vec![SecurityRequirement::default(), token()],
        Need::Delete | Need::Admin => vec![token()],
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
    if route.takes == Takes::Bytes {
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

/// Gives a refusal its body, and every answer a description, which the standard wants.
fn finish(response: &mut Response, status: &str) {
    let refusal = status.starts_with(['4', '5']);
    if refusal && response.content.is_empty() {
        let error = ContentBuilder::new().schema(Some(Ref::from_schema_name("Error"))).build();
        response.content.insert("application/json".to_owned(), error.into());
    }
    if response.description.is_empty() {
        let about = if status == "404" { "There is no such thing." } else { "It is done." };
        about.clone_into(&mut response.description);
    }
}
