//! A stage's way to the store and to the machine's tools.

use std::collections::HashSet;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::base::ContentHash;
use crate::cas::{StoreError, Stored};
use crate::engine::Engine;
use crate::engine::blobs::Bytes;
use crate::engine::error::EngineError;
use crate::engine::events::{NodeState, What};
use crate::engine::film::{Advance, Studio};
use crate::engine::job::Job;
use crate::engine::machine::Attempt;
use crate::engine::work::{Blobs, Failure, Outcome, WorkError};
use crate::media::ffmpeg::Toolkit;
use crate::records::CommandTrace;

/// A stage's way to the store.
pub struct StageBlobs<'a> {
    pub engine: &'a Engine,
    pub job: &'a Job,
    pub attempt: Attempt,
    /// Does it only hand on bytes, which is done where it is, and waits for no thread?
    pub light: bool,
    /// Blobs whose bytes this stage has checked.
    pub checked: Mutex<HashSet<ContentHash>>,
    /// A blob that somebody has shortened while the stage read it.
    pub broken: Mutex<Option<ContentHash>>,
}

/// Bytes that are read, and judged once more when that is over.
struct Reading<'a> {
    bytes: Bytes,
    hash: ContentHash,
    broken: &'a Mutex<Option<ContentHash>>,
}

impl Deref for Reading<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if !self.bytes.is_whole() {
            *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.hash);
        }
    }
}

impl StageBlobs<'_> {
    /// What came of the stage, unless it read what was not there: then nothing it made counts.
    pub fn judged(&self, node: usize, outcome: Outcome) -> Outcome {
        match *self.broken.lock().unwrap_or_else(PoisonError::into_inner) {
            None => outcome,
            Some(hash) => {
                let what = "its file was cut short while it was read".to_owned();
                let error = WorkError::Storage(EngineError::Damaged { hash, what });
                Outcome { failure: Some(Failure { node, error }), ..Outcome::default() }
            }
        }
    }

    /// Stores a node's value so that it stays until the run has ended; was it new?
    fn keep(
        &self,
        node: usize,
        put: impl Fn() -> Result<Stored, StoreError>,
    ) -> Result<(ContentHash, bool), EngineError> {
        let begun = Instant::now();
        let stored = loop {
            let stored = put()?;
            // What another run has made, too, may just be deleted with that run.
            if self.engine.count_on(self.job, stored.hash)? {
                break stored;
            }
        };
        if !stored.existing {
            // A damaged file may have been handed out until now.
            self.engine.0.opened.forget(&stored.hash);
        }
        self.job.stored(node, begun.elapsed());
        Ok((stored.hash, !stored.existing))
    }
}

impl Blobs for StageBlobs<'_> {
    fn read(&self, hash: &ContentHash) -> Result<Box<dyn Deref<Target = [u8]> + '_>, EngineError> {
        let bytes = self.engine.stage_read(hash)?;
        Ok(Box::new(Reading { bytes, hash: *hash, broken: &self.broken }))
    }

    fn write(&self, node: usize, bytes: &[u8]) -> Result<(ContentHash, bool), EngineError> {
        self.keep(node, || self.engine.0.store.put_bytes(bytes))
    }

    fn pool(&self) -> Option<&rayon::ThreadPool> {
        (!self.light).then_some(&self.engine.0.pool)
    }

    fn cancelled(&self) -> bool {
        self.job.is_stopped(self.attempt)
    }

    fn done(&self, node: usize) {
        let done = self.job.done.fetch_add(1, Ordering::Relaxed) + 1;
        self.job.node_ended(node);
        let nodes = self.job.plan.nodes.len() as u64;
        let id = self.job.plan.nodes[node].id.clone();
        self.engine.0.events.tell(self.job.run, What::Node { node: id, state: NodeState::Completed(None) });
        self.engine.0.events.tell(self.job.run, What::Progress { done, nodes });
    }
}

impl Studio for StageBlobs<'_> {
    fn toolkit(&self) -> Option<Arc<Toolkit>> {
        self.engine.0.tools.toolkit()
    }

    fn scratch(&self) -> Result<tempfile::TempDir, EngineError> {
        self.engine.scratch("stage-")
    }

    fn file_of(&self, hash: &ContentHash) -> Result<PathBuf, EngineError> {
        // Bytes are checked before anything is made of them: once, however often they are opened.
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if !checked.contains(hash) {
            self.engine.stage_check(hash)?;
            checked.insert(*hash);
        }
        Ok(self.engine.0.store.path_of(&self.engine.0.home, hash))
    }

    fn started(&self, command: CommandTrace) {
        self.job.ran(self.attempt.stage, command);
    }

    fn advance(&self, advance: &Advance) {
        let plan = &self.job.plan;
        let Advance { node, fraction, frames, seconds_left } = *advance;
        let stage = plan.stages[self.attempt.stage].nodes.len() as f64;
        let done = self.job.done.load(Ordering::Relaxed);
        let nodes = plan.nodes.len() as u64;
        self.engine.0.events.tell(
            self.job.run,
            What::Advance {
                node: plan.nodes[node].id.clone(),
                of_node: fraction,
                frames,
                seconds_left,
                done,
                nodes,
                fraction: (done as f64 + stage * fraction) / nodes as f64,
            },
        );
    }

    fn keep_file(&self, node: usize, file: &Path) -> Result<(ContentHash, bool), EngineError> {
        self.keep(node, || self.engine.0.store.copy_file(file)?.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cas::{RealDisk, Store};

    #[test]
    fn r19_what_is_cut_short_while_it_is_read_is_noticed() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(Arc::new(RealDisk::open(home.path()).unwrap())).unwrap();
        let hash = store.put_bytes(&vec![9; 200_000]).unwrap().hash;
        let broken = Mutex::new(None);
        let read = || {
            let bytes = Bytes::Mapped(Arc::new(store.open_blob(&hash, None).unwrap()));
            Reading { bytes, hash, broken: &broken }
        };
        assert!(read().iter().all(|byte| *byte == 9));
        assert_eq!(*broken.lock().unwrap(), None);
        let reading = read();
        let path = store.path_of(home.path(), &hash);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        std::fs::set_permissions(&path, mode).unwrap();
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(10).unwrap();
        assert!(reading.contains(&0));
        drop(reading);
        assert_eq!(*broken.lock().unwrap(), Some(hash));
    }
}
