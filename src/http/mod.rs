//! The server: HTTP over an engine.
//!
//! [`api`] has one file for each group of routes; [`route`] is the table of who may call what,
//! which [`guard`] asks before any handler runs; [`ui`] has the pages; [`error`] is the one place where errors become
//! answers. Nothing here knows how things are stored or computed.

pub mod accept;
pub mod api;
pub mod app;
pub mod auth;
pub mod bytes;
pub mod error;
pub mod extract;
pub mod fields;
pub mod guard;
pub mod metrics;
pub mod openapi;
pub mod paging;
pub mod peer;
pub mod query;
pub mod route;
pub mod server;
pub mod stop;
pub mod systemd;
pub mod ui;
pub mod upload_body;

mod access;
mod conditions;
mod disposition;
mod pace;
mod pieces;
mod range;
mod stream;
mod tls;

#[cfg(test)]
mod testing;

pub use app::{App, outside};
