//! What this server is, and whether it is well.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::base::ContentHash;
use crate::engine::infra::Infrastructure;
use crate::engine::{Counts, Storage};
use crate::http::App;
use crate::http::accept::varied;
use crate::http::error::{ApiError, ApiResult};

/// The server.
#[derive(Serialize, ToSchema)]
pub struct Server {
    /// `artdag`.
    name: &'static str,
    version: &'static str,
    /// Where it listens.
    address: Option<String>,
    storage: Storage,
    /// Runs by status.
    runs: Counts,
    /// Is no waiting run started?
    queue_paused: bool,
    /// Threads that render.
    threads: usize,
    /// Stages that run at once.
    workers: usize,
    /// Is ffmpeg found?
    ffmpeg: bool,
    /// The L2 server that it publishes to.
    l2: Option<String>,
    uptime_seconds: u64,
}

/// What the server is and holds.
#[utoipa::path(
    get, path = "/", operation_id = "get_server", tag = "server",
    responses((status = 200, body = Server, headers(("Vary" = String, description = "`Accept`"))))
)]
pub async fn server(State(app): State<App>) -> ApiResult<Response> {
    let counted = app
        .blocking(|engine| Ok((engine.storage()?, engine.run_counts()?, engine.queue_paused()?, engine.has_ffmpeg())));
    let (storage, runs, queue_paused, ffmpeg) = counted.await?;
    Ok(varied(Json(Server {
        name: "artdag",
        version: env!("CARGO_PKG_VERSION"),
        address: app.address().map(str::to_owned),
        storage,
        runs,
        queue_paused,
        threads: app.settings.threads,
        workers: app.settings.workers,
        ffmpeg,
        l2: app.publisher.l2().map(|l2| l2.url.clone()),
        uptime_seconds: app.started.elapsed().as_secs(),
    })))
}

/// Whether the server is alive or ready.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok` or `ready`.
    status: &'static str,
    /// `connected` or `away`, where runs are mirrored. Being away is no reason not to be ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    redis_mirror: Option<&'static str>,
    /// `connected` or `away`, where jobs are taken from Redis.
    #[serde(skip_serializing_if = "Option::is_none")]
    redis_intake: Option<&'static str>,
}

/// The server answers.
#[utoipa::path(
    get, path = "/healthz", operation_id = "get_liveness", tag = "server",
    responses((status = 200, body = Health))
)]
pub async fn healthz() -> Json<Health> {
    Json(Health { status: "ok", redis_mirror: None, redis_intake: None })
}

/// The server can do its work: its storage takes writes.
#[utoipa::path(
    get, path = "/readyz", operation_id = "get_readiness", tag = "server",
    responses((status = 200, body = Health), (status = 503, description = "Its storage takes no writes now."))
)]
pub async fn readyz(State(app): State<App>) -> ApiResult<Response> {
    if app.engine.degraded().is_some() {
        let detail = "the server cannot write to its storage; it tries again by itself";
        let error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, detail);
        return Err(error.with(header::RETRY_AFTER, HeaderValue::from_static("2")));
    }
    let (redis_mirror, redis_intake) = (app.redis.mirror.word(), app.redis.intake.word());
    Ok(Json(Health { status: "ready", redis_mirror, redis_intake }).into_response())
}

/// Which program this is.
#[derive(Serialize, ToSchema)]
pub struct Program {
    /// `artdag`.
    name: &'static str,
    version: &'static str,
    /// The commit it was built from, if the build was told.
    commit: Option<&'static str>,
    /// The BLAKE3 hash of this very binary.
    build: ContentHash,
}

/// Version, commit and build of the program.
#[utoipa::path(
    get, path = "/version", operation_id = "get_version", tag = "server",
    responses((status = 200, body = Program))
)]
pub async fn version(State(app): State<App>) -> ApiResult<Json<Program>> {
    // The binary is read once.
    let build = app.blocking(|_| Ok(Infrastructure::here().software.content_hash)).await?;
    let (name, version) = ("artdag", env!("CARGO_PKG_VERSION"));
    Ok(Json(Program { name, version, commit: option_env!("ARTDAG_COMMIT"), build }))
}

/// Counters and gauges of the server, in the text form of Prometheus.
#[utoipa::path(
    get, path = "/metrics", operation_id = "get_metrics", tag = "server",
    responses((status = 200, body = String, content_type = "text/plain"))
)]
pub async fn metrics(State(app): State<App>) -> ApiResult<Response> {
    let text = app.on_thread(|app| Ok(app.metrics.text())).await?;
    Ok(([(header::CONTENT_TYPE, METRICS_TYPE)], text).into_response())
}

const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
