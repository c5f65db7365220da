//! The few file operations that durability hangs on, behind a trait, so that tests can fail them
//! and cut the power between any two.
//!
//! Paths are relative to the home; the empty path is the home itself. Links are never followed.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use crate::cas::Blob;
use crate::cas::map::map;

/// A home's file system.
pub trait Disk: Send + Sync {
    /// Makes a new file that only its writer may change (mode 0444), to be written.
    /// `AlreadyExists` if the name is taken.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Gives a file another name, replacing what has it; both are there, or neither.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes a directory's entries durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes a directory; no error if there is one.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty directory.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
    /// A directory's entries, sorted by name.
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>>;
    /// Opens a regular file for reading.
    fn open(&self, path: &Path) -> io::Result<Opened>;
    /// Bytes of a regular file.
    fn size(&self, path: &Path) -> io::Result<u64>;
    /// Bytes that may still be written.
    fn free_bytes(&self) -> io::Result<u64>;
}

/// A file being written.
pub trait DiskFile: Send {
    /// Appends all of `bytes`.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes its bytes durable. After an error nothing is known of what the disk holds, and
    /// trying again proves nothing: the file is to be given up.
    fn sync(&mut self) -> io::Result<()>;
}

/// A directory's entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name.
    pub name: OsString,
    /// What it is.
    pub kind: EntryKind,
}

/// What a directory's entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// Anything else: a link, pipe, socket or device.
    Other,
}

/// A regular file opened for reading.
#[derive(Debug)]
pub struct Opened {
    len: u64,
    source: Source,
}

#[derive(Debug)]
enum Source {
    File(File),
    Memory(Arc<[u8]>),
}

impl Opened {
    /// A file of the system with its length.
    pub fn file(file: File, len: u64) -> Self {
        Self { len, source: Source::File(file) }
    }

    /// A file that a disk keeps in memory.
    pub fn memory(bytes: Arc<[u8]>) -> Self {
        Self { len: bytes.len() as u64, source: Source::Memory(bytes) }
    }

    /// Its length in bytes when it was opened.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Has it no bytes?
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Maps it. Only files that the store owns are ever mapped.
    pub(super) fn map(self) -> io::Result<Blob> {
        match self.source {
            // Nothing cannot be mapped.
            Source::File(_) if self.len == 0 => Ok(Blob::held(Arc::from([]))),
            Source::File(file) => map(file, self.len).map(Blob::mapped),
            Source::Memory(bytes) => Ok(Blob::held(bytes)),
        }
    }

    /// Reads `out.len()` bytes from `offset` on; past the end is an error.
    pub(super) fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match &self.source {
            Source::File(file) => file.read_exact_at(out, offset),
            Source::Memory(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let range = start.checked_add(out.len()).and_then(|end| bytes.get(start..end));
                out.copy_from_slice(range.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
        }
    }

    /// Copies all of it to `to`, sharing the extents where the file system can.
    pub(super) fn copy_to(&self, mut to: &File) -> io::Result<()> {
        match &self.source {
            Source::File(file) => {
                if rustix::fs::ioctl_ficlone(to, file).is_ok() {
                    return Ok(());
                }
                io::copy(&mut &*file, &mut to).map(drop)
            }
            Source::Memory(bytes) => io::Write::write_all(&mut to, bytes),
        }
    }
}
