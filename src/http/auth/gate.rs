//! The gate: who a request comes from, and whether they may do what a route needs.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::base::{Secret, Timestamp};
use crate::engine::{Engine, EngineError, Scopes, Session, Token};
use crate::http::auth::credentials::{self, Shown};
use crate::http::auth::failures::Failures;
use crate::http::auth::jwt::{BadToken, JwtSettings, Verifier};
use crate::http::error::ApiError;
use crate::http::route::Need;
use crate::records::SessionOf;

/// Who a request comes from; the guard puts it into the request's extensions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Principal {
    /// For a run's `username`: a user of another server. `None` for tokens of this home and
    /// for whoever needs no token.
    pub username: Option<String>,
    /// What idempotency keys are kept apart by: a token's id, a user, or nothing.
    pub id: String,
    /// What the token or session that was shown allows; nothing, if none was.
    pub scopes: Scopes,
}

/// The address that a request comes from; the server puts it into the request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// What the settings say of who may do what.
pub struct AuthSettings {
    /// Does the server listen on loopback alone, so that reading and running are open?
    pub loopback: bool,
    /// Is reading open elsewhere, too?
    pub public_read: bool,
    /// Another server whose tokens are taken.
    pub jwt: Option<JwtSettings>,
    /// Do browsers come by TLS, so that cookies may be kept to it?
    pub secure_cookie: bool,
}

/// Knows tokens, sessions and keys. Cloning shares it.
#[derive(Clone)]
pub struct Auth(Arc<Inner>);

struct Inner {
    engine: Engine,
    loopback: bool,
    public_read: bool,
    secure_cookie: bool,
    verifier: Option<Verifier>,
    /// Never held while anything waits.
    failures: Mutex<Failures>,
    failed: AtomicU64,
}

/// Whom a token stands for.
pub(super) struct Known {
    /// The caller.
    pub principal: Principal,
    /// Whose a session is that is opened with it.
    pub of: SessionOf,
    /// When the token ends, if it does.
    pub expires_at: Option<Timestamp>,
}

impl Auth {
    /// A gate to a home.
    pub fn new(engine: Engine, settings: AuthSettings) -> Self {
        let AuthSettings { loopback, public_read, jwt, secure_cookie } = settings;
        let verifier = jwt.map(Verifier::new);
        let (failures, failed) = (Mutex::default(), AtomicU64::new(0));
        Self(Arc::new(Inner { engine, loopback, public_read, secure_cookie, verifier, failures, failed }))
    }

    /// Tells who sends a request with these headers. A wrong token is refused wherever it is
    /// shown; the cookie of a session that has ended counts as none.
    pub fn identify(&self, headers: &HeaderMap, peer: IpAddr) -> Result<Principal, ApiError> {
        match credentials::shown(headers) {
            Shown::Nothing => Ok(Principal::default()),
            Shown::Malformed => Err(self.refuse("`Authorization: Bearer <token>` is wanted, once", peer)),
            Shown::Bearer(token) => match self.look_up(&token)? {
                Ok(known) => Ok(known.principal),
                Err(bad) => Err(self.refuse(&bad.to_string(), peer)),
            },
            Shown::Sessions(ids) => {
                for id in &ids {
                    if let Some(session) = self.0.engine.find_session(id.expose())? {
                        return Ok(self.of_session(&session));
                    }
                }
                Ok(Principal::default())
            }
        }
    }

    /// May this caller do what needs this?
    pub fn allows(&self, principal: &Principal, need: Need) -> Result<(), ApiError> {
        let (loopback, scopes) = (self.0.loopback, principal.scopes);
        let (open, has, scope) = match need {
            Need::Public => return Ok(()),
            Need::Read => (loopback || self.0.public_read, scopes.read, "read"),
            Need::Run => (loopback, scopes.run, "run"),
            Need::Publish => (false, scopes.run, "run"),
            Need::Delete => (false, scopes.delete, "delete"),
            Need::Admin => (false, scopes.admin, "admin"),
        };
        if open || has {
            Ok(())
        } else if principal.id.is_empty() {
            let detail = format!(
                "this needs a token with the scope {scope}: `Authorization: Bearer <token>`, or log in at /auth"
            );
            Err(unauthorized(detail))
        } else {
            let detail = format!("this needs the scope {scope}, which the token shown does not have");
            Err(ApiError::new(StatusCode::FORBIDDEN, detail))
        }
    }

    /// May everybody on the network read what is here?
    pub fn is_public(&self) -> bool {
        self.0.public_read && !self.0.loopback
    }

    /// Wrong tokens shown so far.
    pub fn failed_logins(&self) -> u64 {
        self.0.failed.load(Ordering::Relaxed)
    }

    /// Whom a token stands for, or why it is not taken.
    pub(super) fn look_up(&self, token: &Secret) -> Result<Result<Known, BadToken>, EngineError> {
        if let Some(token) = self.0.engine.find_token(token.expose())? {
            let of = SessionOf::Token(token.id.clone());
            return Ok(Ok(Known { principal: of_token(&token), of, expires_at: None }));
        }
        let Some(verifier) = &self.0.verifier else { return Ok(Err(BadToken::Form)) };
        Ok(verifier.verify(token.expose()).map(|user| {
            let principal = of_user(verifier, &user.subject, &user.name);
            let issuer = verifier.issuer().to_owned();
            let of = SessionOf::User { subject: user.subject, name: user.name, issuer };
            Known { principal, of, expires_at: Some(user.expires_at) }
        }))
    }

    /// The answer to a wrong token; to too many, that the caller shall wait.
    pub(super) fn refuse(&self, reason: &str, peer: IpAddr) -> ApiError {
        self.0.failed.fetch_add(1, Ordering::Relaxed);
        let wait = self.0.failures.lock().unwrap_or_else(PoisonError::into_inner).count(peer, Instant::now());
        let Some(wait) = wait else {
            tracing::warn!(%peer, reason, "a wrong token was shown");
            return unauthorized(reason);
        };
        let seconds = wait.as_secs() + 1;
        let detail = format!("too many wrong tokens from this address; wait {seconds} seconds");
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, detail).with(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// May cookies be kept to TLS?
    pub(super) fn secure_cookie(&self) -> bool {
        self.0.secure_cookie
    }

    /// Whose a session is. A user's lasts only while their server is trusted.
    fn of_session(&self, session: &Session) -> Principal {
        match (&session.row.of, &session.token, &self.0.verifier) {
            (SessionOf::Token(_), Some(token), _) => of_token(token),
            (SessionOf::User { subject, name, issuer }, _, Some(verifier)) if issuer == verifier.issuer() => {
                of_user(verifier, subject, name)
            }
            _ => Principal::default(),
        }
    }
}

fn of_token(token: &Token) -> Principal {
    Principal { username: None, id: format!("token:{}", token.id), scopes: token.scopes }
}

fn of_user(verifier: &Verifier, subject: &str, name: &str) -> Principal {
    Principal { username: Some(name.to_owned()), id: format!("user:{subject}"), scopes: verifier.scopes(subject) }
}

fn unauthorized(detail: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, detail).with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}
