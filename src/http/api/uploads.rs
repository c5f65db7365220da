//! Taking in files: sent with the request, or from a directory of the server's that its settings
//! allow.

use std::path::Path;

use axum::Json;
use axum::body::HttpBody as _;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa::ToSchema;

use crate::base::AssetName;
use crate::engine::{EngineError, Upload};
use crate::http::App;
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::Caller;
use crate::http::openapi::RawBytes;
use crate::http::query::QueryWords;
use crate::http::route::Need;
use crate::http::upload_body;

/// A form with a file.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // Forms are read as they come; this describes them to clients.
pub struct FileForm {
    /// The file; of several the first is taken.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
}

/// Refuses a request that has no body at all: an empty file says of what type it is.
pub fn some_body(request: &Request) -> ApiResult<()> {
    let typed = request.headers().contains_key(header::CONTENT_TYPE);
    if typed || !request.body().is_end_stream() {
        return Ok(());
    }
    Err(ApiError::invalid(
        &["body"],
        "missing",
        "there is no file: send it as the body, or as the field `file` of a form",
    ))
}

/// Takes in a file, as a form or as the body itself.
#[utoipa::path(
    post, path = "/cache/upload", operation_id = "upload_blob", tag = "cache",
    params(("name" = Option<AssetName>, Query, description = "Name it, as an asset")),
    request_body(content((FileForm = "multipart/form-data"), (RawBytes = "application/octet-stream"))),
    responses(
        (status = 201, body = Upload, description = "It is on disk.", headers(("Location" = String, description = "The blob"))),
        (status = 200, body = Upload, description = "It was here before.", headers(("Location" = String, description = "The blob"))),
        (status = 429, description = "Too many uploads at once.", headers(("Retry-After" = u64, description = "Seconds"))),
    )
)]
pub async fn upload(State(app): State<App>, request: Request) -> ApiResult<Response> {
    let (mut parts, body) = request.into_parts();
    let mut query = QueryWords::from_request_parts(&mut parts, &app).await?;
    let name = asset_name(&mut query);
    query.finish()?;
    let request = Request::from_parts(parts, body);
    some_body(&request)?;
    Ok(answer(upload_body::receive(&app, request, name).await?))
}

/// Copies a file of the server's own, below a directory that its settings allow.
#[utoipa::path(
    post, path = "/cache/import", operation_id = "import_blob", tag = "cache",
    params(
        ("path" = String, Query, description = "The file, below one of the server's import roots"),
        ("name" = Option<AssetName>, Query, description = "Name it, as an asset"),
    ),
    responses(
        (status = 201, body = Upload, headers(("Location" = String, description = "The blob"))),
        (status = 200, body = Upload, description = "It was here before.", headers(("Location" = String, description = "The blob"))),
        (status = 404, description = "There is no such file."),
    )
)]
pub async fn import(State(app): State<App>, Caller(who): Caller, mut query: QueryWords) -> ApiResult<Response> {
    let path = query.required("path").unwrap_or_default();
    let name = asset_name(&mut query);
    query.finish()?;
    let roots = app.settings.server.import_roots.clone();
    let may_move = app.auth.allows(&who, Need::Delete);
    let taken = app.on_thread(move |app| {
        let taken = app.engine.import(&roots, Path::new(&path), name, may_move.is_ok());
        named(taken, may_move)
    });
    Ok(answer(taken.await?))
}

/// What came of naming something, where `may_move` says whether names may be pointed elsewhere:
/// a name that is taken is refused for the reason why not.
pub fn named<T>(result: Result<T, EngineError>, may_move: ApiResult<()>) -> ApiResult<T> {
    match (result, may_move) {
        (Err(EngineError::NameTaken { .. }), Err(may_not)) => Err(may_not),
        (result, _) => result.map_err(ApiError::from),
    }
}

fn asset_name(query: &mut QueryWords) -> Option<AssetName> {
    let name = query.text("name")?;
    match name.parse() {
        Ok(name) => Some(name),
        Err(error) => {
            query.problem("name", "value_error", format!("{name:?}: {error}"));
            None
        }
    }
}

fn answer(upload: Upload) -> Response {
    let status = if upload.existing { StatusCode::OK } else { StatusCode::CREATED };
    let location = format!("/cache/{}", upload.content_hash);
    (status, [(header::LOCATION, location)], Json(upload)).into_response()
}
