//! What nobody read of a request's body: the next request of the connection stands behind it.
//!
//! hyper throws away what it has at hand when an answer is written, and else closes the
//! connection, without having said so: a client that sends a body in a packet of its own, and is
//! refused by the head alone, would meet a broken connection with its next request. A short rest
//! is therefore read before the answer goes out; before a long one the answer says that it is the
//! last (RFC 9112, 9.6).

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use crate::base::limits::{UNREAD_BYTES, UNREAD_MILLISECONDS};

/// A request's body, which comes back when whoever has it is done with it.
struct Lent {
    inner: Body,
    back: Arc<Mutex<Option<Body>>>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.inner.is_end_stream() {
            let rest = std::mem::take(&mut self.inner);
            *self.back.lock().unwrap_or_else(PoisonError::into_inner) = Some(rest);
        }
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if matches!(polled, Poll::Ready(None)) {
            // Read to its end: of a body in chunks hyper does not tell it otherwise.
            self.inner = Body::empty();
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

/// Where a body comes back to, and whether its sender waits to be asked for it.
pub struct Rest {
    back: Arc<Mutex<Option<Body>>>,
    waits: bool,
}

/// Lends a request's body to those who come next. `None` if it has none.
pub fn lend(request: &mut Request) -> Option<Rest> {
    if request.body().is_end_stream() {
        return None;
    }
    let back = Arc::default();
    let waits = request.headers().contains_key(header::EXPECT);
    let inner = std::mem::take(request.body_mut());
    *request.body_mut() = Body::new(Lent { inner, back: Arc::clone(&back) });
    Some(Rest { back, waits })
}

impl Rest {
    /// Makes the connection ready for its next request, or says that there is none.
    pub async fn clear(self, response: &mut Response) {
        let rest = self.back.lock().unwrap_or_else(PoisonError::into_inner).take();
        let last = response.headers().get(header::CONNECTION).is_some_and(|value| value == "close");
        let Some(rest) = rest.filter(|_| !last) else { return };
        // Reading would ask a client that waits for `100 Continue` to send what nobody wants.
        if self.waits || !is_read(rest).await {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// Reads a body to its end, if that is near.
async fn is_read(mut rest: Body) -> bool {
    let mut left = UNREAD_BYTES;
    let reading = async {
        while rest.size_hint().lower() <= left {
            let frame = match rest.frame().await {
                None => return true,
                Some(frame) => frame.ok(),
            };
            let bytes = frame.map(|frame| frame.data_ref().map_or(0, |data| data.len() as u64));
            left = match bytes.and_then(|bytes| left.checked_sub(bytes)) {
                Some(left) => left,
                None => return false,
            };
        }
        false
    };
    timeout(Duration::from_millis(UNREAD_MILLISECONDS), reading).await.unwrap_or(false)
}
