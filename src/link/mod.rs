//! The outside: what this home says to others, and what it takes from them.
//!
//! Everything that leaves is signed by the home's own keys ([`keys`]). Nothing here decides what
//! a run is or what may be deleted; it asks the engine.

pub mod bundle;
pub mod check;
pub mod dsse;
pub mod keys;
pub mod multibase;
pub mod prov;

pub use keys::{KeyError, Keys};
