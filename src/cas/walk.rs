//! Listing the store.

use std::path::{Path, PathBuf};

use crate::base::ContentHash;
use crate::cas::disk::{Entry, EntryKind};
use crate::cas::error::StoreError;
use crate::cas::layout::{CACHE, Leaf, fan_out_byte};
use crate::cas::store::Store;

/// Something found in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A blob; its bytes were not looked at.
    Blob {
        /// Its name.
        hash: ContentHash,
        /// The length of its file in bytes.
        size: u64,
    },
    /// Something that the store did not put there.
    Foreign {
        /// Its path within the home.
        path: PathBuf,
    },
}

/// Walks the store directory by directory, in the order of the hashes, and holds the names of
/// one directory of each level. Blobs that come or go meanwhile may be missed.
pub struct BlobIter {
    store: Store,
    /// What is still to be looked at, the next one last.
    ahead: Vec<Visit>,
}

enum Visit {
    Cache,
    Top(u8),
    Leaf(Leaf),
    Blob(ContentHash),
    Foreign(PathBuf),
}

impl BlobIter {
    pub(super) fn new(store: Store) -> Self {
        Self { store, ahead: vec![Visit::Cache] }
    }

    /// What a step comes to; `None` if there is nothing to tell.
    fn step(&mut self, visit: Visit) -> Result<Option<Found>, StoreError> {
        match visit {
            Visit::Cache => self.enter(Path::new(CACHE), |entry| directory(entry).map(Visit::Top))?,
            Visit::Top(top) => {
                let sub = |entry: &Entry| directory(entry).map(|sub| Visit::Leaf(Leaf { top, sub }));
                self.enter(&Leaf { top, sub: 0 }.top_path(), sub)?;
            }
            Visit::Leaf(leaf) => self.enter(&leaf.path(), |entry| blob(leaf, entry).map(Visit::Blob))?,
            Visit::Blob(hash) => {
                // It may have gone since its directory was listed.
                return Ok(self.store.size_of(&hash)?.map(|size| Found::Blob { hash, size }));
            }
            Visit::Foreign(path) => return Ok(Some(Found::Foreign { path })),
        }
        Ok(None)
    }

    fn enter(&mut self, dir: &Path, known: impl Fn(&Entry) -> Option<Visit>) -> Result<(), StoreError> {
        let entries = self.store.disk().list(dir).map_err(StoreError::io("list", dir))?;
        let visit = |entry: &Entry| known(entry).unwrap_or_else(|| Visit::Foreign(dir.join(&entry.name)));
        self.ahead.extend(entries.iter().rev().map(visit));
        Ok(())
    }
}

impl IntoIterator for &Store {
    type Item = Result<Found, StoreError>;
    type IntoIter = BlobIter;

    fn into_iter(self) -> BlobIter {
        self.iter()
    }
}

impl Iterator for BlobIter {
    type Item = Result<Found, StoreError>;

    /// After an error, which names the directory or file, the walk goes on with the next.
    fn next(&mut self) -> Option<Self::Item> {
        while let Some(visit) = self.ahead.pop() {
            if let Some(item) = self.step(visit).transpose() {
                return Some(item);
            }
        }
        None
    }
}

fn directory(entry: &Entry) -> Option<u8> {
    fan_out_byte(&entry.name).filter(|_| entry.kind == EntryKind::Directory)
}

fn blob(leaf: Leaf, entry: &Entry) -> Option<ContentHash> {
    let hash: ContentHash = entry.name.to_str()?.parse().ok()?;
    (entry.kind == EntryKind::File && Leaf::of(&hash) == leaf).then_some(hash)
}
