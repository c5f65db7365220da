//! Rows of publications and of their delivery.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::{ContentHash, Timestamp};

/// What was published of a run: written once, and never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicationRow {
    /// The output.
    pub object: ContentHash,
    /// SHA3-256 of its bytes.
    pub sha3: [u8; 32],
    /// When it was accepted.
    pub published_at: Timestamp,
    /// Its place among all publications.
    pub sequence: u64,
    /// The activity as L2 gets it, signed with RSA: JSON.
    pub activity: String,
    /// The same activity signed with Ed25519, for bundles: JSON.
    pub sealed: String,
    /// What L2 is told of the run: JSON.
    pub record: String,
}

/// How far the delivery of a publication is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRow {
    /// What it waits for.
    pub state: DeliveryState,
    /// Parts that L2 has taken: the activity, then the record of the run.
    pub parts: u8,
    /// Times that it was tried.
    pub attempts: u32,
    /// What came of the last try, one sentence.
    pub error: Option<String>,
    /// When that was.
    pub tried_at: Option<Timestamp>,
    /// When it is tried again, as far as nobody asks before.
    pub next_at: Option<Timestamp>,
    /// When L2 had taken it all.
    pub delivered_at: Option<Timestamp>,
}

/// What a delivery waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// Signed and kept: no L2 is configured.
    Kept,
    /// It is sent as soon as L2 takes it.
    Waiting,
    /// L2 refuses it: an operator has to look. It is tried again, seldom.
    Refused,
    /// L2 has it.
    Delivered,
}

impl DeliveryState {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
            Self::Delivered => "delivered",
        }
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
