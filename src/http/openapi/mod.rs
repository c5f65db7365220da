//! The description of all routes, `openapi.json`, made from the handlers.
//!
//! Handlers describe what is their own. What follows from the table of routes is added here for
//! all of them: who needs a token, the refusals that every route of a kind can give, and where
//! an answer's ids lead. A test holds the document and the table together.

mod conditions;
mod document;
mod links;
mod refusals;
mod schemas;

pub use document::{Document, base, complete};
pub use schemas::RawBytes;
