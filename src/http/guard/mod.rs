//! What every request passes before a handler sees it, unknown paths too, and what every answer
//! gets on its way out.
//!
//! In this order: an id, the name the server was called by, the row of the table of routes, where
//! the request comes from, who is calling and whether they may, and the body's type and length.
//! A handler therefore never meets a request that its row does not allow.

mod answer;
mod body;
mod host;
mod origin;
mod rest;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tracing::Instrument as _;

use crate::http::access::{self, Seen};
use crate::http::app::App;
use crate::http::auth;
use crate::http::error::{ApiError, ApiResult};
use crate::http::pace::Watch;
use crate::http::peer::Peer;
use crate::http::route::{self, Need, Route};
use crate::http::ui::Browser;

/// Puts the guard before every route and fallback of a router.
pub fn guarded(router: Router, app: &App) -> Router {
    // The guard knows how long a route's body may be; axum's one limit for all would come first.
    router.layer(from_fn_with_state(app.clone(), guard)).layer(DefaultBodyLimit::disable())
}

async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let row = path.as_deref().and_then(|path| route::find(request.method(), path));
    let id = answer::request_id(request.headers());
    let seen = Seen::new(&request, row);
    let browser = Browser::of(&request, row);
    let span = tracing::error_span!("request", id = id.to_str().unwrap_or_default());
    let rest = rest::lend(&mut request);
    let mut response = match admit(&app, &mut request, path.as_deref(), row) {
        Ok(watch) => {
            let response = next.run(request).instrument(span.clone()).await;
            match watch.and_then(|watch| watch.cut()) {
                Some(cut) => body::cut(cut).into_response(),
                None => response,
            }
        }
        Err(error) => {
            drop(request);
            error.into_response()
        }
    };
    if let Some(rest) = rest {
        rest.clear(&mut response).await;
    }
    if let Some(browser) = browser {
        response = browser.shown(response);
    }
    let elsewhere = app.auth.is_public() || row.is_some_and(|row| row.need == Need::Public);
    answer::finish(&mut response, &id, may_anybody_read(&app), elsewhere);
    access::watch(&app.metrics, seen, span, response)
}

fn may_anybody_read(app: &App) -> bool {
    app.auth.allows(&auth::Principal::default(), Need::Read).is_ok()
}

/// Lets a request in, or says why not.
fn admit(
    app: &App,
    request: &mut Request,
    path: Option<&str>,
    row: Option<&'static Route>,
) -> ApiResult<Option<Watch>> {
    let peer = request.extensions().get::<Peer>().copied().unwrap_or_default();
    let host = host::check(request, &app.settings.server, peer.local)?;
    let row = match (row, path) {
        (Some(row), _) => row,
        (None, Some(path)) => return Err(other_method(request.method(), path)),
        (None, None) => return Err(ApiError::not_found("route", request.uri().path())),
    };
    origin::check(request, row, &host)?;
    let principal = app.auth.identify(request.headers(), peer.address.ip())?;
    app.auth.allows(&principal, row.need)?;
    request.extensions_mut().insert(principal);
    request.extensions_mut().insert(auth::Peer(peer.address.ip()));
    if *request.method() == Method::HEAD {
        // Ranges are of GET alone; everything else is as if it were one.
        request.headers_mut().remove(header::RANGE);
    }
    body::admit(request, row.takes, app)
}

/// A path that is there, with a method that is not.
fn other_method(method: &Method, path: &str) -> ApiError {
    let mut methods: Vec<&str> = Vec::new();
    for row in route::all().filter(|row| row.path == path) {
        methods.push(row.method.as_str());
        if row.method == Method::GET {
            methods.push("HEAD");
        }
    }
    let allow = methods.join(", ");
    let detail = format!("{method} is not a method of this path; it has {allow}");
    let error = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, detail);
    error.with(header::ALLOW, HeaderValue::from_str(&allow).unwrap_or(HeaderValue::from_static("")))
}

#[cfg(test)]
mod tests;
