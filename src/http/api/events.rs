//! What happens, as it happens: server-sent events of a run, or of all.
//!
//! A stream begins with the run itself, or, for a client that comes back with the number of the
//! last event it saw, with what it missed. Where that is no longer known, the event `missed` after
//! the run says so: nodes may have changed without a word. The stream of a run ends after the event that says how
//! it ended; a client that names that event is told by 204 to come no more.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use crate::base::RunId;
use crate::base::limits::{EVENT_KEEP_ALIVE_SECONDS, EVENT_STREAMS};
use crate::http::App;
use crate::http::api::feed::{Feed, Listener, final_id, last_event_id};
use crate::http::auth::Peer;
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::PathRun;

/// What happens to a run: `run` (the whole run), `node` and `progress`; also `missed` and `deleted`.
#[utoipa::path(
    get, path = "/runs/{run_id}/events", operation_id = "follow_run", tag = "events",
    params(
        ("run_id" = RunId, Path, description = "The run"),
        ("Last-Event-ID" = Option<String>, Header, description = "The last event that was seen: what came after it is told first"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/event-stream",
         description = "Events: the data of `run` is a run, of `node` a node's state, of `progress` counts. \
         `missed` says that what came after the client's last event is not known any more: ask for the plan. `deleted` \
         is the last of a run that is gone."),
        (status = 204, description = "The client has seen the last event there is."),
        (status = 404),
        (status = 503, description = "Too many streams are open."),
    )
)]
pub async fn of_run(
    State(app): State<App>,
    PathRun(run): PathRun,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let view = app.blocking(move |engine| engine.run_view(run)).await?;
    if last_event_id(&headers) == Some(final_id(run).as_str()) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let place = place(&app)?;
    Ok(stream(Feed::of_run(app, &view, Listener::new(headers, peer.0), place)))
}

/// What happens to all runs.
#[utoipa::path(
    get, path = "/events", operation_id = "follow_all", tag = "events",
    params(("Last-Event-ID" = Option<String>, Header, description = "The last event that was seen: what came after it is told first")),
    responses(
        (status = 200, body = String, content_type = "text/event-stream",
         description = "Events as of single runs; first, unless the client comes back, the runs that have not ended. \
         `missed` says that runs which were not told before it may have ended, or are gone."),
        (status = 503, description = "Too many streams are open."),
    )
)]
pub async fn of_all(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let place = place(&app)?;
    Ok(stream(Feed::of_all(app, Listener::new(headers, peer.0), place)))
}

/// A place among the streams that may be open at once.
fn place(app: &App) -> ApiResult<tokio::sync::OwnedSemaphorePermit> {
    app.streams.clone().try_acquire_owned().map_err(|_| {
        let detail =
            format!("{EVENT_STREAMS} event streams are open, and there may be no more; ask for the run itself");
        let error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, detail);
        error.with(header::RETRY_AFTER, HeaderValue::from_static("10"))
    })
}

fn stream(feed: Feed) -> Response {
    let events = stream::unfold(feed, |feed| async {
        let (event, feed) = feed.next().await?;
        Some((Ok::<_, Infallible>(event), feed))
    });
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(EVENT_KEEP_ALIVE_SECONDS)).text("keep-alive");
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies of the nginx kind would gather events until a buffer is full.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}
