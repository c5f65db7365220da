//! A file that is read and never written: changes are kept in memory and forgotten.
//!
//! With it a database that can be read but not written (a full or read-only disk) still answers.
//! What recovery and closing write is a few pages, as every commit is made for quick repair.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

/// Bytes of a page of changes: redb's own pages.
const PAGE: u64 = 4096;

/// The file as it was, and what has been written over it.
#[derive(Debug)]
pub(super) struct FrozenBackend {
    file: File,
    changes: Mutex<Changes>,
}

#[derive(Debug)]
struct Changes {
    /// Length of the storage.
    len: u64,
    /// From here on the file's own bytes are cut off.
    file_len: u64,
    /// Pages written to, whole, by number.
    pages: BTreeMap<u64, Box<[u8]>>,
}

impl FrozenBackend {
    pub(super) fn new(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { file, changes: Mutex::new(Changes { len, file_len: len, pages: BTreeMap::new() }) })
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fills `out` with the file's bytes from `offset` on, and zeros where it has none.
    fn read_file(&self, file_len: u64, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let there = file_len.saturating_sub(offset).min(out.len() as u64) as usize;
        self.file.read_exact_at(&mut out[..there], offset)?;
        out[there..].fill(0);
        Ok(())
    }
}

/// The parts of a range that lie in one page each: page number, start in the page, length.
fn parts(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, usize)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        let start = (at % PAGE) as usize;
        let part = (len - done).min(PAGE as usize - start);
        done += part;
        (part > 0).then_some((at / PAGE, start, part))
    })
}

impl StorageBackend for FrozenBackend {
    fn len(&self) -> io::Result<u64> {
        Ok(self.changes().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let changes = self.changes();
        if offset + out.len() as u64 > changes.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.read_file(changes.file_len, offset, out)?;
        let mut rest = out;
        for (page, start, len) in parts(offset, rest.len()) {
            let (part, after) = rest.split_at_mut(len);
            if let Some(held) = changes.pages.get(&page) {
                part.copy_from_slice(&held[start..start + len]);
            }
            rest = after;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut changes = self.changes();
        changes.file_len = changes.file_len.min(len);
        changes.len = len;
        // What is cut off comes back as zeros.
        changes.pages.retain(|page, _| page * PAGE < len);
        if let Some(last) = changes.pages.get_mut(&(len / PAGE)) {
            last[(len % PAGE) as usize..].fill(0);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut changes = self.changes();
        changes.len = changes.len.max(offset + data.len() as u64);
        let mut rest = data;
        for (page, start, len) in parts(offset, data.len()) {
            let (part, after) = rest.split_at(len);
            if !changes.pages.contains_key(&page) {
                let mut held = vec![0; PAGE as usize].into_boxed_slice();
                self.read_file(changes.file_len, page * PAGE, &mut held)?;
                changes.pages.insert(page, held);
            }
            if let Some(held) = changes.pages.get_mut(&page) {
                held[start..start + len].copy_from_slice(part);
            }
            rest = after;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_behaves_as_a_file_and_leaves_the_file_alone(
            original in 0_usize..20_000,
            changes in proptest::collection::vec((0_u8..4, 0_usize..20_000, 0_usize..9_000), 1..30),
        ) {
            let bytes: Vec<u8> = (0..original).map(|i| (i % 249) as u8 + 1).collect();
            let path = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(path.path(), &bytes).unwrap();
            let frozen = FrozenBackend::new(File::open(path.path()).unwrap()).unwrap();
            let mut model = bytes.clone();
            for (what, offset, len) in changes {
                if what == 0 {
                    frozen.set_len(offset as u64).unwrap();
                    model.resize(offset, 0);
                } else {
                    let data = vec![250 + what; len];
                    frozen.write(offset as u64, &data).unwrap();
                    model.resize(model.len().max(offset + len), 0);
                    model[offset..offset + len].copy_from_slice(&data);
                }
                prop_assert_eq!(frozen.len().unwrap(), model.len() as u64);
                let start = offset.min(model.len());
                let end = (start + 7_000).min(model.len());
                let mut read = vec![0; end - start];
                frozen.read(start as u64, &mut read).unwrap();
                prop_assert!(read == model[start..end]);
            }
            prop_assert!(frozen.read(model.len() as u64, &mut [0]).is_err());
            prop_assert!(std::fs::read(path.path()).unwrap() == bytes);
        }
    }
}
