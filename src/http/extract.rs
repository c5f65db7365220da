//! What handlers take from a request: the caller, the part of the path, a JSON body, headers.
//!
//! Each refuses what is not of its form with the status that the contract names: a path's part
//! that can be no id is 404, malformed JSON 400, another type 415, too much 413.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use serde_json::{Map, Value};
use tokio::task::spawn_blocking;

use crate::base::limits::{BODY_FREE_BYTES, IDEMPOTENCY_KEY_BYTES, JSON_BYTES};
use crate::base::{ContentHash, RunId};
use crate::http::auth::Principal;
use crate::http::error::{ApiError, ApiResult};

/// Who is calling, as the guard found out; somebody without rights where there is no guard.
pub struct Caller(pub Principal);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        Ok(Self(parts.extensions.get::<Principal>().cloned().unwrap_or_default()))
    }
}

/// The one variable part of the path, decoded.
pub struct PathWord(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathWord {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(word)) => Ok(Self(word)),
            // Bytes that are no text name nothing.
            Err(_) => Err(ApiError::not_found("such thing as", parts.uri.path())),
        }
    }
}

/// A run's id in the path.
pub struct PathRun(pub RunId);

impl<S: Send + Sync> FromRequestParts<S> for PathRun {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let PathWord(word) = PathWord::from_request_parts(parts, state).await?;
        word.parse().map(Self).map_err(|_| ApiError::not_found("run", &word))
    }
}

/// A content hash in the path.
pub struct PathHash(pub ContentHash);

impl<S: Send + Sync> FromRequestParts<S> for PathHash {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let PathWord(word) = PathWord::from_request_parts(parts, state).await?;
        word.parse().map(Self).map_err(|_| ApiError::not_found("blob", &word))
    }
}

/// A JSON object that came as the body.
pub struct JsonObject(pub Map<String, Value>);

impl<S: Sync> FromRequest<S> for JsonObject {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> ApiResult<Self> {
        if !is_json(request.headers()) {
            let detail = "the body must be JSON, sent as application/json";
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        let body = whole(request.into_body(), JSON_BYTES as usize).await?;
        // A long one takes a while, and others wait for this thread.
        let is_long = body.len() > BODY_FREE_BYTES;
        let read = move || serde_json::from_slice(&body);
        let read = if is_long { spawn_blocking(read).await.map_err(|panic| ApiError::bug(&panic))? } else { read() };
        match read {
            Ok(Value::Object(entries)) => Ok(Self(entries)),
            Ok(other) => {
                let message = crate::http::fields::wanted("an object", &other);
                Err(ApiError::invalid(&["body"], "dict_type", message))
            }
            Err(error) => Err(ApiError::new(StatusCode::BAD_REQUEST, format!("the body is no JSON: {error}"))),
        }
    }
}

/// All of a body that has at most `limit` bytes.
async fn whole(body: Body, limit: usize) -> ApiResult<Vec<u8>> {
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes().to_vec()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body has more than {limit} bytes")))
        }
        Err(error) => Err(ApiError::new(StatusCode::BAD_REQUEST, format!("the body broke off: {error}"))),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) else { return false };
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// The `Idempotency-Key` header, if it is there.
pub fn idempotency_key(headers: &HeaderMap) -> ApiResult<Option<String>> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let Some(key) = keys.next() else { return Ok(None) };
    let text = key.to_str().ok().filter(|text| {
        (1..=IDEMPOTENCY_KEY_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    });
    match (text, keys.next()) {
        (Some(text), None) => Ok(Some(text.to_owned())),
        _ => {
            let message = format!("a key has 1 to {IDEMPOTENCY_KEY_BYTES} visible ASCII characters, and is given once");
            Err(ApiError::invalid(&["header", "Idempotency-Key"], "value_error", message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_known_by_its_type() {
        let of = |kind: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
            is_json(&headers)
        };
        assert!(of("application/json") && of("Application/JSON; charset=utf-8") && of("application/ld+json"));
        assert!(!of("text/plain") && !of("application/x-www-form-urlencoded") && !of("application/jsonp"));
        assert!(!is_json(&HeaderMap::new()));
    }

    #[test]
    fn keys_are_short_and_visible() {
        let of = |keys: &[&str]| {
            let mut headers = HeaderMap::new();
            for key in keys {
                headers.append("idempotency-key", key.parse().unwrap());
            }
            idempotency_key(&headers)
        };
        assert_eq!(of(&[]).unwrap(), None);
        assert_eq!(of(&["a-1"]).unwrap().as_deref(), Some("a-1"));
        assert!(of(&[""]).is_err() && of(&["a b"]).is_err() && of(&[&"x".repeat(256)]).is_err());
        assert!(of(&["a", "a"]).is_err());
    }
}
