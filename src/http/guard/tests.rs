//! The guard before a handler on every route of the table.

use axum::body::Body;
use axum::http::request::Builder;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::*;
use crate::http::route::{Need, Takes};
use crate::http::testing::TestApp;

/// Every route of the table answers with what it was given.
fn router(app: &App) -> Router {
    let mut router = Router::new();
    for row in route::all() {
        let filter = MethodFilter::try_from(row.method.clone()).unwrap();
        router = router.route(row.path, on(filter, async |body: axum::body::Bytes| body));
    }
    guarded(router, app)
}

/// A route's path with something for each of its parts.
fn filled(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/")
}

fn request(method: &Method, path: &str) -> Builder {
    Request::builder().method(method.clone()).uri(filled(path)).header(header::HOST, "localhost:8100")
}

async fn send(router: &Router, builder: Builder, body: &'static str) -> Response {
    router.clone().oneshot(builder.body(Body::from(body)).unwrap()).await.unwrap()
}

async fn detail(response: Response) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    value["detail"].as_str().unwrap().to_owned()
}

fn refused(response: &Response, status: StatusCode, row: &Route) {
    assert_eq!(response.status(), status, "{} {}", row.method, row.path);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
}

#[tokio::test]
async fn s1_a_foreign_host_is_refused_on_every_route_and_fallback() {
    let test = TestApp::new(true, &[]);
    let router = router(&test.app);
    for row in route::all() {
        let evil = Request::builder().method(row.method.clone()).uri(filled(row.path)).header(header::HOST, "evil.com");
        refused(&send(&router, evil, "").await, StatusCode::FORBIDDEN, row);
    }
    for (method, path) in [("GET", "/nowhere"), ("PATCH", "/runs"), ("OPTIONS", "/")] {
        let evil = Request::builder().method(method).uri(path).header(header::HOST, "evil.com:8100");
        assert_eq!(send(&router, evil, "").await.status(), StatusCode::FORBIDDEN, "{method} {path}");
    }
}

