//! Bodies of every kind against a home.

use std::convert::Infallible;

use futures_util::stream;

use super::*;
use crate::base::ContentHash;
use crate::engine::Engine;
use crate::http::testing::TestApp;

const BOUNDARY: &str = "XyZ";

/// A form of parts: field, file name, bytes.
fn form(parts: &[(&str, Option<&str>, &str)]) -> String {
    let mut text = String::new();
    for (field, file_name, bytes) in parts {
        let file_name = file_name.map_or_else(String::new, |name| format!("; filename=\"{name}\""));
        text +=
            &format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"{file_name}\r\n\r\n{bytes}\r\n");
    }
    text + "--" + BOUNDARY + "--\r\n"
}

fn raw(body: impl Into<Body>) -> Request {
    Request::builder().header(header::CONTENT_TYPE, "application/octet-stream").body(body.into()).unwrap()
}

fn sent(body: impl Into<Body>) -> Request {
    let given = format!("multipart/form-data; boundary={BOUNDARY}");
    Request::builder().header(header::CONTENT_TYPE, given).body(body.into()).unwrap()
}

/// A body of these pieces, which then ends, or breaks off.
fn pieces(pieces: Vec<Vec<u8>>, breaks: bool) -> Body {
    let end = breaks.then(|| Err(std::io::Error::other("the connection is gone")));
    Body::from_stream(stream::iter(pieces.into_iter().map(Ok).chain(end)))
}

fn holds(engine: &Engine, content: &[u8]) -> bool {
    engine.read_blob(&ContentHash::of(content)).is_ok_and(|bytes| *bytes == *content)
}

fn temporary_files(engine: &Engine) -> usize {
    std::fs::read_dir(engine.home().join("tmp")).unwrap().count()
}

#[tokio::test]
async fn a_raw_body_is_the_file() {
    let test = TestApp::new(true, &[]);
    let upload = receive(&test.app, raw("some text"), None).await.unwrap();
    assert_eq!((upload.content_hash, upload.size, upload.existing), (ContentHash::of(b"some text"), 9, false));
    assert!(receive(&test.app, raw("some text"), None).await.unwrap().existing);
    assert!(holds(&test.app.engine, b"some text"));
    // Without a type, and without a length.
    let untyped = Request::builder().body(pieces(vec![vec![7; 300_000]; 10], false)).unwrap();
    assert_eq!(receive(&test.app, untyped, None).await.unwrap().size, 3_000_000);
    assert_eq!(receive(&test.app, raw(Body::empty()), None).await.unwrap().size, 0);
}

#[tokio::test]
async fn the_file_of_a_form_is_in_its_field_else_the_first() {
    let test = TestApp::new(true, &[]);
    for (parts, expected) in [
        (&[("file", Some("a.txt"), "one")][..], "one"),
        (&[("file", None, "plain")], "plain"),
        (&[("note", None, "no file"), ("other", Some("b.txt"), "two")], "two"),
        (&[("other", Some("b.txt"), "no"), ("file", Some("a.txt"), "three")], "three"),
        (&[("file", Some("a.txt"), "first"), ("file", Some("b.txt"), "second")], "first"),
        (&[("file", Some("a.txt"), "\r\n--Xy\r\n-")], "\r\n--Xy\r\n-"),
        (&[("file", Some("empty"), "")], ""),
    ] {
        let upload = receive(&test.app, sent(form(parts)), None).await.unwrap();
        assert_eq!(upload.content_hash, ContentHash::of(expected.as_bytes()), "{parts:?}");
        let (bytes, file_name) = receive_small(sent(form(parts)), 100).await.unwrap();
        assert_eq!(bytes, expected.as_bytes(), "{parts:?}");
        assert_eq!(file_name.is_some(), expected != "plain");
    }
    assert_eq!(temporary_files(&test.app.engine), 0);
}

