//! Publications, described.

use serde::{Deserialize, Serialize};

use crate::base::{ContentHash, RunId, Timestamp};
use crate::records::DeliveryState;

/// A publication, and how far its delivery to L2 is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PublicationView {
    /// The run that was published; its activity is at `/activities/{run_id}`.
    pub run_id: RunId,
    /// The output.
    pub content_hash: ContentHash,
    /// SHA3-256 of its bytes: its name at L2.
    pub sha3_256: String,
    /// When it was accepted.
    pub published_at: Timestamp,
    /// What the delivery waits for.
    pub state: DeliveryState,
    /// Times that it was tried.
    pub attempts: u32,
    /// What came of the last try, unless L2 took it.
    pub error: Option<String>,
    /// When that was.
    pub tried_at: Option<Timestamp>,
    /// When it is tried again.
    pub next_at: Option<Timestamp>,
    /// When L2 had it.
    pub delivered_at: Option<Timestamp>,
}
