//! Which stages were running when the process died.
//!
//! Each stage that starts is marked in a small file, and the mark is wiped when it has answered.
//! Nothing is synced: the marks are about the process, whose death leaves the system's page
//! cache alone; a power cut is no stage's fault. A stage whose mark is found at the next start is
//! a suspect: it is run again alone, and what happens then is counted in the database.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::base::limits::MARKED_STAGES;
use crate::base::{NodeKey, RunId};

const MARK_BYTES: usize = 64;
/// The first byte of a mark; a wiped one has 0.
const SET: u8 = 1;

/// The file of marks.
pub struct Inflight {
    file: File,
    free: Mutex<Vec<u16>>,
}

/// A mark that is set; wiped when dropped.
pub struct Mark<'a> {
    inflight: &'a Inflight,
    /// `None` where there were too many stages to mark them all.
    place: Option<u16>,
}

impl Inflight {
    /// Opens the file; with it come the marks of an earlier process.
    pub fn open(path: &Path) -> io::Result<(Self, Vec<(RunId, NodeKey)>)> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut left = Vec::new();
        let mut mark = [0_u8; MARK_BYTES];
        for place in 0..MARKED_STAGES {
            match file.read_exact_at(&mut mark, (place * MARK_BYTES) as u64) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                read => read?,
            }
            if mark[0] == SET
                && let (Some(run), Some(key)) = (mark[8..].first_chunk::<16>(), mark[24..].first_chunk::<32>())
            {
                left.push((RunId::from_bytes(*run), NodeKey::from_bytes(*key)));
            }
        }
        let free = (0..MARKED_STAGES as u16).rev().collect();
        Ok((Self { file, free: Mutex::new(free) }, left))
    }

    /// Forgets the marks of the earlier process, once they are recorded elsewhere.
    pub fn clear(&self) -> io::Result<()> {
        self.file.set_len(0)
    }

    /// Marks that the stage with this node is running.
    pub fn mark(&self, run: RunId, key: &NodeKey) -> Mark<'_> {
        let place = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(place) = place {
            let mut mark = [0_u8; MARK_BYTES];
            mark[0] = SET;
            mark[8..24].copy_from_slice(run.as_bytes());
            mark[24..56].copy_from_slice(key.as_bytes());
            self.write(place, &mark);
        }
        Mark { inflight: self, place }
    }

    fn write(&self, place: u16, mark: &[u8]) {
        // Without its mark a stage that kills the process is merely not suspected.
        if let Err(error) = self.file.write_all_at(mark, u64::from(place) * MARK_BYTES as u64) {
            tracing::debug!(%error, "a running stage cannot be marked");
        }
    }
}

impl Drop for Mark<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.inflight.write(place, &[0]);
            self.inflight.free.lock().unwrap_or_else(PoisonError::into_inner).push(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_that_were_not_wiped_are_found_at_the_next_start() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("inflight");
        let (runs, key) = ([RunId::new(), RunId::new(), RunId::new()], NodeKey::from_bytes([7; 32]));
        let (first, left) = Inflight::open(&path).unwrap();
        assert!(left.is_empty());
        let done = first.mark(runs[0], &key);
        let killed = first.mark(runs[1], &key);
        drop(done);
        let also = first.mark(runs[2], &key);
        // As a killed process does, nobody wipes these.
        std::mem::forget((killed, also));
        let (second, mut left) = Inflight::open(&path).unwrap();
        left.sort();
        assert_eq!(left, [(runs[1], key), (runs[2], key)]);
        second.clear().unwrap();
        assert!(Inflight::open(&path).unwrap().1.is_empty());
    }
}
