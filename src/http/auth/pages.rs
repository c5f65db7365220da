//! `/auth` and `/logout`: a token becomes a session, which a browser keeps as a cookie.

use std::net::{IpAddr, Ipv4Addr};

use axum::Extension;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Form, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use crate::base::limits::FORM_BYTES;
use crate::base::{Secret, Timestamp};
use crate::http::App;
use crate::http::auth::gate::Peer;
use crate::http::auth::next::Next;
use crate::http::auth::{credentials, html};
use crate::http::error::{ApiError, ApiResult};
use crate::records::SessionOf;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    let auth = routes!(log_in_by_link, log_in).layer(DefaultBodyLimit::max(FORM_BYTES));
    OpenApiRouter::new().routes(auth).routes(routes!(log_out_by_link, log_out))
}

/// What logging in takes, as a query or as a form.
#[derive(Debug, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    /// A token of this home (`artdag token new`), or of the server whose tokens are trusted here.
    #[param(value_type = Option<String>)]
    #[schema(value_type = Option<String>)]
    auth_token: Option<Secret>,
    /// Where to go then: a path on this site.
    #[param(default = "/", pattern = r"^(/([!-.0-\[\]-~][!-\[\]-~]*)?)?$", max_length = 2048)]
    #[schema(default = "/", pattern = r"^(/([!-.0-\[\]-~][!-\[\]-~]*)?)?$", max_length = 2048)]
    next: Option<String>,
}

/// Log in by a link.
///
/// Sets the cookie of a session and answers a page that leads on to `next`. Without a token the
/// page asks for one.
#[utoipa::path(
    get, path = "/auth", operation_id = "log_in_by_link", tag = "auth", params(LogIn), security(()),
    responses(
        (status = 200, description = "Logged in, or a page that asks for a token", content_type = "text/html", body = String,
         headers(("Set-Cookie" = String, description = "`artdag_session`, HttpOnly and SameSite=Strict"))),
        (status = 401, description = "The token is not taken"),
        (status = 403, description = "A page of another site has this address within itself"),
        (status = 422, description = "`next` is no path on this site"),
        (status = 429, description = "Too many wrong tokens from this address"),
    )
)]
async fn log_in_by_link(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    query: Result<Query<LogIn>, QueryRejection>,
) -> ApiResult<Response> {
    let Query(query) = query.map_err(|error| unreadable("query", error.status(), &error.body_text()))?;
    if is_within_a_page(&headers) {
        let detail = "a log-in is a page of its own; open its address, and do not load it within another page";
        return Err(ApiError::new(StatusCode::FORBIDDEN, detail));
    }
    answer(&app, peer, &headers, "query", query).await
}

/// Log in by a form.
#[utoipa::path(
    post, path = "/auth", operation_id = "log_in", tag = "auth", security(()),
    request_body(content = LogIn, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "Logged in, or a page that asks for a token", content_type = "text/html", body = String,
         headers(("Set-Cookie" = String, description = "`artdag_session`, HttpOnly and SameSite=Strict"))),
        (status = 401, description = "The token is not taken"),
        (status = 413, description = "The form is too long"),
        (status = 415, description = "The body is no form"),
        (status = 422, description = "The form has something else in it, or `next` is no path on this site"),
        (status = 429, description = "Too many wrong tokens from this address"),
    )
)]
async fn log_in(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    form: Result<Form<LogIn>, FormRejection>,
) -> ApiResult<Response> {
    let Form(form) = form.map_err(|error| unreadable("body", error.status(), &error.body_text()))?;
    answer(&app, peer, &headers, "body", form).await
}

/// Log out by a link.
///
/// Ends the session. Where another site has led here, the answer is a page that asks first.
#[utoipa::path(
    get, path = "/logout", operation_id = "log_out_by_link", tag = "auth", security(()),
    responses((status = 200, description = "Logged out, or a page that asks first", content_type = "text/html", body = String))
)]
async fn log_out_by_link(State(app): State<App>, headers: HeaderMap) -> ApiResult<Response> {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if matches!(site, None | Some(b"same-origin" | b"none")) { end(&app, &headers).await } else { Ok(html::log_out()) }
}

