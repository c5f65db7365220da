//! A server with its guard, and somebody who looks at it with a browser.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::http::testing::TestApp;
use crate::http::ui::form::TOKEN;
use crate::http::ui::with_pages;
use crate::http::{App, api, guard};

/// What a browser sends for a page that somebody opens.
pub const ACCEPT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

/// A server, and a browser that is logged in or not.
pub struct Browser {
    pub app: App,
    router: Router,
    cookie: Option<String>,
    _home: TestApp,
}

/// What came.
pub struct Shown {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Browser {
    /// Somebody at this machine who shows nothing.
    pub fn new() -> Self {
        Self::at(true)
    }

    /// Somebody elsewhere, or at this machine.
    pub fn at(loopback: bool) -> Self {
        let home = TestApp::new(loopback, &[]);
        home.app.engine.work_on_queue().expect("the queue can be worked on");
        let (router, _) = api::router(home.app.clone());
        let router = guard::guarded(with_pages(router, &home.app), &home.app);
        Self { app: home.app.clone(), router, cookie: None, _home: home }
    }

    /// Logs in with the token of the first start.
    pub async fn logged_in(mut self) -> Self {
        let token = std::fs::read_to_string(self.app.engine.home().join("token")).expect("a token");
        let shown = self.get(&format!("/auth?auth_token={}", token.trim())).await;
        assert_eq!(shown.status, StatusCode::OK);
        let cookie = shown.header("set-cookie").split(';').next().expect("a cookie").to_owned();
        self.cookie = Some(cookie);
        self
    }

    async fn send(&self, request: axum::http::request::Builder, body: Body) -> Shown {
        let mut request = request.header(header::HOST, "localhost:8100");
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let answer = self.router.clone().oneshot(request.body(body).expect("a request")).await.expect("an answer");
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.expect("the answer is whole").to_bytes();
        Shown { status: parts.status, headers: parts.headers, body }
    }

    /// Opens a page.
    pub async fn get(&self, path: &str) -> Shown {
        self.accepting(path, ACCEPT).await
    }

    /// Asks with these types wanted.
    pub async fn accepting(&self, path: &str, accept: &str) -> Shown {
        self.send(Request::get(path).header(header::ACCEPT, accept), Body::empty()).await
    }

    /// Sends a form without a token.
    pub async fn bare(&self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::ACCEPT, ACCEPT)
            .header(header::ORIGIN, "http://localhost:8100")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, Body::from(encoded(fields))).await
    }

    /// Sends a form with the token of a page that was opened for it.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let token = self.token().await;
        self.bare(path, &[&[(TOKEN, token.as_str())], fields].concat()).await
    }

    /// The token in the forms of this browser's pages.
    pub async fn token(&self) -> String {
        let page = self.get("/recipes/new").await.text();
        let (_, rest) = page.split_once(&format!("name=\"{TOKEN}\" value=\"")).expect("a form");
        rest.split('"').next().expect("its value").to_owned()
    }

    /// Calls the API.
    pub async fn call(&self, method: Method, path: &str, kind: &str, body: impl Into<Body>) -> Value {
        let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, kind);
        let shown = self.send(request, body.into()).await;
        assert!(shown.status.is_success(), "{}", shown.text());
        serde_json::from_slice(&shown.body).expect("JSON")
    }

    /// Uploads bytes; their hash.
    pub async fn upload(&self, bytes: &'static [u8]) -> String {
        let told = self.call(Method::POST, "/cache/upload", "application/octet-stream", bytes).await;
        told["content_hash"].as_str().expect("a hash").to_owned()
    }

    /// Registers a config; its id.
    pub async fn config(&self, yaml: String) -> String {
        let told = self.call(Method::POST, "/configs/upload", "application/yaml", yaml).await;
        told["config_id"].as_str().expect("an id").to_owned()
    }

    /// Waits for the end of the run that a form led to; its id.
    pub async fn ended(&self, shown: &Shown) -> String {
        assert_eq!(shown.status, StatusCode::SEE_OTHER, "{}", shown.text());
        let run = shown.header("location").strip_prefix("/run/").expect("a run").to_owned();
        let id = run.parse().expect("its id");
        self.app.blocking(move |engine| engine.wait(id)).await.expect("it ends");
        run
    }
}

impl Shown {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's text; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().expect("a text")).unwrap_or_default()
    }

    /// Is it a page of this status? Its text.
    #[track_caller]
    pub fn page(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), "text/html; charset=utf-8", "{}", self.text());
        let text = self.text();
        assert!(text.starts_with("<!DOCTYPE html>") && text.ends_with("</html>"), "{text}");
        text
    }
}

fn encoded(fields: &[(&str, &str)]) -> String {
    let part = crate::http::query::path_part;
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", part(name), part(value))).collect();
    pairs.join("&")
}
