//! Who is calling, and what they may do.
//!
//! A caller shows a token as `Bearer`, or the cookie of a session that a log-in opened; [`Auth`]
//! tells who that is, and whether they may do what a route needs. Tokens of this home are the
//! engine's; those of another server are checked here against its key, and nobody is asked.
//! Knows nothing of routes but its own pages.

mod credentials;
mod failures;
mod gate;
mod html;
mod jwt;
mod keys;
mod next;
mod pages;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod users;

pub use crate::engine::Scopes;
pub use credentials::sessions;
pub use gate::{Auth, AuthSettings, Peer, Principal};
pub use jwt::JwtSettings;
pub use keys::{JwtKeys, KeyError};
pub use pages::routes;
