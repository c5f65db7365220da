//! The outside: what this home says to others, and what it takes from them.
//!
//! Everything that leaves is signed by the home's own keys ([`keys`]). Nothing here decides what
//! a run is or what may be deleted; it asks the engine.
//!
//! Publishing: [`publisher`] signs an [`activity`] ([`signature`], [`integrity`]) by who this home
//! is to others ([`identity`]), and [`outbox`] delivers it to [`l2`]. Provenance: records are
//! signed as [`dsse`], checked by [`check`], told as [`prov`]. [`bundle`] packs all of it into one
//! file. [`redis`] shows runs to readers of the original, and takes their jobs.

pub mod activity;
pub mod bundle;
pub mod check;
pub mod dsse;
pub mod identity;
pub mod integrity;
pub mod keys;
pub mod l2;
pub mod multibase;
pub mod outbox;
pub mod prov;
pub mod publisher;
pub mod redis;
pub mod signature;

pub use identity::Identity;
pub use keys::{KeyError, Keys};
pub use l2::L2;
pub use publisher::{Outside, Publisher};
