//! Runs: listed, looked at, held and released, cancelled, deleted.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::base::{ContentHash, RunId};
use crate::engine::views::RunView;
use crate::engine::{Engine, EngineError, Kept, RunFilter};
use crate::http::App;
use crate::http::accept::varied;
use crate::http::error::ApiResult;
use crate::http::extract::PathRun;
use crate::http::paging::{List, Next, Paging};
use crate::http::query::{NoQuery, QueryWords};
use crate::records::RunStatus;

/// All runs, newest first.
#[utoipa::path(
    get, path = "/runs", operation_id = "list_runs", tag = "runs",
    params(
        ("status" = Option<RunStatus>, Query, description = "Only runs of this status"),
        ("recipe" = Option<String>, Query, description = "Only runs of this effect or config, by its name"),
        ("input" = Option<ContentHash>, Query, description = "Only runs that read this blob"),
        ("output" = Option<ContentHash>, Query, description = "Only runs that gave this blob"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "Most runs of the page"),
        ("cursor" = Option<String>, Query, pattern = "^r[0-9a-f]{32}$", description = "From the `Link` of the page before"),
    ),
    responses((status = 200, body = Vec<RunView>, headers(
        ("Link" = Option<String>, description = "The next page, with `rel=\"next\"`"),
        ("X-Total-Count" = Option<u64>, description = "How many there are, where that is counted"),
        ("Vary" = String, description = "`Accept`"),
    )))
)]
pub async fn list(State(app): State<App>, mut query: QueryWords) -> ApiResult<Response> {
    let paging = Paging::of(List::Runs, &mut query);
    let status = query.text("status");
    let filter = RunFilter {
        status: status.as_deref().and_then(RunStatus::parse),
        recipe: query.text("recipe"),
        input: query.parsed("input", "a content hash"),
        output: query.parsed("output", "a content hash"),
    };
    if status.is_some() && filter.status.is_none() {
        let words = "pending, running, completed, failed or cancelled";
        query.problem(
            "status",
            "enum",
            format!("\"status\" is {words}, and {:?} was given", status.unwrap_or_default()),
        );
    }
    let here = query.finish()?;
    let (before, limit) = (paging.after_run(), paging.limit);
    let (runs, next, total) = app
        .blocking(move |engine| {
            let total = total(engine, &filter)?;
            let page = engine.runs_page(&filter, before, limit)?;
            Ok((engine.views_of(&page.items)?, page.next, total))
        })
        .await?;
    Ok(varied(paging.answer(&here, &runs, next.map(Next::from), total)))
}

/// How many runs a filter takes, where that is counted.
fn total(engine: &Engine, filter: &RunFilter) -> Result<Option<u64>, EngineError> {
    if filter.recipe.is_some() || filter.input.is_some() || filter.output.is_some() {
        return Ok(None);
    }
    let counts = engine.run_counts()?;
    Ok(Some(match filter.status {
        Some(status) => counts.of(status),
        None => counts.all(),
    }))
}

/// A run.
#[utoipa::path(
    get, path = "/runs/{run_id}", operation_id = "get_run", tag = "runs",
    params(("run_id" = RunId, Path, description = "The run")),
    responses((status = 200, body = RunView, headers(("Vary" = String, description = "`Accept`"))), (status = 404))
)]
pub async fn one(State(app): State<App>, PathRun(run): PathRun) -> ApiResult<Response> {
    let view = app.blocking(move |engine| engine.run_view(run)).await?;
    Ok(varied(Json(view)))
}

/// What deleting a run did, or would do.
#[derive(Serialize, ToSchema)]
pub struct RunDeleted {
    /// Is it gone? False where it was only asked what would be done.
    deleted: bool,
    run_id: RunId,
    freed_bytes: u64,
    /// Blobs of the run that stay, and why.
    kept: Vec<Kept>,
}

/// Deletes a run that has ended, with what only it used. Uploads stay.
#[utoipa::path(
    delete, path = "/runs/{run_id}", operation_id = "delete_run", tag = "runs",
    params(
        ("run_id" = RunId, Path, description = "The run"),
        ("dry_run" = Option<bool>, Query, description = "Only say what would be done"),
    ),
    responses(
        (status = 200, body = RunDeleted), (status = 404),
        (status = 409, description = "It has not ended (cancel it first), or its output is published."),
    )
)]
pub async fn delete(
    State(app): State<App>,
    PathRun(run): PathRun,
    mut query: QueryWords,
) -> ApiResult<Json<RunDeleted>> {
    let dry_run = query.flag("dry_run");
    query.finish()?;
    let freed = app.blocking(move |engine| engine.delete_run(run, dry_run)).await?;
    Ok(Json(RunDeleted { deleted: !dry_run, run_id: run, freed_bytes: freed.freed_bytes, kept: freed.kept }))
}

/// Stops a run, with what it started. What it has finished is kept.
#[utoipa::path(
    post, path = "/runs/{run_id}/cancel", operation_id = "cancel_run", tag = "runs",
    params(("run_id" = RunId, Path, description = "The run")),
    responses(
        (status = 200, body = RunView, description = "It is stopping, or has stopped."), (status = 404),
        (status = 409, description = "It has ended."),
    )
)]
pub async fn cancel(State(app): State<App>, PathRun(run): PathRun, _: NoQuery) -> ApiResult<Json<RunView>> {
    changed(&app, run, move |engine| engine.cancel(run)).await
}

/// Keeps a waiting run from being started until it is released.
#[utoipa::path(
    post, path = "/runs/{run_id}/hold", operation_id = "hold_run", tag = "runs",
    params(("run_id" = RunId, Path, description = "The run")),
    responses((status = 200, body = RunView), (status = 404), (status = 409, description = "It does not wait."))
)]
pub async fn hold(State(app): State<App>, PathRun(run): PathRun, _: NoQuery) -> ApiResult<Json<RunView>> {
    changed(&app, run, move |engine| engine.hold(run).map(|_| ())).await
}

/// Lets a run that is held be started.
#[utoipa::path(
    post, path = "/runs/{run_id}/release", operation_id = "release_run", tag = "runs",
    params(("run_id" = RunId, Path, description = "The run")),
    responses((status = 200, body = RunView), (status = 404), (status = 409, description = "It does not wait."))
)]
pub async fn release(State(app): State<App>, PathRun(run): PathRun, _: NoQuery) -> ApiResult<Json<RunView>> {
    changed(&app, run, move |engine| engine.release(run).map(|_| ())).await
}

/// Does something to a run and answers with the run.
async fn changed(
    app: &App,
    run: RunId,
    change: impl FnOnce(&Engine) -> Result<(), EngineError> + Send + 'static,
) -> ApiResult<Json<RunView>> {
    let view = app.blocking(move |engine| {
        change(engine)?;
        engine.run_view(run)
    });
    view.await.map(Json)
}
