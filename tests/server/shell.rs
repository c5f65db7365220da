//! The server's shell: its home, its connections, its end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use crate::support::{Home, Ran, Server, long_case};

fn holder(home: &Home) -> serde_json::Value {
    let text = std::fs::read_to_string(home.path().join("lock")).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

#[test]
fn r27_a_second_server_is_refused_at_once_and_told_who_holds_the_home() {
    let home = Home::new();
    let first = Server::start(&home, &[]);
    assert_eq!(holder(&home)["address"], first.url.as_str());
    let start = Instant::now();
    let second = home.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!(second.code, 5, "{}", second.err);
    for part in [first.pid().to_string().as_str(), first.url.as_str()] {
        assert!(second.err.contains(part), "{part} is not in {}", second.err);
    }
    // A kill leaves nothing in the way.
    drop(first);
    let again = Server::start(&home, &[]);
    assert!(again.raw_get("/healthz").starts_with("HTTP/1.1 200"));
}

#[test]
fn commands_work_through_a_server_that_holds_the_home() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    let rendered = home.run(&["render", "dog", "cat", "--sync"]);
    assert_eq!(rendered.code, 0, "{}", rendered.err);
    assert!(std::path::Path::new(rendered.out.trim_end()).is_file());
    // One that nobody waits for goes on in the server, and no worker is started.
    let run = home.ok(&["render", "invert", "cat"]);
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let json = home.run(&["run-show", &run, "--output", "json"]).json();
        match json["status"].as_str() {
            Some("completed") => break,
            Some("pending" | "running") => assert!(Instant::now() < deadline, "{json}"),
            _ => panic!("{json}"),
        }
    }
    assert_eq!(holder(&home)["pid"], server.pid());
    assert_eq!(home.run(&["render", "dgo", "cat", "--sync"]).code, 4);
}

#[test]
fn r36_a_server_that_is_told_to_end_drains_and_exits_with_0() {
    let home = Home::new();
    let mut server = Server::start(&home, &["--drain-seconds", "30"]);
    let mut idle = server.connect();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut head = [0; 12];
    idle.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    server.signal("TERM");
    // A connection that waits for its next request does not hold up the end.
    assert_eq!(server.ended().code(), Some(0), "{}", server.said());
    assert!(!home.path().join("worker.sock").exists());
    assert_eq!(home.run(&["runs"]).code, 0);
}

#[test]
fn r36_what_does_not_end_in_time_is_cut_off_and_a_second_signal_is_the_end() {
    let home = Home::new();
    let slow = "POST /runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{";
    let mut server = Server::start(&home, &["--drain-seconds", "1"]);
    let mut open = server.connect();
    open.write_all(slow.as_bytes()).unwrap();
    server.signal("TERM");
    assert_eq!(server.ended().code(), Some(0), "{}", server.said());

    let mut server = Server::start(&home, &["--drain-seconds", "3600"]);
    let mut open = server.connect();
    open.write_all(slow.as_bytes()).unwrap();
    assert!(server.raw_get("/healthz").starts_with("HTTP/1.1 200"));
    server.signal("TERM");
    let mut said = String::new();
    while !said.contains("ending") {
        said = server.said();
    }
    server.signal("TERM");
    assert_eq!(server.ended().code(), Some(130));
}

