//! A blob's bytes.

use std::ops::Deref;
use std::sync::Arc;

use memmap2::Mmap;

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
