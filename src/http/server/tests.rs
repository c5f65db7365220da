//! Connections over real sockets, with little patience.

use std::convert::Infallible;
use std::time::Instant;

use axum::body::Bytes;
use axum::routing::{get, post};
use futures_util::stream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;

use super::*;
use crate::http::guard;
use crate::http::testing::TestApp;

const SHORT: Duration = Duration::from_millis(300);
const LITTLE: Patience = Patience { head: SHORT, stall: SHORT, linger: SHORT };
const GET: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A server whose routes answer quickly, largely, and for ever.
struct Running {
    test: TestApp,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Running {
    fn start(patience: Patience, flags: &[(&str, &str)]) -> Self {
        let test = TestApp::new(true, &[&[("listen", "127.0.0.1:0")], flags].concat());
        let large = || async { vec![0_u8; 64 << 20] };
        let ticks = || async {
            let ticks = stream::unfold(0, async |count| {
                tokio::time::sleep(2 * SHORT).await;
                (count < 3).then(|| (Ok::<_, Infallible>(Bytes::from(format!("data: {count}\n\n"))), count + 1))
            });
            Body::from_stream(ticks)
        };
        let router = Router::new()
            .route("/healthz", get(|| async { "well" }))
            .route("/readyz", get(large))
            .route("/events", get(ticks))
            .route("/runs", post(async |body: Bytes| body));
        let router = guard::guarded(router, &test.app);
        let listening = Listening::bind(&test.app.settings.server).unwrap();
        let (app, address) = (test.app.clone(), listening.address());
        let task = tokio::spawn(async move { serve(&app, router, listening, patience).await });
        Self { test, address, task }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends text and reads until the server ends the connection.
    async fn speak(&self, text: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(text).await.unwrap();
        let mut answer = Vec::new();
        // A reset after the answer is an end, too.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s17_connections_that_say_nothing_or_little_are_closed_and_others_served() {
    let server = Running::start(LITTLE, &[]);
    let start = Instant::now();
    let mut silent = Vec::new();
    for index in 0..200 {
        let mut stream = server.connect().await;
        // Half of them begin a request, and never end its head.
        if index % 2 == 0 {
            stream.write_all(b"GET / HTTP/1.1\r\nHost: local").await.unwrap();
        }
        silent.push(stream);
    }
    assert!(
        server.speak(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.ends_with("well")
    );
    for mut stream in silent {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&rest));
    }
    assert!(start.elapsed() < 30 * SHORT, "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_used_again_until_it_idles() {
    let server = Running::start(LITTLE, &[]);
    let mut stream = server.connect().await;
    for _ in 0..3 {
        stream.write_all(GET).await.unwrap();
        let mut answer = [0; 1024];
        let length = stream.read(&mut answer).await.unwrap();
        assert!(answer[..length].ends_with(b"well"));
    }
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
}

/// Reads one short answer.
async fn answer(stream: &mut TcpStream) -> String {
    let mut answer = [0; 2048];
    let length = stream.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_goes_on_after_a_short_body_that_nobody_read() {
    let server = Running::start(Patience::default(), &[]);
    let mut stream = server.connect().await;
    // No such path, no such method of it, no such type of a body, and a handler that reads none.
    for (status, head) in [
        (404, "POST /nowhere HTTP/1.1\r\nContent-Length: 4"),
        (405, "POST /healthz HTTP/1.1\r\nContent-Length: 4"),
        (415, "POST /runs HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 4"),
        (200, "GET /healthz HTTP/1.1\r\nContent-Length: 4"),
    ] {
        stream.write_all(format!("{head}\r\nHost: localhost\r\n\r\n").as_bytes()).await.unwrap();
        // The body comes in a packet of its own, after the head was read.
        assert!(timeout(SHORT / 10, stream.readable()).await.is_err(), "{head}: answered before its body came");
        stream.write_all(b"null").await.unwrap();
        let answered = answer(&mut stream).await;
        assert!(answered.starts_with(&format!("HTTP/1.1 {status}")), "{head}: {answered}");
        stream.write_all(GET).await.unwrap();
        assert!(answer(&mut stream).await.ends_with("well"), "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_before_a_long_or_a_late_body_says_that_it_is_the_last() {
    let server = Running::start(LITTLE, &[]);
    for head in [
        "POST /nowhere HTTP/1.1\r\nContent-Length: 65537",
        "POST /nowhere HTTP/1.1\r\nContent-Length: 4",
        "POST /nowhere HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue",
        "POST /nowhere HTTP/1.1\r\nTransfer-Encoding: chunked",
    ] {
        let answered = server.speak(format!("{head}\r\nHost: localhost\r\n\r\n").as_bytes()).await;
        assert!(answered.starts_with("HTTP/1.1 404"), "{head}: {answered}");
        assert!(answered.contains("connection: close"), "{head}: {answered}");
    }
    let chunk = format!("8000\r\n{}\r\n", "x".repeat(0x8000));
    let chunks = format!("POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{}", chunk.repeat(3));
    let answered = server.speak(chunks.as_bytes()).await;
    assert!(answered.starts_with("HTTP/1.1 4") && answered.contains("connection: close"), "{answered}");
}

#[tokio::test(flavor = "multi_thread")]
async fn s18_a_reader_that_takes_nothing_is_dropped_and_a_stream_that_waits_is_not() {
    let server = Running::start(LITTLE, &[]);
    let mut stuck = server.connect().await;
    stuck.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    // Events that come more slowly than a stuck reader is given up.
    let ticks = server.speak(b"GET /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert_eq!(ticks.matches("data: ").count(), 3, "{ticks}");
    let mut all = Vec::new();
    let _ = stuck.read_to_end(&mut all).await;
    assert!(all.len() < 64 << 20, "{}", all.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_a_large_answer_is_served_whole() {
    let server = Running::start(Patience::default(), &[]);
    let mut stream = server.connect().await;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    assert!(all.len() > 64 << 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn r36_a_stop_ends_idle_connections_at_once_and_lets_requests_end() {
    let server = Running::start(Patience::default(), &[("drain-seconds", "60")]);
    let mut idle = server.connect().await;
    idle.write_all(GET).await.unwrap();
    let mut answer = [0; 1024];
    assert!(idle.read(&mut answer).await.unwrap() > 0);
    let mut busy = server.connect().await;
    busy.write_all(
        b"POST /runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n12",
    )
    .await
    .unwrap();
    // It has been seen when a later request has been answered.
    assert!(
        server.speak(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.ends_with("well")
    );
    server.test.app.stop.begin();
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty());
    busy.write_all(b"34").await.unwrap();
    busy.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"1234"), "{}", String::from_utf8_lossy(&rest));
    server.task.await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn an_address_in_use_is_told() {
    let server = Running::start(LITTLE, &[]);
    let taken = crate::http::testing::settings(&[("listen", &server.address.to_string())]);
    let error = Listening::bind(&taken.server).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains(&server.address.to_string()) && error.contains("--listen"), "{error}");
}
