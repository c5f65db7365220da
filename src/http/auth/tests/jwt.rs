//! Tokens of another server: what is taken, and all that is not.

use axum::http::StatusCode;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use serde_json::{Value, json};

use crate::base::limits::JWT_BYTES;
use crate::engine::Scopes;
use crate::http::auth::jwt::{BadToken, Verifier};
use crate::http::auth::testing::{
    AUDIENCE, Gate, ISSUER, PEER, SHARED, bearer, checking_key, claims, jwt_settings, key_file, signed, signing_key,
};

const ALGORITHMS: [Algorithm; 4] = [Algorithm::EdDSA, Algorithm::RS256, Algorithm::ES256, Algorithm::HS256];

fn verifier(algorithm: Algorithm) -> Verifier {
    Verifier::new(jwt_settings(&checking_key(algorithm), Some(AUDIENCE)))
}

/// URL-safe base64 without padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        text.extend((0..=three.len()).map(|digit| char::from(DIGITS[(bits >> (18 - 6 * digit)) as usize & 63])));
    }
    text
}

/// A token with this header as it stands, and a signature by `key` with `algorithm`.
fn forged(header: &Value, claims: &Value, algorithm: Algorithm, key: &EncodingKey) -> String {
    let message = format!("{}.{}", base64(header.to_string().as_bytes()), base64(claims.to_string().as_bytes()));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).expect("a text can be signed");
    format!("{message}.{signature}")
}

#[test]
fn s7_right_tokens_of_each_kind_of_key_are_taken() {
    for algorithm in ALGORITHMS {
        let exp = get_current_timestamp() + 600;
        let user = verifier(algorithm).verify(&signed(algorithm, &claims(&json!({"exp": exp})))).unwrap();
        assert_eq!((user.subject.as_str(), user.name.as_str()), ("@ann@l2.example.org", "@ann@l2.example.org"));
        assert_eq!(user.expires_at.micros(), exp as i64 * 1_000_000);
    }
    // Clocks differ a little, audiences come in lists, and times may have fractions.
    let now = get_current_timestamp();
    for change in [
        json!({"exp": now - 5}),
        json!({"nbf": now + 5}),
        json!({"aud": ["x", AUDIENCE]}),
        json!({"exp": now as f64 + 9.5}),
    ] {
        verifier(Algorithm::EdDSA).verify(&signed(Algorithm::EdDSA, &claims(&change))).unwrap();
    }
}

#[test]
fn s7_wrong_claims_are_refused() {
    let now = get_current_timestamp();
    for (change, why) in [
        (json!({"exp": now - 60}), BadToken::Expired),
        (json!({"exp": 0}), BadToken::Expired),
        (json!({"exp": null}), BadToken::Missing),
        (json!({"exp": "tomorrow"}), BadToken::Form),
        (json!({"exp": (now + 600).to_string()}), BadToken::Form),
        (json!({"exp": -1}), BadToken::Missing),
        (json!({"nbf": now + 60}), BadToken::Early),
        (json!({"nbf": "soon"}), BadToken::Form),
        (json!({"iss": null}), BadToken::Missing),
        (json!({"iss": "https://evil.example.org"}), BadToken::Issuer),
        (json!({"iss": format!("{ISSUER}/")}), BadToken::Issuer),
        (json!({"iss": [ISSUER]}), BadToken::Form),
        (json!({"aud": null}), BadToken::Missing),
        (json!({"aud": "other"}), BadToken::Audience),
        (json!({"aud": []}), BadToken::Audience),
        (json!({"sub": null}), BadToken::Missing),
        (json!({"sub": ""}), BadToken::Form),
        (json!({"sub": 7}), BadToken::Form),
        (json!({"sub": "a\nb"}), BadToken::Form),
        (json!({"preferred_username": "@@"}), BadToken::Form),
    ] {
        for algorithm in ALGORITHMS {
            let token = signed(algorithm, &claims(&change));
            assert_eq!(verifier(algorithm).verify(&token).map_err(|error| (error, &change)), Err((why, &change)));
        }
    }
}

