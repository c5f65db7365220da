//! Uploads that go on after a lost connection: the protocol tus 1.0, with its extensions for
//! creation, checksums, expiration and termination.
//!
//! What is said in headers is the protocol's; what is said in bodies is for people and for
//! programs that do not speak it.

mod said;

use std::time::{Duration, SystemTime};

use axum::Json;
use axum::body::HttpBody as _;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::base::{ContentHash, Timestamp};
use crate::engine::partial::{Appender, PartialUpload, UploadId};
use crate::engine::{Engine, EngineError, Upload};
use crate::http::App;
use crate::http::api::tus::said::{Checksum, Metadata, metadata, no_other_version, number, spoken};
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::{Caller, PathWord};
use crate::http::openapi::RawBytes;
use crate::http::query::QueryWords;
use crate::http::route::Need;
use crate::http::upload_body::no_room;

pub use said::override_method;

/// The version of the protocol that is spoken.
const VERSION: &str = "1.0.0";
const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
/// What a file that is whole is called: a header of ours.
const CONTENT_HASH: HeaderName = HeaderName::from_static("upload-content-hash");
/// Was it here before? Ours, too.
const EXISTING: HeaderName = HeaderName::from_static("upload-existing");
/// The type of the bytes that are added.
const CHUNK: &str = "application/offset+octet-stream";
/// How long whoever comes back for a file waits for the connection before to be given up.
const PATIENCE: Duration = Duration::from_secs(10);
/// A chunk whose checksum is another.
const MISMATCH: u16 = 460;

/// The routes; each answer, an error too, says which version is spoken.
pub fn routes() -> OpenApiRouter<App> {
    let speaks = |mut response: Response| async move {
        response.headers_mut().insert(RESUMABLE, HeaderValue::from_static(VERSION));
        response
    };
    let routes = OpenApiRouter::new().routes(routes!(options, begin)).routes(routes!(state, append, end));
    routes.layer(map_response(speaks))
}

/// A file that comes in parts.
#[derive(Serialize, ToSchema)]
pub struct Partial {
    /// Bytes in all.
    length: u64,
    /// Bytes that are here.
    offset: u64,
    /// When it is forgotten, if nothing more comes.
    expires_at: Timestamp,
    /// What it has become, once it is whole.
    content_hash: Option<ContentHash>,
}

/// What of the protocol is spoken here.
#[utoipa::path(
    options, path = "/uploads", operation_id = "get_upload_options", tag = "uploads", security(()),
    responses((status = 204, description = "In the headers.", headers(
        ("Tus-Version" = String, description = "Versions"), ("Tus-Extension" = String, description = "Extensions"),
        ("Tus-Checksum-Algorithm" = String, description = "Algorithms for checksums"),
        ("Tus-Max-Size" = Option<u64>, description = "Most bytes of a file, if there is a limit"),
    )))
)]
pub async fn options(State(app): State<App>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        ("tus-resumable", VERSION),
        ("tus-version", VERSION),
        ("tus-extension", "creation,checksum,expiration,termination"),
        ("tus-checksum-algorithm", "sha1,sha256,blake3"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let most = app.settings.server.max_upload_bytes;
    headers.extend(most.map(|most| (HeaderName::from_static("tus-max-size"), HeaderValue::from(most))));
    response
}

/// Begins a file that comes in parts.
#[utoipa::path(
    post, path = "/uploads", operation_id = "begin_upload", tag = "uploads",
    params(
        ("Tus-Resumable" = String, Header, pattern = r"^1\.0\.0$", description = "`1.0.0`"),
        ("Upload-Length" = u64, Header, description = "Bytes in all"),
        ("Upload-Metadata" = Option<String>, Header, description = "Pairs of a key and its value in Base64: `filename`, the asset's name; `blake3`, the content's hash in hex, so that nothing is to be sent if it is here"),
    ),
    responses(
        (status = 201, body = Partial, description = "Its address is in `Location`.", headers(
            ("Location" = String, description = "Where its bytes go"), ("Upload-Expires" = String, description = "When it is forgotten"),
        )),
        (status = 412, description = "Another version of the protocol.", headers(("Tus-Version" = String, description = "Those spoken"))),
        (status = 413, description = "It is longer than is taken."),
        (status = 429, description = "Too many are under way."),
    )
)]
pub async fn begin(State(app): State<App>, Caller(who): Caller, headers: HeaderMap) -> ApiResult<Response> {
    spoken(&headers)?;
    let length = number(&headers, &LENGTH)?;
    if let Some(most) = app.settings.server.max_upload_bytes.filter(|most| length > *most) {
        let detail = format!("the file has {length} bytes, and this server takes {most} at most (max-upload-bytes)");
        return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
    }
    let Metadata { name, hash } = metadata(&headers)?;
    let repoint = app.auth.allows(&who, Need::Delete).is_ok();
    // Who may not read is not told what is here.
    let hash = hash.filter(|_| app.auth.allows(&who, Need::Read).is_ok());
    let (id, partial) = app
        .blocking(move |engine| {
            let id = engine.begin_partial(length, name, &who.id)?;
            if length == 0 {
                engine.append_partial(id, &who.id, 0, false)?.finish(false)?;
            } else if let Some(hash) = hash {
                engine.settle_known(id, &who.id, hash, repoint)?;
            }
            Ok((id, engine.partial(id, &who.id)?))
        })
        .await?;
    let location = HeaderValue::from_str(&format!("/uploads/{id}")).map_err(|error| ApiError::bug(&error))?;
    let mut response = (StatusCode::CREATED, Json(view(&partial))).into_response();
    response.headers_mut().insert(header::LOCATION, location);
    Ok(told(response, &partial))
}

