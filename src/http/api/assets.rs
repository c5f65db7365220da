//! Assets: friendly names of blobs.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::base::ids::BadAssetName;
use crate::base::{AssetName, ContentHash, Timestamp};
use crate::engine::Engine;
use crate::http::App;
use crate::http::accept::varied;
use crate::http::api::body::blob;
use crate::http::api::uploads::named;
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::{Caller, JsonObject, PathWord};
use crate::http::fields::Fields;
use crate::http::query::{NoQuery, QueryWords};
use crate::http::route::Need;

/// A name and what it stands for.
#[derive(Serialize, ToSchema)]
pub struct Asset {
    name: String,
    content_hash: ContentHash,
    /// When it was pointed there.
    created_at: Timestamp,
}

/// What a name stands for.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum AssetItem {
    /// A content hash.
    Hash(ContentHash),
    /// With `details=true`, an object.
    Asset(Asset),
}

/// All names, and what each stands for.
#[utoipa::path(
    get, path = "/assets", operation_id = "list_assets", tag = "assets",
    params(("details" = Option<bool>, Query, description = "Objects in the place of hashes")),
    responses((status = 200, body = BTreeMap<String, AssetItem>, headers(
        ("X-Total-Count" = u64, description = "How many there are"), ("Vary" = String, description = "`Accept`"),
    )))
)]
pub async fn list(State(app): State<App>, mut query: QueryWords) -> ApiResult<Response> {
    let details = query.flag("details");
    query.finish()?;
    let rows = app.blocking(Engine::assets).await?;
    let count = rows.len();
    let item = |name: &String, content_hash, created_at| {
        if details {
            AssetItem::Asset(Asset { name: name.clone(), content_hash, created_at })
        } else {
            AssetItem::Hash(content_hash)
        }
    };
    let items: BTreeMap<String, AssetItem> = rows
        .into_iter()
        .map(|(name, row)| {
            let item = item(&name, row.hash, row.created_at);
            (name, item)
        })
        .collect();
    Ok(varied(([("x-total-count", count.to_string())], Json(items))))
}

/// What `PUT /assets/{name}` takes.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // The body is read field by field; this describes it to clients.
pub struct AssetBody {
    /// A content hash, or another asset's name.
    #[schema(example = "33268b6e167deaf018cc538de12dbacc5a1d9f0ff9d2f7ac33b2bdc4bd7e0d31")]
    content_hash: String,
}

/// Where a name points now.
#[derive(Serialize, ToSchema)]
pub struct AssetSet {
    name: AssetName,
    content_hash: ContentHash,
}

/// Points a name at a blob. Pointing one elsewhere that is there needs the scope `delete`.
#[utoipa::path(
    put, path = "/assets/{name}", operation_id = "put_asset", tag = "assets",
    params(("name" = AssetName, Path, description = "The name")),
    request_body(content = AssetBody),
    responses(
        (status = 201, body = AssetSet, description = "The name is new.",
         headers(("Location" = String, description = "The blob by its name"))),
        (status = 200, body = AssetSet, description = "The name was here."),
        (status = 404, description = "There is no such blob."),
    )
)]
pub async fn put(
    State(app): State<App>,
    Caller(who): Caller,
    PathWord(word): PathWord,
    _: NoQuery,
    JsonObject(body): JsonObject,
) -> ApiResult<Response> {
    let name: AssetName = word.parse().map_err(|error: BadAssetName| {
        ApiError::invalid(&["path", "name"], "value_error", format!("{word:?}: {error}"))
    })?;
    let mut fields = Fields::of_body(body);
    let target = fields.required_text("content_hash").unwrap_or_default();
    fields.finish()?;
    let may_move = app.auth.allows(&who, Need::Delete);
    let set = name.clone();
    let pointed = app.on_thread(move |app| {
        let hash = blob(&app.engine, &target)?;
        let new = app.engine.set_asset(set, hash, may_move.is_ok());
        Ok((named(new, may_move)?, hash))
    });
    let (new, content_hash) = pointed.await?;
    let location = format!("/cache/{}", crate::http::query::path_part(name.as_str()));
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, [(header::LOCATION, location)], Json(AssetSet { name, content_hash })).into_response())
}

/// What deleting a name did, or would do.
#[derive(Serialize, ToSchema)]
pub struct AssetDeleted {
    /// Is it gone? False where it was only asked what would be done.
    deleted: bool,
    name: String,
    /// What it stood for; the blob stays.
    content_hash: ContentHash,
}

/// Deletes a name. The blob stays.
#[utoipa::path(
    delete, path = "/assets/{name}", operation_id = "delete_asset", tag = "assets",
    params(
        ("name" = String, Path, description = "The name"),
        ("dry_run" = Option<bool>, Query, description = "Only say what would be done"),
    ),
    responses((status = 200, body = AssetDeleted), (status = 404))
)]
pub async fn delete(
    State(app): State<App>,
    PathWord(name): PathWord,
    mut query: QueryWords,
) -> ApiResult<Json<AssetDeleted>> {
    let dry_run = query.flag("dry_run");
    query.finish()?;
    let removed = name.clone();
    let content_hash = app.blocking(move |engine| engine.remove_asset(&removed, dry_run)).await?;
    Ok(Json(AssetDeleted { deleted: !dry_run, name, content_hash }))
}
