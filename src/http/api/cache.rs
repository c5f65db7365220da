//! One blob: its bytes, what is known of it, deleting it.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::base::ContentHash;
use crate::engine::Kept;
use crate::engine::views::BlobInfo;
use crate::http::App;
use crate::http::api::body::blob;
use crate::http::bytes::serve_bytes;
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::{PathHash, PathWord};
use crate::http::openapi::RawBytes;
use crate::http::query::QueryWords;

/// A blob's bytes. An asset's name leads to the blob that it names now.
#[utoipa::path(
    get, path = "/cache/{hash}", operation_id = "get_blob", tag = "cache",
    params(
        ("hash" = String, Path, description = "A content hash (ours, or the original's SHA3-256), or an asset's name"),
        ("download" = Option<String>, Query, description = "Send it as an attachment with this file name"),
        ("Range" = Option<String>, Header, description = "Parts of the bytes, e.g. `bytes=0-1023`"),
        ("If-None-Match" = Option<String>, Header, description = "ETags that the client has"),
        ("If-Range" = Option<String>, Header, description = "The ETag for which the range is meant"),
    ),
    responses(
        (status = 200, body = RawBytes, content_type = "*/*", description = "The bytes, as their own type.", headers(
            ("ETag" = String, description = "The content hash, quoted"),
            ("Accept-Ranges" = String, description = "`bytes`"),
            ("Cache-Control" = String, description = "A blob never changes"),
        )),
        (status = 206, body = RawBytes, content_type = "*/*", description = "The parts that were asked for.",
         headers(("Content-Range" = Option<String>, description = "Which, if it is one"))),
        (status = 304, description = "The client has it."),
        (status = 307, description = "To the blob that the asset, or a hash of the original, names.",
         headers(("Location" = String, description = "The blob"))),
        (status = 404),
        (status = 412, description = "`If-Match` names another."),
        (status = 416, description = "No byte of the range is there."),
    )
)]
pub async fn bytes(
    State(app): State<App>,
    PathWord(word): PathWord,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
    mut query: QueryWords,
) -> ApiResult<Response> {
    let download = query.text("download");
    query.finish()?;
    let Ok(hash) = word.parse::<ContentHash>() else { return to_blob(&app, word, raw.as_deref()).await };
    let (bytes, row) = match app.engine.opened(&hash) {
        Some(opened) => opened,
        None => {
            let ours = app.blocking(move |engine| engine.ours(hash)).await?;
            if ours != hash {
                return to_blob(&app, ours.to_string(), raw.as_deref()).await;
            }
            app.blocking(move |engine| engine.open_bytes(&hash)).await?
        }
    };
    Ok(serve_bytes(&bytes, &row, &hash, &headers, download.as_deref()))
}

/// To the blob that an asset names now, with the query that came.
async fn to_blob(app: &App, name: String, query: Option<&str>) -> ApiResult<Response> {
    let hash = app.blocking(move |engine| engine.content_named(&name)).await?;
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let location = HeaderValue::from_bytes(format!("/cache/{hash}{query}").as_bytes());
    let location = location.map_err(|_| ApiError::invalid(&["query"], "query", "it cannot stand in an address"))?;
    let headers = [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::TEMPORARY_REDIRECT, headers).into_response())
}

/// What is known of a blob: its type, who made it, who uses it, whether it may be deleted.
#[utoipa::path(
    get, path = "/cache/{hash}/info", operation_id = "get_blob_info", tag = "cache",
    params(("hash" = String, Path, description = "A content hash, or an asset's name")),
    responses((status = 200, body = BlobInfo), (status = 404))
)]
pub async fn info(State(app): State<App>, PathWord(word): PathWord) -> ApiResult<Json<BlobInfo>> {
    let info = app.blocking(move |engine| {
        let hash = blob(engine, &word)?;
        engine.blob_info(&hash)
    });
    info.await.map(Json)
}

/// What deleting a blob did, or would do.
#[derive(Serialize, ToSchema)]
pub struct BlobDeleted {
    /// Is it gone? False where it was only asked what would be done.
    deleted: bool,
    content_hash: ContentHash,
    freed_bytes: u64,
    /// Names that went with it.
    names: Vec<String>,
    /// Always empty: a blob is deleted or refused as a whole.
    kept: Vec<Kept>,
}

/// Deletes a blob that nothing holds, with its names.
#[utoipa::path(
    delete, path = "/cache/{hash}", operation_id = "delete_blob", tag = "cache",
    params(
        ("hash" = ContentHash, Path, description = "A content hash; names are deleted at `/assets/{name}`"),
        ("dry_run" = Option<bool>, Query, description = "Only say what would be done"),
    ),
    responses(
        (status = 200, body = BlobDeleted), (status = 404),
        (status = 409, description = "Something holds it: a run, a config, a publication. It is named."),
    )
)]
pub async fn delete(
    State(app): State<App>,
    PathHash(hash): PathHash,
    mut query: QueryWords,
) -> ApiResult<Json<BlobDeleted>> {
    let dry_run = query.flag("dry_run");
    query.finish()?;
    let deleted = app.blocking(move |engine| {
        let hash = engine.ours(hash)?;
        let names = engine.names_of(&hash)?;
        Ok((hash, names, engine.remove_blob(&hash, dry_run)?))
    });
    let (hash, names, freed) = deleted.await?;
    let freed_bytes = freed.freed_bytes;
    Ok(Json(BlobDeleted { deleted: !dry_run, content_hash: hash, freed_bytes, names, kept: freed.kept }))
}
