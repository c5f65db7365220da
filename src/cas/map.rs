//! The one place that maps files into memory.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;

use memmap2::{Mmap, MmapOptions};

/// Maps the first `len` bytes of a blob's file; `len` is more than 0 and what the file, already
/// open, has.
pub(super) fn map(file: &File, len: u64) -> io::Result<Mmap> {
    let len = usize::try_from(len).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    // SAFETY: a map is sound while nobody changes or truncates the file behind it. Only files
    // that the store owns come here: they get their name when they are complete, have no write
    // bit (0444), are opened for reading alone and without following links, and the store never
    // writes to or truncates a named file: it replaces by rename and removes by unlink, which
    // leave the mapped inode as it is. `len` was read from this very descriptor.
    unsafe { MmapOptions::new().len(len).map(file) }
}
