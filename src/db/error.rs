//! What can go wrong with the database.

use std::io;
use std::sync::Arc;

use crate::db::codec::CodecError;

/// Why the database could not do what it was asked. Cloning shares the cause: one failed commit
/// is the answer to many.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DbError {
    /// The database failed. If this answers a write, the write may or may not be found when the
    /// database works again, but never a part of it.
    #[error("the database failed: {0}")]
    Storage(#[source] Arc<redb::Error>),
    /// It failed before and has not recovered yet; it tries again by itself when it is next used.
    #[error("the database has failed and is not back yet: {reason}")]
    Degraded {
        /// The last failure.
        reason: Arc<redb::Error>,
    },
    /// A later version of this program wrote the file.
    #[error("the database has format {found}; this version knows formats up to {known}: use the version that wrote it")]
    NewerFormat {
        /// The file's format.
        found: u64,
        /// The newest format that this version knows.
        known: u64,
    },
    /// An earlier version wrote the file, and this one cannot take it over.
    #[error(
        "the database has format {found}, from which this version (format {known}) cannot migrate: \
             keep the directory for the version that wrote it, and take another one with --home"
    )]
    OlderFormat {
        /// The file's format.
        found: u64,
        /// The format of this version.
        known: u64,
    },
    /// The file is a database, but none of this program's.
    #[error("the file is a database of some other program")]
    Foreign,
    /// The file is so damaged that opening it went astray.
    #[error("the database file is damaged: {message}")]
    Damaged {
        /// What was found.
        message: String,
    },
    /// A record could not be read.
    #[error("a record of the database is damaged: {0}")]
    Record(#[from] CodecError),
    /// Too many writes are waiting; nothing was done.
    #[error("too many writes are waiting for the disk")]
    Busy,
    /// Another write of the same commit went wrong; nothing was done.
    #[error("the commit was given up because another write in it went wrong")]
    Aborted,
    /// The write's own code panicked; nothing was done.
    #[error("BUG: a write panicked: {message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// The database has been closed.
    #[error("the database is closed")]
    Closed,
}

impl DbError {
    /// Is it for want of space or quota, so that freeing some cures it?
    pub fn is_full(&self) -> bool {
        let (Self::Storage(cause) | Self::Degraded { reason: cause }) = self else {
            return false;
        };
        match &**cause {
            redb::Error::Io(error) => {
                matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            _ => false,
        }
    }

    /// May the same succeed a little later, with nothing done so far?
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Degraded { .. } | Self::Busy | Self::Aborted)
    }

    /// Is it trouble of the disk, or of too much at once, and not of what was asked for?
    pub fn is_passing(&self) -> bool {
        self.is_retryable() || self.is_latched()
    }

    /// Does the database refuse all further work until it is opened again?
    pub(super) fn is_latched(&self) -> bool {
        use redb::Error::{Backend, Io, LockPoisoned, PreviousIo};
        matches!(self, Self::Storage(cause) if matches!(**cause, Io(_) | Backend(_) | PreviousIo | LockPoisoned(_)))
    }
}

/// Why a write was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WriteError<E> {
    /// The write's own condition did not hold; it has written nothing.
    #[error("{0}")]
    Refused(E),
    /// The database could not.
    #[error(transparent)]
    Failed(#[from] DbError),
}

/// Lets `?` take redb's errors, in reads and in writes.
macro_rules! from_redb {
    ($($error:ident),*) => {$(
        impl From<redb::$error> for DbError {
            fn from(error: redb::$error) -> Self {
                Self::Storage(Arc::new(error.into()))
            }
        }

        impl<E> From<redb::$error> for WriteError<E> {
            fn from(error: redb::$error) -> Self {
                Self::Failed(error.into())
            }
        }
    )*};
}

from_redb!(StorageError, TableError, TransactionError, CommitError, DatabaseError, CompactionError);

impl<E> From<CodecError> for WriteError<E> {
    /// A record that cannot be read fails the whole commit, as nobody knows how far the write
    /// has come; a write that has not begun had better refuse.
    fn from(error: CodecError) -> Self {
        Self::Failed(error.into())
    }
}