#[tokio::test]
async fn a_form_without_a_file_is_told_what_it_lacks() {
    let test = TestApp::new(true, &[]);
    for (body, status) in [
        (form(&[("note", None, "x")]), StatusCode::UNPROCESSABLE_ENTITY),
        (form(&[]), StatusCode::UNPROCESSABLE_ENTITY),
        ("no form at all".to_owned(), StatusCode::BAD_REQUEST),
        (String::new(), StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(receive(&test.app, sent(body.clone()), None).await.unwrap_err().status(), status, "{body:?}");
        assert_eq!(receive_small(sent(body.clone()), 100).await.unwrap_err().status(), status, "{body:?}");
    }
    let no_boundary =
        Request::builder().header(header::CONTENT_TYPE, "multipart/form-data").body(Body::from("x")).unwrap();
    assert_eq!(receive(&test.app, no_boundary, None).await.unwrap_err().status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_connection_that_breaks_off_keeps_nothing() {
    let test = TestApp::new(true, &[]);
    let engine = &test.app.engine;
    let before = engine.storage().unwrap().blobs;
    let long = vec![vec![1; 1 << 20]; 5];
    let broken = receive(&test.app, raw(pieces(long.clone(), true)), None).await;
    assert_eq!(broken.unwrap_err().status(), StatusCode::BAD_REQUEST);
    // A form that ends before its end is no form, whether the connection breaks or is closed.
    let whole = form(&[("file", Some("a"), &"x".repeat(100_000))]).into_bytes();
    for (length, breaks) in [(50_000, true), (50_000, false), (whole.len() - 5, false)] {
        let cut = pieces(vec![whole[..length].to_vec()], breaks);
        assert_eq!(
            receive(&test.app, sent(cut), None).await.unwrap_err().status(),
            StatusCode::BAD_REQUEST,
            "{length}"
        );
    }
    // Nobody waits for the answer any more.
    let waits = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    let app = test.app.clone();
    let abandoned = tokio::spawn(async move { receive(&app, raw(waits), None).await.map(drop) });
    while test.app.uploads.available_permits() == test.app.settings.server.max_uploads {
        tokio::task::yield_now().await;
    }
    abandoned.abort();
    assert!(abandoned.await.unwrap_err().is_cancelled());
    while temporary_files(engine) > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(engine.storage().unwrap().blobs, before);
    assert_eq!(test.app.uploads.available_permits(), test.app.settings.server.max_uploads);
}

#[tokio::test]
async fn r13_what_the_disk_has_no_room_for_is_refused_before_it_is_read() {
    let test = TestApp::new(true, &[]);
    let free = test.app.engine.storage().unwrap().free_bytes;
    let read = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let asked = read.clone();
    let body = stream::poll_fn(move |_| {
        asked.store(true, std::sync::atomic::Ordering::Relaxed);
        std::task::Poll::Ready(Some(Ok::<_, Infallible>(Bytes::from_static(b"x"))))
    });
    let huge = Sized(Body::from_stream(body), free);
    let refused = receive(&test.app, raw(Body::new(huge)), None).await.unwrap_err();
    assert_eq!(refused.status(), StatusCode::INSUFFICIENT_STORAGE);
    assert!(!read.load(std::sync::atomic::Ordering::Relaxed));
}

/// A body that says how long it is.
struct Sized(Body, u64);

impl http_body::Body for Sized {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        std::pin::Pin::new(&mut self.0).poll_frame(cx)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.1)
    }
}

#[tokio::test]
async fn more_uploads_than_there_is_room_for_are_told_to_come_again() {
    let test = TestApp::new(true, &[("max-uploads", "1")]);
    let taken = test.app.uploads.try_acquire().unwrap();
    let refused = receive(&test.app, raw("x"), None).await.unwrap_err();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    drop(taken);
    receive(&test.app, raw("x"), None).await.unwrap();
}

#[tokio::test]
async fn a_name_that_stands_for_another_file_is_not_moved_without_a_token() {
    let test = TestApp::new(true, &[]);
    let name: AssetName = "photo".parse().unwrap();
    let first = receive(&test.app, raw("one"), Some(name.clone())).await.unwrap();
    assert_eq!(first.name, Some(name.clone()));
    receive(&test.app, raw("one"), Some(name.clone())).await.unwrap();
    let moved = receive(&test.app, raw("two"), Some(name)).await.unwrap_err();
    assert_eq!(moved.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(test.app.engine.assets().unwrap()["photo"].hash, first.content_hash);
}

#[tokio::test]
async fn a_small_body_stops_at_its_limit() {
    let long = "x".repeat(101);
    for request in [raw(long.clone()), sent(form(&[("file", Some("a"), &long)]))] {
        assert_eq!(receive_small(request, 100).await.unwrap_err().status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
    let (bytes, file_name) = receive_small(sent(form(&[("file", Some("a.yaml"), "name: x")])), 7).await.unwrap();
    assert_eq!((bytes.as_slice(), file_name.as_deref()), (&b"name: x"[..], Some("a.yaml")));
}