/// Log out.
#[utoipa::path(
    post, path = "/logout", operation_id = "log_out", tag = "auth", security(()),
    responses((status = 200, description = "Logged out", content_type = "text/html", body = String))
)]
async fn log_out(State(app): State<App>, headers: HeaderMap) -> ApiResult<Response> {
    end(&app, &headers).await
}

/// Opens a session, and ends those that the browser had.
async fn answer(
    app: &App,
    peer: Option<Extension<Peer>>,
    headers: &HeaderMap,
    place: &str,
    asked: LogIn,
) -> ApiResult<Response> {
    let next = Next::parse(asked.next.as_deref());
    let next = next.map_err(|error| ApiError::invalid(&[place, "next"], "value_error", error.to_string()))?;
    let Some(token) = asked.auth_token.filter(|token| !token.expose().trim().is_empty()) else {
        return Ok(html::log_in(StatusCode::OK, "Paste a token; `artdag token new` makes one.", &next));
    };
    let token = Secret::new(token.expose().trim());
    let (auth, old) = (app.auth.clone(), credentials::sessions(headers));
    let opened = app.blocking(move |engine| {
        let known = match auth.look_up(&token)? {
            Ok(known) => known,
            Err(bad) => return Ok(Err(bad)),
        };
        let (row, id) = engine.open_session(known.of, known.expires_at)?;
        for id in &old {
            engine.close_session(id.expose())?;
        }
        Ok(Ok((row, id)))
    });
    match opened.await? {
        Ok((row, id)) => {
            let seconds = row.expires_at.seconds_since(Timestamp::now()) as u64;
            let name = match &row.of {
                SessionOf::Token(_) => "the holder of a token of this home",
                SessionOf::User { name, .. } => name,
            };
            let mut response = html::logged_in(name, &next);
            set_cookie(&mut response, credentials::cookie(&id, seconds, app.auth.secure_cookie()));
            Ok(response)
        }
        Err(bad) => {
            let Extension(Peer(peer)) = peer.unwrap_or(Extension(Peer(IpAddr::V4(Ipv4Addr::UNSPECIFIED))));
            let refusal = app.auth.refuse(&bad.to_string(), peer);
            Ok(if is_browser(headers) { as_page(refusal, &next) } else { refusal.into_response() })
        }
    }
}

async fn end(app: &App, headers: &HeaderMap) -> ApiResult<Response> {
    let ids = credentials::sessions(headers);
    if !ids.is_empty() {
        app.blocking(move |engine| ids.iter().try_for_each(|id| engine.close_session(id.expose()).map(drop))).await?;
    }
    let mut response = html::logged_out();
    set_cookie(&mut response, credentials::no_cookie(app.auth.secure_cookie()));
    Ok(response)
}

/// A refusal as a page that lets the person try again, with the refusal's own headers.
fn as_page(refusal: ApiError, next: &Next) -> Response {
    let mut page = html::log_in(refusal.status(), refusal.detail().as_str().unwrap_or_default(), next);
    let mut told = refusal.into_response();
    for name in [header::WWW_AUTHENTICATE, header::RETRY_AFTER] {
        let value = told.headers_mut().remove(&name);
        page.headers_mut().extend(value.map(|value| (name, value)));
    }
    page
}

fn set_cookie(response: &mut Response, cookie: HeaderValue) {
    response.headers_mut().append(header::SET_COOKIE, cookie);
}

/// Is a page asked for, by somebody who looks at it?
fn is_browser(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// Does a page load this as a picture, a frame or the like? Browsers say what for.
fn is_within_a_page(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-dest").is_some_and(|purpose| purpose != "document")
}

fn unreadable(place: &str, status: StatusCode, reason: &str) -> ApiError {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
            ApiError::invalid(&[place], "value_error", reason)
        }
        _ => ApiError::new(status, reason),
    }
}
