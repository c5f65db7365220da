//! Tokens in forms: a page of ours made the form, for this very browser.
//!
//! The guard already refuses what another site sends. The token holds where a browser says
//! nothing of where a request is from: it is made of the cookies of the sender's log-ins, or of
//! none, and a secret of this process.

use std::sync::LazyLock;

use axum::http::HeaderMap;

use crate::base::Secret;
use crate::http::auth;

static SECRET: LazyLock<[u8; 32]> = LazyLock::new(|| {
    let mut bytes = [0_u8; 32];
    let mut filled = 0;
    while filled < bytes.len() {
        // Interrupted calls are made again; nothing else can fail here.
        if let Ok(count) = rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty()) {
            filled += count;
        }
    }
    bytes
});

fn hash(headers: &HeaderMap) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(&SECRET);
    for id in auth::sessions(headers) {
        hasher.update(&(id.expose().len() as u64).to_le_bytes()).update(id.expose().as_bytes());
    }
    hasher.finalize()
}

/// The token for forms of pages that are sent to this browser.
pub fn token(headers: &HeaderMap) -> Secret {
    Secret::new(hash(headers).to_hex().as_str())
}

/// Is this the token of the browser that sends it? Compared in constant time.
pub fn holds(headers: &HeaderMap, given: &str) -> bool {
    blake3::Hash::from_hex(given).is_ok_and(|given| given == hash(headers))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_cookie(cookie: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(axum::http::header::COOKIE, cookie.parse().unwrap())])
    }

    #[test]
    fn a_token_is_one_browsers_alone() {
        let (nobody, one, other) = (HeaderMap::new(), with_cookie("artdag_session=1"), with_cookie("artdag_session=2"));
        for (of, by, expected) in
            [(&nobody, &nobody, true), (&one, &one, true), (&one, &other, false), (&nobody, &one, false)]
        {
            assert_eq!(holds(by, token(of).expose()), expected);
        }
        assert!(!holds(&nobody, "") && !holds(&nobody, "x") && !holds(&nobody, &"0".repeat(64)));
    }
}