#[test]
fn s7_an_audience_that_nobody_set_is_not_ours() {
    let verifier = Verifier::new(jwt_settings(SHARED, None));
    assert_eq!(verifier.verify(&signed(Algorithm::HS256, &claims(&json!({})))), Err(BadToken::Audience));
    verifier.verify(&signed(Algorithm::HS256, &claims(&json!({"aud": null})))).unwrap();
}

#[test]
fn s7_the_key_decides_the_algorithm_whatever_a_token_says() {
    let good = claims(&json!({}));
    for algorithm in ALGORITHMS {
        let verifier = verifier(algorithm);
        for other in ALGORITHMS.into_iter().filter(|other| *other != algorithm) {
            assert_eq!(verifier.verify(&signed(other, &good)), Err(BadToken::Signature), "{algorithm:?} {other:?}");
        }
        // The public key, which everybody has, as a secret: as text, and trimmed.
        let public = checking_key(algorithm);
        for secret in [&public[..], public.trim_ascii()].into_iter().filter(|_| algorithm != Algorithm::HS256) {
            let key = EncodingKey::from_secret(secret);
            let token = encode(&Header::new(Algorithm::HS256), &good, &key).unwrap();
            assert_eq!(verifier.verify(&token), Err(BadToken::Signature));
            let name = serde_json::to_value(algorithm).unwrap();
            let token = forged(&json!({"alg": name}), &good, Algorithm::HS256, &key);
            assert_eq!(verifier.verify(&token), Err(BadToken::Signature));
        }
        let secret = EncodingKey::from_secret(SHARED);
        for none in ["none", "None", "NONE", "", "HS1", "RS257"] {
            let token = forged(&json!({"alg": none}), &good, Algorithm::HS256, &secret);
            assert_eq!(verifier.verify(&token), Err(BadToken::Form), "{none}");
            let (message, _) = token.rsplit_once('.').unwrap();
            assert_eq!(verifier.verify(&format!("{message}.")), Err(BadToken::Form), "{none}");
        }
    }
    // The same kind of key, another algorithm or other pair.
    let rsa = signing_key(Algorithm::RS256);
    for other in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
        let token = encode(&Header::new(other), &good, &rsa).unwrap();
        assert_eq!(verifier(Algorithm::RS256).verify(&token), Err(BadToken::Signature));
    }
    let other = EncodingKey::from_ed_pem(&key_file("other-ed25519.pem")).unwrap();
    let token = encode(&Header::new(Algorithm::EdDSA), &good, &other).unwrap();
    assert_eq!(verifier(Algorithm::EdDSA).verify(&token), Err(BadToken::Signature));
}

