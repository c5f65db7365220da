//! A request's body: its type, its length, its pace.

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::base::limits::{FORM_BYTES, JSON_BYTES, JSON_WEIGHT};
use crate::http::app::App;
use crate::http::error::{ApiError, ApiResult};
use crate::http::pace::{Counted, Cut, Pace, Watch};
use crate::http::route::Takes;

/// Refuses a body of a type that the route does not take, or that says it is too long; counts
/// and times any other.
pub fn admit(request: &mut Request, takes: Takes, app: &App) -> ApiResult<Option<Watch>> {
    if request.body().is_end_stream() {
        return Ok(None);
    }
    let given = essence(request.headers());
    let limit = match takes {
        // A page of another site can send a form, and no JSON.
        Takes::Nothing if matches!(given.as_str(), "application/x-www-form-urlencoded" | "multipart/form-data") => {
            return Err(other_type(&given, "application/json"));
        }
        Takes::Nothing => return Ok(None),
        Takes::Json if is_json(&given) => JSON_BYTES,
        Takes::Json => return Err(other_type(&given, "application/json")),
        Takes::Form if given == "application/x-www-form-urlencoded" => FORM_BYTES as u64,
        Takes::Form => return Err(other_type(&given, "application/x-www-form-urlencoded")),
        Takes::Bytes | Takes::Config => app.settings.server.max_upload_bytes.unwrap_or(u64::MAX),
    };
    if request.body().size_hint().lower() > limit {
        return Err(cut(Cut::TooLong { limit }));
    }
    let body = std::mem::replace(request.body_mut(), Body::empty());
    let (counted, watch) = Counted::new(body, limit, Pace::default());
    let counted = match takes {
        // Uploads are written as they come.
        Takes::Bytes | Takes::Nothing => counted,
        Takes::Config | Takes::Form => counted.held_in(app.bodies.clone(), 1),
        // Read, JSON takes many times its bytes.
        Takes::Json => counted.held_in(app.bodies.clone(), JSON_WEIGHT),
    };
    *request.body_mut() = Body::new(counted);
    Ok(Some(watch))
}

/// What a client is told whose body was cut off. The rest of it is not read.
pub fn cut(cut: Cut) -> ApiError {
    let error = match cut {
        Cut::TooLong { limit } => {
            let detail = format!("the body is longer than the {limit} bytes that this route takes");
            ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        }
        Cut::TooSlow => ApiError::new(StatusCode::REQUEST_TIMEOUT, "the body came too slowly; send it again, faster"),
        Cut::NoRoom => {
            let detail = "too many long requests come at this moment; send it again in a while";
            let error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, detail);
            error.with(header::RETRY_AFTER, HeaderValue::from_static("2"))
        }
    };
    error.with(header::CONNECTION, HeaderValue::from_static("close"))
}

/// The content type without parameters, lower case; empty if there is none.
fn essence(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_json(essence: &str) -> bool {
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn other_type(given: &str, wanted: &str) -> ApiError {
    let given = if given.is_empty() { "without a Content-Type".to_owned() } else { format!("of type {given:?}") };
    let detail = format!("the body came {given}; send it with Content-Type: {wanted}");
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
}
