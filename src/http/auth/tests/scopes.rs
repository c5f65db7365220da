//! Who may do what, with each kind of token, on loopback and elsewhere.

use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;

use crate::base::Secret;
use crate::base::limits::{FAILED_LOGINS, SESSIONS_OF_ONE};
use crate::engine::Scopes;
use crate::http::auth::Principal;
use crate::http::auth::testing::{Gate, PEER, bearer, headers};
use crate::http::route::Need;
use crate::records::SessionOf;

const NEEDS: [Need; 6] = [Need::Public, Need::Read, Need::Run, Need::Publish, Need::Delete, Need::Admin];

/// The status for each need: 200 where it is allowed.
fn statuses(gate: &Gate, principal: &Principal) -> [u16; 6] {
    NEEDS.map(|need| match gate.auth.allows(principal, need) {
        Ok(()) => 200,
        Err(refusal) => refusal.status().as_u16(),
    })
}

#[test]
fn each_scope_opens_what_it_says_and_no_more() {
    let shown = [
        (None, [200, 401, 401, 401, 401, 401]),
        (Some("read"), [200, 200, 403, 403, 403, 403]),
        (Some("run"), [200, 200, 200, 200, 403, 403]),
        (Some("delete"), [200, 200, 403, 403, 200, 403]),
        (Some("admin"), [200, 200, 200, 200, 200, 200]),
    ];
    for (loopback, public_read) in [(false, false), (false, true), (true, false)] {
        let gate = Gate::new(loopback, public_read, None);
        for (scope, elsewhere) in shown {
            let [public, _, run, publish, delete, admin] = elsewhere;
            let expected = match (loopback, public_read) {
                (true, _) => [public, 200, 200, publish, delete, admin],
                (false, true) => [public, 200, run, publish, delete, admin],
                (false, false) => elsewhere,
            };
            let principal = scope.map_or_else(Principal::default, |scope| {
                let (_, token) = gate.engine.add_token(scope, Scopes::of([scope])).unwrap();
                gate.auth.identify(&bearer(token.expose()), PEER).unwrap()
            });
            assert_eq!(statuses(&gate, &principal), expected, "{scope:?} {loopback} {public_read}");
        }
    }
}

#[test]
fn refusals_say_what_is_wanted() {
    let gate = Gate::new(false, false, None);
    let response = gate.auth.allows(&Principal::default(), Need::Run).unwrap_err().into_response();
    assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
    let (_, token) = gate.engine.add_token("reader", Scopes::of(["read"])).unwrap();
    let reader = gate.auth.identify(&bearer(token.expose()), PEER).unwrap();
    let refusal = gate.auth.allows(&reader, Need::Delete).unwrap_err();
    assert!(refusal.detail().as_str().unwrap().contains("the scope delete"), "{}", refusal.detail());
}

#[test]
fn s6_the_first_token_is_the_administrators_and_only_its_hash_is_stored() {
    let gate = Gate::new(false, false, None);
    let principal = gate.auth.identify(&bearer(&gate.token), PEER).unwrap();
    assert_eq!((principal.scopes, principal.username), (Scopes::ALL, None));
    let (_, token) = gate.engine.add_token("x", Scopes::of(["read"])).unwrap();
    let session = gate.engine.open_session(SessionOf::Token("x".to_owned()), None).unwrap().1;
    let home = gate.engine.home().to_owned();
    gate.engine.clone().close().unwrap();
    let bytes = std::fs::read(home.join("artdag.redb")).unwrap();
    for secret in [&gate.token["artdag_".len()..], &token.expose()["artdag_".len()..], session.expose()] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "a secret is stored");
        let raw: crate::base::ContentHash = secret.parse().unwrap();
        assert!(!bytes.windows(32).any(|window| window == raw.as_bytes()), "a secret is stored");
    }
}

