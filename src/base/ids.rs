//! Names that people and clients use: runs, nodes, assets.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::digest::ContentHash;
use crate::base::limits;

/// A run's id: a UUID of version 7, so that ids sort by the time they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunId(uuid::Uuid);

impl RunId {
    /// A new id. Ids made by one process are strictly increasing.
    pub fn new() -> Self {
        Self(uuid::Uuid::now_v7())
    }

    /// The 16 bytes, in sorting order.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(uuid::Uuid::from_bytes(bytes))
    }
}

impl Default for RunId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for RunId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        uuid::Uuid::parse_str(text).map(Self)
    }
}

/// A node's id within its config, as written there. Cloning shares the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(Arc<str>);

impl NodeId {
    /// The id with this text; the config's validation has checked its form.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// Why a text cannot name an asset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAssetName {
    /// Empty, or longer than [`limits::ASSET_NAME_BYTES`].
    #[error("an asset's name has 1 to {} bytes", limits::ASSET_NAME_BYTES)]
    Length,
    /// 64 hex digits would be taken for a content hash.
    #[error("an asset's name may not look like a content hash")]
    LooksLikeAHash,
    /// A character that paths, lists or terminals would trip over.
    #[error("an asset's name may not hold {0:?} (no slashes, commas, control characters, and no dot or dash first)")]
    Character(char),
}

/// The name of an asset: a friendly name of a blob.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AssetName(String);

impl AssetName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AssetName {
    type Err = BadAssetName;

    fn from_str(text: &str) -> Result<Self, BadAssetName> {
        if text.is_empty() || text.len() > limits::ASSET_NAME_BYTES {
            return Err(BadAssetName::Length);
        }
        let looks_like_a_hash = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if looks_like_a_hash || text.parse::<ContentHash>().is_ok() {
            return Err(BadAssetName::LooksLikeAHash);
        }
        if let Some(first) = text.chars().next().filter(|c| matches!(c, '.' | '-')) {
            return Err(BadAssetName::Character(first));
        }
        let refused = |c: &char| {
            c.is_control() || matches!(c, '/' | '\\' | ',' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        match text.chars().find(refused) {
            Some(c) => Err(BadAssetName::Character(c)),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl TryFrom<String> for AssetName {
    type Error = BadAssetName;

    fn try_from(text: String) -> Result<Self, BadAssetName> {
        text.parse()
    }
}

impl From<AssetName> for String {
    fn from(name: AssetName) -> Self {
        name.0
    }
}

impl fmt::Display for AssetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asset_names_are_checked() {
        for good in ["cat", "my cat (2).png", "кот", "a.b"] {
            assert!(good.parse::<AssetName>().is_ok(), "{good}");
        }
        for bad in ["", ".", "../x", "a/b", "a,b", "-x", &"f".repeat(64), &"F".repeat(64), "a\nb", &"x".repeat(300)] {
            assert!(bad.parse::<AssetName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn run_ids_increase() {
        let ids: Vec<RunId> = (0..1000).map(|_| RunId::new()).collect();
        assert!(ids.is_sorted());
    }
}
