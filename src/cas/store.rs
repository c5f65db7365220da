//! The store: put, open, list, remove.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::ContentHash;
use crate::cas::dirs::Dirs;
use crate::cas::disk::{Disk, DiskFile, EntryKind, Opened};
use crate::cas::error::StoreError;
use crate::cas::layout::{CACHE, Leaf, TMP, blob_path};
use crate::cas::writer::{BlobWriter, Stored};
use crate::cas::{Blob, BlobIter, Verdict};

/// All blobs of a home. Cloning shares the store.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    disk: Arc<dyn Disk>,
    dirs: Dirs,
    next_temp: AtomicU64,
}

impl Store {
    /// Opens the store of a home, which this process alone uses: makes its directories and
    /// removes what earlier processes left in `tmp/`.
    pub fn open(disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        for dir in [CACHE, TMP] {
            disk.create_dir(Path::new(dir)).map_err(StoreError::io("make directory", dir))?;
        }
        disk.sync_dir(Path::new("")).map_err(StoreError::io("sync directory", "."))?;
        empty(&*disk, Path::new(TMP))?;
        Ok(Self(Arc::new(Inner { disk, dirs: Dirs::default(), next_temp: AtomicU64::new(0) })))
    }

    /// A writer for a blob whose bytes are still to come.
    pub fn writer(&self) -> Result<BlobWriter, StoreError> {
        Ok(BlobWriter::new(self.clone(), self.draft()?))
    }

    /// Stores these bytes. When it returns they are durable; what is there already is read, and
    /// replaced if it is damaged.
    pub fn put_bytes(&self, bytes: &[u8]) -> Result<Stored, StoreError> {
        let (hash, size) = (ContentHash::of(bytes), bytes.len() as u64);
        if self.is_whole(&hash, size)? {
            return self.publish(None, hash, size);
        }
        let mut draft = self.draft()?;
        draft.write(bytes)?;
        self.publish(Some(draft), hash, size)
    }

    /// Stores all that `input` has to give, in pieces of 1 MiB, and refuses it if it is not what
    /// `expected` says. When it returns the blob is durable; after an error nothing is kept.
    pub fn copy_in(&self, input: &mut dyn io::Read, expected: Option<ContentHash>) -> Result<Stored, StoreError> {
        let mut writer = self.writer()?;
        writer.fill_from(input)?;
        match expected {
            Some(expected) => writer.finish_as(expected),
            None => writer.finish(),
        }
    }

