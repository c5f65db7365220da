//! Who may do what, asked of the real server: tokens, sessions, tokens of another server.

use std::time::{SystemTime, UNIX_EPOCH};

use artdag::base::limits::FAILED_LOGINS;
use artdag::http::route::{Need, ROUTES, Route, Takes};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::support::{Answer, Home, Server};

const ISSUER: &str = "https://l2.example.org";

/// A server that listens on every address, as seen from this machine.
fn elsewhere(home: &Home, words: &[&str]) -> Server {
    Server::of(home, home.command(&[&["serve", "--listen", "0.0.0.0:0"], words].concat()))
}

/// Asks for a route with these headers, in a form that the guard lets through.
fn ask(server: &Server, route: &Route, headers: &[(&str, &str)]) -> Answer {
    let path = route.path.replace("{hash}", &"0".repeat(64)).replace("{id}", &"0".repeat(64));
    let path = path.replace("{run_id}", "01890000-0000-7000-8000-000000000000");
    let path = path.replace("{name}", "nothing").replace("{file}", "index.css");
    // A stream would not end; its head is as good.
    let method = if route.path == "/events" { "HEAD" } else { route.method.as_str() };
    let (kind, body) = match route.takes {
        Takes::Nothing => (None, ""),
        Takes::Json => (Some("application/json"), "{}"),
        Takes::Bytes | Takes::Config => (Some("application/octet-stream"), "x"),
        Takes::Form => (Some("application/x-www-form-urlencoded"), "next=/"),
    };
    // A body that a refusal leaves unread ends its connection.
    let mut lines = [headers, &[("connection", "close")]].concat();
    lines.extend(kind.map(|kind| ("content-type", kind)));
    server.request(method, &path, &lines, body.as_bytes())
}

/// 401 or 403, whichever is right for this need; `None` where the handler must be reached.
fn refusal(need: Need, scope: Option<&str>, open: &[Need]) -> Option<u16> {
    let word = match need {
        Need::Public => return None,
        Need::Read => "read",
        Need::Run | Need::Publish => "run",
        Need::Delete => "delete",
        Need::Admin => "admin",
    };
    match scope {
        _ if open.contains(&need) => None,
        None => Some(401),
        Some("admin") => None,
        Some(scope) => (scope != word && word != "read").then_some(403),
    }
}

#[test]
fn every_route_is_opened_by_its_scope_alone_on_loopback_and_elsewhere() {
    let home = Home::new();
    let made: Vec<(&str, String)> = ["read", "run", "delete", "admin"]
        .map(|scope| (scope, home.ok(&["token", "new", scope, "--scopes", scope, "-q"])))
        .to_vec();
    for (open, words) in
        [(&[Need::Read, Need::Run][..], None), (&[Need::Read], Some(&["--public-read"][..])), (&[], Some(&[]))]
    {
        let server = words.map_or_else(|| Server::start(&home, &[]), |words| elsewhere(&home, words));
        let nobody = [(None, String::new())];
        let callers = made.iter().map(|(scope, token)| (Some(*scope), format!("Bearer {token}")));
        for (scope, line) in nobody.into_iter().chain(callers) {
            let headers = [("authorization", line.as_str())];
            let headers = if scope.is_some() { &headers[..] } else { &[] };
            for route in ROUTES {
                let answer = ask(&server, route, headers);
                let place = format!("{} {} by {scope:?}, open {open:?}: {answer:?}", route.method, route.path);
                match refusal(route.need, scope, open) {
                    Some(status) => assert_eq!(answer.status, status, "{place}"),
                    None => assert!(!matches!(answer.status, 401 | 403 | 500), "{place}"),
                }
                assert_eq!(answer.header("www-authenticate").is_some(), answer.status == 401, "{place}");
            }
        }
        server.signal("TERM");
        assert_eq!(server.wait(), 0);
    }
}

#[test]
fn a_wrong_token_is_refused_on_every_route_and_soon_told_to_wait() {
    let home = Home::new();
    let server = Server::start(&home, &["--public-read"]);
    let wrong = format!("Bearer artdag_{}", "0".repeat(64));
    for (count, route) in ROUTES.iter().enumerate() {
        let answer = ask(&server, route, &[("authorization", &wrong)]);
        let status = if count < FAILED_LOGINS { 401 } else { 429 };
        assert_eq!(answer.status, status, "{} {}", route.method, route.path);
        let wait = answer.header("retry-after").map(|seconds| seconds.parse::<u64>().expect("seconds"));
        assert_eq!(wait.is_some_and(|seconds| seconds <= 60), status == 429);
    }
    // Who shows nothing, and who shows a right one, is not held up by that.
    server.get("/runs").expect(200);
    server.admin("DELETE", &format!("/cache/{}", "0".repeat(64))).expect(404);
}

