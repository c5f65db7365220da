//! The keys that another server signs its tokens with, as its operator hands them over: a
//! public key (PEM or JWK), or a secret that both servers share.
//!
//! A key's kind decides the one algorithm that is taken with it, so that nobody can have a
//! public key used as a secret. Keys that could not protect anything are refused at once.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};

use crate::base::limits::{HMAC_SECRET_BYTES, KEY_FILE_BYTES, RSA_BITS};

/// A key, and the one algorithm that is taken with it.
pub struct JwtKey {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The key.
    pub key: DecodingKey,
    /// Its name, where it has one: tokens must then name it.
    pub kid: Option<String>,
}

/// The keys of another server: one, or several that each have a name.
pub struct JwtKeys(Vec<JwtKey>);

/// Why a file holds no keys that can be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// It is too long.
    #[error("a file with keys has at most {KEY_FILE_BYTES} bytes")]
    Long,
    /// It is a private key.
    #[error("this is a private key, which must not leave the server that signs; give its public half")]
    Private,
    /// It is nothing that is known.
    #[error("no key: a public key (Ed25519, RSA or P-256) as PEM or JWK is wanted, or a shared secret")]
    Unknown,
    /// A secret that can be guessed.
    #[error("a shared secret has {HMAC_SECRET_BYTES} bytes or more, this one has {0}; openssl rand -hex 32 makes one")]
    Short(usize),
    /// An RSA key that can be factored.
    #[error("an RSA key has {RSA_BITS} bits or more, this one has fewer")]
    Weak,
    /// Several keys that cannot be told apart.
    #[error("of several keys each needs a kid of its own")]
    Names,
}

impl JwtKeys {
    /// Reads a file of keys.
    pub fn load(path: &std::path::Path) -> Result<Self, KeyError> {
        use std::io::Read as _;
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(KEY_FILE_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > KEY_FILE_BYTES { Err(KeyError::Long) } else { Self::parse(&bytes) }
    }

    /// Reads the text of such a file.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        let text = std::str::from_utf8(bytes).unwrap_or_default().trim();
        let keys = if text.contains("-----BEGIN") {
            vec![pem(text)?]
        } else if text.starts_with('{') {
            json(text)?
        } else {
            vec![secret(bytes.trim_ascii_end())?]
        };
        let several = keys.len() > 1;
        let unnamed = keys.iter().any(|key| key.kid.is_none());
        let mut names: Vec<_> = keys.iter().map(|key| &key.kid).collect();
        names.sort();
        names.dedup();
        match keys.len() {
            0 => Err(KeyError::Unknown),
            count if several && (unnamed || names.len() < count) => Err(KeyError::Names),
            _ => Ok(Self(keys)),
        }
    }

    /// The keys.
    pub(super) fn into_keys(self) -> Vec<JwtKey> {
        self.0
    }
}

fn pem(text: &str) -> Result<JwtKey, KeyError> {
    if text.contains("PRIVATE KEY") {
        return Err(KeyError::Private);
    }
    // A certificate binds a key to a time and a use that would have to be checked.
    if text.contains("CERTIFICATE") {
        return Err(KeyError::Unknown);
    }
    let bytes = text.as_bytes();
    let found = DecodingKey::from_ed_pem(bytes).map(|key| (Algorithm::EdDSA, key));
    let found = found.or_else(|_| DecodingKey::from_ec_pem(bytes).map(|key| (Algorithm::ES256, key)));
    let found = found.or_else(|_| DecodingKey::from_rsa_pem(bytes).map(|key| (Algorithm::RS256, key)));
    let (algorithm, key) = found.map_err(|_| KeyError::Unknown)?;
    checked(JwtKey { algorithm, key, kid: None })
}

fn json(text: &str) -> Result<Vec<JwtKey>, KeyError> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|_| KeyError::Unknown)?;
    let set: JwkSet = if value.get("keys").is_some() {
        serde_json::from_value(value).map_err(|_| KeyError::Unknown)?
    } else {
        JwkSet { keys: vec![serde_json::from_value(value).map_err(|_| KeyError::Unknown)?] }
    };
    set.keys.iter().map(jwk).collect()
}

