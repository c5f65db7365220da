//! Asking for runs: accepted when this answers, and on disk. Also what a run would do.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::base::{ContentHash, canonical};
use crate::engine::views::{PlanView, RunView};
use crate::engine::{Accepting, Engine, EngineError, Idempotency, RecipeRef, Submission};
use crate::http::App;
use crate::http::api::body::{Asked, RunBody};
use crate::http::api::run_parts::created;
use crate::http::auth::Principal;
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::{Caller, JsonObject, PathWord, idempotency_key};
use crate::http::fields::Fields;
use crate::http::query::{NoQuery, QueryWords};
use crate::plan::explain::Why;
use crate::recipe::LocPart;

/// Runs a recipe: an effect, or a config.
#[utoipa::path(
    post, path = "/runs", operation_id = "submit_run", tag = "runs",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
            description = "The same key and body again is the same run")),
    request_body(content = RunBody, example = json!({
        "recipe": "dog", "inputs": ["cat"], "output_name": "my-output", "params": {"sigma": 1.4}
    })),
    responses(
        (status = 201, body = RunView, description = "Accepted: it is on disk.",
         headers(("Location" = String, description = "The run"))),
        (status = 200, body = RunView, description = "The run that this key made before.",
         headers(("Location" = String, description = "The run"))),
        (status = 404, description = "There is no such recipe, blob, asset or node."),
        (status = 409, description = "The key came with another body before."),
        (status = 429, description = "Too many runs wait."),
    )
)]
pub async fn submit(
    State(app): State<App>,
    Caller(who): Caller,
    _: NoQuery,
    headers: HeaderMap,
    JsonObject(body): JsonObject,
) -> ApiResult<Response> {
    let key = idempotency_key(&headers)?;
    let asked = |engine: &Engine, body| {
        let mut fields = Fields::of_body(body);
        let recipe = fields.required_text("recipe").unwrap_or_default();
        let asked = read(fields)?;
        Ok((asked, engine.find_recipe(&recipe)?))
    };
    accept(&app, Sent { who, key, route: "/runs".to_owned(), body }, asked).await
}

/// Runs a config.
#[utoipa::path(
    post, path = "/configs/{id}/run", operation_id = "run_config", tag = "configs",
    params(
        ("id" = String, Path, description = "The config's id, or its name (the newest version), or an effect's name"),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
         description = "The same key and body again is the same run"),
    ),
    request_body(content = Asked, example = json!({"inputs": {"user_image": "cat"}, "output_name": "my-output"})),
    responses(
        (status = 201, body = RunView, description = "Accepted: it is on disk.",
         headers(("Location" = String, description = "The run"))),
        (status = 200, body = RunView, description = "The run that this key made before.",
         headers(("Location" = String, description = "The run"))),
        (status = 404, description = "There is no such config, blob, asset or node."),
        (status = 409, description = "The key came with another body before."),
        (status = 429, description = "Too many runs wait."),
    )
)]
pub async fn run_config(
    State(app): State<App>,
    Caller(who): Caller,
    PathWord(config): PathWord,
    _: NoQuery,
    headers: HeaderMap,
    JsonObject(body): JsonObject,
) -> ApiResult<Response> {
    let key = idempotency_key(&headers)?;
    let route = format!("/configs/{config}/run");
    let asked = move |engine: &Engine, body| Ok((read(Fields::of_body(body))?, engine.find_recipe(&config)?));
    accept(&app, Sent { who, key, route, body }, asked).await
}

/// What a run of a config would do: hit or miss and an estimate for each node. Nothing is run.
#[utoipa::path(
    post, path = "/configs/{id}/plan", operation_id = "plan_config", tag = "configs",
    params(("id" = String, Path, description = "The config's id, or its name (the newest version), or an effect's name")),
    request_body(content = Asked, example = json!({"inputs": {"user_image": "cat"}})),
    responses(
        (status = 200, body = PlanView),
        (status = 404, description = "There is no such config, blob, asset or node."),
    )
)]
pub async fn plan_config(
    State(app): State<App>,
    PathWord(config): PathWord,
    _: NoQuery,
    JsonObject(body): JsonObject,
) -> ApiResult<Json<PlanView>> {
    let _turn = app.turn().await;
    let plan = app.on_thread(move |app| {
        let asked = read(Fields::of_body(body))?;
        let engine = &app.engine;
        let recipe = engine.find_recipe(&config)?;
        let request = asked.request(engine, recipe, None)?;
        Ok(engine.plan_request(&request).map_err(of_body)?.0)
    });
    plan.await.map(Json)
}

