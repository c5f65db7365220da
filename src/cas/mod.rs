//! Blobs on disk: immutable bytes under the name of their content.
//!
//! A blob is written once, to a temporary file that is hashed on the way, and appears under its
//! name whole and durable or not at all; after that it is only ever read or removed. When a put
//! has returned, no power cut takes the blob back.
//!
//! The module knows the store's two directories and nothing of what a blob means, who refers to
//! it or when it may go: whoever removes has made sure that nobody needs the blob. One store has
//! a home at a time.

mod ahead;
mod blob;
mod dirs;
mod disk;
mod error;
mod export;
mod layout;
mod map;
mod real;
mod store;
mod verify;
mod walk;
mod writer;

#[cfg(test)]
mod crash;
#[cfg(test)]
mod fault;
#[cfg(test)]
mod watched;

pub use blob::Blob;
pub use disk::{Disk, DiskFile, Entry, EntryKind, Opened};
pub use error::StoreError;
pub use real::RealDisk;
pub use store::Store;
pub use verify::Verdict;
pub use walk::{BlobIter, Found};
#[cfg(test)]
pub use watched::WatchedDisk;
pub use writer::{BlobWriter, Stored};
