//! What other servers read here, in the words of `ActivityPub`: who publishes, and what. Open to
//! everybody wherever the server listens; nothing here hands out bytes of media.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::base::{ContentHash, RunId};
use crate::engine::{Engine, Publication};
use crate::http::App;
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::PathWord;
use crate::http::paging::{List, Next, Paging};
use crate::http::query::QueryWords;
use crate::link::identity::{ACTIVITY_JSON, ACTIVITY_STREAMS};
use crate::link::{Identity, activity};

/// Most activities of a page, which anybody may ask for.
const ACTIVITIES: usize = 50;

/// Where an account of this server is found.
#[utoipa::path(
    get, path = "/.well-known/webfinger", operation_id = "get_webfinger", tag = "publishing",
    params(
        ("resource" = String, Query, description = "`acct:name@host`, or the actor's id"),
        ("rel" = Option<Vec<String>>, Query, description = "Only links of this relation; all that there are may be told"),
    ),
    responses(
        (status = 200, body = Object, content_type = "application/jrd+json"),
        (status = 404, description = "There is no such account here."),
    )
)]
pub async fn webfinger(State(app): State<App>, mut query: QueryWords) -> ApiResult<Response> {
    let resource = query.required("resource");
    query.texts("rel");
    query.finish()?;
    let resource = resource.unwrap_or_default();
    let found = app.publisher.identity().webfinger(&resource);
    let found = found.ok_or_else(|| ApiError::not_found("account", &resource))?;
    let mut response = ([(header::CONTENT_TYPE, "application/jrd+json")], found.to_string()).into_response();
    // Accounts are looked up by programs of other sites' pages, too.
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(response)
}

/// Who publishes here, with the keys that publications are signed with.
#[utoipa::path(
    get, path = "/users/{name}", operation_id = "get_actor", tag = "publishing",
    params(("name" = String, Path, description = "The actor's name")),
    responses((status = 200, body = Object, content_type = "application/activity+json"), (status = 404))
)]
pub async fn actor(State(app): State<App>, PathWord(name): PathWord) -> ApiResult<Response> {
    let identity = known(&app, &name)?;
    let document = app.on_thread(move |app| {
        identity.actor_document(app.publisher.keys()).map_err(|error| {
            tracing::error!(%error, "the keys cannot be used");
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "the server's keys cannot be used now; its log has more")
                .with(header::RETRY_AFTER, HeaderValue::from_static("60"))
        })
    });
    Ok(told(&document.await?))
}

/// What the actor published, newest first: the collection, or with `page` a page of it.
#[utoipa::path(
    get, path = "/users/{name}/outbox", operation_id = "get_outbox", tag = "publishing",
    params(
        ("name" = String, Path, description = "The actor's name"),
        ("page" = Option<bool>, Query, description = "A page with activities, not the collection"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "Most activities of the page; never more than 50"),
        ("cursor" = Option<String>, Query, pattern = "^p[0-9a-f]{16}$", description = "From the `next` of the page before"),
    ),
    responses((status = 200, body = Object, content_type = "application/activity+json"), (status = 404))
)]
pub async fn outbox(State(app): State<App>, PathWord(name): PathWord, mut query: QueryWords) -> ApiResult<Response> {
    let wants_page = query.flag("page");
    let paging = Paging::of(List::Publications, &mut query);
    query.finish()?;
    let collection = known(&app, &name)?.outbox();
    let (before, limit) = (paging.after_number(), paging.limit.min(ACTIVITIES));
    if !wants_page && before.is_none() {
        let (total, _) = app.blocking(Engine::publication_counts).await?;
        let first = format!("{collection}?page=true");
        return Ok(told(&json!({
            "@context": ACTIVITY_STREAMS, "id": collection, "type": "OrderedCollection", "totalItems": total, "first": first,
        })));
    }
    let page = app.blocking(move |engine| engine.publications_page(before, limit)).await?;
    let address = |cursor: Option<String>| {
        let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        format!("{collection}?page=true&limit={limit}{cursor}")
    };
    let items: Vec<Value> = page.items.iter().map(signed).collect();
    let id = address(before.map(|before| paging.cursor(Next::from(before))));
    let mut answer = json!({
        "@context": activity::context(), "id": id, "type": "OrderedCollectionPage", "partOf": collection,
        "orderedItems": items,
    });
    if let Some(next) = page.next {
        answer["next"] = Value::from(address(Some(paging.cursor(Next::from(next)))));
    }
    Ok(told(&answer))
}

