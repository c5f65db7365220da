//! A real disk, of which a test watches the renames: it may wait there, or panic.

use std::io;
use std::path::Path;

use crate::cas::{Disk, DiskFile, Entry, Opened, RealDisk};

/// The disk, and what is called before a file gets its name.
pub struct WatchedDisk<F> {
    /// The disk itself.
    pub disk: RealDisk,
    /// Called before each rename.
    pub before_rename: F,
}

impl<F: Fn() + Send + Sync> Disk for WatchedDisk<F> {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.disk.create(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        (self.before_rename)();
        self.disk.rename(from, to)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.sync_dir(path)
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.create_dir(path)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_dir(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.disk.list(path)
    }
    fn open(&self, path: &Path) -> io::Result<Opened> {
        self.disk.open(path)
    }
    fn size(&self, path: &Path) -> io::Result<u64> {
        self.disk.size(path)
    }
    fn free_bytes(&self) -> io::Result<u64> {
        self.disk.free_bytes()
    }
}