/// How far a file is: after a lost connection it goes on from there.
#[utoipa::path(
    get, path = "/uploads/{id}", operation_id = "get_upload", tag = "uploads",
    params(("id" = String, Path, description = "The upload")),
    responses(
        (status = 200, body = Partial, headers(
            ("Upload-Offset" = u64, description = "Bytes that are here"), ("Upload-Length" = u64, description = "Bytes in all"),
            ("Upload-Content-Hash" = Option<String>, description = "What it has become, once it is whole"),
        )),
        (status = 404),
        (status = 412, description = "Another version of the protocol."),
    )
)]
pub async fn state(
    State(app): State<App>,
    Caller(who): Caller,
    PathWord(word): PathWord,
    headers: HeaderMap,
) -> ApiResult<Response> {
    no_other_version(&headers)?;
    let id = id_of(&word)?;
    let partial = alone(&app, id, &who.id, Engine::partial).await?;
    Ok(told(Json(view(&partial)).into_response(), &partial))
}

/// Adds bytes at the end of what is here.
#[utoipa::path(
    patch, path = "/uploads/{id}", operation_id = "append_to_upload", tag = "uploads",
    params(
        ("id" = String, Path, description = "The upload"),
        ("Tus-Resumable" = String, Header, pattern = r"^1\.0\.0$", description = "`1.0.0`"),
        ("Upload-Offset" = u64, Header, description = "Bytes that are here"),
        ("Upload-Checksum" = Option<String>, Header, description = "An algorithm, and the checksum of this part in Base64"),
    ),
    request_body(content = RawBytes, content_type = "application/offset+octet-stream"),
    responses(
        (status = 204, description = "They are on disk.", headers(
            ("Upload-Offset" = u64, description = "Bytes that are here"),
            ("Upload-Content-Hash" = Option<String>, description = "What it has become, if it is whole"),
        )),
        (status = 404),
        (status = 409, description = "Another number of bytes is here."),
        (status = 412, description = "Another version of the protocol."),
        (status = 423, description = "Another connection is sending it."),
        (status = 460, description = "The checksum is another; nothing of the part was kept."),
    )
)]
pub async fn append(
    State(app): State<App>,
    Caller(who): Caller,
    PathWord(word): PathWord,
    request: Request,
) -> ApiResult<Response> {
    let headers = request.headers().clone();
    spoken(&headers)?;
    let id = id_of(&word)?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind != CHUNK {
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("send the bytes as {CHUNK}")));
    }
    let offset = number(&headers, &OFFSET)?;
    let checksum = Checksum::asked(&headers)?;
    let Ok(_room) = app.uploads.try_acquire() else { return Err(no_room()) };
    let repoint = app.auth.allows(&who, Need::Delete).is_ok();
    let checked = checksum.is_some();
    let opened = alone(&app, id, &who.id, move |engine, id, owner| engine.append_partial(id, owner, offset, checked));
    let appender = opened.await?;
    if request.body().size_hint().lower() > appender.room() {
        return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "more bytes come than were said to"));
    }
    let done = receive(&app, appender, request, checksum, repoint).await?;
    let partial = alone(&app, id, &who.id, Engine::partial).await?;
    if done.is_some() {
        app.metrics.uploads.inc();
        app.metrics.upload_bytes.inc_by(partial.length);
    }
    Ok(told(StatusCode::NO_CONTENT.into_response(), &partial))
}

/// What ending an upload would do.
#[derive(Serialize, ToSchema)]
pub struct UploadEnded {
    /// Is it gone? It is not: only what would be done was asked.
    deleted: bool,
    freed_bytes: u64,
}

/// Ends a file that is not wanted any more.
#[utoipa::path(
    delete, path = "/uploads/{id}", operation_id = "end_upload", tag = "uploads",
    params(
        ("id" = String, Path, description = "The upload"),
        ("dry_run" = Option<bool>, Query, description = "Only say what would be done"),
    ),
    responses(
        (status = 204, description = "It is gone."), (status = 404),
        (status = 200, body = UploadEnded, description = "What would be done."),
        (status = 412, description = "Another version of the protocol."),
    )
)]
pub async fn end(
    State(app): State<App>,
    Caller(who): Caller,
    PathWord(word): PathWord,
    headers: HeaderMap,
    mut query: QueryWords,
) -> ApiResult<Response> {
    let dry_run = query.flag("dry_run");
    query.finish()?;
    no_other_version(&headers)?;
    let id = id_of(&word)?;
    if dry_run {
        let freed_bytes = app.blocking(move |engine| engine.bytes_of_partial(id, &who.id)).await?;
        return Ok(Json(UploadEnded { deleted: false, freed_bytes }).into_response());
    }
    alone(&app, id, &who.id, Engine::remove_partial).await?;
    Ok((StatusCode::NO_CONTENT, [(RESUMABLE, VERSION)]).into_response())
}

