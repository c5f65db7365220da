//! Which fan-out directories are known to be durable.
//!
//! A blob's entry is worth nothing if the directory it stands in is lost in a power cut. A
//! directory found on disk proves nothing either: it may have been made a moment ago, by a
//! process that was killed before it synced the parent. So a directory counts only after this
//! store has synced its parent, once for each.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::cas::disk::{Disk, EntryKind};
use crate::cas::error::StoreError;
use crate::cas::layout::{CACHE, Leaf, fan_out_byte};

/// What this store has learnt of the directories; at most 65,536 leaves.
#[derive(Default)]
pub(super) struct Dirs(Mutex<Known>);

#[derive(Default)]
struct Known {
    tops: HashSet<u8>,
    leaves: HashSet<Leaf>,
    doubted: HashSet<Leaf>,
}

impl Dirs {
    /// Makes a leaf directory that will be there after a power cut.
    pub(super) fn prepare(&self, disk: &dyn Disk, leaf: Leaf) -> Result<(), StoreError> {
        if self.known().leaves.contains(&leaf) {
            return Ok(());
        }
        let (top, dir) = (leaf.top_path(), leaf.path());
        let mut durable = vec![leaf];
        if !self.known().tops.contains(&leaf.top) {
            disk.create_dir(&top).map_err(StoreError::io("make directory", &top))?;
            disk.sync_dir(Path::new(CACHE)).map_err(StoreError::io("sync directory", CACHE))?;
            // One sync of the top directory makes all that stand in it durable.
            let entries = disk.list(&top).map_err(StoreError::io("list", &top))?;
            let subs = entries.iter().filter(|entry| entry.kind == EntryKind::Directory);
            durable.extend(subs.filter_map(|entry| fan_out_byte(&entry.name)).map(|sub| Leaf { sub, ..leaf }));
        }
        disk.create_dir(&dir).map_err(StoreError::io("make directory", &dir))?;
        disk.sync_dir(&top).map_err(StoreError::io("sync directory", &top))?;
        let mut known = self.known();
        known.tops.insert(leaf.top);
        known.leaves.extend(durable);
        Ok(())
    }

    /// Makes the entries of a leaf directory durable.
    ///
    /// After a failed sync the kernel may drop the changes and report the next sync of them a
    /// success. So entries of such a directory are not believed again: see [`Dirs::doubts`].
    pub(super) fn sync(&self, disk: &dyn Disk, leaf: Leaf) -> Result<(), StoreError> {
        disk.sync_dir(&leaf.path()).map_err(|error| {
            self.known().doubted.insert(leaf);
            StoreError::io("sync directory", leaf.path())(error)
        })
    }

    /// Has a sync of this directory ever failed? Then a blob seen there may not be on disk, and
    /// a put writes it anew.
    pub(super) fn doubts(&self, leaf: Leaf) -> bool {
        self.known().doubted.contains(&leaf)
    }

    /// The lock is held for a look-up or an insertion, never across a disk operation.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
