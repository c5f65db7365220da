//! The program itself, which is its own client.

use std::fs::File;
use std::io::Read as _;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;

use crate::base::limits::DOWNLOAD_CHUNK_BYTES;
use crate::engine::infra::{Infrastructure, THIS_PROGRAM};
use crate::http::App;
use crate::http::error::{ApiError, ApiResult};
use crate::http::openapi::RawBytes;

/// The command-line client: this very program.
#[utoipa::path(
    get, path = "/download/client", operation_id = "download_client", tag = "server",
    responses(
        (status = 200, body = RawBytes, content_type = "application/octet-stream", description = "The program.", headers(
            ("Content-Disposition" = String, description = "Its name"),
            ("X-Artdag-Version" = String, description = "Its version"),
            ("X-Artdag-Blake3" = String, description = "The BLAKE3 hash of its bytes"),
            ("ETag" = String, description = "The same, quoted"),
        )),
        (status = 304, description = "The client has it."),
    )
)]
pub async fn client(State(app): State<App>, headers: HeaderMap) -> ApiResult<Response> {
    let opened = app.on_thread(|_| {
        let software = &Infrastructure::here().software;
        let file = File::open(THIS_PROGRAM).map_err(|error| ApiError::bug(&error))?;
        let length = file.metadata().map_err(|error| ApiError::bug(&error))?.len();
        Ok((software, file, length))
    });
    let (software, file, length) = opened.await?;
    let etag = format!("\"{}\"", software.content_hash);
    let about = [
        (header::ETAG, etag.clone()),
        (header::HeaderName::from_static("x-artdag-version"), software.version.clone()),
        (header::HeaderName::from_static("x-artdag-blake3"), software.content_hash.to_string()),
    ];
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|known| known.as_bytes() == etag.as_bytes());
    if known {
        return Ok((StatusCode::NOT_MODIFIED, about).into_response());
    }
    let plain = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"artdag\"".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
    ];
    let chunks = stream::try_unfold(file, |file| async {
        let read = tokio::task::spawn_blocking(move || next_chunk(file));
        read.await.map_err(std::io::Error::other)?
    });
    Ok((about, plain, Body::from_stream(chunks)).into_response())
}

fn next_chunk(mut file: File) -> std::io::Result<Option<(Bytes, File)>> {
    let mut chunk = Vec::with_capacity(DOWNLOAD_CHUNK_BYTES);
    let read = file.by_ref().take(DOWNLOAD_CHUNK_BYTES as u64).read_to_end(&mut chunk)?;
    Ok((read > 0).then_some((chunk.into(), file)))
}
