//! The one way in which bytes that people sent, or that were made of them, go out.
//!
//! Nothing is copied on the way: the answer's body is the blob's mapping. The type is ours,
//! from sniffing, and what a browser might run is saved and sandboxed. The name is the
//! content's hash, so that an answer never changes.

use std::ops::Range;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::base::ContentHash;
use crate::engine::Bytes as Blob;
use crate::http::conditions::{Conditions, Verdict};
use crate::http::disposition;
use crate::http::error::ApiError;
use crate::http::pieces::{Piece, Pieces};
use crate::http::range::Wanted;
use crate::media::MediaType;
use crate::records::BlobRow;

/// What nothing in a page of its own may do; pictures and sound of this very address it shows.
const SHOWN_POLICY: &str = "default-src 'none'; img-src 'self'; media-src 'self'; sandbox";
/// What a browser would run gets nothing at all.
const SAVED_POLICY: &str = "default-src 'none'; sandbox";

/// Answers with a blob: all of it, the ranges that are asked for, or that the client has it.
/// With `download` it is saved under that name.
pub fn serve_bytes(
    bytes: &Blob,
    row: &BlobRow,
    hash: &ContentHash,
    headers: &HeaderMap,
    download: Option<&str>,
) -> Response {
    let size = bytes.len() as u64;
    let etag = format!("\"{hash}\"");
    let mut response = match Conditions::of(headers).judge(&etag, size) {
        Verdict::Failed => {
            let detail = format!("the content is {hash}, which If-Match does not name");
            return ApiError::new(StatusCode::PRECONDITION_FAILED, detail).into_response();
        }
        Verdict::Known => return described(StatusCode::NOT_MODIFIED.into_response(), &etag),
        Verdict::Send(Wanted::Unsatisfiable) => {
            let detail = format!("no such range: the content has {size} bytes");
            let error = ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, detail);
            return error.with(header::CONTENT_RANGE, value(&format!("bytes */{size}"))).into_response();
        }
        Verdict::Send(Wanted::Whole) => {
            let mut response = body_of(bytes, [Piece::Part(0..bytes.len())]);
            response.headers_mut().insert(header::CONTENT_TYPE, content_type(row));
            response
        }
        Verdict::Send(Wanted::Parts(parts)) => match parts.as_slice() {
            [part] => one_part(bytes, part, row),
            parts => many_parts(bytes, parts, row),
        },
    };
    dispose(response.headers_mut(), row, hash, download);
    described(response, &etag)
}

/// What every answer about a blob says.
fn described(mut response: Response, etag: &str) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ETAG, value(etag));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    response
}

/// Says whether the bytes may be shown, and under which name they are saved.
fn dispose(headers: &mut HeaderMap, row: &BlobRow, hash: &ContentHash, download: Option<&str>) {
    let media_type = MediaType::from_mime(&row.media_type).unwrap_or(MediaType::Octet);
    let shown = disposition::is_shown(media_type);
    let policy = if shown { SHOWN_POLICY } else { SAVED_POLICY };
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let own_name = || format!("{}.{}", &hash.to_string()[..8], media_type.extension());
    let name = download.map(str::to_owned).or_else(|| (!shown).then(own_name));
    if let Some(name) = name {
        headers.insert(header::CONTENT_DISPOSITION, disposition::attachment(&name));
    }
}

fn one_part(bytes: &Blob, part: &Range<u64>, row: &BlobRow) -> Response {
    let mut response = body_of(bytes, [within(part)]);
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    response.headers_mut().insert(header::CONTENT_TYPE, content_type(row));
    response.headers_mut().insert(header::CONTENT_RANGE, value(&content_range(part, bytes.len())));
    response
}

