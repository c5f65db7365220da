//! A file in a request's body, as multipart or raw: taken from the connection piece by piece and
//! handed to a thread that writes, so that memory does not grow with the file.
//!
//! A file is kept when all of the body has come, and not before: of a connection that breaks off
//! nothing stays.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::BodyExt as _;
use multer::{Field, Multipart};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::base::AssetName;
use crate::base::limits::{UPLOAD_FIELDS, UPLOAD_PIECES};
use crate::engine::{EngineError, Upload, Uploader};
use crate::http::app::App;
use crate::http::auth::Principal;
use crate::http::error::{ApiError, ApiResult};
use crate::http::route::Need;

/// The field of a form that holds the file.
const FIELD: &str = "file";
/// Seconds after which a client may try again for whom there was no room.
const RETRY_SECONDS: &str = "5";

/// Takes in the file of a body, and names it if asked. A name that stands for another file is
/// moved only for a caller who may delete.
pub async fn receive(app: &App, request: Request, name: Option<AssetName>) -> ApiResult<Upload> {
    let Ok(_room) = app.uploads.try_acquire() else { return Err(no_room()) };
    let principal = request.extensions().get::<Principal>().cloned().unwrap_or_default();
    let may_move = app.auth.allows(&principal, Need::Delete);
    let expected = http_body::Body::size_hint(request.body()).exact();
    let mut sink = Sink::open(app, expected).await?;
    let (parts, body) = request.into_parts();
    match boundary(&parts.headers)? {
        None => sink.take_body(body).await?,
        Some(boundary) => sink = take_form(app, body, boundary, sink).await?,
    }
    let taken = sink.finish(name, may_move.is_ok()).await?;
    match (taken, may_move) {
        (Ok(upload), _) => {
            app.metrics.uploads.inc();
            app.metrics.upload_bytes.inc_by(upload.size);
            Ok(upload)
        }
        (Err(EngineError::NameTaken { .. }), Err(may_not)) => Err(may_not),
        (Err(error), _) => Err(error.into()),
    }
}

/// Reads the file of a body into memory, with the name that a form gives it. Refused when it is
/// longer than `limit` bytes.
pub async fn receive_small(request: Request, limit: usize) -> ApiResult<(Vec<u8>, Option<String>)> {
    let (parts, body) = request.into_parts();
    let mut small = Small { bytes: Vec::new(), limit };
    let Some(boundary) = boundary(&parts.headers)? else {
        let mut body = body;
        while let Some(bytes) = next_bytes(&mut body).await? {
            small.take(&bytes)?;
        }
        return Ok((small.bytes, None));
    };
    let mut form = Multipart::new(body.into_data_stream(), boundary);
    let (mut found, mut named) = (None, false);
    for _ in 0..UPLOAD_FIELDS {
        let Some(mut field) = form.next_field().await.map_err(|error| broken(&error))? else { break };
        let wanted = is_wanted(&field, found.is_some(), named);
        let file_name = field.file_name().map(str::to_owned);
        named |= wanted && field.name() == Some(FIELD);
        if wanted {
            small.bytes.clear();
        }
        while let Some(bytes) = field.chunk().await.map_err(|error| broken(&error))? {
            if wanted {
                small.take(&bytes)?;
            }
        }
        found = if wanted { Some(file_name) } else { found };
    }
    found.map(|file_name| (small.bytes, file_name)).ok_or_else(no_file)
}

struct Small {
    bytes: Vec<u8>,
    limit: usize,
}

