//! What every answer says besides what it is about.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;

/// The header of a request's id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Letters of an id that a caller gives: longer ones are no ids.
const ID_LETTERS: usize = 128;

/// The caller's id, if it is one that can stand in a log; else a new one.
pub fn request_id(headers: &HeaderMap) -> HeaderValue {
    let sane = |value: &&HeaderValue| {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
        !value.is_empty() && value.len() <= ID_LETTERS && value.as_bytes().iter().all(plain)
    };
    let given = headers.get(REQUEST_ID).filter(sane).cloned();
    given.unwrap_or_else(|| {
        let id = uuid::Uuid::now_v7().simple().to_string();
        HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("none"))
    })
}

/// Adds to an answer what it does not say itself. Where reading needs a token, caches that
/// several people share keep nothing.
pub fn finish(response: &mut Response, id: &HeaderValue, anybody_reads: bool, elsewhere: bool) {
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id.clone());
    // Pages of other sites may show what is here only where everybody may see it.
    let shown = if elsewhere { "cross-origin" } else { "same-origin" };
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static(shown));
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    let shared = headers.get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
    if let Some(rest) = shared.and_then(|value| value.strip_prefix("public")).filter(|_| !anybody_reads)
        && let Ok(private) = HeaderValue::from_str(&format!("private{rest}"))
    {
        headers.insert(header::CACHE_CONTROL, private);
    }
}