    /// A writer with all bytes of a person's file, which must be a regular one.
    pub fn copy_file(&self, path: &Path) -> Result<BlobWriter, StoreError> {
        use std::os::unix::fs::OpenOptionsExt;
        // Opening a pipe would wait for a writer.
        let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let open = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path);
        let mut file = open.map_err(StoreError::io("open", path))?;
        if !file.metadata().map_err(StoreError::io("open", path))?.is_file() {
            return Err(StoreError::NotAFile { path: path.to_owned() });
        }
        let mut writer = self.writer()?;
        writer.fill_from(&mut file)?;
        Ok(writer)
    }

    /// Opens a blob. Its length is compared with `expected_size` before anything is mapped.
    pub fn open_blob(&self, hash: &ContentHash, expected_size: Option<u64>) -> Result<Blob, StoreError> {
        let opened = self.open_file(hash)?;
        if let Some(expected) = expected_size.filter(|expected| *expected != opened.len()) {
            return Err(StoreError::Damaged { hash: *hash, expected, found: opened.len() });
        }
        opened.map().map_err(StoreError::io("map", blob_path(hash)))
    }

    /// Where a blob lies below a home, for a process that reads it by itself.
    pub fn path_of(&self, home: &Path, hash: &ContentHash) -> PathBuf {
        home.join(blob_path(hash))
    }

    /// Is there a blob of this name? Its bytes are not looked at.
    pub fn contains(&self, hash: &ContentHash) -> Result<bool, StoreError> {
        Ok(self.size_of(hash)?.is_some())
    }

    /// A blob's length in bytes, `None` if there is no such blob.
    pub fn size_of(&self, hash: &ContentHash) -> Result<Option<u64>, StoreError> {
        let path = blob_path(hash);
        absent_is_none(self.0.disk.size(&path)).map_err(StoreError::io("look at", path))
    }

    /// Removes a blob that nobody refers to any more; false if there was none. Who has it open
    /// keeps it until they are done.
    ///
    /// The removal is not synced: a blob that a power cut brings back is whole, and merely nobody's.
    pub fn remove(&self, hash: &ContentHash) -> Result<bool, StoreError> {
        let path = blob_path(hash);
        let removed = absent_is_none(self.0.disk.remove(&path)).map_err(StoreError::io("remove", path))?;
        Ok(removed.is_some())
    }

    /// Every blob with its size, in the order of their hashes, and every file that is none.
    pub fn iter(&self) -> BlobIter {
        BlobIter::new(self.clone())
    }

    /// Bytes that may still be written to the store's file system.
    pub fn free_bytes(&self) -> Result<u64, StoreError> {
        self.0.disk.free_bytes().map_err(StoreError::io("ask for the free space of", "."))
    }

    pub(super) fn disk(&self) -> &dyn Disk {
        &*self.0.disk
    }

    pub(super) fn open_file(&self, hash: &ContentHash) -> Result<Opened, StoreError> {
        let path = blob_path(hash);
        let opened = absent_is_none(self.0.disk.open(&path)).map_err(StoreError::io("open", path))?;
        opened.ok_or(StoreError::NotFound { hash: *hash })
    }

    /// A temporary file under a name that nobody else has.
    fn draft(&self) -> Result<Draft, StoreError> {
        loop {
            let number = self.0.next_temp.fetch_add(1, Ordering::Relaxed);
            let path = Path::new(TMP).join(number.to_string());
            match self.0.disk.create(&path) {
                Ok(file) => {
                    return Ok(Draft { file: Some(file), synced: false, temp: Temp { store: self.clone(), path } });
                }
                // What is there was not made by this store, and there is an end to such files.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(StoreError::io("create", path)(error)),
            }
        }
    }

    /// Is the blob there, as long as it should be, so that it need not be written again?
    pub(super) fn holds(&self, hash: &ContentHash, size: u64) -> Result<bool, StoreError> {
        Ok(!self.0.dirs.doubts(Leaf::of(hash)) && self.size_of(hash)? == Some(size))
    }

    /// The same, and are its bytes what its name says? All of them are read.
    pub(super) fn is_whole(&self, hash: &ContentHash, size: u64) -> Result<bool, StoreError> {
        Ok(self.holds(hash, size)? && self.verify(hash)? == (Verdict::Whole { size }))
    }

    /// Gives a draft the name of its content and makes it durable: data, then name, then the
    /// name's directory. Of a blob that is there already only the name is made durable, since
    /// who put it there may not have come that far. A damaged blob is replaced.
    pub(super) fn publish(&self, draft: Option<Draft>, hash: ContentHash, size: u64) -> Result<Stored, StoreError> {
        let (disk, leaf) = (self.disk(), Leaf::of(&hash));
        let draft = match draft {
            // Whoever brings all bytes again mends what a disk has spoilt.
            Some(draft) if !self.is_whole(&hash, size)? => Some(draft.sync()?),
            _ => None,
        };
        self.0.dirs.prepare(disk, leaf)?;
        let existing = draft.is_none();
        if let Some(temp) = draft {
            let path = blob_path(&hash);
            disk.rename(&temp.path, &path).map_err(StoreError::io("rename to", path))?;
            temp.forget();
        }
        self.0.dirs.sync(disk, leaf)?;
        Ok(Stored { hash, size, existing })
    }
}

/// A temporary file being written.
pub(super) struct Draft {
    file: Option<Box<dyn DiskFile>>,
    /// Is all that was written on disk?
    synced: bool,
    temp: Temp,
}