fn jwk(jwk: &Jwk) -> Result<JwtKey, KeyError> {
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        AlgorithmParameters::OctetKey(_) => Algorithm::HS256,
        _ => return Err(KeyError::Unknown),
    };
    let key = DecodingKey::from_jwk(jwk).map_err(|_| KeyError::Unknown)?;
    checked(JwtKey { algorithm, key, kid: jwk.common.key_id.clone() })
}

fn secret(bytes: &[u8]) -> Result<JwtKey, KeyError> {
    if is_public_key(bytes) {
        return Err(KeyError::Unknown);
    }
    checked(JwtKey { algorithm: Algorithm::HS256, key: DecodingKey::from_secret(bytes), kid: None })
}

/// May it be a public key in a form that is not read here? As a secret it would be one that everybody
/// knows.
fn is_public_key(bytes: &[u8]) -> bool {
    // What a shell or an editor writes in UTF-16, or behind a mark of its encoding, is no key any more.
    let Ok(text) = std::str::from_utf8(bytes) else {
        return is_der(bytes) || [&b"\xff\xfe"[..], b"\xfe\xff"].iter().any(|mark| bytes.starts_with(mark));
    };
    let letters: String = text.chars().filter(|c| c.is_ascii_alphanumeric() || "+/-_".contains(*c)).collect();
    let decoded = STANDARD_NO_PAD.decode(&letters).or_else(|_| URL_SAFE_NO_PAD.decode(&letters));
    text.starts_with(['\u{feff}', '{', '[', '"', '\''])
        || text.contains("\"kty\"")
        || text.contains("----")
        || text.starts_with("ssh-")
        || text.starts_with("ecdsa-")
        || text.contains('\0')
        || is_der(bytes)
        || decoded.is_ok_and(|bytes| is_der(&bytes) && holds_a_key(&bytes))
}

/// Does an ASN.1 sequence begin as the keys of X.509 or PKCS #1 do, with a sequence or a number? What
/// is random hardly does.
fn holds_a_key(der: &[u8]) -> bool {
    let longer = der.get(1).map_or(0, |length| usize::from(length.saturating_sub(0x80)));
    matches!(der.get(2 + longer), Some(0x30 | 0x02))
}

/// Is it one ASN.1 sequence, as binary keys are?
fn is_der(bytes: &[u8]) -> bool {
    match *bytes {
        [0x30, length @ 0..=0x7f, ..] => bytes.len() == 2 + usize::from(length),
        [0x30, 0x81, length, ..] => bytes.len() == 3 + usize::from(length),
        [0x30, 0x82, high, low, ..] => bytes.len() == 4 + usize::from(u16::from_be_bytes([high, low])),
        _ => false,
    }
}

