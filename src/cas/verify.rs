//! Reading a blob again to see whether it still is what its name says.

use std::io;

use crate::base::ContentHash;
use crate::cas::disk::Opened;
use crate::cas::error::StoreError;
use crate::cas::store::Store;

/// Bytes read at a time: enough for every core to have some to hash.
const PIECE_BYTES: u64 = 8 << 20;
/// Pieces below this are hashed faster by one thread than by several.
const PARALLEL_BYTES: usize = 256 << 10;

/// What became of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is whole.
    Whole {
        /// Its length in bytes.
        size: u64,
    },
    /// There is no such blob.
    Missing,
    /// Its bytes are others.
    Damaged {
        /// The hash that they have.
        found: ContentHash,
        /// How many there are.
        size: u64,
    },
    /// The disk does not give its bytes back.
    Unreadable(io::ErrorKind),
}

impl Store {
    /// Reads all of a blob and compares its hash with its name, large blobs on the rayon pool.
    pub fn verify(&self, hash: &ContentHash) -> Result<Verdict, StoreError> {
        let opened = match self.open_file(hash) {
            Ok(opened) => opened,
            Err(StoreError::NotFound { .. }) => return Ok(Verdict::Missing),
            Err(error) => return Err(error),
        };
        let size = opened.len();
        Ok(match rehash(&opened) {
            Ok(found) if found == *hash => Verdict::Whole { size },
            Ok(found) => Verdict::Damaged { found, size },
            Err(error) => Verdict::Unreadable(error.kind()),
        })
    }
}

/// Reads rather than maps: a sector that cannot be read is an error here, and a signal there.
fn rehash(opened: &Opened) -> io::Result<ContentHash> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; opened.len().min(PIECE_BYTES) as usize];
    let mut offset = 0;
    while offset < opened.len() {
        let piece = &mut buffer[..(opened.len() - offset).min(PIECE_BYTES) as usize];
        opened.read_at(offset, piece)?;
        if piece.len() < PARALLEL_BYTES {
            hasher.update(piece);
        } else {
            hasher.update_rayon(piece);
        }
        offset += piece.len() as u64;
    }
    Ok(hasher.finalize().into())
}