#[test]
fn r36_the_service_manager_is_told_when_requests_are_answered_and_that_the_loop_lives() {
    let home = Home::new();
    let socket = home.dir().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "300000");
    let mut server = Server::of(&home, command);
    let next = || {
        let mut message = [0; 4096];
        let length = manager.recv(&mut message).expect("a message comes");
        String::from_utf8_lossy(&message[..length]).into_owned()
    };
    let first = next();
    assert!(first.contains("READY=1") && first.contains(&server.url), "{first}");
    assert!(server.raw_get("/healthz").starts_with("HTTP/1.1 200"));
    assert_eq!((next().trim(), next().trim()), ("WATCHDOG=1", "WATCHDOG=1"));
    // A process that stands still gives no beat.
    server.signal("STOP");
    manager.set_read_timeout(Some(Duration::from_millis(600))).unwrap();
    let mut message = [0; 4096];
    while manager.recv(&mut message).is_ok() {}
    server.signal("CONT");
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    assert_eq!(next().trim(), "WATCHDOG=1");
    server.signal("TERM");
    while !next().contains("STOPPING=1") {}
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn a_worker_leaves_the_home_to_a_server_and_its_runs_go_on() {
    let home = Home::new();
    home.ok(&["runs"]);
    let mut yaml = String::from("name: heavy\ndag:\n  nodes:\n    - {id: s, type: SOURCE, config: {asset: cat}}\n");
    let mut before = "s".to_owned();
    for index in 0..12 {
        yaml += &format!(
            "    - {{id: b{index}, type: EFFECT, config: {{effect: sharpen, params: {{sigma: 20, amount: 0.1}}}}, inputs: [{before}]}}\n"
        );
        before = format!("b{index}");
    }
    yaml += &format!("  output: {before}\n");
    home.write("heavy.yaml", yaml);
    let run = home.ok(&["run", "heavy.yaml", "--detach"]);
    let deadline = Instant::now() + Duration::from_secs(60);
    while holder(&home)["role"] != "worker" {
        assert!(Instant::now() < deadline, "no worker has come");
    }
    let server = Server::start(&home, &[]);
    assert!(server.said().contains("asked to leave"), "{}", server.said());
    loop {
        let json = home.run(&["run-show", &run, "--output", "json"]).json();
        match json["status"].as_str() {
            Some("completed") => break,
            Some("pending" | "running") => assert!(Instant::now() < deadline, "{json}"),
            _ => panic!("{json}"),
        }
    }
}