#[test]
fn s7_headers_choose_no_key() {
    let good = claims(&json!({}));
    let oct = |kid: &str| format!(r#"{{"kty":"oct","k":"{}","kid":"{kid}"}}"#, base64(SHARED));
    let one = Verifier::new(jwt_settings(oct("k1").as_bytes(), Some(AUDIENCE)));
    let other = format!(r#"{{"kty":"oct","k":"{}","kid":"k2"}}"#, base64(&[7; 32]));
    let two = Verifier::new(jwt_settings(format!(r#"{{"keys":[{},{other}]}}"#, oct("k1")).as_bytes(), Some(AUDIENCE)));
    let token = |kid: Value| {
        forged(&json!({"alg": "HS256", "kid": kid}), &good, Algorithm::HS256, &EncodingKey::from_secret(SHARED))
    };
    one.verify(&token(json!("k1"))).unwrap();
    one.verify(&token(Value::Null)).unwrap();
    two.verify(&token(json!("k1"))).unwrap();
    for kid in [json!("k2"), json!("k3"), json!(""), json!("../../etc/passwd"), Value::Null] {
        assert_eq!(two.verify(&token(kid.clone())), Err(BadToken::Signature), "{kid}");
        assert!(kid.is_null() || one.verify(&token(kid.clone())).is_err(), "{kid}");
    }
    // A key that the token brings along, or says where to fetch.
    let mine = EncodingKey::from_secret(&[9; 32]);
    let jwk = json!({"kty": "oct", "k": base64(&[9; 32])});
    for header in [
        json!({"alg": "HS256", "jwk": jwk}),
        json!({"alg": "HS256", "jku": "https://evil.example.org/keys"}),
        json!({"alg": "HS256", "kid": "k1", "x5u": "https://evil.example.org/key"}),
    ] {
        assert_eq!(one.verify(&forged(&header, &good, Algorithm::HS256, &mine)), Err(BadToken::Signature));
    }
    let critical = json!({"alg": "HS256", "crit": ["b64"], "b64": false});
    let shared = EncodingKey::from_secret(SHARED);
    assert_eq!(one.verify(&forged(&critical, &good, Algorithm::HS256, &shared)), Err(BadToken::Form));
}

#[test]
fn s7_garbage_and_tokens_of_a_megabyte_are_refused_at_once() {
    let good = signed(Algorithm::EdDSA, &claims(&json!({})));
    let verifier = verifier(Algorithm::EdDSA);
    let (message, signature) = good.rsplit_once('.').unwrap();
    let mut wrong = vec![
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        format!("{good}."),
        format!("{good}.{signature}"),
        format!("{message}."),
        message.to_owned(),
        format!("{message}.{}", &signature[..10]),
        format!("{message}.{signature}="),
        format!("é{good}"),
        format!("{}.{}.{signature}", base64(b"{}"), base64(b"{}")),
        format!("{}.{}.{signature}", base64(b"[]"), base64(&[b'['; 3000])),
    ];
    // Every character changed, but the last one of the signature, which holds spare bits.
    for at in (0..good.len() - 1).step_by(7) {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        wrong.push(String::from_utf8(bytes).unwrap());
    }
    for token in wrong {
        assert!(verifier.verify(&token).is_err(), "{token}");
    }
    for long in ["a".repeat(1 << 20), format!("{}.{good}", "a".repeat(JWT_BYTES)), "a.".repeat(1 << 19)] {
        assert_eq!(verifier.verify(&long), Err(BadToken::Long));
    }
}

#[test]
fn s7_refusals_are_401_at_the_gate_even_where_nothing_is_needed() {
    let gate = Gate::new(true, true, Some(jwt_settings(&checking_key(Algorithm::EdDSA), Some(AUDIENCE))));
    let known = gate.auth.identify(&bearer(&signed(Algorithm::EdDSA, &claims(&json!({})))), PEER).unwrap();
    assert_eq!(known.username.as_deref(), Some("@ann@l2.example.org"));
    assert_eq!((known.id.as_str(), known.scopes), ("user:@ann@l2.example.org", Scopes::USER));
    for token in [signed(Algorithm::HS256, &claims(&json!({}))), "a".repeat(1 << 20), "garbage".to_owned()] {
        let refusal = gate.auth.identify(&bearer(&token), PEER).unwrap_err();
        assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(gate.auth.failed_logins(), 3);
}

#[test]
fn only_users_that_are_named_are_administrators() {
    let gate = Gate::new(false, false, Some(jwt_settings(SHARED, Some(AUDIENCE))));
    for (change, scopes, name) in [
        (json!({"sub": "root"}), Scopes::ALL, "@root@l2.example.org"),
        (json!({"sub": "ann", "preferred_username": "root"}), Scopes::USER, "@root@l2.example.org"),
        (json!({"sub": "root", "preferred_username": "ann"}), Scopes::ALL, "@ann@l2.example.org"),
        (json!({"sub": "root@evil.example"}), Scopes::USER, "@root@evil.example"),
        (json!({"sub": "Root"}), Scopes::USER, "@Root@l2.example.org"),
    ] {
        let known = gate.auth.identify(&bearer(&signed(Algorithm::HS256, &claims(&change))), PEER).unwrap();
        assert_eq!((known.scopes, known.username.as_deref()), (scopes, Some(name)), "{change}");
    }
}
