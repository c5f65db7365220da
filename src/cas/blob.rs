//! A blob's bytes.

use std::ops::{Deref, Range};
use std::sync::Arc;

use memmap2::{Advice, Mmap};

/// The bytes of a blob, mapped. Cloning shares them; they stay readable after the blob is
/// removed or replaced.
#[derive(Clone)]
pub struct Blob(Arc<Bytes>);

enum Bytes {
    Mapped(Mmap),
    Held(Arc<[u8]>),
}

impl Blob {
    pub(super) fn mapped(map: Mmap) -> Self {
        Self(Arc::new(Bytes::Mapped(map)))
    }

    pub(super) fn held(bytes: Arc<[u8]>) -> Self {
        Self(Arc::new(Bytes::Held(bytes)))
    }
}

impl Blob {
    /// Reads a part into memory now, where that may wait for the disk, so that it need not be
    /// waited for later. What cannot be read is noticed when it is used.
    pub fn page_in(&self, part: Range<usize>) {
        if let Bytes::Mapped(map) = &*self.0
            && let Err(error) = map.advise_range(Advice::PopulateRead, part.start, part.len())
        {
            tracing::debug!(%error, "a part of a blob is not read ahead");
        }
    }
}

impl Deref for Blob {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &*self.0 {
            Bytes::Mapped(map) => map,
            Bytes::Held(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for Blob {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blob({} bytes)", self.len())
    }
}
