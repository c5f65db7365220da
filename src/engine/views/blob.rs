//! Blobs, described.

use serde::{Deserialize, Serialize};

use crate::base::{ContentHash, RunId, Timestamp};
use crate::engine::Engine;
use crate::engine::error::EngineError;
use crate::records::{BlobRow, Holder, Origin};

/// Everything that is known of a blob.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BlobInfo {
    /// Its name.
    pub content_hash: ContentHash,
    /// Bytes.
    pub size: u64,
    /// Its type, by our own sniffing.
    pub media_type: String,
    /// Pixels across, of a picture or film that can be decoded.
    pub width: Option<u32>,
    /// Pixels down.
    pub height: Option<u32>,
    /// Seconds, of what has a duration.
    pub duration: Option<f64>,
    /// Assets that name it.
    pub names: Vec<String>,
    /// When it came.
    pub created_at: Timestamp,
    /// How it came.
    pub origin: Origin,
    /// The run and node that made it.
    pub made_by: Option<MadeBy>,
    /// What holds it.
    pub used_by: Vec<String>,
    /// Is it published?
    pub published: bool,
    /// May it be deleted?
    pub deletable: bool,
    /// Why not.
    pub because: Option<String>,
    /// Why it cannot be decoded.
    pub damage: Option<String>,
}

/// Who made a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MadeBy {
    /// The run.
    pub run: RunId,
    /// Its node, as far as the run is still recorded.
    pub node: Option<String>,
}

impl Engine {
    /// What is recorded of a blob.
    pub fn describe(&self, hash: &ContentHash) -> Result<BlobRow, EngineError> {
        let missing = || EngineError::NotFound { what: "blob", name: hash.to_string(), hint: String::new() };
        self.blob_row(hash)?.ok_or_else(missing)
    }

    /// The run and node that made a blob, if one did.
    pub fn made_by(&self, hash: &ContentHash) -> Result<Option<MadeBy>, EngineError> {
        if self.describe(hash)?.origin != Origin::Derived {
            return Ok(None);
        }
        let Some(key) = self.keys_of(hash)?.first().copied() else { return Ok(None) };
        let Some(row) = self.memo(&key)? else { return Ok(None) };
        let plan = self.run_plan(row.run).ok();
        let node = plan.and_then(|plan| plan.nodes.into_iter().find(|node| node.key == Some(key)));
        Ok(Some(MadeBy { run: row.run, node: node.map(|node| node.id.to_string()) }))
    }

    /// Everything that is known of a blob, for people.
    pub fn blob_info(&self, hash: &ContentHash) -> Result<BlobInfo, EngineError> {
        let hash = &self.ours(*hash)?;
        let row = self.describe(hash)?;
        let because = self.undeletable(hash)?;
        let holders = self.holders(hash)?;
        // Looked at once; of a machine without ffmpeg nothing is known, which is no damage.
        let clip = if self.has_ffmpeg() { self.clip_of(hash, &row)? } else { None };
        let (facts, damage) = match clip {
            Some(Ok(clip)) => (clip.facts(), None),
            Some(Err(damage)) => (None, Some(damage)),
            None => (None, None),
        };
        let size = facts.as_ref().filter(|facts| facts.width > 0).map(|facts| (facts.width, facts.height));
        let dimensions = size.or(row.dimensions);
        Ok(BlobInfo {
            content_hash: *hash,
            size: row.size,
            media_type: row.media_type,
            width: dimensions.map(|(width, _)| width),
            height: dimensions.map(|(_, height)| height),
            duration: facts.map(|facts| (facts.seconds() * 1000.0).round() / 1000.0),
            names: self.names_of(hash)?,
            created_at: row.created_at,
            origin: row.origin,
            made_by: self.made_by(hash)?,
            used_by: holders.iter().map(ToString::to_string).collect(),
            published: holders.iter().any(Holder::is_publication),
            deletable: because.is_none(),
            because,
            damage: row.damage.or(damage),
        })
    }
}