fn many_parts(bytes: &Blob, parts: &[Range<u64>], row: &BlobRow) -> Response {
    // More than seventy random bits: no content holds them by chance, and nobody knows them before.
    let boundary = uuid::Uuid::now_v7().simple().to_string();
    let content_type = content_type(row);
    let mut pieces = Vec::with_capacity(2 * parts.len() + 1);
    for part in parts {
        let mut head = format!("\r\n--{boundary}\r\nContent-Type: ").into_bytes();
        head.extend_from_slice(content_type.as_bytes());
        head.extend_from_slice(format!("\r\nContent-Range: {}\r\n\r\n", content_range(part, bytes.len())).as_bytes());
        pieces.push(Piece::Held(Bytes::from(head)));
        pieces.push(within(part));
    }
    pieces.push(Piece::Held(Bytes::from(format!("\r\n--{boundary}--\r\n"))));
    let mut response = body_of(bytes, pieces);
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    let multipart = format!("multipart/byteranges; boundary={boundary}");
    response.headers_mut().insert(header::CONTENT_TYPE, value(&multipart));
    response
}

fn content_type(row: &BlobRow) -> HeaderValue {
    if row.media_type == MediaType::Text.mime() {
        return HeaderValue::from_static("text/plain; charset=utf-8");
    }
    HeaderValue::from_str(&row.media_type).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

fn content_range(part: &Range<u64>, size: usize) -> String {
    format!("bytes {}-{}/{size}", part.start, part.end - 1)
}

/// The part's bounds are within the blob.
fn within(part: &Range<u64>) -> Piece {
    Piece::Part(part.start as usize..part.end as usize)
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|error| panic!("BUG: {text:?} is no header: {error}"))
}