/// Nobody reads the inbox: there is none.
#[utoipa::path(
    get, path = "/users/{name}/inbox", operation_id = "get_inbox", tag = "publishing",
    params(("name" = String, Path, description = "The actor's name")),
    responses((status = 404), (status = 405, description = "This server publishes, and takes nothing in."))
)]
pub async fn look_into_inbox(State(app): State<App>, PathWord(name): PathWord) -> ApiError {
    no_inbox(&app, &name)
}

/// Nothing is taken in.
#[utoipa::path(
    post, path = "/users/{name}/inbox", operation_id = "post_to_inbox", tag = "publishing",
    params(("name" = String, Path, description = "The actor's name")),
    responses((status = 404), (status = 405, description = "This server publishes, and takes nothing in."))
)]
pub async fn post_to_inbox(State(app): State<App>, PathWord(name): PathWord) -> ApiError {
    no_inbox(&app, &name)
}

fn no_inbox(app: &App, name: &str) -> ApiError {
    match known(app, name) {
        Ok(_) => {
            let detail = "this server publishes, and takes nothing in; read /outbox beside it";
            let error = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, detail);
            error.with(header::ALLOW, HeaderValue::from_static(""))
        }
        Err(unknown) => unknown,
    }
}

/// An activity by which an output was published, signed as L2 got it.
#[utoipa::path(
    get, path = "/activities/{id}", operation_id = "get_activity", tag = "publishing",
    params(("id" = RunId, Path, description = "The activity: the id of the run that was published")),
    responses((status = 200, body = Object, content_type = "application/activity+json"), (status = 404))
)]
pub async fn activity(State(app): State<App>, PathWord(word): PathWord) -> ApiResult<Response> {
    let run: RunId = word.parse().map_err(|_| ApiError::not_found("activity", &word))?;
    let publication = app.blocking(move |engine| engine.publication(run)).await?;
    Ok(([(header::CONTENT_TYPE, ACTIVITY_JSON)], publication.row.activity).into_response())
}

/// What is known of a published output. Its bytes are not here.
#[utoipa::path(
    get, path = "/objects/{hash}", operation_id = "get_object", tag = "publishing",
    params(("hash" = String, Path, description = "SHA3-256 or BLAKE3 of the output's bytes")),
    responses((status = 200, body = Object, content_type = "application/activity+json"), (status = 404))
)]
pub async fn object(State(app): State<App>, PathWord(word): PathWord) -> ApiResult<Response> {
    let bare = word.strip_prefix("sha3-256:").or_else(|| word.strip_prefix("blake3:")).unwrap_or(&word);
    let unknown = || ApiError::not_found("published object", &word);
    let hash: ContentHash = bare.parse().map_err(|_| unknown())?;
    let found = app.blocking(move |engine| engine.publication_of(hash.as_bytes())).await?;
    let mut activity = signed(&found.ok_or_else(unknown)?);
    let mut object = activity["object"].take();
    object["@context"] = activity["@context"].take();
    Ok(told(&object))
}

/// Is it the actor's name?
fn known(app: &App, name: &str) -> ApiResult<Identity> {
    let identity = app.publisher.identity();
    if identity.name() == name { Ok(identity) } else { Err(ApiError::not_found("user", name)) }
}

/// The activity of a publication, as it was signed.
fn signed(publication: &Publication) -> Value {
    serde_json::from_str(&publication.row.activity).unwrap_or_default()
}

fn told(document: &Value) -> Response {
    ([(header::CONTENT_TYPE, ACTIVITY_JSON)], document.to_string()).into_response()
}
