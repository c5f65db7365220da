//! `openapi.json`, and a page that shows it and tries it out, with nothing loaded from elsewhere.
//!
//! The page is Swagger UI, built into the program. Its policy allows no inline script or style:
//! what it does at the start is a file of its own. Swagger UI's style is sent as a layer, which
//! lets ours mend its colours without being more exact than each of its rules.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use axum::Extension;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::base::ContentHash;
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::PathWord;
use crate::http::openapi::Document;
use crate::http::openapi::RawBytes;

/// This description of the server, for programs.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "get_openapi", tag = "docs",
    responses(
        (status = 200, body = Object, headers(("ETag" = String, description = "Changes with the description"))),
        (status = 304, description = "The client has it."),
    )
)]
pub async fn openapi_json(Extension(document): Extension<Document>, headers: HeaderMap) -> Response {
    fixed(&headers, "application/json", document.json.clone(), &document.etag)
}

/// The interactive description of the server.
#[utoipa::path(
    get, path = "/docs", operation_id = "get_docs", tag = "docs",
    responses(
        (status = 200, body = String, content_type = "text/html"),
        (status = 304, description = "The client has it."),
    )
)]
pub async fn page(headers: HeaderMap) -> Response {
    let mut response = served(&headers, "text/html; charset=utf-8", PAGE);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// A file of the interactive description.
#[utoipa::path(
    get, path = "/docs/{file}", operation_id = "get_docs_file", tag = "docs",
    params(("file" = String, Path, description = "Its name")),
    responses(
        (status = 200, body = RawBytes, content_type = "*/*"),
        (status = 304, description = "The client has it."),
        (status = 404),
    )
)]
pub async fn file(PathWord(name): PathWord, headers: HeaderMap) -> ApiResult<Response> {
    match name.as_str() {
        "start.js" => Ok(served(&headers, "text/javascript; charset=utf-8", START)),
        "page.css" => Ok(served(&headers, "text/css; charset=utf-8", STYLE)),
        _ => of_swagger_ui(&headers, &name),
    }
}

const PAGE: &str = include_str!("docs/page.html");
const START: &str = include_str!("docs/start.js");
const STYLE: &str = include_str!("docs/page.css");

/// Pictures in Swagger UI's own style sheet are written into it as `data:`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What of Swagger UI the page loads.
const FILES: &[(&str, &str)] = &[
    ("swagger-ui.css", "text/css; charset=utf-8"),
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    ("favicon-32x32.png", "image/png"),
];

fn of_swagger_ui(headers: &HeaderMap, name: &str) -> ApiResult<Response> {
    static CONFIG: LazyLock<Arc<utoipa_swagger_ui::Config<'static>>> = LazyLock::new(Arc::default);
    let unknown = || ApiError::not_found("file of the docs", name);
    let (name, kind) = FILES.iter().find(|(known, _)| *known == name).ok_or_else(unknown)?;
    let file = utoipa_swagger_ui::serve(name, CONFIG.clone()).map_err(|error| ApiError::bug(&error))?;
    let file = file.ok_or_else(unknown)?.bytes;
    let bytes = match (kind.starts_with("text/css"), file) {
        (true, file) => bytes::Bytes::from([b"@layer swagger {\n", &*file, b"\n}\n"].concat()),
        (false, Cow::Borrowed(bytes)) => bytes::Bytes::from_static(bytes),
        (false, Cow::Owned(bytes)) => bytes.into(),
    };
    Ok(hashed(headers, kind, bytes))
}

fn served(headers: &HeaderMap, kind: &'static str, text: &'static str) -> Response {
    hashed(headers, kind, bytes::Bytes::from_static(text.as_bytes()))
}

fn hashed(headers: &HeaderMap, kind: &'static str, bytes: bytes::Bytes) -> Response {
    let etag = format!("\"{}\"", ContentHash::of(&bytes));
    fixed(headers, kind, bytes, &etag)
}

/// Bytes of ours that change with the program alone.
fn fixed(headers: &HeaderMap, kind: &'static str, bytes: bytes::Bytes, etag: &str) -> Response {
    let common = [(header::ETAG, etag), (header::CACHE_CONTROL, "no-cache")];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let kind: [(HeaderName, &str); 2] = [(header::CONTENT_TYPE, kind), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (common, kind, bytes).into_response()
}
