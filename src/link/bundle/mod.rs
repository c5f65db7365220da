//! Bundles: runs with what they stand on, in one signed file.
//!
//! The file is a zstd skippable frame with the [`seal`], which covers every byte behind it, and a
//! zstd frame with a plain tar: `manifest.json` first ([`manifest`]), then the entries it lists, in
//! its order. Nothing in the archive is a name that is followed: an entry's header must be, byte
//! for byte, the one that its line in the manifest leads to ([`tar`]), so there are no links, no
//! directories, no second names, no other owners. The same contents give the same file.
//!
//! Reading ([`read`]) checks all of that, and every hash, before [`mod@import`] writes anything.

pub mod export;
pub mod import;
pub mod manifest;
pub mod read;
mod seal;
mod tar;
mod write;

#[cfg(test)]
mod tests;

pub use export::{Export, With, export};
pub use import::{Imported, import};
pub use manifest::{Entry, Kind, Manifest};
pub use read::Bundle;

use crate::base::ContentHash;
use crate::engine::EngineError;
use crate::link::KeyError;

/// Why a bundle cannot be made or taken.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The file is no bundle, or one that cannot be taken.
    #[error("{path} is no bundle that can be taken: {why}")]
    Invalid {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// Something in it is not what was signed, or who signed is not who should have.
    #[error("{path}: {why}; nothing of it was taken")]
    Changed {
        /// The file.
        path: String,
        /// What is not right.
        why: String,
    },
    /// What it counts on is not here.
    #[error(
        "it counts on {count} blobs that are not here, the first of them {first}; export it without --missing-from"
    )]
    Elsewhere {
        /// How many.
        count: usize,
        /// One of them.
        first: ContentHash,
    },
    /// It would be too large.
    #[error("{0}")]
    TooLarge(String),
    /// The keys.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The engine says no.
    #[error(transparent)]
    Engine(#[from] EngineError),
}
