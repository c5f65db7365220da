//! Writing a blob whose bytes come in pieces.

use std::io::{self, Read, Write};

use crate::base::ContentHash;
use crate::cas::error::StoreError;
use crate::cas::store::{Draft, Store};

/// Bytes gathered before they are hashed and written: large enough that neither costs a call
/// per piece, small enough to stay in the processor's cache between the two.
const BUFFER_BYTES: usize = 1 << 20;

/// A blob that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Its name.
    pub hash: ContentHash,
    /// Its length in bytes.
    pub size: u64,
    /// Was it there before?
    pub existing: bool,
}

/// Takes the bytes of one blob. Nothing of it is seen by others before [`BlobWriter::finish`];
/// dropped before that, it leaves nothing behind.
pub struct BlobWriter {
    store: Store,
    /// `None` once a write has failed.
    draft: Option<Draft>,
    hasher: Box<blake3::Hasher>,
    buffer: Vec<u8>,
    /// Was the same blob found there, and whole?
    known: bool,
}

impl BlobWriter {
    pub(super) fn new(store: Store, draft: Draft) -> Self {
        Self { store, draft: Some(draft), hasher: Box::new(blake3::Hasher::new()), buffer: Vec::new(), known: false }
    }

    /// Appends bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        if self.buffer.len() + bytes.len() > BUFFER_BYTES {
            self.flush_buffer()?;
        }
        if bytes.len() >= BUFFER_BYTES {
            return self.hash_and_write(bytes);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Appends all that `input` has to give.
    pub fn fill_from(&mut self, input: &mut dyn Read) -> Result<(), StoreError> {
        loop {
            let room = BUFFER_BYTES.saturating_sub(self.buffer.len());
            self.buffer.reserve_exact(room);
            let read = input.take(room as u64).read_to_end(&mut self.buffer).map_err(StoreError::Input)?;
            if read < room {
                return Ok(());
            }
            self.flush_buffer()?;
        }
    }

    /// Does what takes long of storing the blob, once all bytes have come: puts them on disk, or
    /// finds that they are there. What is left for [`BlobWriter::finish`] is the name.
    pub fn ready(&mut self) -> Result<(), StoreError> {
        self.flush_buffer()?;
        let (hash, size) = (ContentHash::from(self.hasher.finalize()), self.hasher.count());
        self.known = self.store.is_whole(&hash, size)?;
        let draft = self.draft.as_mut().ok_or(StoreError::GivenUp)?;
        let synced = if self.known { Ok(()) } else { draft.sync_data() };
        if synced.is_err() {
            // What the disk has of it nobody knows.
            self.draft = None;
        }
        synced
    }

    /// Stores the blob. When it returns the blob is durable.
    pub fn finish(self) -> Result<Stored, StoreError> {
        self.finish_checked(None)
    }

    /// Stores the blob if its hash is `expected`.
    pub fn finish_as(self, expected: ContentHash) -> Result<Stored, StoreError> {
        self.finish_checked(Some(expected))
    }

    fn finish_checked(mut self, expected: Option<ContentHash>) -> Result<Stored, StoreError> {
        self.flush_buffer()?;
        let found = ContentHash::from(self.hasher.finalize());
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            return Err(StoreError::WrongHash { expected, found });
        }
        let (draft, size) = (self.draft.take().ok_or(StoreError::GivenUp)?, self.hasher.count());
        // It may have been removed since it was looked at.
        let known = self.known && self.store.holds(&found, size)?;
        self.store.publish((!known).then_some(draft), found, size)
    }

    fn flush_buffer(&mut self) -> Result<(), StoreError> {
        let buffer = std::mem::take(&mut self.buffer);
        self.hash_and_write(&buffer)?;
        self.buffer = buffer;
        self.buffer.clear();
        Ok(())
    }

    /// One thread hashes at gigabytes a second; the pool is not asked, since whoever writes here
    /// would wait behind whatever the pool is busy with.
    fn hash_and_write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let draft = self.draft.as_mut().ok_or(StoreError::GivenUp)?;
        if bytes.is_empty() {
            return Ok(());
        }
        self.hasher.update(bytes);
        self.known = false;
        let written = draft.write(bytes);
        if written.is_err() {
            // A file with a hole in it must never get a name.
            self.draft = None;
        }
        written
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes)?;
        Ok(bytes.len())
    }

    /// Bytes are durable only when the blob is finished: this hands on what is gathered.
    fn flush(&mut self) -> io::Result<()> {
        Ok(self.flush_buffer()?)
    }
}
