//! Configs: uploaded, listed, looked at, deleted.

use axum::Json;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::base::ContentHash;
use crate::base::limits::CONFIG_BYTES;
use crate::engine::views::{ConfigView, config_view};
use crate::engine::{EngineError, Kept};
use crate::http::App;
use crate::http::accept::{best, varied};
use crate::http::api::uploads::{FileForm, some_body};
use crate::http::bytes::serve_bytes;
use crate::http::error::ApiResult;
use crate::http::extract::PathWord;
use crate::http::paging::{List, Next, Paging};
use crate::http::query::QueryWords;
use crate::http::upload_body;
use crate::recipe::Recipe;
use crate::records::Holder;

/// Registers a config: YAML or JSON, as a form or as the body itself. All its problems are told
/// at once, each with its line.
#[utoipa::path(
    post, path = "/configs/upload", operation_id = "upload_config", tag = "configs",
    params(("check" = Option<bool>, Query, description = "Only say whether it is valid")),
    request_body(content((FileForm = "multipart/form-data"), (String = "application/yaml"))),
    responses(
        (status = 201, body = ConfigView, headers(("Location" = String, description = "The config"))),
        (status = 200, body = ConfigView, description = "It was here before, or was only checked.",
         headers(("Location" = Option<String>, description = "The config"))),
    )
)]
pub async fn upload(State(app): State<App>, request: Request) -> ApiResult<Response> {
    let (mut parts, body) = request.into_parts();
    let mut query = QueryWords::from_request_parts(&mut parts, &app).await?;
    let check = query.flag("check");
    query.finish()?;
    let request = Request::from_parts(parts, body);
    some_body(&request)?;
    let (bytes, _) = upload_body::receive_small(request, CONFIG_BYTES).await?;
    let _turn = app.turn().await;
    if check {
        let view = app.blocking(move |_| {
            let recipe = Recipe::parse(&bytes).map_err(EngineError::Problems)?;
            Ok(config_view(ContentHash::of(&bytes), &recipe))
        });
        return Ok(Json(view.await?).into_response());
    }
    let added = app.blocking(move |engine| {
        let (id, recipe, new) = engine.add_config(bytes)?;
        Ok((config_view(id, &recipe), new))
    });
    let (view, new) = added.await?;
    let location = [(header::LOCATION, format!("/configs/{}", view.config_id))];
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, location, Json(view)).into_response())
}

/// All configs, newest first.
#[utoipa::path(
    get, path = "/configs", operation_id = "list_configs", tag = "configs",
    params(
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "Most configs of the page"),
        ("cursor" = Option<String>, Query, pattern = "^c[0-9a-f]{16}$", description = "From the `Link` of the page before"),
    ),
    responses((status = 200, body = Vec<ConfigView>, headers(
        ("Link" = Option<String>, description = "The next page, with `rel=\"next\"`"),
        ("X-Total-Count" = u64, description = "How many there are"),
        ("Vary" = String, description = "`Accept`"),
    )))
)]
pub async fn list(State(app): State<App>, mut query: QueryWords) -> ApiResult<Response> {
    let paging = Paging::of(List::Configs, &mut query);
    let here = query.finish()?;
    let (before, limit) = (paging.after_number(), paging.limit);
    let (views, last, total) = app
        .blocking(move |engine| {
            let configs = engine.configs()?;
            let total = configs.len() as u64;
            let mut after =
                configs.into_iter().filter(|config| before.is_none_or(|before| config.row.sequence < before));
            let page: Vec<_> = after.by_ref().take(limit).collect();
            let last = page.last().map(|config| Next::from(config.row.sequence)).filter(|_| after.next().is_some());
            let views = page.iter().map(|config| engine.config_view(config.id)).collect::<Result<Vec<_>, _>>()?;
            Ok((views, last, total))
        })
        .await?;
    Ok(varied(paging.answer(&here, &views, last, Some(total))))
}

/// A config: what it takes and gives, or, as YAML, the file itself.
#[utoipa::path(
    get, path = "/configs/{id}", operation_id = "get_config", tag = "configs",
    params(("id" = String, Path, description = "The config's id, or its name (the newest version)")),
    responses(
        (status = 200, content((ConfigView = "application/json"), (String = "application/yaml")),
         headers(("Vary" = String, description = "`Accept`"))),
        (status = 404),
    )
)]
pub async fn one(State(app): State<App>, PathWord(word): PathWord, headers: HeaderMap) -> ApiResult<Response> {
    let as_file = best(&headers, &["application/json", "application/yaml", "application/x-yaml", "text/yaml"]) > 0;
    if as_file {
        let found = app.blocking(move |engine| {
            let id = engine.find_config(&word)?.id;
            Ok((id, engine.open_bytes(&id)?))
        });
        let (id, (bytes, row)) = found.await?;
        let mut response = serve_bytes(&bytes, &row, &id, &headers, None);
        // The address of the config is not the file's own: what it answers depends on more.
        response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-cache"));
        return Ok(varied(response));
    }
    let view = app.blocking(move |engine| engine.config_view(engine.find_config(&word)?.id)).await?;
    Ok(varied(Json(view)))
}

/// What deleting a config did, or would do.
#[derive(Serialize, ToSchema)]
pub struct ConfigDeleted {
    /// Is it gone? False where it was only asked what would be done.
    deleted: bool,
    config_id: ContentHash,
    freed_bytes: u64,
    /// The text, if runs keep it.
    kept: Vec<Kept>,
}

/// Takes a config out of the list. Runs keep what they need of it.
#[utoipa::path(
    delete, path = "/configs/{id}", operation_id = "delete_config", tag = "configs",
    params(
        ("id" = ContentHash, Path, description = "The config's id"),
        ("dry_run" = Option<bool>, Query, description = "Only say what would be done"),
    ),
    responses((status = 200, body = ConfigDeleted), (status = 404))
)]
pub async fn delete(
    State(app): State<App>,
    PathWord(word): PathWord,
    mut query: QueryWords,
) -> ApiResult<Json<ConfigDeleted>> {
    let dry_run = query.flag("dry_run");
    query.finish()?;
    let deleted = app.blocking(move |engine| {
        // By id alone: a name may stand for another version tomorrow.
        let config = word.parse::<ContentHash>().ok().and_then(|id| engine.find_config(&id.to_string()).ok());
        let Some(config) = config.filter(|config| config.id.to_string() == word) else {
            return Err(EngineError::NotFound { what: "config", name: word, hint: String::new() });
        };
        let id = config.id;
        let other = engine.holders(&id)?.into_iter().find(|holder| !matches!(holder, Holder::ConfigText(_)));
        let size = engine.describe(&id)?.size;
        engine.remove_config(id, dry_run)?;
        Ok((id, other.map(|other| Kept { content_hash: id, because: format!("it is {other}") }), size))
    });
    let (config_id, kept, size) = deleted.await?;
    let freed_bytes = if kept.is_some() { 0 } else { size };
    Ok(Json(ConfigDeleted { deleted: !dry_run, config_id, freed_bytes, kept: kept.into_iter().collect() }))
}
