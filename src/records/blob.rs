//! The row of a blob.

use serde::{Deserialize, Serialize};

use crate::base::{RunId, Timestamp};
use crate::db::{self, CodecError};
use crate::records::codec::Record;

/// A blob: what is known of it beside its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobRow {
    /// Bytes.
    pub size: u64,
    /// How it came here.
    pub origin: Origin,
    /// When it came.
    pub created_at: Timestamp,
    /// When a run last used it.
    pub used_at: Timestamp,
    /// The bytes' type, by our own sniffing, as a MIME type.
    pub media_type: String,
    /// Upright width and height of a picture.
    pub dimensions: Option<(u32, u32)>,
    /// Has the picture more than one frame?
    pub animated: bool,
    /// Why a picture cannot be decoded.
    pub damage: Option<String>,
    /// Are the bytes in the database itself?
    pub inline: bool,
    /// Its place among all blobs, in the order in which they came.
    pub sequence: u64,
    /// The run whose provenance record it is: it holds the blob. Here rather than among the holders,
    /// as this row is written with the record anyway.
    pub record_of: Option<RunId>,
}

/// How a blob came into the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Somebody brought it: it cannot be made again.
    Upload,
    /// A run made it.
    Derived,
    /// A config or a provenance record.
    Record,
}

/// A blob as version 2 has it.
#[derive(Serialize, Deserialize)]
struct Second {
    size: u64,
    origin: Origin,
    created_at: Timestamp,
    used_at: Timestamp,
    media_type: String,
    dimensions: Option<(u32, u32)>,
    animated: bool,
    damage: Option<String>,
    inline: bool,
    sequence: u64,
}

impl From<Second> for BlobRow {
    fn from(second: Second) -> Self {
        let Second { size, origin, created_at, used_at, media_type, dimensions, animated, damage, inline, sequence } =
            second;
        let record_of = None;
        Self {
            size,
            origin,
            created_at,
            used_at,
            media_type,
            dimensions,
            animated,
            damage,
            inline,
            sequence,
            record_of,
        }
    }
}

impl Record for BlobRow {
    const VERSION: u8 = 3;

    fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        match bytes.first() {
            Some(2) => db::decode::<Second>(2, bytes).map(Self::from),
            _ => db::decode(Self::VERSION, bytes),
        }
    }
}
