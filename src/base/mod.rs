//! What every other module may use: names of content, ids, the clock, limits, canonical
//! JSON, parameter schemas.
//!
//! It does no I/O but to read the clock, and knows nothing of media, storage or runs.

pub mod canonical;
pub mod clock;
pub mod digest;
pub mod ids;
pub mod limits;
pub mod params;
pub mod schema;
pub mod secret;
pub mod suggest;

pub use clock::Timestamp;
pub use digest::{ContentHash, Fingerprint, NodeKey};
pub use ids::{AssetName, NodeId, RunId};
pub use params::Params;
pub use secret::Secret;
