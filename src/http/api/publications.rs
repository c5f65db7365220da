//! Publishing a run's output, and how far that is.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use crate::base::RunId;
use crate::engine::Publication;
use crate::engine::views::{PublicationView, RunView};
use crate::http::App;
use crate::http::error::ApiResult;
use crate::http::extract::PathRun;
use crate::http::paging::{List, Next, Paging};
use crate::http::query::{NoQuery, QueryWords};

/// Publishes the output of a completed run: from then on it stays, with its inputs and its
/// provenance, and L2 is sent it until it has it. Asking again has it sent again soon, if L2 does
/// not have it.
#[utoipa::path(
    post, path = "/runs/{run_id}/publish", operation_id = "publish_run", tag = "publishing",
    params(("run_id" = RunId, Path, description = "The run")),
    responses(
        (status = 202, body = RunView, description = "It is published; `publication` says how far its delivery is."),
        (status = 404), (status = 409, description = "It is not completed."),
    )
)]
pub async fn publish(State(app): State<App>, PathRun(run): PathRun, _: NoQuery) -> ApiResult<Response> {
    let view = app.on_thread(move |app| Ok(app.publisher.publish(run)?)).await?;
    Ok((StatusCode::ACCEPTED, Json(view)).into_response())
}

/// All publications, newest first, and how far the delivery of each is.
#[utoipa::path(
    get, path = "/publications", operation_id = "list_publications", tag = "publishing",
    params(
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "Most publications of the page"),
        ("cursor" = Option<String>, Query, pattern = "^p[0-9a-f]{16}$", description = "From the `Link` of the page before"),
    ),
    responses((status = 200, body = Vec<PublicationView>, headers(
        ("Link" = Option<String>, description = "The next page, with `rel=\"next\"`"),
        ("X-Total-Count" = u64, description = "How many there are"),
    )))
)]
pub async fn list(State(app): State<App>, mut query: QueryWords) -> ApiResult<Response> {
    let paging = Paging::of(List::Publications, &mut query);
    let here = query.finish()?;
    let (before, limit) = (paging.after_number(), paging.limit);
    let (page, (total, _)) = app
        .blocking(move |engine| Ok((engine.publications_page(before, limit)?, engine.publication_counts()?)))
        .await?;
    let views: Vec<PublicationView> = page.items.iter().map(Publication::view).collect();
    Ok(paging.answer(&here, &views, page.next.map(Next::from), Some(total)))
}
