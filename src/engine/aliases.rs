//! Hashes of the original, by which contents can be named too.

use crate::base::ContentHash;
use crate::db::DbError;
use crate::engine::Engine;
use crate::engine::error::EngineError;
use crate::records::tables as names;

/// What is written before a hash of the original.
pub const SHA3: &str = "sha3-256:";

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

    /// The content that a hash names. A bare one is ours if we have such a blob, and else may be
    /// the original's. `None` if the word is no hash; a hash that nothing is known of is itself.
    pub fn content_of(&self, word: &str) -> Result<Option<ContentHash>, EngineError> {
        if let Some(sha3) = word.strip_prefix(SHA3) {
            let missing = || EngineError::NotFound { what: "blob", name: word.to_owned(), hint: String::new() };
            let sha3 = sha3.parse().map_err(|error| EngineError::Input(format!("{word:?}: {error}")))?;
            return self.alias(&sha3)?.ok_or_else(missing).map(Some);
        }
        let Ok(hash) = word.parse::<ContentHash>() else { return Ok(None) };
        self.ours(hash).map(Some)
    }

    /// The same for a hash that was read already.
    pub fn ours(&self, hash: ContentHash) -> Result<ContentHash, EngineError> {
        if self.blob_row(&hash)?.is_some() {
            return Ok(hash);
        }
        Ok(self.alias(&hash)?.unwrap_or(hash))
    }

    /// The content that a word names: by a hash, or as an asset.
    pub fn content_named(&self, word: &str) -> Result<ContentHash, EngineError> {
        match self.content_of(word)? {
            Some(hash) => Ok(hash),
            None => self.asset(word),
        }
    }
}
