//! Tokens of another server (JSON Web Tokens), checked with its key: nobody is asked.
//!
//! The key decides the algorithm; whatever the token says of algorithms, keys and addresses of
//! keys chooses nothing. `exp` and `iss` must be there, `aud` where one is set. The time is the
//! wall clock's, as the other server writes it.

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use crate::base::Timestamp;
use crate::base::limits::{JWT_BYTES, JWT_LEEWAY_SECONDS};
use crate::engine::Scopes;
use crate::http::auth::keys::JwtKeys;
use crate::http::auth::users::full_name;

/// Whose tokens are taken.
pub struct JwtSettings {
    /// The server's keys.
    pub keys: JwtKeys,
    /// The server, as its tokens name it (`iss`).
    pub issuer: String,
    /// Whom tokens must be meant for (`aud`), if that is to be checked.
    pub audience: Option<String>,
    /// Users who may do everything: `name` or `@name@host`.
    pub admins: Vec<String>,
}

/// Checks tokens of one server.
pub struct Verifier {
    keys: Vec<(Option<String>, DecodingKey, Validation)>,
    issuer: String,
    admins: Vec<String>,
}

/// Whom a token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Who it is to the server; admins are named by it.
    pub subject: String,
    /// What they are called.
    pub name: String,
    /// When the token ends.
    pub expires_at: Timestamp,
}

/// What a token must hold beside what [`Validation`] looks at.
#[derive(Deserialize)]
struct Claims {
    exp: Option<serde_json::Number>,
    /// One issuer, where the library would take a list.
    #[serde(rename = "iss")]
    _iss: Option<String>,
    sub: Option<String>,
    preferred_username: Option<String>,
}

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// Too long to be looked at.
    #[error("the token is longer than {JWT_BYTES} bytes")]
    Long,
    /// No token at all.
    #[error("this is no token that is known here")]
    Form,
    /// Signed by another key, in another way, or not at all.
    #[error("the token is not signed with the key that is trusted here")]
    Signature,
    /// Its time is over.
    #[error("the token has expired; get a new one")]
    Expired,
    /// Its time has not come.
    #[error("the token is not valid yet; are both servers' clocks right?")]
    Early,
    /// Another server's.
    #[error("the token is of another issuer than the one that is trusted here")]
    Issuer,
    /// Meant for somebody else.
    #[error("the token is meant for another audience")]
    Audience,
    /// Something is missing.
    #[error("the token lacks a claim; exp, iss and sub are needed, and aud where one is set")]
    Missing,
}

impl Verifier {
    /// One that takes these tokens.
    pub fn new(settings: JwtSettings) -> Self {
        let JwtSettings { keys, issuer, audience, admins } = settings;
        let keys = keys.into_keys().into_iter().map(|key| {
            let mut validation = Validation::new(key.algorithm);
            validation.leeway = JWT_LEEWAY_SECONDS;
            validation.validate_nbf = true;
            validation.set_issuer(&[&issuer]);
            match &audience {
                Some(audience) => {
                    validation.set_audience(&[audience]);
                    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
                }
                None => validation.set_required_spec_claims(&["exp", "iss"]),
            }
            (key.kid, key.key, validation)
        });
        let admins = admins.iter().filter_map(|name| full_name(name, &issuer)).collect();
        Self { keys: keys.collect(), issuer, admins }
    }

    /// The server whose tokens are taken.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Checks a token and tells whom it names.
    pub fn verify(&self, token: &str) -> Result<User, BadToken> {
        if token.len() > JWT_BYTES {
            return Err(BadToken::Long);
        }
        let header = decode_header(token).map_err(|error| bad(error.kind()))?;
        // What must be understood is not.
        if header.crit.is_some() {
            return Err(BadToken::Form);
        }
        let (_, key, validation) = self.key(header.kid.as_deref()).ok_or(BadToken::Signature)?;
        let claims = decode::<Claims>(token, key, validation).map_err(|error| bad(error.kind()))?.claims;
        let named = |name: Option<&str>| match name {
            Some(name) => full_name(name, &self.issuer).map(Some).ok_or(BadToken::Form),
            None => Ok(None),
        };
        let (subject, called) = (named(claims.sub.as_deref())?, named(claims.preferred_username.as_deref())?);
        let subject = subject.or_else(|| called.clone()).ok_or(BadToken::Missing)?;
        let name = called.unwrap_or_else(|| subject.clone());
        let seconds = claims.exp.and_then(|exp| exp.as_f64()).unwrap_or(0.0);
        Ok(User { subject, name, expires_at: Timestamp::from_micros((seconds * 1e6) as i64) })
    }

    /// What a user may do.
    pub fn scopes(&self, subject: &str) -> Scopes {
        if self.admins.iter().any(|admin| admin == subject) { Scopes::ALL } else { Scopes::USER }
    }

    /// The key that a token names. One key alone need not be named; one without a name is taken
    /// whatever name the token has for it.
    fn key(&self, kid: Option<&str>) -> Option<&(Option<String>, DecodingKey, Validation)> {
        match (&self.keys[..], kid) {
            ([only], None) => Some(only),
            ([only @ (None, ..)], Some(_)) => Some(only),
            (keys, Some(kid)) => keys.iter().find(|(name, ..)| name.as_deref() == Some(kid)),
            (_, None) => None,
        }
    }
}

fn bad(error: &ErrorKind) -> BadToken {
    match error {
        ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm => BadToken::Signature,
        ErrorKind::ExpiredSignature => BadToken::Expired,
        ErrorKind::ImmatureSignature => BadToken::Early,
        ErrorKind::InvalidIssuer => BadToken::Issuer,
        ErrorKind::InvalidAudience => BadToken::Audience,
        ErrorKind::MissingRequiredClaim(_) => BadToken::Missing,
        _ => BadToken::Form,
    }
}
