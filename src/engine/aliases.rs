//! Hashes and ids of the original, by which contents and runs can be named too.

use crate::base::{ContentHash, RunId};
use crate::db::DbError;
use crate::engine::Engine;
use crate::engine::error::EngineError;
use crate::records::tables as names;

/// Says what bytes are called by the original, within a write.
pub(super) fn put(tx: &redb::WriteTransaction, sha3: &[u8; 32], hash: &ContentHash) -> Result<(), DbError> {
    tx.open_table(names::ALIASES)?.insert(sha3, hash.as_bytes())?;
    Ok(())
}

impl Engine {
    /// The content that the original calls by this hash, if it was moved in.
    pub fn alias(&self, sha3: &ContentHash) -> Result<Option<ContentHash>, EngineError> {
        let hash = self.0.db.read(|tx| {
            let table = tx.open_table(names::ALIASES)?;
            Ok(table.get(sha3.as_bytes())?.map(|hash| ContentHash::from_bytes(*hash.value())))
        })?;
        Ok(hash)
    }

    /// Our name of what a hash names: itself if we have such a blob, else it may be one of the
    /// original's. A hash that nothing is known of is itself.
    pub fn ours(&self, hash: ContentHash) -> Result<ContentHash, EngineError> {
        if self.blob_row(&hash)?.is_some() {
            return Ok(hash);
        }
        Ok(self.alias(&hash)?.unwrap_or(hash))
    }

    /// The content that a word names: a hash, or an asset.
    pub fn content_named(&self, word: &str) -> Result<ContentHash, EngineError> {
        match word.parse() {
            Ok(hash) => self.ours(hash),
            Err(_) => self.asset(word),
        }
    }

    /// Our id of a run that the original may have called by this one.
    pub fn our_run(&self, run: RunId) -> Result<RunId, EngineError> {
        let ours = self.0.db.read(|tx| {
            let table = tx.open_table(names::RUN_ALIASES)?;
            Ok(table.get(run.as_bytes())?.map(|run| RunId::from_bytes(*run.value())))
        })?;
        Ok(ours.unwrap_or(run))
    }
}
