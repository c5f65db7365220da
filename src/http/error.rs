//! Errors as answers: the one place that chooses statuses. What a client is told and what is
//! logged are apart: an answer never holds a path of the server or a trace.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::engine::{Class, EngineError};

/// An answer that is an error: `{"detail": …}`.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    detail: Value,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// A result of a handler.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// An error that is told in one sentence: what is wrong, and what to do.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: Value::String(detail.into()), headers: Vec::new() }
    }

    /// A body or query that is not valid: `loc` is the path to the part.
    pub fn invalid(loc: &[&str], kind: &str, message: impl Into<String>) -> Self {
        Self::problems(vec![json!({"loc": loc, "msg": message.into(), "type": kind})])
    }

    /// Everything that is not valid, each `{"loc", "msg", "type"}`.
    pub fn problems(problems: Vec<Value>) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, detail: Value::Array(problems), headers: Vec::new() }
    }

    /// There is no such thing.
    pub fn not_found(what: &str, name: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("no {what} {name:?}"))
    }

    /// A bug of ours: logged in full, told in a word.
    pub fn bug(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "BUG: a request could not be answered");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "a bug in artdag; its log has more under this request's id")
    }

    /// The same with a header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// What is told: a sentence, or a list of problems.
    pub const fn detail(&self) -> &Value {
        &self.detail
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        if let EngineError::Problems(problems) = &error {
            let problems = problems.iter().map(|problem| serde_json::to_value(problem).unwrap_or_default());
            return Self::problems(problems.collect());
        }
        let status = match error.class() {
            Class::Usage => return Self::invalid(&["body"], "usage_error", error.to_string()),
            Class::Invalid => return Self::invalid(&["body"], "value_error", error.to_string()),
            Class::NotFound => StatusCode::NOT_FOUND,
            Class::Refused => StatusCode::CONFLICT,
            Class::Full => StatusCode::INSUFFICIENT_STORAGE,
            Class::NotAllowed => StatusCode::FORBIDDEN,
            Class::Busy => StatusCode::TOO_MANY_REQUESTS,
            Class::Machine => StatusCode::SERVICE_UNAVAILABLE,
        };
        match status {
            StatusCode::INSUFFICIENT_STORAGE => {
                tracing::warn!(%error, "no space is left");
                Self::new(status, "the disk is full; free some space and try again")
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                tracing::error!(%error, "the machine failed");
                let detail = match &error {
                    EngineError::Damaged { .. } => error.to_string(),
                    _ => "the server cannot reach its storage; it tries again by itself".to_owned(),
                };
                Self::new(status, detail).with(header::RETRY_AFTER, HeaderValue::from_static("2"))
            }
            _ => Self::new(status, error.to_string()),
        }
    }
}

/// What an answer that is an error tells, beside its body: the guard makes a page of it where a
/// browser asked.
#[derive(Debug, Clone)]
pub struct Told(pub Value);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(json!({"detail": self.detail}))).into_response();
        response.headers_mut().extend(self.headers);
        response.extensions_mut().insert(Told(self.detail));
        response
    }
}
