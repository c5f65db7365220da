//! A stage's way to the store and to the machine's tools.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::ContentHash;
use crate::engine::Engine;
use crate::engine::error::EngineError;
use crate::engine::events::{NodeState, What};
use crate::engine::film::Studio;
use crate::engine::job::Job;
use crate::engine::machine::Attempt;
use crate::engine::work::Blobs;
use crate::media::ffmpeg::Toolkit;

/// A stage's way to the store.
pub struct StageBlobs<'a> {
    pub engine: &'a Engine,
    pub job: &'a Job,
    pub attempt: Attempt,
    /// Does it only hand on bytes, which is done where it is, and waits for no thread?
    pub light: bool,
    /// Blobs whose bytes this stage has checked.
    pub checked: Mutex<HashSet<ContentHash>>,
}

impl Blobs for StageBlobs<'_> {
    fn read(&self, hash: &ContentHash) -> Result<Box<dyn std::ops::Deref<Target = [u8]> + '_>, EngineError> {
        Ok(Box::new(self.engine.stage_read(hash)?))
    }

    fn write(&self, bytes: &[u8]) -> Result<(ContentHash, bool), EngineError> {
        let stored = self.engine.0.store.put_bytes(bytes)?;
        Ok((stored.hash, !stored.existing))
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
            drop(self.engine.stage_read(hash)?);
            checked.insert(*hash);
        }
        Ok(self.engine.0.store.path_of(&self.engine.0.home, hash))
    }

    fn keep_file(&self, file: &Path) -> Result<(ContentHash, bool), EngineError> {
        let stored = self.engine.0.store.copy_file(file)?.finish()?;
        Ok((stored.hash, !stored.existing))
    }
}
