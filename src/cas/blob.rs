//! A blob's bytes.

use std::ops::{Deref, Range};
use std::sync::Arc;

use crate::cas::map::Map;

/// The bytes of a blob, mapped. Cloning shares them; they stay readable after the blob is
/// removed or replaced.
#[derive(Clone)]
pub struct Blob(Arc<Bytes>);

enum Bytes {
    Mapped(Map),
    Held(Arc<[u8]>),
}

impl Blob {
    pub(super) fn mapped(map: Map) -> Self {
        Self(Arc::new(Bytes::Mapped(map)))
    }

    pub(super) fn held(bytes: Arc<[u8]>) -> Self {
        Self(Arc::new(Bytes::Held(bytes)))
    }
}

impl Blob {
    /// Reads a part into memory now, where that may wait for the disk, so that it need not be
    /// waited for later. False if the file ends before that.
    pub fn page_in(&self, part: Range<usize>) -> bool {
        if let Bytes::Mapped(map) = &*self.0
            && let Err(error) = map.page_in(part.start, part.len())
        {
            tracing::debug!(%error, "a part of a blob is not read ahead");
        }
        self.is_whole()
    }

    /// Have all bytes been those of the file so far? Of a file that somebody shortens, what is gone
    /// is read as zeros.
    pub fn is_whole(&self) -> bool {
        match &*self.0 {
            Bytes::Mapped(map) => map.is_whole(),
            Bytes::Held(_) => true,
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
