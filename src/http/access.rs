//! One log line and one measurement for each request: what was asked, what came of it.
//!
//! The line is written when the answer's last byte is handed over, so that it tells how many
//! there were. It never holds a query, a header, a body or the id of an upload.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use tracing::Span;

use crate::http::metrics::Metrics;
use crate::http::route::Route;

/// What is known of a request before it is answered.
pub struct Seen {
    started: Instant,
    method: &'static str,
    route: &'static str,
    path: String,
}

/// The route whose path holds a secret.
const UPLOAD: &str = "/uploads/{id}";

impl Seen {
    /// A request that has just come; `row` is its route, if there is one.
    pub fn new(request: &Request, row: Option<&'static Route>) -> Self {
        Self {
            started: Instant::now(),
            method: word(request.method().as_str()),
            route: row.map_or("none", |row| row.path),
            path: match row {
                // Who knows the id of an upload may go on with it.
                Some(row) if row.path == UPLOAD => UPLOAD.to_owned(),
                _ => request.uri().path().to_owned(),
            },
        }
    }
}

/// The method, if it is one that the table knows or could know: labels are not made of what
/// clients invent.
fn word(method: &str) -> &'static str {
    const KNOWN: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("other")
}

/// Measures an answer and has its line written when it has gone out.
pub fn watch(metrics: &Metrics, seen: Seen, span: Span, response: Response) -> Response {
    let status = response.status().as_u16();
    metrics.answered(seen.method, seen.route, status, seen.started.elapsed());
    let enabled = span.in_scope(|| tracing::enabled!(target: "artdag::access", tracing::Level::INFO));
    if !enabled {
        return response;
    }
    response.map(|inner| Body::new(Watched { inner, bytes: 0, status, seen, span }))
}

/// A body that knows what it answers.
struct Watched {
    inner: Body,
    bytes: u64,
    status: u16,
    seen: Seen,
    span: Span,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            self.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let Seen { started, method, route, path, .. } = &self.seen;
        let ms = started.elapsed().as_micros() as f64 / 1000.0;
        let (status, bytes) = (self.status, self.bytes);
        let _entered = self.span.enter();
        tracing::info!(target: "artdag::access", method, route, ?path, status, ms, bytes);
    }
}