fn body_of(blob: &Blob, pieces: impl IntoIterator<Item = Piece>) -> Response {
    Response::new(Body::new(Pieces::new(blob.clone(), pieces)))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;
    use http_body_util::BodyExt as _;

    use super::*;
    use crate::base::Timestamp;
    use crate::media::sniff::sniff;
    use crate::records::Origin;

    const CONTENT: &[u8] = b"0123456789";

    fn row(media_type: MediaType) -> BlobRow {
        let now = Timestamp::now();
        BlobRow {
            size: 0,
            origin: Origin::Upload,
            created_at: now,
            used_at: now,
            media_type: media_type.mime().to_owned(),
            dimensions: None,
            animated: false,
            damage: None,
            inline: true,
            sequence: 0,
            record_of: None,
        }
    }

    fn serve(
        content: &[u8],
        media_type: MediaType,
        headers: &[(HeaderName, &str)],
        download: Option<&str>,
    ) -> Response {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        let hash = ContentHash::of(content);
        serve_bytes(&Blob::Inline(content.into()), &row(media_type), &hash, &headers, download)
    }

    fn get(headers: &[(HeaderName, &str)]) -> Response {
        serve(CONTENT, MediaType::Png, headers, None)
    }

    fn said<'a>(response: &'a Response, name: &str) -> &'a str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    async fn body(response: Response) -> Vec<u8> {
        let exact = http_body::Body::size_hint(response.body()).exact();
        let bytes = response.into_body().collect().await.unwrap().to_bytes().to_vec();
        assert_eq!(exact, Some(bytes.len() as u64));
        bytes
    }

    #[tokio::test]
    async fn all_of_it_comes_with_its_name_and_type() {
        let response = get(&[]);
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(said(&response, "etag"), format!("\"{}\"", ContentHash::of(CONTENT)));
        assert_eq!(said(&response, "content-type"), "image/png");
        assert_eq!(said(&response, "accept-ranges"), "bytes");
        assert_eq!(said(&response, "cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(said(&response, "content-disposition"), "");
        assert_eq!(body(response).await, CONTENT);
        assert_eq!(body(serve(b"", MediaType::Octet, &[], None)).await, b"");
    }

    #[tokio::test]
    async fn one_range_is_206_with_its_place() {
        for (range, place, part) in [
            ("bytes=2-4", "bytes 2-4/10", &CONTENT[2..5]),
            ("bytes=-1", "bytes 9-9/10", &CONTENT[9..]),
            ("bytes=8-99", "bytes 8-9/10", &CONTENT[8..]),
            ("bytes=0-3,3-5", "bytes 0-5/10", &CONTENT[..6]),
        ] {
            let response = get(&[(header::RANGE, range)]);
            assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT, "{range}");
            assert_eq!((said(&response, "content-range"), said(&response, "content-type")), (place, "image/png"));
            assert_eq!(body(response).await, part, "{range}");
        }
    }

    #[tokio::test]
    async fn several_ranges_are_parts_of_one_body() {
        let response = get(&[(header::RANGE, "bytes=0-1,5-6,-1")]);
        assert_eq!((response.status(), said(&response, "content-range")), (StatusCode::PARTIAL_CONTENT, ""));
        let boundary =
            said(&response, "content-type").strip_prefix("multipart/byteranges; boundary=").unwrap().to_owned();
        let text = String::from_utf8(body(response).await).unwrap();
        let part = |place: &str, bytes: &str| {
            format!("\r\n--{boundary}\r\nContent-Type: image/png\r\nContent-Range: bytes {place}/10\r\n\r\n{bytes}")
        };
        let end = format!("\r\n--{boundary}--\r\n");
        assert_eq!(text, part("0-1", "01") + &part("5-6", "56") + &part("9-9", "9") + &end);
    }

    #[tokio::test]
    async fn a_range_of_nothing_is_416_with_the_size() {
        let response = get(&[(header::RANGE, "bytes=10-")]);
        assert_eq!(
            (response.status(), said(&response, "content-range")),
            (StatusCode::RANGE_NOT_SATISFIABLE, "bytes */10")
        );
    }

    #[tokio::test]
    async fn conditions_are_answered_without_the_bytes() {
        let etag = format!("\"{}\"", ContentHash::of(CONTENT));
        let known = get(&[(header::IF_NONE_MATCH, &etag), (header::RANGE, "bytes=0-1")]);
        assert_eq!((known.status(), said(&known, "etag")), (StatusCode::NOT_MODIFIED, etag.as_str()));
        assert_eq!(said(&known, "cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(body(known).await, b"");
        assert_eq!(get(&[(header::IF_MATCH, "\"x\"")]).status(), StatusCode::PRECONDITION_FAILED);
        assert_eq!(get(&[(header::IF_RANGE, "\"x\""), (header::RANGE, "bytes=0-1")]).status(), StatusCode::OK);
        let same = get(&[(header::IF_RANGE, &etag), (header::RANGE, "bytes=0-1")]);
        assert_eq!(same.status(), StatusCode::PARTIAL_CONTENT);
    }

    #[test]
    fn s3_what_a_browser_would_run_is_saved_and_sandboxed() {
        let hostile: [(&[u8], &str); 7] = [
            (b"<!DOCTYPE html><script>alert(1)</script>", "html"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "svg"),
            (b"<?xml version='1.0'?><note><a b='c'/></note>", "xml"),
            (b"%PDF-1.7\n1 0 obj\n", "pdf"),
            (b"\x00asm\x01\x00\x00\x00", "wasm"),
            (b"\x01\x02\x03\xff\xfe<script>alert(1)</script>", "bin"),
            (b"\n\n  <HTML><body onload=alert(1)>", "html"),
        ];
        for (content, extension) in hostile {
            for headers in [&[][..], &[(header::RANGE, "bytes=0-3")], &[(header::RANGE, "bytes=0-1,3-4")]] {
                let response = serve(content, sniff(content), headers, None);
                assert_eq!(said(&response, "content-security-policy"), "default-src 'none'; sandbox");
                assert_eq!(said(&response, "x-content-type-options"), "nosniff");
                let saved = said(&response, "content-disposition");
                assert!(
                    saved.starts_with("attachment; filename=\"") && saved.contains(extension),
                    "{saved} {extension}"
                );
            }
        }
        for media_type in MediaType::ALL {
            let response = serve(CONTENT, *media_type, &[], None);
            assert!(said(&response, "content-security-policy").ends_with("sandbox"), "{media_type}");
            assert_eq!(said(&response, "x-content-type-options"), "nosniff");
        }
    }

    #[test]
    fn a_download_is_saved_under_its_name() {
        let response = serve(CONTENT, MediaType::Png, &[], Some("cat.png"));
        assert_eq!(said(&response, "content-disposition"), "attachment; filename=\"cat.png\"");
        let response = serve(CONTENT, MediaType::Html, &[], Some("a\r\nX: y"));
        assert_eq!(said(&response, "content-disposition"), "attachment; filename=\"a__X_ y\"");
    }
}
