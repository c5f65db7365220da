//! Logging in and out.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use jsonwebtoken::{Algorithm, get_current_timestamp};
use serde_json::json;
use tower::ServiceExt as _;

use crate::config::Settings;
use crate::engine::Scopes;
use crate::http::App;
use crate::http::auth::testing::{AUDIENCE, Gate, PEER, SHARED, claims, headers, jwt_settings, signed};
use crate::http::auth::{Peer, Principal, routes};

/// Sends a request with these headers; status, headers and text of the answer.
async fn send(gate: &Gate, method: &str, uri: &str, lines: &[(&str, &str)], body: &str) -> (Response<()>, String) {
    let flag = |name: &str| (name == "home").then(|| gate.engine.home().display().to_string());
    let settings = Settings::resolve(&flag, &|_| None, 1).unwrap();
    let app = App::new(gate.engine.clone(), settings, gate.auth.clone());
    let (router, _) = routes().with_state(app).split_for_parts();
    let mut request = Request::builder().method(method).uri(uri).extension(Peer(PEER));
    for (name, value) in lines {
        request = request.header(*name, *value);
    }
    let (parts, body) = router.oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap().into_parts();
    let text = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
    (Response::from_parts(parts, ()), text)
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn post(gate: &Gate, body: &str) -> (Response<()>, String) {
    send(gate, "POST", "/auth", &[FORM], body).await
}

/// The cookie that an answer sets, as a browser sends it back, and its attributes.
fn cookie(response: &Response<()>) -> (String, String) {
    let set = response.headers()[header::SET_COOKIE].to_str().unwrap();
    let (pair, attributes) = set.split_once("; ").unwrap();
    (pair.to_owned(), attributes.to_owned())
}

fn principal(gate: &Gate, cookie: &str) -> Principal {
    gate.auth.identify(&headers(&[("cookie", cookie)]), PEER).unwrap()
}

#[tokio::test]
async fn a_token_becomes_a_session_that_outlives_a_restart_until_it_is_ended() {
    let gate = Gate::new(false, false, None);
    let uri = format!("/auth?auth_token={}&next=/runs%3Fstatus=failed%26x=%22%3E", gate.token);
    let (response, text) = send(&gate, "GET", &uri, &[], "").await;
    assert_eq!(response.status(), 200, "{text}");
    assert!(text.contains("content=\"0; url=/runs?status=failed&amp;x=&quot;&gt;\""), "{text}");
    let answer = response.headers();
    assert_eq!(answer[header::CACHE_CONTROL], "no-store");
    assert_eq!(answer[header::REFERRER_POLICY], "no-referrer");
    assert!(!answer[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("unsafe"));
    assert!(!text.contains(&gate.token) && !text.contains("<script"));
    let (cookie, attributes) = cookie(&response);
    assert!(attributes.starts_with("Path=/; HttpOnly; SameSite=Strict; Max-Age=6"), "{attributes}");
    assert_eq!(principal(&gate, &cookie).scopes, Scopes::ALL);

    let gate = gate.restarted(None);
    assert_eq!(principal(&gate, &cookie).scopes, Scopes::ALL);
    // Another site may lead to the page, which then asks.
    let lines = [("cookie", cookie.as_str()), ("sec-fetch-site", "cross-site")];
    let (response, text) = send(&gate, "GET", "/logout", &lines, "").await;
    assert_eq!((response.status(), text.contains("<form method=\"post\" action=\"/logout\">")), (StatusCode::OK, true));
    assert_eq!(principal(&gate, &cookie).scopes, Scopes::ALL);
    let (response, _) = send(&gate, "POST", "/logout", &[("cookie", &cookie), FORM], "").await;
    assert_eq!(
        self::cookie(&response),
        ("artdag_session=".to_owned(), "Path=/; HttpOnly; SameSite=Strict; Max-Age=0".to_owned())
    );
    assert_eq!(principal(&gate, &cookie), Principal::default());
}

#[tokio::test]
async fn logging_out_by_a_link_of_this_site_ends_the_session() {
    let gate = Gate::new(false, false, None);
    for site in [None, Some("same-origin"), Some("none")] {
        let (response, _) = post(&gate, &format!("auth_token={}", gate.token)).await;
        let (cookie, _) = cookie(&response);
        let mut lines = vec![("cookie", cookie.as_str())];
        lines.extend(site.map(|site| ("sec-fetch-site", site)));
        assert_eq!(send(&gate, "GET", "/logout", &lines, "").await.0.status(), 200);
        assert_eq!(principal(&gate, &cookie), Principal::default());
    }
    assert_eq!(send(&gate, "GET", "/logout", &[], "").await.0.status(), 200);
}

#[tokio::test]
async fn a_users_session_lasts_no_longer_than_the_token_and_the_trust() {
    let gate = Gate::new(false, false, Some(jwt_settings(SHARED, Some(AUDIENCE))));
    let exp = get_current_timestamp() + 100;
    let token = signed(Algorithm::HS256, &claims(&json!({"exp": exp, "sub": "root"})));
    let (response, text) = post(&gate, &format!("auth_token={token}&next=/")).await;
    assert!(text.contains("Logged in as @root@l2.example.org."), "{text}");
    let (cookie, attributes) = cookie(&response);
    let seconds: u64 = attributes.rsplit_once('=').unwrap().1.parse().unwrap();
    assert!((90..=100).contains(&seconds), "{attributes}");
    let known = principal(&gate, &cookie);
    assert_eq!((known.scopes, known.username.as_deref()), (Scopes::ALL, Some("@root@l2.example.org")));

    let mut settings = jwt_settings(SHARED, Some(AUDIENCE));
    settings.admins.clear();
    let gate = gate.restarted(Some(settings));
    assert_eq!(principal(&gate, &cookie).scopes, Scopes::USER);
    let gate = gate.restarted(None);
    assert_eq!(principal(&gate, &cookie), Principal::default());
}

#[tokio::test]
async fn a_new_log_in_ends_the_session_before_it() {
    let gate = Gate::new(false, false, None);
    let (first, _) = cookie(&post(&gate, &format!("auth_token={}", gate.token)).await.0);
    let body = format!("auth_token={}", gate.token);
    let (second, _) = cookie(&send(&gate, "POST", "/auth", &[FORM, ("cookie", &first)], &body).await.0);
    assert_eq!(principal(&gate, &first), Principal::default());
    assert_eq!(principal(&gate, &second).scopes, Scopes::ALL);
}

#[tokio::test]
async fn wrong_log_ins_are_refused_without_a_session() {
    let gate = Gate::new(true, true, None);
    let token = &gate.token;
    for (method, uri, lines, body, status) in [
        ("GET", "/auth?auth_token=x", &[][..], String::new(), 401),
        ("GET", &format!("/auth?auth_token={token}&next=//evil.example"), &[], String::new(), 422),
        ("GET", &format!("/auth?auth_token={token}&next=https:evil.example"), &[], String::new(), 422),
        ("GET", &format!("/auth?auth_token={token}&next=/%5Cevil.example"), &[], String::new(), 422),
        ("GET", &format!("/auth?auth_token={token}&more=1"), &[], String::new(), 422),
        ("GET", &format!("/auth?auth_token={token}"), &[("sec-fetch-dest", "image")], String::new(), 403),
        ("GET", &format!("/auth?auth_token={token}"), &[("sec-fetch-dest", "iframe")], String::new(), 403),
        ("POST", "/auth", &[FORM], "auth_token=x&next=/".to_owned(), 401),
        ("POST", "/auth", &[FORM], format!("auth_token={}", "a".repeat(1 << 20)), 401),
        ("POST", "/auth", &[FORM], format!("auth_token={}", "a".repeat(3 << 20)), 413),
        ("POST", "/auth", &[FORM], format!("auth_token={token}&next=%09//evil.example"), 422),
        ("POST", "/auth", &[("content-type", "application/json")], format!("{{\"auth_token\":\"{token}\"}}"), 415),
    ] {
        let (response, text) = send(&gate, method, uri, lines, &body).await;
        assert_eq!(response.status(), status, "{method} {uri}: {text}");
        assert!(text.starts_with("{\"detail\":"), "{text}");
        assert!(!response.headers().contains_key(header::SET_COOKIE));
        assert!(!text.contains(token));
    }
    let (response, text) = send(&gate, "GET", "/auth?auth_token=x", &[("accept", "text/html,*/*;q=0.8")], "").await;
    assert_eq!(
        (response.status(), &response.headers()[header::WWW_AUTHENTICATE]),
        (StatusCode::UNAUTHORIZED, &"Bearer".parse().unwrap())
    );
    assert!(text.contains("<form method=\"post\" action=\"/auth\">"), "{text}");
}

#[tokio::test]
async fn without_a_token_a_page_asks_for_one() {
    let gate = Gate::new(false, false, None);
    let (response, text) = send(&gate, "GET", "/auth?next=/runs", &[], "").await;
    assert_eq!(response.status(), 200);
    assert!(text.contains("name=\"next\" type=\"hidden\" value=\"/runs\""), "{text}");
    assert_eq!(gate.auth.failed_logins(), 0);
    assert_eq!(post(&gate, "auth_token=").await.0.status(), 200);
}
