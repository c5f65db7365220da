//! The system's file system.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::cas::ahead;
use crate::cas::disk::{Disk, DiskFile, Entry, EntryKind, Opened};

/// A home on disk, held by its directory: it stays the same home if a parent is renamed.
#[derive(Debug)]
pub struct RealDisk {
    home: OwnedFd,
}

const READ_DIR: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);
/// Without `NONBLOCK`, opening a pipe that someone left in the home would hang.
const READ_FILE: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK);
const NEW_FILE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);

impl RealDisk {
    /// The home at `path`, a directory that exists.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { home: rustix::fs::open(path, flags, Mode::empty())? })
    }

    fn open_dir(&self, path: &Path) -> io::Result<OwnedFd> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        Ok(rustix::fs::openat(&self.home, path, READ_DIR, Mode::empty())?)
    }
}

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        // The mode holds for those who open the file later; this descriptor may write. So the
        // file never has a write bit, and no call is spent on taking it away.
        let mode = Mode::RUSR | Mode::RGRP | Mode::ROTH;
        let file = rustix::fs::openat(&self.home, path, NEW_FILE, mode)?;
        Ok(Box::new(RealFile { file: File::from(file), written: 0, begun: 0 }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.home, from, &self.home, to)?)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let dir = self.open_dir(path)?;
        Ok(rustix::io::retry_on_intr(|| rustix::fs::fsync(&dir))?)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mode = Mode::RWXU | Mode::RGRP | Mode::XGRP | Mode::ROTH | Mode::XOTH;
        match rustix::fs::mkdirat(&self.home, path, mode) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.home, path, AtFlags::empty())?)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.home, path, AtFlags::REMOVEDIR)?)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        use std::os::unix::ffi::OsStrExt;
        let dir = self.open_dir(path)?;
        let mut entries = Vec::new();
        for entry in Dir::read_from(&dir)? {
            let entry = entry?;
            let name = std::ffi::OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let kind = match entry.file_type() {
                // Some file systems do not say.
                FileType::Unknown => match rustix::fs::statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                    Err(Errno::NOENT) => continue,
                    Err(error) => return Err(error.into()),
                },
                kind => kind,
            };
            entries.push(Entry { name: name.to_owned(), kind: entry_kind(kind) });
        }
        entries.sort_unstable();
        Ok(entries)
    }

    fn open(&self, path: &Path) -> io::Result<Opened> {
        let file = File::from(rustix::fs::openat(&self.home, path, READ_FILE, Mode::empty())?);
        let facts = file.metadata()?;
        if !facts.is_file() {
            return Err(not_a_file());
        }
        Ok(Opened::file(file, facts.len()))
    }

    fn size(&self, path: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statat(&self.home, path, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(not_a_file());
        }
        u64::try_from(stat.st_size).map_err(|_| not_a_file())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let space = rustix::fs::fstatvfs(&self.home)?;
        Ok(space.f_bavail.saturating_mul(space.f_frsize))
    }
}

fn entry_kind(kind: FileType) -> EntryKind {
    match kind {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Directory,
        _ => EntryKind::Other,
    }
}

fn not_a_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")
}

struct RealFile {
    file: File,
    written: u64,
    /// How far the disk was asked to begin.
    begun: u64,
}

impl DiskFile for RealFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.written += bytes.len() as u64;
        let waiting = self.written - self.begun;
        if waiting >= ahead::AT_ONCE {
            ahead::begin(&self.file, self.begun, waiting);
            self.begun = self.written;
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn links_pipes_and_directories_are_no_files() {
        let home = tempfile::tempdir().unwrap();
        let disk = RealDisk::open(home.path()).unwrap();
        std::fs::write(home.path().join("file"), b"abc").unwrap();
        symlink("file", home.path().join("link")).unwrap();
        disk.create_dir(Path::new("dir")).unwrap();
        rustix::fs::mknodat(&disk.home, "pipe", FileType::Fifo, Mode::RUSR, 0).unwrap();

        assert_eq!(disk.size(Path::new("file")).unwrap(), 3);
        assert_eq!(disk.open(Path::new("file")).unwrap().len(), 3);
        for other in ["link", "pipe", "dir"] {
            assert!(disk.size(Path::new(other)).is_err(), "{other}");
            assert!(disk.open(Path::new(other)).is_err(), "{other}");
        }
        let kinds: Vec<_> = disk.list(Path::new("")).unwrap().into_iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds, [EntryKind::Directory, EntryKind::File, EntryKind::Other, EntryKind::Other]);
    }

    #[test]
    fn a_new_file_has_no_write_bit_and_no_second_writer() {
        let home = tempfile::tempdir().unwrap();
        let disk = RealDisk::open(home.path()).unwrap();
        disk.create(Path::new("a")).unwrap().write(b"x").unwrap();
        let mode = home.path().join("a").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o333, 0, "{mode:o}");
        let again = disk.create(Path::new("a")).map(drop).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    }
}
