//! What the tests of this module share: keys, tokens signed with them, a gate over a home.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use serde_json::{Value, json};

use crate::engine::home::Opening;
use crate::engine::lock::Role;
use crate::engine::{Engine, Opened};
use crate::http::auth::{Auth, AuthSettings, JwtKeys, JwtSettings};

/// Where requests of tests come from.
pub const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// The server that signs tokens in tests.
pub const ISSUER: &str = "https://l2.example.org";
/// Whom it means them for.
pub const AUDIENCE: &str = "artdag";
/// A secret that both servers share.
pub const SHARED: &[u8] = b"a secret of more than thirty-two bytes";

/// A file of keys, made for tests alone.
pub fn key_file(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The key to sign with, in one of the files.
pub fn signing_key(algorithm: Algorithm) -> EncodingKey {
    let key = match algorithm {
        Algorithm::EdDSA => EncodingKey::from_ed_pem(&key_file("ed25519.pem")),
        Algorithm::RS256 => EncodingKey::from_rsa_pem(&key_file("rsa2048.pem")),
        Algorithm::ES256 => EncodingKey::from_ec_pem(&key_file("p256.pem")),
        _ => Ok(EncodingKey::from_secret(SHARED)),
    };
    key.expect("the key can be read")
}

/// The text to check with.
pub fn checking_key(algorithm: Algorithm) -> Vec<u8> {
    match algorithm {
        Algorithm::EdDSA => key_file("ed25519.pub.pem"),
        Algorithm::RS256 => key_file("rsa2048.pub.pem"),
        Algorithm::ES256 => key_file("p256.pub.pem"),
        _ => SHARED.to_vec(),
    }
}

/// Settings that take tokens of the server of the tests.
pub fn jwt_settings(keys: &[u8], audience: Option<&str>) -> JwtSettings {
    JwtSettings {
        keys: JwtKeys::parse(keys).expect("the keys can be read"),
        issuer: ISSUER.to_owned(),
        audience: audience.map(str::to_owned),
        admins: vec!["root".to_owned()],
    }
}

/// Claims that are taken, with these in their place; null takes one out.
pub fn claims(change: &Value) -> Value {
    let now = get_current_timestamp();
    let mut claims = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": now + 600, "iat": now});
    for (name, value) in change.as_object().expect("claims are an object") {
        if value.is_null() {
            claims.as_object_mut().expect("claims are an object").remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

/// A signed token.
pub fn signed(algorithm: Algorithm, claims: &Value) -> String {
    encode(&Header::new(algorithm), claims, &signing_key(algorithm)).expect("claims can be signed")
}

/// A home with a gate before it.
pub struct Gate {
    /// The home.
    pub engine: Engine,
    /// The gate.
    pub auth: Auth,
    /// The administrator's token.
    pub token: String,
    dir: tempfile::TempDir,
}

impl Gate {
    /// A new home. Without `loopback` the server listens elsewhere.
    pub fn new(loopback: bool, public_read: bool, jwt: Option<JwtSettings>) -> Self {
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let dir = dir.expect("a temporary directory can be made");
        let engine = Self::open(dir.path());
        let token = std::fs::read_to_string(dir.path().join("token")).expect("the first start writes a token");
        let settings = AuthSettings { loopback, public_read, jwt, secure_cookie: false };
        let auth = Auth::new(engine.clone(), settings);
        Self { engine, auth, token: token.trim_end().to_owned(), dir }
    }

    /// The home closed and opened again, as by a restart of the server.
    pub fn restarted(self, jwt: Option<JwtSettings>) -> Self {
        let Self { engine, auth, token, dir } = self;
        drop(auth);
        engine.close().expect("the home closes");
        let engine = Self::open(dir.path());
        let settings = AuthSettings { loopback: false, public_read: false, jwt, secure_cookie: false };
        let auth = Auth::new(engine.clone(), settings);
        Self { engine, auth, token, dir }
    }

    fn open(home: &Path) -> Engine {
        let opening = Opening {
            home: home.to_owned(),
            threads: 1,
            workers: 1,
            cache_max_bytes: None,
            ffmpeg: None,
            role: Role::Serve,
            signer: None,
            stage_timeout: 0,
        };
        match Engine::open(&opening).expect("the home opens") {
            Opened::Ours(engine) => engine,
            Opened::Theirs(holder) => panic!("the home is held by {holder:?}"),
        }
    }
}

/// Headers of a request.
pub fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let line = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header's value"))
    };
    lines.iter().map(line).collect()
}

/// Headers that show a token.
pub fn bearer(token: &str) -> HeaderMap {
    headers(&[("authorization", &format!("Bearer {token}"))])
}