impl Draft {
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let file = self.file.as_mut().expect("BUG: a draft written to after it was closed");
        self.synced = false;
        file.write(bytes).map_err(StoreError::io("write", &self.temp.path))
    }

    /// Makes the data durable, unless it is.
    pub(super) fn sync_data(&mut self) -> Result<(), StoreError> {
        if !self.synced {
            let file = self.file.as_mut().expect("BUG: a draft synced after it was closed");
            file.sync().map_err(StoreError::io("sync", &self.temp.path))?;
            self.synced = true;
        }
        Ok(())
    }

    /// Makes the data durable and closes the file.
    fn sync(mut self) -> Result<Temp, StoreError> {
        self.sync_data()?;
        self.file = None;
        Ok(self.temp)
    }
}

/// The name of a temporary file, removed when dropped.
struct Temp {
    store: Store,
    path: PathBuf,
}

impl Temp {
    /// The file has another name now.
    fn forget(mut self) {
        self.path = PathBuf::new();
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            // What cannot be removed now is removed when the store is next opened.
            let _ = self.store.disk().remove(&self.path);
        }
    }
}

fn absent_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes all that a directory holds.
fn empty(disk: &dyn Disk, dir: &Path) -> Result<(), StoreError> {
    for entry in disk.list(dir).map_err(StoreError::io("list", dir))? {
        let path = dir.join(&entry.name);
        let removed = if entry.kind == EntryKind::Directory {
            empty(disk, &path)?;
            disk.remove_dir(&path)
        } else {
            disk.remove(&path)
        };
        removed.map_err(StoreError::io("remove", path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Barrier;

    use super::*;
    use crate::cas::{Found, RealDisk};

    fn home() -> (tempfile::TempDir, Store) {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(Arc::new(RealDisk::open(home.path()).unwrap())).unwrap();
        (home, store)
    }

    fn file_of(home: &tempfile::TempDir, hash: &ContentHash) -> PathBuf {
        home.path().join(blob_path(hash))
    }

    fn files_in(dir: &Path) -> usize {
        std::fs::read_dir(dir).unwrap().count()
    }

    #[test]
    fn bytes_come_back_as_they_went_in_whichever_way() {
        let (home, store) = home();
        for len in [0, 1, 5_000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20] {
            let bytes: Vec<u8> = (0..len).map(|i: usize| (i * 7 % 253) as u8).collect();
            let hash = ContentHash::of(&bytes);
            let mut writer = store.writer().unwrap();
            for piece in bytes.chunks(100_003) {
                io::Write::write_all(&mut writer, piece).unwrap();
            }
            let stored = writer.finish().unwrap();
            assert_eq!(stored, Stored { hash, size: len as u64, existing: false });
            assert!(store.put_bytes(&bytes).unwrap().existing);
            assert!(store.copy_in(&mut bytes.as_slice(), Some(hash)).unwrap().existing);
            assert!(store.copy_file(&file_of(&home, &hash)).unwrap().finish().unwrap().existing);
            assert_eq!(&*store.open_blob(&hash, Some(len as u64)).unwrap(), bytes, "{len} bytes");
            assert_eq!(store.size_of(&hash).unwrap(), Some(len as u64));
            assert_eq!(store.verify(&hash).unwrap(), Verdict::Whole { size: len as u64 });
        }
        assert_eq!(files_in(&home.path().join(TMP)), 0);
    }

    #[test]
    fn a_blob_has_no_write_bit_and_outlives_its_removal_in_the_hands_of_its_readers() {
        let (home, store) = home();
        let hash = store.put_bytes(b"bytes").unwrap().hash;
        assert_eq!(file_of(&home, &hash).metadata().unwrap().permissions().mode() & 0o333, 0);
        let blob = store.open_blob(&hash, None).unwrap();
        assert!(store.remove(&hash).unwrap());
        assert!(!store.remove(&hash).unwrap());
        assert_eq!(&*blob, b"bytes");
        assert!(matches!(store.open_blob(&hash, None), Err(StoreError::NotFound { .. })));
    }

    #[test]
    fn r17_whoever_stores_the_same_bytes_again_mends_them() {
        let (home, store) = home();
        let bytes = vec![5; 100_000];
        let hash = store.put_bytes(&bytes).unwrap().hash;
        for by_writer in [false, true] {
            std::fs::remove_file(file_of(&home, &hash)).unwrap();
            std::fs::write(file_of(&home, &hash), vec![6; 100_000]).unwrap();
            let stored = if by_writer {
                let mut writer = store.writer().unwrap();
                writer.push(&bytes).unwrap();
                writer.ready().unwrap();
                writer.finish().unwrap()
            } else {
                store.put_bytes(&bytes).unwrap()
            };
            assert!(!stored.existing);
            assert_eq!(store.verify(&hash).unwrap(), Verdict::Whole { size: 100_000 });
        }
        // What was found whole, and is gone when it is to be named, is stored after all.
        let mut writer = store.writer().unwrap();
        writer.push(&bytes).unwrap();
        writer.ready().unwrap();
        std::fs::remove_file(file_of(&home, &hash)).unwrap();
        assert!(!writer.finish().unwrap().existing);
        assert_eq!(store.verify(&hash).unwrap(), Verdict::Whole { size: 100_000 });
    }

    #[test]
    fn damage_of_every_kind_is_told() {
        let bytes = vec![7_u8; 300_000];
        let hash = ContentHash::of(&bytes);
        let len = bytes.len() as u64;
        let other = |bytes: &[u8]| Verdict::Damaged { found: ContentHash::of(bytes), size: bytes.len() as u64 };
        let flipped: Vec<u8> = (0..bytes.len()).map(|at| if at == 200_000 { 6 } else { 7 }).collect();
        let cases = [
            ("shortened", Some(&bytes[..1000]), Some(1000), other(&bytes[..1000])),
            ("emptied", Some(&[][..]), Some(0), other(&[])),
            ("flipped", Some(&flipped[..]), None, other(&flipped)),
            ("deleted", None, None, Verdict::Missing),
        ];
        for (damage, left, found_size, verdict) in cases {
            let (home, store) = home();
            store.put_bytes(&bytes).unwrap();
            std::fs::remove_file(file_of(&home, &hash)).unwrap();
            if let Some(left) = left {
                std::fs::write(file_of(&home, &hash), left).unwrap();
            }
            match (store.open_blob(&hash, Some(len)), found_size) {
                (Err(StoreError::Damaged { expected, found, .. }), Some(size)) => {
                    assert_eq!((expected, found), (len, size), "{damage}");
                }
                (Err(StoreError::NotFound { .. }), None) => assert_eq!(left, None, "{damage}"),
                // A changed bit shows in the hash alone.
                (Ok(_), None) => assert_eq!(damage, "flipped"),
                (result, _) => panic!("{damage}: {result:?}"),
            }
            assert_eq!(store.verify(&hash).unwrap(), verdict, "{damage}");
            // A put mends what its length gives away, and a writer what only its bytes do.
            let mended = if damage == "flipped" {
                store.copy_in(&mut bytes.as_slice(), None).unwrap()
            } else {
                store.put_bytes(&bytes).unwrap()
            };
            assert!(!mended.existing, "{damage}");
            assert_eq!(store.verify(&hash).unwrap(), Verdict::Whole { size: len }, "{damage}");
        }
    }

    #[test]
    fn of_many_who_put_the_same_the_one_who_lies_is_refused() {
        let (home, store) = home();
        let bytes = vec![3_u8; 2_500_000];
        let (hash, lie) = (ContentHash::of(&bytes), ContentHash::of(b"something else"));
        let start = Barrier::new(32);
        let results: Vec<_> = std::thread::scope(|scope| {
            let put = |liar: bool| {
                start.wait();
                store.copy_in(&mut bytes.as_slice(), Some(if liar { lie } else { hash }))
            };
            let threads: Vec<_> = (0..32).map(|n| scope.spawn(move || put(n == 17))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for (n, result) in results.into_iter().enumerate() {
            match result {
                Ok(stored) => assert_eq!((stored.hash, n == 17), (hash, false)),
                Err(StoreError::WrongHash { expected, found }) => assert_eq!((expected, found, n), (lie, hash, 17)),
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(files_in(&home.path().join(TMP)), 0);
        let found: Vec<_> = store.iter().map(Result::unwrap).collect();
        assert_eq!(found, [Found::Blob { hash, size: bytes.len() as u64 }]);
    }

    #[test]
    fn all_blobs_are_listed_in_order_and_foreign_files_told_apart() {
        let (home, store) = home();
        let mut hashes: Vec<_> = (0..50_u8).map(|n| store.put_bytes(&[n]).unwrap().hash).collect();
        hashes.sort_unstable();
        let leaf = file_of(&home, &hashes[0]).parent().unwrap().to_owned();
        let misplaced = leaf.join(hashes[1].to_string());
        std::os::unix::fs::symlink("/etc/hostname", leaf.join("link")).unwrap();
        for path in [home.path().join("cache/README"), home.path().join("cache/00x"), misplaced] {
            std::fs::write(path, "x").unwrap();
        }
        let (mut blobs, mut foreign) = (Vec::new(), 0);
        for found in &store {
            match found.unwrap() {
                Found::Blob { hash, size: 1 } => blobs.push(hash),
                Found::Foreign { .. } => foreign += 1,
                other @ Found::Blob { .. } => panic!("{other:?}"),
            }
        }
        assert_eq!((blobs, foreign), (hashes, 4));
    }

    #[test]
    fn what_earlier_processes_left_in_tmp_is_removed_and_blobs_are_not() {
        let (home, store) = home();
        let hash = store.put_bytes(b"kept").unwrap().hash;
        std::fs::create_dir_all(home.path().join("tmp/stage/deep")).unwrap();
        std::fs::write(home.path().join("tmp/stage/deep/in0"), "x").unwrap();
        std::fs::write(home.path().join("tmp/0"), "x").unwrap();
        let store = Store::open(Arc::new(RealDisk::open(home.path()).unwrap())).unwrap();
        assert_eq!(files_in(&home.path().join(TMP)), 0);
        assert!(store.contains(&hash).unwrap());
    }

    #[test]
    fn an_unfinished_writer_leaves_nothing_and_shows_nothing() {
        let (home, store) = home();
        let mut writer = store.writer().unwrap();
        writer.push(&vec![1; 2_000_000]).unwrap();
        assert_eq!((files_in(&home.path().join(TMP)), store.iter().count()), (1, 0));
        drop(writer);
        assert_eq!((files_in(&home.path().join(TMP)), store.iter().count()), (0, 0));
    }

    #[test]
    fn only_regular_files_are_copied_in() {
        let (home, store) = home();
        for path in [home.path(), Path::new("/dev/zero")] {
            assert!(matches!(store.copy_file(path), Err(StoreError::NotAFile { .. })), "{path:?}");
        }
        let pipe = home.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
        assert!(matches!(store.copy_file(&pipe), Err(StoreError::NotAFile { .. })));
        assert!(matches!(store.copy_file(&home.path().join("no")), Err(StoreError::Io { .. })));
        assert_eq!(files_in(&home.path().join(TMP)), 0);
    }

    #[test]
    fn a_copy_for_a_person_is_theirs_and_whole() {
        let (home, store) = home();
        let hash = store.put_bytes(b"picture").unwrap().hash;
        let out = home.path().join("out.png");
        std::fs::write(&out, "what was there before, and longer").unwrap();
        assert_eq!(store.export_to(&hash, &out).unwrap(), 7);
        assert_eq!(std::fs::read(&out).unwrap(), b"picture");
        assert_ne!(out.metadata().unwrap().permissions().mode() & 0o200, 0);

        let missing = ContentHash::of(b"missing");
        assert!(matches!(store.export_to(&missing, &out), Err(StoreError::NotFound { .. })));
        assert!(matches!(store.export_to(&hash, Path::new("/")), Err(StoreError::NotAFile { .. })));
        assert!(matches!(store.export_to(&hash, &home.path().join("no/out")), Err(StoreError::Io { .. })));
        assert_eq!(std::fs::read(&out).unwrap(), b"picture");
        assert_eq!(files_in(home.path()), 3, "cache, tmp and the copy");
    }
}
