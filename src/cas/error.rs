//! What can go wrong with blobs.

use std::io;
use std::path::PathBuf;

use crate::base::ContentHash;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk failed, or is full ([`StoreError::is_full`]).
    #[error("cannot {op} {}: {source}", .path.display())]
    Io {
        /// What was tried: a verb.
        op: &'static str,
        /// On which file or directory: within the home, or the person's own.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no such blob.
    #[error("there is no blob {hash}")]
    NotFound {
        /// Its name.
        hash: ContentHash,
    },
    /// The blob's file is not as long as the blob.
    #[error("blob {hash} is damaged: its file has {found} of {expected} bytes")]
    Damaged {
        /// Its name.
        hash: ContentHash,
        /// The blob's length in bytes.
        expected: u64,
        /// The file's length in bytes.
        found: u64,
    },
    /// The bytes given do not have the hash that was promised; nothing was stored.
    #[error("these bytes have the hash {found}, not {expected}")]
    WrongHash {
        /// The hash promised.
        expected: ContentHash,
        /// The hash of the bytes.
        found: ContentHash,
    },
    /// Where the bytes come from failed; nothing was stored.
    #[error("cannot read what is to be stored: {0}")]
    Input(#[source] io::Error),
    /// The path names no regular file: a directory, pipe, device or link is never read.
    #[error("{} is not a regular file", .path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The writer had failed before, and keeps nothing.
    #[error("this blob was given up when a write of it failed")]
    GivenUp,
}

impl StoreError {
    /// Is it for want of space or quota, so that freeing some cures it?
    pub fn is_full(&self) -> bool {
        match self {
            Self::Io { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            _ => false,
        }
    }

    /// Wraps the error of an operation on a path.
    pub(super) fn io(op: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { op, path, source }
    }
}

impl From<StoreError> for io::Error {
    /// Keeps the kind of the system's error, and the whole error as its source.
    fn from(error: StoreError) -> Self {
        let kind = match &error {
            StoreError::Io { source, .. } | StoreError::Input(source) => source.kind(),
            StoreError::NotFound { .. } => io::ErrorKind::NotFound,
            StoreError::Damaged { .. } | StoreError::WrongHash { .. } => io::ErrorKind::InvalidData,
            StoreError::NotAFile { .. } => io::ErrorKind::InvalidInput,
            StoreError::GivenUp => io::ErrorKind::BrokenPipe,
        };
        io::Error::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_a_failing_one_also_through_io_write() {
        let full = |code| StoreError::io("write", "tmp/0")(io::Error::from_raw_os_error(code));
        assert!(full(rustix::io::Errno::NOSPC.raw_os_error()).is_full());
        assert!(full(rustix::io::Errno::DQUOT.raw_os_error()).is_full());
        assert!(!full(rustix::io::Errno::IO.raw_os_error()).is_full());
        let outer = io::Error::from(full(rustix::io::Errno::NOSPC.raw_os_error()));
        assert_eq!(outer.kind(), io::ErrorKind::StorageFull);
        assert!(outer.downcast::<StoreError>().unwrap().is_full());
    }
}
