//! The queue of the whole server: paused and resumed.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::App;
use crate::http::error::ApiResult;
use crate::http::query::NoQuery;

/// The queue.
#[derive(Serialize, ToSchema)]
pub struct Queue {
    /// Is no waiting run started?
    paused: bool,
}

/// Starts no waiting run from now on; those that run go on.
#[utoipa::path(
    post, path = "/queue/pause", operation_id = "pause_queue", tag = "queue",
    responses((status = 200, body = Queue))
)]
pub async fn pause(State(app): State<App>, _: NoQuery) -> ApiResult<Json<Queue>> {
    set(&app, true).await
}

/// Starts waiting runs again.
#[utoipa::path(
    post, path = "/queue/resume", operation_id = "resume_queue", tag = "queue",
    responses((status = 200, body = Queue))
)]
pub async fn resume(State(app): State<App>, _: NoQuery) -> ApiResult<Json<Queue>> {
    set(&app, false).await
}

async fn set(app: &App, paused: bool) -> ApiResult<Json<Queue>> {
    app.blocking(move |engine| engine.pause_queue(paused)).await?;
    Ok(Json(Queue { paused }))
}
