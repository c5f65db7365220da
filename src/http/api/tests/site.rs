//! A server without its guard, over a home that goes when it is dropped.

use std::net::Ipv4Addr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::base::RunId;
use crate::http::App;
use crate::http::auth::{Peer, Principal, Scopes};
use crate::http::testing::TestApp;

/// The server.
#[derive(Clone)]
pub struct Site {
    pub app: App,
    router: Router,
    who: Principal,
    home: TestApp,
}

/// What it answered.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// A config with one input.
pub const INK: &str = "name: ink\nversion: \"1.0\"\ndescription: lines\ndag:\n  nodes:\n    - id: photo\n      type: SOURCE\n      config: {input: true, name: picture, media: image}\n    - id: lines\n      type: EFFECT\n      config: {effect: dog}\n      inputs: [photo]\n  output: lines\n";

impl Site {
    /// A new home, and a caller who may do everything.
    pub fn new() -> Self {
        let home = TestApp::new(true, &[]);
        home.app.engine.work_on_queue().expect("the queue can be worked on");
        let (router, _) = super::super::router(home.app.clone());
        let scopes = Scopes { read: true, run: true, delete: true, admin: true };
        let who = Principal { username: Some("ann".to_owned()), id: "token-1".to_owned(), scopes };
        Self { app: home.app.clone(), router, who, home }
    }

    /// The same server for somebody who shows nothing.
    pub fn anonymous(&self) -> Self {
        let (app, router, home) = (self.app.clone(), self.router.clone(), self.home.clone());
        Self { app, router, who: Principal::default(), home }
    }

    /// Sends a request as it is.
    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(self.who.clone());
        request.extensions_mut().insert(Peer(Ipv4Addr::LOCALHOST.into()));
        let response = self.router.clone().oneshot(request).await.expect("a router answers");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the answer is whole").to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// A request without a body.
    pub async fn ask(&self, method: Method, path: &str) -> Answer {
        self.send(Request::builder().method(method).uri(path).body(Body::empty()).expect("a request")).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path).await
    }

    pub async fn get_with(&self, path: &str, headers: &[(&'static str, &str)]) -> Answer {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(HeaderName::from_static(name), *value);
        }
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    /// What an answer has brought after a while; then its way is cut.
    pub async fn told_within(&self, path: &str, headers: &[(&'static str, &str)], most: Duration) -> String {
        let mut request = Request::get(path).body(Body::empty()).expect("a request");
        request.extensions_mut().insert(self.who.clone());
        request.extensions_mut().insert(Peer(Ipv4Addr::LOCALHOST.into()));
        for (name, value) in headers {
            request.headers_mut().insert(HeaderName::from_static(name), value.parse().expect("a header"));
        }
        let mut body = self.router.clone().oneshot(request).await.expect("a router answers").into_body();
        let mut told = Vec::new();
        let read = async {
            while let Some(Ok(frame)) = body.frame().await {
                told.extend(frame.into_data().unwrap_or_default());
            }
        };
        // That time is over is how it is meant to end.
        tokio::time::timeout(most, read).await.ok();
        String::from_utf8(told).expect("a text")
    }

    pub async fn post(&self, path: &str) -> Answer {
        self.ask(Method::POST, path).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.ask(Method::DELETE, path).await
    }

    /// A request with JSON.
    pub async fn json(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.typed(method, path, "application/json", body.to_string()).await
    }

    /// A request with a body of some type.
    pub async fn typed(&self, method: Method, path: &str, kind: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, kind);
        self.send(request.body(body.into()).expect("a request")).await
    }

    /// Uploads bytes; their hash.
    pub async fn upload(&self, bytes: &'static [u8]) -> String {
        let answer = self.typed(Method::POST, "/cache/upload", "application/octet-stream", bytes).await;
        assert!(answer.status.is_success(), "{}", answer.text());
        answer.value()["content_hash"].as_str().expect("a hash").to_owned()
    }

    /// The hash of the picture that every home has.
    pub async fn cat(&self) -> String {
        self.get("/assets").await.value()["cat"].as_str().expect("a hash").to_owned()
    }

    /// Registers a config; its id.
    pub async fn config(&self, yaml: &'static str) -> String {
        let answer = self.typed(Method::POST, "/configs/upload", "application/yaml", yaml).await;
        assert!(answer.status.is_success(), "{}", answer.text());
        answer.value()["config_id"].as_str().expect("an id").to_owned()
    }

    /// Submits a run and waits for its end.
    pub async fn run(&self, body: &Value) -> Value {
        let answer = self.json(Method::POST, "/runs", body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        let run = answer.value()["run_id"].as_str().expect("an id").to_owned();
        self.ended(&run).await
    }

    /// A run once it has ended.
    pub async fn ended(&self, run: &str) -> Value {
        let id: RunId = run.parse().expect("a run's id");
        let row = self.app.blocking(move |engine| engine.wait(id)).await.expect("the run is there");
        assert!(row.status.is_final());
        self.get(&format!("/runs/{run}")).await.value()
    }
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// A header's text; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().expect("a header's text")).unwrap_or_default()
    }

    /// Is it this refusal, with a reason that holds these words?
    #[track_caller]
    pub fn refused(&self, status: u16, words: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        let detail = self.value()["detail"].clone();
        assert!(detail.to_string().contains(words), "{detail}");
        if status == 422 {
            let problems = detail.as_array().expect("a list of problems");
            assert!(problems.iter().all(|p| p["loc"].is_array() && p["msg"].is_string() && p["type"].is_string()));
        }
    }

    /// The places of the problems that were told.
    pub fn places(&self) -> Vec<Value> {
        let detail = self.value()["detail"].clone();
        detail.as_array().expect("a list of problems").iter().map(|problem| problem["loc"].clone()).collect()
    }

    /// The address of the next page.
    pub fn next(&self) -> Option<String> {
        let link = self.header("link");
        Some(link.strip_prefix('<')?.split_once(">; rel=\"next\"")?.0.to_owned())
    }
}
