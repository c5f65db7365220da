//! Values that were made a moment ago and whose rows are still on their way to disk: another run
//! may take them already. Whoever does records them too, so that it depends on nobody's commit.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::NodeKey;
use crate::records::{BlobRow, MemoRow};

/// Such values by key.
#[derive(Default)]
pub struct Fresh(Mutex<HashMap<NodeKey, (MemoRow, BlobRow)>>);

impl Fresh {
    /// Adds a value.
    pub fn add(&self, key: NodeKey, memo: MemoRow, blob: BlobRow) {
        self.values().insert(key, (memo, blob));
    }

    /// A value, if it is one of these.
    pub fn get(&self, key: &NodeKey) -> Option<(MemoRow, BlobRow)> {
        self.values().get(key).cloned()
    }

    /// Forgets values whose rows are on disk, or never will be.
    pub fn forget<'a>(&self, keys: impl Iterator<Item = &'a NodeKey>) {
        let mut values = self.values();
        keys.for_each(|key| drop(values.remove(key)));
    }

    fn values(&self) -> MutexGuard<'_, HashMap<NodeKey, (MemoRow, BlobRow)>> {
        // The map is whole at every moment, even where a holder of the lock panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