/// Which part of a node's key differs from the nearest known key, for a run that is not made.
#[utoipa::path(
    post, path = "/configs/{id}/why", operation_id = "explain_config_node", tag = "configs",
    params(
        ("id" = String, Path, description = "The config's id, or its name (the newest version), or an effect's name"),
        ("node" = String, Query, description = "The node's id"),
    ),
    request_body(content = Asked, example = json!({"inputs": {"user_image": "cat"}})),
    responses(
        (status = 200, body = Why),
        (status = 404, description = "There is no such config, blob, asset or node."),
    )
)]
pub async fn explain_config(
    State(app): State<App>,
    PathWord(config): PathWord,
    mut query: QueryWords,
    JsonObject(body): JsonObject,
) -> ApiResult<Json<Why>> {
    let node = query.required("node");
    query.finish()?;
    let node = node.unwrap_or_default();
    let _turn = app.turn().await;
    let why = app.on_thread(move |app| {
        let asked = read(Fields::of_body(body))?;
        let engine = &app.engine;
        let recipe = engine.find_recipe(&config)?;
        let request = asked.request(engine, recipe, None)?;
        engine.why(&request, &node).map_err(of_body)
    });
    why.await.map(Json)
}

fn read(mut fields: Fields) -> ApiResult<Asked> {
    let asked = Asked::read(&mut fields);
    asked.check(&mut fields);
    fields.finish()?;
    Ok(asked)
}

/// A request for a run, as it came.
struct Sent {
    who: Principal,
    key: Option<String>,
    route: String,
    body: Map<String, Value>,
}

/// Accepts what a body is found to ask for, unless the same was accepted before: then nobody looks at whether what it
/// names is still there.
async fn accept(
    app: &App,
    sent: Sent,
    read: impl FnOnce(&Engine, Map<String, Value>) -> ApiResult<(Asked, RecipeRef)> + Send + 'static,
) -> ApiResult<Response> {
    let turn = app.turn().await;
    let accepting = app.on_thread(move |app| {
        let engine = &app.engine;
        let Sent { who, key, route, body } = sent;
        let idempotency = idempotency(&who, key, &route, &body);
        if let Some(known) = engine.accepted_before(idempotency.as_ref())? {
            return Ok((engine.view_of(known.run, &known.row)?, Accepting::from(known)));
        }
        let (asked, recipe) = read(engine, body)?;
        let submission = Submission { held: asked.held, idempotency };
        let request = asked.request(engine, recipe, who.username)?;
        let accepting = engine.accepting(&request, &submission).map_err(of_body)?;
        let planned = accepting.as_planned();
        Ok((engine.view_of(planned.run, &planned.row)?, accepting))
    });
    let (view, accepting) = accepting.await?;
    drop(turn);
    if accepting.written().await?.existing {
        let location = format!("/runs/{}", view.run_id);
        return Ok((StatusCode::OK, [(header::LOCATION, location)], Json(view)).into_response());
    }
    Ok(created(view))
}

/// Keys of different callers and routes are different; of a body the order of fields and the
/// spaces between them do not count.
fn idempotency(who: &Principal, key: Option<String>, route: &str, body: &Map<String, Value>) -> Option<Idempotency> {
    key.map(|key| Idempotency {
        key: format!("{}\n{key}", who.id),
        body: ContentHash::of(format!("{route}\n{}", canonical::to_string(body)).as_bytes()),
        task: None,
    })
}

/// What the engine says of inputs and parameters is about the body that gave them.
fn of_body(error: EngineError) -> ApiError {
    let mut problems = match error {
        EngineError::Problems(problems) => problems,
        // Of all that a body says, only the output's name can be no name.
        EngineError::Usage(message) => return ApiError::invalid(&["body", "output_name"], "usage_error", message),
        EngineError::Input(message) => return ApiError::invalid(&["body", "inputs"], "value_error", message),
        other => return other.into(),
    };
    for problem in &mut problems {
        let given =
            matches!(problem.loc.first(), Some(LocPart::Key(key)) if matches!(key.as_str(), "inputs" | "params"));
        if given && problem.line == 0 {
            problem.loc.insert(0, LocPart::Key("body".to_owned()));
        }
    }
    EngineError::Problems(problems).into()
}