/// Does something with a file when the connection that sends it has left it: whoever comes back for
/// a file has lost the one before. No thread waits for that.
async fn alone<T: Send + 'static>(
    app: &App,
    id: UploadId,
    owner: &str,
    work: impl Fn(&Engine, UploadId, &str) -> Result<T, EngineError> + Clone + Send + 'static,
) -> ApiResult<T> {
    let end = Instant::now() + PATIENCE;
    loop {
        let (owner, work) = (owner.to_owned(), work.clone());
        let tried = app.blocking(move |engine| match engine.ask_to_leave(id, &owner)? {
            Some(sends) => Ok(Err(sends)),
            None => match work(engine, id, &owner) {
                // Somebody else came back for it in this moment.
                Err(EngineError::Busy(_)) => Ok(Err(watch::channel(true).1)),
                done => done.map(Ok),
            },
        });
        let mut sends = match tried.await? {
            Ok(done) => return Ok(done),
            Err(sends) => sends,
        };
        let left = async { while sends.changed().await.is_ok() {} };
        if timeout_at(end, left).await.is_err() || Instant::now() >= end {
            let detail = "another connection is sending this file; try again in a moment";
            return Err(ApiError::new(StatusCode::LOCKED, detail));
        }
    }
}

/// Takes the bytes of a request, each as it comes: what has come of one that breaks off stays,
/// unless it was to have a checksum.
async fn receive(
    app: &App,
    appender: Appender,
    request: Request,
    mut checksum: Option<Checksum>,
    repoint: bool,
) -> ApiResult<Option<Upload>> {
    let mut body = request.into_body();
    let mut appender = appender;
    let mut stopped = appender.stopped();
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            // A connection that was lost may hang for long.
            _ = stopped.wait_for(|stopped| *stopped) => Some(Err(axum::Error::new("somebody came back for this file"))),
        };
        let bytes = match frame {
            None => break,
            Some(Ok(frame)) => match frame.into_data() {
                Ok(bytes) => bytes,
                Err(_) => continue,
            },
            Some(Err(error)) => {
                // What counts of it is put on disk where that may wait.
                let left = move |_: &App| {
                    drop(appender);
                    Ok(())
                };
                app.on_thread(left).await?;
                return Err(ApiError::new(StatusCode::BAD_REQUEST, format!("the body broke off: {error}")));
            }
        };
        if let Some(checksum) = &mut checksum {
            checksum.update(&bytes);
        }
        let pushed = app.on_thread(move |_| {
            appender.push(&bytes)?;
            Ok(appender)
        });
        appender = pushed.await?;
    }
    if checksum.is_some_and(|checksum| !checksum.holds()) {
        app.on_thread(move |_| Ok(appender.undo()?)).await?;
        let status = StatusCode::from_u16(MISMATCH).unwrap_or(StatusCode::BAD_REQUEST);
        return Err(ApiError::new(status, "the checksum of the part is another; send it again"));
    }
    app.on_thread(move |_| Ok(appender.finish(repoint)?.1)).await
}

fn view(partial: &PartialUpload) -> Partial {
    Partial {
        length: partial.length,
        offset: partial.offset,
        expires_at: partial.expires_at,
        content_hash: partial.done.as_ref().map(|upload| upload.content_hash),
    }
}

/// The headers that every answer about a file has.
fn told(mut response: Response, partial: &PartialUpload) -> Response {
    let headers = response.headers_mut();
    headers.insert(RESUMABLE, HeaderValue::from_static(VERSION));
    headers.insert(OFFSET, HeaderValue::from(partial.offset));
    headers.insert(LENGTH, HeaderValue::from(partial.length));
    let hash = partial.done.as_ref().and_then(|upload| HeaderValue::from_str(&upload.content_hash.to_string()).ok());
    headers.extend(hash.map(|hash| (CONTENT_HASH, hash)));
    let existing = partial.done.as_ref().map(|upload| if upload.existing { "true" } else { "false" });
    headers.extend(existing.map(|word| (EXISTING, HeaderValue::from_static(word))));
    headers.extend(HeaderValue::from_str(&http_date(partial.expires_at)).ok().map(|time| (EXPIRES, time)));
    response
}

fn http_date(time: Timestamp) -> String {
    let since = Duration::from_micros(time.micros().max(0) as u64);
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since)
}

fn id_of(word: &str) -> ApiResult<UploadId> {
    word.parse().map_err(|()| ApiError::not_found("upload", word))
}
