//! The database: opened, kept open, written in groups, read in snapshots.
//!
//! One thread commits what everyone writes ([`Db::write`]); who waits for a [`Ticket`] knows
//! that their write is on disk. After an I/O error the database is opened again by itself, and
//! until a commit has succeeded it says that it is degraded, and why.
//!
//! The module knows how a record is framed and which format the file has; it does not know any
//! table but the one that holds the format. What a write may do is up to the closures given to
//! it: they check first and write then.

mod codec;
mod committer;
mod error;
mod format;
mod frozen;
mod handle;
mod keeper;
mod place;
mod ticket;

#[cfg(test)]
mod crash;
#[cfg(test)]
mod fault;

pub use codec::{CodecError, decode, encode, version_of};
pub use error::{DbError, WriteError};
pub use format::{FORMAT, initialise};
pub use handle::Db;
pub use place::Place;
pub use ticket::Ticket;
