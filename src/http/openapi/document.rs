//! The document: what is said of the whole, and putting it together.

use bytes::Bytes;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::tag::Tag;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref};

use crate::base::ContentHash;
use crate::http::openapi::{conditions, links, refusals};
use crate::http::route::ROUTES;

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
        let text = serde_json::to_value(document).and_then(|mut value| {
            conditions::add(&mut value);
            serde_json::to_vec(&value)
        });
        let json = text.unwrap_or_else(|error| panic!("BUG: the API's description: {error}"));
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
        ("uploads", "Uploads that go on after a lost connection (tus 1.0)"),
        ("assets", "Friendly names of blobs"),
        ("configs", "Pipelines written as YAML"),
        ("catalogue", "Effects and node types"),
        ("publishing", "Publishing to L2, and what other servers read of it"),
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
            "PATCH" => &mut item.patch,
            "OPTIONS" => &mut item.options,
            "DELETE" => &mut item.delete,
            _ => continue,
        };
        if let Some(operation) = operation {
            refusals::describe(operation, route);
        }
    }
    links::add(&mut document);
    document
}