#[tokio::test]
async fn s2_another_sites_page_changes_nothing_and_follows_nothing() {
    let test = TestApp::new(true, &[]);
    let router = router(&test.app);
    for row in route::all().filter(|row| row.method != Method::GET || row.path.ends_with("/events")) {
        for (name, value) in [
            ("origin", "http://evil.com"),
            ("origin", "null"),
            ("origin", "http://localhost:3000"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let foreign =
                request(&row.method, row.path).header(name, value).header(header::CONTENT_TYPE, "application/json");
            refused(&send(&router, foreign, "{}").await, StatusCode::FORBIDDEN, row);
        }
    }
    // A link from another site may lead here.
    let link = request(&Method::GET, "/runs").header("sec-fetch-site", "cross-site");
    assert_eq!(send(&router, link, "").await.status(), StatusCode::OK);
    let own = request(&Method::POST, "/runs").header("origin", "http://localhost:8100");
    let own = own.header("sec-fetch-site", "same-origin").header(header::CONTENT_TYPE, "application/json");
    assert_eq!(send(&router, own, "{}").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn s2_json_routes_take_json_alone() {
    let test = TestApp::new(true, &[]);
    let router = router(&test.app);
    for row in route::all().filter(|row| row.takes == Takes::Json) {
        for given in [
            Some("application/x-www-form-urlencoded"),
            Some("multipart/form-data; boundary=x"),
            Some("text/plain"),
            Some("text/plain; charset=application/json"),
            Some("text/json"),
            Some(""),
            None,
        ] {
            let mut builder = request(&row.method, row.path);
            if let Some(given) = given {
                builder = builder.header(header::CONTENT_TYPE, given);
            }
            refused(&send(&router, builder, "{}").await, StatusCode::UNSUPPORTED_MEDIA_TYPE, row);
        }
        for given in ["application/json", "Application/JSON; charset=utf-8", "application/ld+json"] {
            let builder = request(&row.method, row.path).header(header::CONTENT_TYPE, given);
            assert_eq!(send(&router, builder, "{}").await.status(), StatusCode::OK, "{given}");
        }
        // Without a body the handler says what is missing.
        assert_eq!(send(&router, request(&row.method, row.path), "").await.status(), StatusCode::OK);
    }
    let form = request(&Method::POST, "/auth").header(header::CONTENT_TYPE, "application/json");
    assert_eq!(send(&router, form, "{}").await.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn unknown_paths_are_404_and_other_methods_405_with_those_there_are() {
    let test = TestApp::new(true, &[]);
    let router = router(&test.app);
    let unknown = send(&router, request(&Method::GET, "/nowhere/at/all"), "").await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    assert!(detail(unknown).await.contains("/nowhere/at/all"));
    let other = send(&router, request(&Method::PATCH, "/runs/x"), "").await;
    assert_eq!(other.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(other.headers()[header::ALLOW], "GET, HEAD, DELETE");
    let other = send(&router, request(&Method::OPTIONS, "/queue/pause"), "").await;
    assert_eq!(
        (other.status(), &other.headers()[header::ALLOW]),
        (StatusCode::METHOD_NOT_ALLOWED, &"POST".parse().unwrap())
    );
}

#[tokio::test]
async fn head_is_there_wherever_get_is() {
    let test = TestApp::new(true, &[]);
    let router = router(&test.app);
    let open = |row: &&'static Route| row.method == Method::GET && matches!(row.need, Need::Public | Need::Read);
    for row in route::all().filter(open) {
        let head = send(&router, request(&Method::HEAD, row.path), "").await;
        assert_eq!(head.status(), StatusCode::OK, "{}", row.path);
        assert!(head.into_body().collect().await.unwrap().to_bytes().is_empty());
    }
}

#[tokio::test]
async fn s18_a_body_longer_than_its_route_takes_is_413_before_it_is_read() {
    let test = TestApp::new(true, &[("max-upload-bytes", "10")]);
    let router = router(&test.app);
    let long = |path: &str, given: &str, length: u64| {
        // Of a length that is told, or not.
        let body = Body::from_stream(futures_util::stream::iter(
            (0..=length / 1024).map(|_| Ok::<_, std::convert::Infallible>(vec![b' '; 1024])),
        ));
        let builder = request(&Method::POST, path).header(header::CONTENT_TYPE, given);
        router.clone().oneshot(builder.body(body).unwrap())
    };
    for (path, given, length) in [
        ("/runs", "application/json", 100_u64 << 20),
        ("/auth", "application/x-www-form-urlencoded", 3 << 20),
        ("/cache/upload", "application/octet-stream", 11),
    ] {
        let response = long(path, given, length).await.unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        assert_eq!(response.headers()[header::CONNECTION], "close");
    }
    let told = request(&Method::POST, "/cache/upload");
    let response = send(&router, told, "more than ten bytes").await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn every_answer_says_how_it_may_be_used_and_has_an_id() {
    let test = TestApp::new(true, &[]);
    let router = router(&test.app);
    let of = |headers: &HeaderMap, name: &str| headers[name].to_str().unwrap().to_owned();
    for path in ["/runs", "/nowhere"] {
        let response = send(&router, request(&Method::GET, path), "").await;
        let headers = response.headers();
        assert_eq!(of(headers, "x-content-type-options"), "nosniff");
        assert_eq!(of(headers, "referrer-policy"), "no-referrer");
        assert_eq!(of(headers, "cross-origin-resource-policy"), "same-origin");
        assert!(of(headers, "content-security-policy").starts_with("default-src 'none'"));
        assert_eq!(of(headers, "cache-control"), "no-store");
        assert_eq!(of(headers, "x-request-id").len(), 32);
    }
    let long = "x".repeat(129);
    for (given, kept) in [("abc-1.2_3", true), ("a b", false), ("a\"b", false), (&long, false), ("", false)] {
        let response = send(&router, request(&Method::GET, "/runs").header("x-request-id", given), "").await;
        assert_eq!(of(response.headers(), "x-request-id") == given, kept, "{given:?}");
    }
}

#[tokio::test]
async fn pages_of_other_sites_show_what_is_here_where_everybody_reads_it() {
    for (loopback, flags, path, policy) in [
        (true, &[][..], "/runs", "same-origin"),
        (false, &[], "/runs", "same-origin"),
        (false, &[], "/healthz", "cross-origin"),
        (true, &[("public-read", "true")], "/runs", "same-origin"),
        (false, &[("public-read", "true")], "/runs", "cross-origin"),
    ] {
        let test = TestApp::new(loopback, flags);
        let response = send(&router(&test.app), request(&Method::GET, path), "").await;
        assert_eq!(response.headers()["cross-origin-resource-policy"], policy, "{loopback} {flags:?} {path}");
    }
}

#[tokio::test]
async fn elsewhere_than_on_loopback_everything_but_the_public_needs_a_token() {
    let test = TestApp::new(false, &[]);
    let router = router(&test.app);
    for row in route::all() {
        let builder = request(&row.method, row.path).header(header::CONTENT_TYPE, "application/json");
        let status = send(&router, builder, "").await.status();
        let expected = if row.need == Need::Public { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        assert_eq!(status, expected, "{} {}", row.method, row.path);
    }
}

#[tokio::test]
async fn caches_that_people_share_keep_nothing_that_needs_a_token() {
    for (loopback, flags, expected) in
        [(true, &[][..], "public, max-age=31536000, immutable"), (false, &[], "private, max-age=31536000, immutable")]
    {
        let test = TestApp::new(loopback, flags);
        let immutable = [(header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
        let open = axum::routing::get(async move || immutable);
        let router = guarded(Router::new().route("/healthz", open), &test.app);
        let response = send(&router, request(&Method::GET, "/healthz"), "").await;
        assert_eq!(response.headers()[header::CACHE_CONTROL], expected);
    }
}
