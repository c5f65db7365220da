//! Blobs that were opened a moment ago: a file that many ask for is mapped once. And those that
//! were found damaged, which nobody is given until they are mended.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::ContentHash;
use crate::base::limits::OPENED_KEPT;
use crate::engine::Engine;
use crate::engine::blobs::{Bytes, OTHER_BYTES, damaged};
use crate::engine::error::EngineError;
use crate::records::BlobRow;

#[derive(Default)]
pub struct Opened {
    /// The latest, the most lately used last.
    kept: Mutex<Vec<(ContentHash, Bytes, BlobRow)>>,
    spoilt: Mutex<HashSet<ContentHash>>,
}

impl Opened {
    /// Forgets a blob: it is removed, or stored anew.
    pub fn forget(&self, hash: &ContentHash) {
        self.kept().retain(|(kept, ..)| kept != hash);
        self.spoilt().remove(hash);
    }

    /// Gives a blob to nobody: its bytes are others.
    pub fn spoil(&self, hash: &ContentHash) {
        self.kept().retain(|(kept, ..)| kept != hash);
        self.spoilt().insert(*hash);
    }

    /// Was it found damaged?
    pub fn is_spoilt(&self, hash: &ContentHash) -> bool {
        self.spoilt().contains(hash)
    }

    fn get(&self, hash: &ContentHash) -> Option<(Bytes, BlobRow)> {
        let mut kept = self.kept();
        let at = kept.iter().position(|(kept, ..)| kept == hash)?;
        let found = kept.remove(at);
        // A file that was cut short under its map may be whole again by now, as another one.
        if !found.1.is_whole() {
            return None;
        }
        kept.push(found.clone());
        Some((found.1, found.2))
    }

    fn add(&self, hash: ContentHash, bytes: Bytes, row: BlobRow) {
        let mut kept = self.kept();
        if kept.len() == OPENED_KEPT {
            kept.remove(0);
        }
        kept.push((hash, bytes, row));
    }

    fn kept(&self) -> MutexGuard<'_, Vec<(ContentHash, Bytes, BlobRow)>> {
        // Every change is one statement.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spoilt(&self) -> MutexGuard<'_, HashSet<ContentHash>> {
        self.spoilt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// The same as [`Engine::open_bytes`] for what was opened a moment ago: it waits for nothing.
    pub fn opened(&self, hash: &ContentHash) -> Option<(Bytes, BlobRow)> {
        self.0.opened.get(hash)
    }

    /// A blob's bytes and what is known of it, for handing out. The bytes are not hashed.
    pub fn open_bytes(&self, hash: &ContentHash) -> Result<(Bytes, BlobRow), EngineError> {
        if let Some(found) = self.0.opened.get(hash) {
            return Ok(found);
        }
        // What is removed meanwhile is not kept.
        let _unremoved = self.keep_all();
        let row = self.describe(hash)?;
        if self.0.opened.is_spoilt(hash) {
            return Err(damaged(*hash, OTHER_BYTES));
        }
        let bytes = self.read_blob(hash)?;
        self.0.opened.add(*hash, bytes.clone(), row.clone());
        Ok((bytes, row))
    }
}