#[test]
fn s1_a_foreign_host_is_refused_over_the_wire() {
    let home = Home::new();
    let server = Server::start(&home, &["--allowed-host", "art.example"]);
    let of = |host: &str| server.speak(&format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
    for host in ["localhost", "127.0.0.1:1", "[::1]", "art.example:443"] {
        assert!(of(host).starts_with("HTTP/1.1 200"), "{host}: {}", of(host));
    }
    assert!(of("evil.com").starts_with("HTTP/1.1 403"));
    let none = server.speak("GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert!(none.starts_with("HTTP/1.1 400"), "{none}");
}

#[test]
fn s18_a_head_that_is_too_long_is_refused_and_the_refusal_arrives() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    let many = "X-Many: y\r\n".repeat(100_000);
    let long = format!("X-Long: {}\r\n", "y".repeat(10 << 20));
    for headers in [many, long] {
        let answer = server.speak(&format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"));
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    // What nobody reads is taken, so that the answer is not lost.
    let body = "x".repeat(100 << 20);
    let head = format!("Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {}", body.len());
    let answer = server.speak(&format!("POST /runs HTTP/1.1\r\n{head}\r\n\r\n{body}"));
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[test]
fn more_connections_than_there_is_room_for_are_refused_and_others_served() {
    let home = Home::new();
    let server = Server::start(&home, &["--max-connections", "2"]);
    let answered = |stream: &mut TcpStream| {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 200");
    };
    let (mut one, mut two) = (server.connect(), server.connect());
    answered(&mut one);
    answered(&mut two);
    let mut third = String::new();
    server.connect().read_to_string(&mut third).unwrap();
    assert!(third.starts_with("HTTP/1.1 503") && third.contains("Retry-After"), "{third}");
    drop(one);
    let deadline = Instant::now() + Duration::from_secs(60);
    while !server.raw_get("/healthz").starts_with("HTTP/1.1 200") {
        assert!(Instant::now() < deadline, "the room of a closed connection is not free");
    }
}

#[test]
fn settings_that_make_no_sense_are_told_before_anything_is_done() {
    let home = Home::new();
    for (flags, says) in [
        (&["--listen", "nonsense"][..], "--listen"),
        (&["--tls-cert", "missing.pem"], "tls-key is missing"),
        (&["--tls-cert", "missing.pem", "--tls-key", "missing.pem"], "missing.pem"),
        (&["--drain-seconds", "soon"], "a whole number"),
        (&["--l2-key", "missing.pem", "--l2-issuer", "https://l2.example"], "missing.pem"),
    ] {
        let words = [&["serve", "--listen", "127.0.0.1:0"], flags].concat();
        let ran: Ran = home.run(if flags[0] == "--listen" { &["serve", "--listen", "nonsense"] } else { &words });
        assert_eq!(ran.code, 2, "{flags:?}: {}", ran.err);
        assert!(ran.err.contains(says), "{flags:?}: {}", ran.err);
    }
    let help = home.ok(&["serve", "--help"]);
    for flag in ["--listen", "--import-root", "--public-read", "--max-upload-bytes", "--l2-admins", "ARTDAG_TLS_CERT"] {
        assert!(help.contains(flag), "{flag} is not in\n{help}");
    }
    let settings = home.ok(&["settings"]);
    assert!(settings.contains("127.0.0.1:8100") && settings.contains("ARTDAG_DRAIN_SECONDS"), "{settings}");
}

#[test]
fn with_a_certificate_it_speaks_https_and_nothing_else() {
    let home = Home::new();
    let file = |name: &str| concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/tls/").to_owned() + name;
    let (cert, key) = (file("cert.pem"), file("key.pem"));
    let server = Server::start(&home, &["--tls-cert", &cert, "--tls-key", &key]);
    assert!(server.url.starts_with("https://127.0.0.1:"), "{}", server.url);
    let authority = std::fs::read(file("ca.pem")).unwrap();
    let authority = ureq::tls::Certificate::from_pem(&authority).unwrap();
    let tls = ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::new_with_certs(&[authority])).build();
    let client = ureq::Agent::new_with_config(ureq::Agent::config_builder().tls_config(tls).build());
    let answer = client.get(format!("{}/healthz", server.url)).call().expect("the certificate holds");
    assert_eq!(answer.status(), 200);
    // A client that knows no such authority, and one that speaks plainly, get nothing.
    assert!(ureq::get(format!("{}/healthz", server.url)).call().is_err());
    assert!(!server.raw_get("/healthz").starts_with("HTTP/1.1 200"));
    drop(server);
    // A key that is another certificate's.
    let wrong = home.run(&["serve", "--listen", "127.0.0.1:0", "--tls-cert", &file("ca.pem"), "--tls-key", &key]);
    assert_eq!(wrong.code, 2, "{}", wrong.err);
    assert!(wrong.err.contains("cannot be used together"), "{}", wrong.err);
}

#[test]
fn s17_two_thousand_connections_that_trickle_are_closed_and_others_served_as_ever() {
    if !long_case("2,000 connections that trickle for half a minute") {
        return;
    }
    let (most, rest) = (Duration::from_secs(30), Duration::from_secs(10));
    raise_open_files(2_500);
    let home = Home::new();
    let server = Server::start(&home, &[]);
    let usual = p99(&server, 500);
    let start = Instant::now();
    let mut trickles: Vec<TcpStream> = Vec::new();
    for index in 0..2_000 {
        let mut stream = server.connect();
        let head =
            "POST /runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";
        // Half of them trickle their heads, half their bodies.
        let begun = if index % 2 == 0 { "GET / HTTP/1.1\r\nX-Slow: " } else { head };
        stream.write_all(begun.as_bytes()).expect("it is taken");
        stream.set_nonblocking(true).unwrap();
        trickles.push(stream);
    }
    let mut next = start;
    while !trickles.is_empty() {
        assert!(start.elapsed() < most + Duration::from_secs(5), "{} are still open", trickles.len());
        let sends = Instant::now() >= next;
        next += if sends { rest } else { Duration::ZERO };
        trickles.retain_mut(|stream| !(sends && stream.write_all(b"x").is_err()) && is_open(stream));
        let busy = p99(&server, 100);
        assert!(busy < Duration::from_millis(100).max(usual * 10), "{busy:?} instead of {usual:?}");
    }
}

/// Is the connection open? What has come over it is taken.
fn is_open(stream: &mut TcpStream) -> bool {
    let mut taken = [0; 4096];
    loop {
        match stream.read(&mut taken) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
}

/// The time that only one of a hundred requests exceeds, each over a connection of its own.
fn p99(server: &Server, requests: usize) -> Duration {
    let mut times: Vec<Duration> = (0..requests)
        .map(|_| {
            let start = Instant::now();
            assert!(server.raw_get("/healthz").starts_with("HTTP/1.1 200"));
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

fn raise_open_files(wanted: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).expect("the limit can be raised");
    }
}
