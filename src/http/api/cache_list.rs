//! All blobs: listed, hashed again, and room made.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::base::{ContentHash, Timestamp};
use crate::engine::gc::Collected;
use crate::engine::{BlobFilter, Engine, EngineError, VerifyReport};
use crate::http::App;
use crate::http::accept::varied;
use crate::http::error::{ApiError, ApiResult};
use crate::http::paging::{List, Next, Paging};
use crate::http::query::QueryWords;
use crate::records::{BlobRow, Origin};

/// A blob, as lists show it.
#[derive(Serialize, ToSchema)]
pub struct BlobItem {
    content_hash: ContentHash,
    size: u64,
    media_type: String,
    /// Width of the picture, in pixels.
    width: Option<u32>,
    /// Height of the picture, in pixels.
    height: Option<u32>,
    /// How it came here.
    origin: Origin,
    created_at: Timestamp,
    /// Assets that name it.
    names: Vec<String>,
}

/// What `GET /cache` lists.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum CacheItem {
    /// A content hash.
    Hash(ContentHash),
    /// With `details=true`, an object.
    Blob(Box<BlobItem>),
}

/// Content hashes of all blobs, newest first.
#[utoipa::path(
    get, path = "/cache", operation_id = "list_blobs", tag = "cache",
    params(
        ("details" = Option<bool>, Query, description = "Objects in the place of hashes"),
        ("media_type" = Option<String>, Query, description = "Only types that begin so, e.g. `image/`"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "Most blobs of the page"),
        ("cursor" = Option<String>, Query, pattern = "^b[0-9a-f]{16}$", description = "From the `Link` of the page before"),
    ),
    responses((status = 200, body = Vec<CacheItem>, headers(
        ("Link" = Option<String>, description = "The next page, with `rel=\"next\"`"),
        ("X-Total-Count" = Option<u64>, description = "How many there are, where that is counted"),
        ("Vary" = String, description = "`Accept`"),
    )))
)]
pub async fn list(State(app): State<App>, mut query: QueryWords) -> ApiResult<Response> {
    let paging = Paging::of(List::Blobs, &mut query);
    let details = query.flag("details");
    let filter = BlobFilter::of_type(query.text("media_type").unwrap_or_default());
    let here = query.finish()?;
    let (before, limit) = (paging.after_number(), paging.limit);
    let (items, next, total) = app
        .blocking(move |engine| {
            let total = if filter.media_type.is_empty() { Some(engine.storage()?.blobs) } else { None };
            let page = engine.blobs_page(&filter, before, limit)?;
            let items = page.items.into_iter().map(|(hash, row)| item(engine, hash, row, details));
            Ok((items.collect::<Result<Vec<_>, EngineError>>()?, page.next, total))
        })
        .await?;
    Ok(varied(paging.answer(&here, &items, next.map(Next::from), total)))
}

fn item(engine: &Engine, hash: ContentHash, row: BlobRow, details: bool) -> Result<CacheItem, EngineError> {
    if !details {
        return Ok(CacheItem::Hash(hash));
    }
    Ok(CacheItem::Blob(Box::new(BlobItem {
        content_hash: hash,
        size: row.size,
        media_type: row.media_type,
        width: row.dimensions.map(|(width, _)| width),
        height: row.dimensions.map(|(_, height)| height),
        origin: row.origin,
        created_at: row.created_at,
        names: engine.names_of(&hash)?,
    })))
}

/// Hashes blobs again and tells which are not what their names say.
#[utoipa::path(
    post, path = "/cache/verify", operation_id = "verify_blobs", tag = "cache",
    params(("content_hash" = Option<Vec<ContentHash>>, Query, description = "Only these; all if none is given")),
    responses(
        (status = 200, body = VerifyReport, description = "What was found; nothing is changed."),
        (status = 404, description = "One of the hashes is no blob's."),
        (status = 429, description = "It is being done already.", headers(("Retry-After" = u64, description = "Seconds"))),
    )
)]
pub async fn verify(State(app): State<App>, mut query: QueryWords) -> ApiResult<Json<VerifyReport>> {
    let words = query.texts("content_hash");
    let only: Vec<ContentHash> = words.iter().filter_map(|word| word.parse().ok()).collect();
    if only.len() < words.len() {
        query.problem("content_hash", "value_error", "each \"content_hash\" is 64 lower-case hex digits");
    }
    query.finish()?;
    let Ok(turn) = app.verifications.clone().try_acquire_owned() else {
        let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "blobs are being verified already; try again later");
        return Err(error.with(header::RETRY_AFTER, HeaderValue::from_static("10")));
    };
    // A client that goes away ends the work.
    let gone = GoneAway::default();
    let nobody = gone.0.clone();
    let report = app.blocking(move |engine| {
        let _turn = turn;
        let only = only.into_iter().map(|hash| engine.ours(hash)).collect::<Result<Vec<_>, _>>()?;
        for hash in &only {
            engine.describe(hash)?;
        }
        let only = (!only.is_empty()).then_some(only.as_slice());
        engine.verify_blobs(only, &mut |_, _| !nobody.load(Ordering::Relaxed))
    });
    report.await.map(Json)
}

/// Says when it is dropped that nobody waits any more.
#[derive(Default)]
struct GoneAway(Arc<AtomicBool>);

impl Drop for GoneAway {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Makes room: removes results that can be made again, oldest use first.
#[utoipa::path(
    post, path = "/cache/gc", operation_id = "collect_garbage", tag = "cache",
    params(
        ("max_bytes" = Option<u64>, Query, description = "Most bytes of such results that stay; by default the cap"),
        ("orphans" = Option<bool>, Query, description = "Remove files that no record names, even if the database was lost"),
        ("dry_run" = Option<bool>, Query, description = "Only say what would be done"),
    ),
    responses(
        (status = 200, body = Collected),
        (status = 409, description = "There are files older than the database, which was lost or replaced."),
    )
)]
pub async fn gc(State(app): State<App>, mut query: QueryWords) -> ApiResult<Json<Collected>> {
    let max_bytes = query.number("max_bytes", 0..=i64::MAX as u64);
    let (orphans, dry_run) = (query.flag("orphans"), query.flag("dry_run"));
    query.finish()?;
    app.blocking(move |engine| engine.gc(max_bytes, orphans, dry_run)).await.map(Json)
}