/// Refuses keys that cannot be of their kind, or protect nothing.
fn checked(key: JwtKey) -> Result<JwtKey, KeyError> {
    match (key.algorithm, key.key.kind()) {
        (Algorithm::HS256, DecodingKeyKind::SecretOrDer(bytes)) if bytes.len() < HMAC_SECRET_BYTES => {
            Err(KeyError::Short(bytes.len()))
        }
        // The encoding adds less than 20 bytes to the modulus of any key.
        (Algorithm::RS256, DecodingKeyKind::SecretOrDer(bytes)) if bytes.len() <= RSA_BITS / 8 => Err(KeyError::Weak),
        (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, .. }) if n.len() < RSA_BITS / 8 => {
            Err(KeyError::Weak)
        }
        (Algorithm::EdDSA, DecodingKeyKind::SecretOrDer(bytes)) if bytes.len() != 32 => Err(KeyError::Unknown),
        // A point of P-256, compressed or not: other curves have other lengths.
        (Algorithm::ES256, DecodingKeyKind::SecretOrDer(bytes)) if !matches!(bytes.len(), 33 | 65) => {
            Err(KeyError::Unknown)
        }
        _ => Ok(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::auth::testing::key_file;

    fn parsed(bytes: &[u8]) -> Result<(Algorithm, Option<String>), String> {
        let keys = JwtKeys::parse(bytes).map_err(|error| error.to_string())?;
        let key = keys.into_keys().remove(0);
        Ok((key.algorithm, key.kid))
    }

    #[test]
    fn s7_a_keys_kind_decides_the_algorithm() {
        for (file, algorithm) in [
            ("ed25519.pub.pem", Algorithm::EdDSA),
            ("rsa2048.pub.pem", Algorithm::RS256),
            ("rsa2048.pkcs1.pem", Algorithm::RS256),
            ("p256.pub.pem", Algorithm::ES256),
        ] {
            assert_eq!(parsed(&key_file(file)), Ok((algorithm, None)), "{file}");
        }
        let secret = format!("{}\n", "s".repeat(HMAC_SECRET_BYTES));
        assert_eq!(parsed(secret.as_bytes()), Ok((Algorithm::HS256, None)));
        let jwk = r#"{"kty":"OKP","crv":"Ed25519","kid":"k1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        assert_eq!(parsed(jwk.as_bytes()), Ok((Algorithm::EdDSA, Some("k1".to_owned()))));
        assert_eq!(parsed(format!(r#"{{"keys":[{jwk}]}}"#).as_bytes()), Ok((Algorithm::EdDSA, Some("k1".to_owned()))));
    }

    #[test]
    fn s7_keys_that_protect_nothing_are_refused() {
        let short = "s".repeat(HMAC_SECRET_BYTES - 1) + "\n";
        let two = r#"{"keys":[{"kty":"oct","k":"c3NzY3NzY3NzY3NzY3NzY3NzY3NzY3NzY3NzY3NzY3M","kid":"a"},
            {"kty":"oct","k":"c3NzY3NzY3NzY3NzY3NzY3NzY3NzY3NzY3NzY3NzY3M"}]}"#;
        let mut der = vec![0x30, 0x2a];
        der.extend([7; 42]);
        for (bytes, part) in [
            (&b""[..], "this one has 0"),
            (short.as_bytes(), "this one has 31"),
            (&key_file("rsa1024.pub.pem"), "2048 bits or more"),
            (&key_file("p384.pub.pem"), "no key"),
            (&key_file("ed25519.pem"), "private key"),
            (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "no key"),
            (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "no key"),
            (b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4mKtV0pB0cYJ4vY2wJ6Y5k somebody", "no key"),
            (br#"{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}"#, "no key"),
            (br#"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#, "no key"),
            (br#"{"kty":"oct","k":"AAAA"}"#, "this one has 3"),
            (br#"{"keys":[]}"#, "no key"),
            (b"{}", "no key"),
            (two.as_bytes(), "a kid of its own"),
            (&der, "no key"),
        ] {
            let error = parsed(bytes).unwrap_err();
            assert!(error.contains(part), "{error}: {part}");
        }
        assert!(JwtKeys::load(std::path::Path::new("/nowhere")).is_err());
    }

    /// Whoever takes one for a secret lets everybody sign.
    #[test]
    fn s7_public_keys_in_forms_that_are_not_read_are_no_secrets() {
        let utf16 = |text: &str| {
            [&[0xff, 0xfe][..], &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()].concat()
        };
        let mut refused = Vec::new();
        for name in ["rsa2048.pub.pem", "p256.pub.pem", "ed25519.pub.pem"] {
            let pem = String::from_utf8(key_file(name)).unwrap();
            let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-')).collect();
            let bare = lines.concat();
            refused.extend([
                lines.join("\n").into_bytes(),
                format!("\"{bare}\"").into_bytes(),
                format!(" {bare}\n").into_bytes(),
            ]);
            refused.push(bare.replace('+', "-").replace('/', "_").trim_end_matches('=').as_bytes().to_vec());
            refused.extend([utf16(&pem), utf16(&pem)[2..].to_vec()]);
        }
        let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        refused.extend([
            format!("[{jwk}]").into_bytes(),
            format!("\u{feff}{jwk}").into_bytes(),
            format!("keys={jwk}").into_bytes(),
        ]);
        for bytes in refused {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            assert!(parsed(&bytes).is_err_and(|error| error.contains("no key")), "{text}");
        }
        // What people make with `openssl rand`, or think of, is a secret.
        for secret in ["MC4CAQAwBQYDK2VwBCIEIJrandomlettersof32bytes", "correct horse battery staple, and some more"] {
            assert_eq!(parsed(secret.as_bytes()).unwrap().0, Algorithm::HS256);
        }
    }
}