#[test]
fn s6_tokens_and_sessions_are_in_no_log_no_command_line_and_no_file() {
    let home = Home::new();
    let token = home.ok(&["token", "new", "x", "--scopes", "admin", "-q"]);
    let server = Server::start(&home, &["--log", "trace"]);
    let link = server.get(&format!("/auth?auth_token={token}&next=/runs")).expect(200);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    server.request("POST", "/auth", &form, format!("auth_token={token}").as_bytes()).expect(200);
    server.get(&format!("/auth?auth_token={token}&next=//evil.example")).expect(422);
    server.get(&format!("/auth?auth_token={token}x")).expect(401);
    server.request("GET", "/runs", &[("authorization", &format!("Bearer {token}"))], &[]).expect(200);
    let cookie = cookie(&link);
    server.request("GET", "/runs", &[("cookie", &cookie)], &[]).expect(200);
    let of_process = |what: &str| std::fs::read(format!("/proc/{}/{what}", server.pid())).expect("the process runs");
    let mut seen = vec![of_process("cmdline"), of_process("environ")];
    let said = server.said();
    assert!(said.contains("/auth"), "requests are logged: {said}");
    seen.push(said.into_bytes());
    files(&home.path(), &mut seen);
    for secret in [token.as_str(), cookie.split_once('=').expect("a pair").1] {
        for bytes in &seen {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} is seen");
        }
    }
}

/// The files below a directory, but for the administrator's token.
fn files(directory: &std::path::Path, found: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.is_file() {
            found.push(std::fs::read(&path).expect("a file"));
        }
    }
}

fn cookie(answer: &Answer) -> String {
    let line = answer.header("set-cookie").unwrap_or_else(|| panic!("no cookie: {answer:?}"));
    line.split(';').next().expect("a pair").to_owned()
}

#[test]
fn a_session_outlives_a_restart_and_ends_with_its_token() {
    let home = Home::new();
    let token = home.ok(&["token", "new", "browser", "--scopes", "delete", "-q"]);
    let server = elsewhere(&home, &[]);
    let cookie = cookie(&server.get(&format!("/auth?auth_token={token}")).expect(200));
    server.kill();
    let server = elsewhere(&home, &[]);
    let with = |headers: &[(&str, &str)]| {
        let lines = [&[("cookie", cookie.as_str())], headers].concat();
        server.request("DELETE", &format!("/cache/{}", "0".repeat(64)), &lines, &[])
    };
    with(&[]).expect(404);
    with(&[("sec-fetch-site", "same-origin")]).expect(404);
    // Another site's page has the browser, but not the right.
    with(&[("sec-fetch-site", "cross-site")]).expect(403);
    with(&[("origin", "https://evil.example")]).expect(403);
    home.ok(&["token", "revoke", "browser"]);
    with(&[]).expect(401);
}

/// A token of the other server.
fn signed(claims: &Value, algorithm: Algorithm, key: &EncodingKey) -> String {
    encode(&Header::new(algorithm), claims, key).expect("claims can be signed")
}

fn key_file(name: &str) -> String {
    format!("{}/tests/keys/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn s7_tokens_of_another_server_are_checked_offline() {
    let home = Home::new();
    let public = key_file("ed25519.pub.pem");
    let words = ["--l2-key", &public, "--l2-issuer", ISSUER, "--l2-audience", "artdag", "--l2-admins", "root"];
    let server = elsewhere(&home, &words);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let read = |name: &str| std::fs::read(key_file(name)).expect("a key");
    let ours = EncodingKey::from_ed_pem(&read("ed25519.pem")).expect("a key");
    let theirs = EncodingKey::from_ed_pem(&read("other-ed25519.pem")).expect("a key");
    let public = EncodingKey::from_secret(&read("ed25519.pub.pem"));
    let claims = |sub: &str| json!({"iss": ISSUER, "aud": "artdag", "sub": sub, "exp": now + 600});
    let delete = |token: &str| {
        let path = format!("/cache/{}", "0".repeat(64));
        server.request("DELETE", &path, &[("authorization", &format!("Bearer {token}"))], &[])
    };
    let post =
        |token: &str, path: &str| server.request("POST", path, &[("authorization", &format!("Bearer {token}"))], &[]);
    let ann = signed(&claims("ann"), Algorithm::EdDSA, &ours);
    delete(&ann).expect(404);
    post(&ann, "/queue/pause").expect(403);
    let root = signed(&claims("root"), Algorithm::EdDSA, &ours);
    post(&root, "/queue/pause").expect(200);

    // By session, and a run carries the user's name.
    let cookie = cookie(&server.get(&format!("/auth?auth_token={ann}&next=/runs")).expect(200));
    let body = json!({"recipe": "invert", "inputs": ["cat"]}).to_string();
    let lines = [("cookie", cookie.as_str()), ("content-type", "application/json")];
    let run = server.request("POST", "/runs", &lines, body.as_bytes()).expect(201).json();
    assert_eq!(run["username"], "@ann@l2.example.org");

    let mut wrong = claims("ann");
    wrong["exp"] = json!(now - 100);
    let expired = signed(&wrong, Algorithm::EdDSA, &ours);
    wrong = claims("ann");
    wrong["iss"] = json!("https://evil.example");
    let foreign = signed(&wrong, Algorithm::EdDSA, &ours);
    let none = format!("eyJhbGciOiJub25lIn0.{}.", ann.split('.').nth(1).expect("a payload"));
    for token in [
        signed(&claims("ann"), Algorithm::EdDSA, &theirs),
        signed(&claims("ann"), Algorithm::HS256, &public),
        expired,
        foreign,
        none,
        "a.b.c".to_owned(),
    ] {
        delete(&token).expect(401);
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let long = format!("auth_token={}", "a".repeat(1 << 20));
    server.request("POST", "/auth", &form, long.as_bytes()).expect(401);
}