impl Small {
    fn take(&mut self, bytes: &[u8]) -> ApiResult<()> {
        if self.bytes.len() + bytes.len() > self.limit {
            let detail = format!("the file is too long: at most {} bytes are taken here", self.limit);
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

/// Is it the file? The first of the right name, else the first file at all.
fn is_wanted(field: &Field<'_>, found: bool, named: bool) -> bool {
    match field.name() {
        Some(FIELD) => !named,
        _ => !found && field.file_name().is_some(),
    }
}

/// The boundary of a form's parts; `None` if the body is the file itself.
fn boundary(headers: &HeaderMap) -> ApiResult<Option<String>> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("multipart/form-data") {
        return Ok(None);
    }
    multer::parse_boundary(given).map(Some).map_err(|error| broken(&error))
}

async fn take_form(app: &App, body: Body, boundary: String, first: Sink) -> ApiResult<Sink> {
    let mut form = Multipart::new(body.into_data_stream(), boundary);
    let (mut spare, mut found, mut named) = (Some(first), None, false);
    for _ in 0..UPLOAD_FIELDS {
        let Some(mut field) = form.next_field().await.map_err(|error| broken(&error))? else { break };
        if !is_wanted(&field, found.is_some(), named) {
            while field.chunk().await.map_err(|error| broken(&error))?.is_some() {}
            continue;
        }
        named |= field.name() == Some(FIELD);
        let mut sink = match spare.take() {
            Some(sink) => sink,
            None => Sink::open(app, None).await?,
        };
        while let Some(bytes) = field.chunk().await.map_err(|error| broken(&error))? {
            if !sink.push(bytes).await {
                // It says why when it is finished.
                return Ok(sink);
            }
        }
        found = Some(sink);
    }
    found.ok_or_else(no_file)
}

/// As many uploads are under way as there may be.
pub fn no_room() -> ApiError {
    let detail = "too many uploads at once; try again in a moment";
    let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, detail);
    error.with(header::RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS))
}

async fn next_bytes(body: &mut Body) -> ApiResult<Option<Bytes>> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken(&error))?;
        if let Ok(bytes) = frame.into_data() {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

fn broken(error: &dyn std::fmt::Display) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, format!("the body cannot be read: {error}"))
}

fn no_file() -> ApiError {
    ApiError::invalid(&["body", FIELD], "missing", "a form has the file in its field `file`")
}

/// What the thread that writes is told.
enum Piece {
    Bytes(Bytes),
    /// All of it has come.
    End(Option<AssetName>, bool),
}

/// The way to a thread that writes a file. Dropped before it is finished, it keeps nothing.
struct Sink {
    pieces: mpsc::Sender<Piece>,
    thread: JoinHandle<Result<Option<Upload>, EngineError>>,
}

impl Sink {
    /// Begins a file; refused before anything is read if there is no room for it.
    async fn open(app: &App, expected: Option<u64>) -> ApiResult<Self> {
        let (pieces, receiver) = mpsc::channel(UPLOAD_PIECES);
        let (ready, begun) = oneshot::channel();
        let app = app.clone();
        let span = tracing::Span::current();
        let thread = tokio::task::spawn_blocking(move || {
            let _entered = span.enter();
            let uploader = app.engine.uploader(expected)?;
            // Nobody waits for it any more if the client is gone; then the pieces end at once.
            let _ = ready.send(());
            write(uploader, receiver)
        });
        let sink = Self { pieces, thread };
        match begun.await {
            Ok(()) => Ok(sink),
            Err(_) => Err(sink.finish(None, false).await?.map_or_else(ApiError::from, |_| no_file())),
        }
    }

    /// Hands over bytes; false if the thread takes no more.
    async fn push(&mut self, bytes: Bytes) -> bool {
        self.pieces.send(Piece::Bytes(bytes)).await.is_ok()
    }

    async fn take_body(&mut self, mut body: Body) -> ApiResult<()> {
        while let Some(bytes) = next_bytes(&mut body).await? {
            if !self.push(bytes).await {
                break;
            }
        }
        Ok(())
    }

    /// Waits until the file is on disk.
    async fn finish(self, name: Option<AssetName>, repoint: bool) -> ApiResult<Result<Upload, EngineError>> {
        // A thread that takes no more has an error to tell.
        let _ = self.pieces.send(Piece::End(name, repoint)).await;
        match self.thread.await {
            Ok(Ok(Some(upload))) => Ok(Ok(upload)),
            Ok(Ok(None)) => Err(ApiError::bug(&"a file ended before its end")),
            Ok(Err(error)) => Ok(Err(error)),
            Err(panic) => Err(ApiError::bug(&panic)),
        }
    }
}

fn write(mut uploader: Uploader, mut pieces: mpsc::Receiver<Piece>) -> Result<Option<Upload>, EngineError> {
    loop {
        match pieces.blocking_recv() {
            Some(Piece::Bytes(bytes)) => uploader.push(&bytes)?,
            Some(Piece::End(name, repoint)) => return uploader.finish(name, repoint).map(Some),
            // The connection broke off: what has come of the file goes with the uploader.
            None => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