#[test]
fn a_revoked_token_opens_nothing_at_once_and_its_file_goes() {
    let gate = Gate::new(false, false, None);
    let (token, secret) = gate.engine.add_token("ci", Scopes::of(["run"])).unwrap();
    let (_, session) = gate.engine.open_session(SessionOf::Token(token.id.clone()), None).unwrap();
    let cookie = headers(&[("cookie", &format!("artdag_session={}", session.expose()))]);
    assert_eq!(gate.auth.identify(&cookie, PEER).unwrap().id, format!("token:{}", token.id));
    assert_eq!(gate.engine.revoke_token("ci").unwrap(), token);
    assert_eq!(gate.auth.identify(&cookie, PEER).unwrap(), Principal::default());
    assert_eq!(gate.auth.identify(&bearer(secret.expose()), PEER).unwrap_err().status(), StatusCode::UNAUTHORIZED);
    assert!(gate.engine.revoke_token("ci").is_err());
    assert!(gate.engine.home().join("token").exists());
    gate.engine.revoke_token("first start").unwrap();
    assert!(!gate.engine.home().join("token").exists());
    assert!(gate.engine.tokens().unwrap().is_empty());
}

#[test]
fn wrong_tokens_are_401_and_too_many_are_told_to_wait_while_right_ones_pass() {
    let gate = Gate::new(true, true, None);
    let wrong = format!("artdag_{}", "0".repeat(64));
    let near = format!("{}0", &gate.token[..gate.token.len() - 1]);
    let upper = gate.token.to_uppercase();
    for (count, token) in [&wrong, &near, &upper, "x", "artdag_"].into_iter().cycle().take(FAILED_LOGINS).enumerate() {
        // The last digit may be the 0 that it is changed to.
        if *token == *gate.token {
            gate.auth.refuse("the same", PEER);
            continue;
        }
        let refusal = gate.auth.identify(&bearer(token), PEER).unwrap_err();
        assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED, "{count}");
        let response = refusal.into_response();
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
    }
    let response = gate.auth.identify(&headers(&[("authorization", "Basic YTpi")]), PEER).unwrap_err().into_response();
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(response.headers()[header::RETRY_AFTER].to_str().unwrap().parse::<u64>().unwrap() <= 60);
    assert!(gate.auth.identify(&bearer(&gate.token), PEER).is_ok());
    let elsewhere = "192.0.2.7".parse().unwrap();
    assert_eq!(gate.auth.identify(&bearer("x"), elsewhere).unwrap_err().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(gate.auth.failed_logins(), FAILED_LOGINS as u64 + 2);
}

#[test]
fn a_session_that_is_not_open_counts_as_none() {
    let gate = Gate::new(false, false, None);
    for id in [&"0".repeat(64), "", "x", &"a".repeat(5000)] {
        let cookie = headers(&[("cookie", &format!("artdag_session={id}"))]);
        assert_eq!(gate.auth.identify(&cookie, PEER).unwrap(), Principal::default());
    }
    assert_eq!(gate.auth.failed_logins(), 0);
    // A wrong token is wrong beside a good session, too.
    let id = gate.engine.tokens().unwrap()[0].id.clone();
    let (_, session) = gate.engine.open_session(SessionOf::Token(id), None).unwrap();
    let cookie = format!("artdag_session={}", session.expose());
    assert!(gate.auth.identify(&headers(&[("cookie", &cookie)]), PEER).unwrap().scopes.admin);
    let both = headers(&[("cookie", &cookie), ("authorization", "Bearer x")]);
    assert_eq!(gate.auth.identify(&both, PEER).unwrap_err().status(), StatusCode::UNAUTHORIZED);
}

#[test]
fn s7_logging_in_over_and_over_ends_nobody_elses_session() {
    let gate = Gate::new(false, false, None);
    let open = |of: &SessionOf| gate.engine.open_session(of.clone(), None).unwrap().1;
    let user = |subject: &str, name: &str| {
        let [subject, name, issuer] = [subject, name, "https://l2.example"].map(str::to_owned);
        SessionOf::User { subject, name, issuer }
    };
    let (bens, annes) = (user("@ben", "ben"), user("@ann", "ann"));
    let (first_of_ben, first_of_ann) = (open(&bens), open(&annes));
    for n in 1..SESSIONS_OF_ONE {
        open(&user("@ann", &format!("ann {n}")));
    }
    let is_open = |session: &Secret| gate.engine.find_session(session.expose()).unwrap().is_some();
    assert!(is_open(&first_of_ann));
    let last = open(&annes);
    assert_eq!([&first_of_ann, &last, &first_of_ben].map(is_open), [false, true, true]);
}
