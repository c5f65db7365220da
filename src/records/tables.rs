//! The tables, and the bytes of their keys.

use redb::TableDefinition;

use crate::base::{ContentHash, RunId};
use crate::records::rows::Holder;

/// A table from hashes.
pub type ByHash = TableDefinition<'static, &'static [u8; 32], &'static [u8]>;

/// Run id → [`super::RunRow`]. Ids sort by time.
pub const RUNS: TableDefinition<'static, &'static [u8; 16], &'static [u8]> = TableDefinition::new("runs");
/// Ids of runs that have not ended, so that a start need not look at all runs.
pub const UNFINISHED: TableDefinition<'static, &'static [u8; 16], ()> = TableDefinition::new("unfinished");
/// Node key → [`super::MemoRow`].
pub const MEMO: ByHash = TableDefinition::new("memo");
/// Node key → [`super::KeyRow`].
pub const KEYS: ByHash = TableDefinition::new("keys");
/// Content hash → [`super::BlobRow`].
pub const BLOBS: ByHash = TableDefinition::new("blobs");
/// Content hash → the bytes of a small blob.
pub const INLINE: ByHash = TableDefinition::new("inline");
/// Content hash and holder (see [`holder_key`]) → nothing.
pub const HOLDERS: TableDefinition<'static, &'static [u8], ()> = TableDefinition::new("holders");
/// Asset name → [`super::AssetRow`].
pub const ASSETS: TableDefinition<'static, &'static str, &'static [u8]> = TableDefinition::new("assets");
/// Config id → [`super::ConfigRow`].
pub const CONFIGS: ByHash = TableDefinition::new("configs");
/// Fingerprint → [`super::InfraRow`].
pub const INFRA: ByHash = TableDefinition::new("infra");
/// Token id → [`super::TokenRow`].
pub const TOKENS: TableDefinition<'static, &'static str, &'static [u8]> = TableDefinition::new("tokens");
/// Hash of a session's id → [`super::SessionRow`].
pub const SESSIONS: ByHash = TableDefinition::new("sessions");
/// Counters and settings of the home by name.
pub const NUMBERS: TableDefinition<'static, &'static str, u64> = TableDefinition::new("numbers");

/// Bytes of derived blobs in the store, a row of [`NUMBERS`].
pub const DERIVED_BYTES: &str = "derived_bytes";
/// The cap on these, a row of [`NUMBERS`].
pub const DERIVED_CAP: &str = "derived_cap";
/// 1 if the database was new beside a cache that was not: files that no record names are then
/// somebody's, a row of [`NUMBERS`].
pub const LOST_DATABASE: &str = "lost_database";
/// The last sequence number given, a row of [`NUMBERS`].
pub const SEQUENCE: &str = "sequence";

/// The key of a holder row: hash, a byte for the kind of holder, the holder's id.
pub fn holder_key(hash: &ContentHash, holder: &Holder) -> Vec<u8> {
    let (kind, id): (u8, &[u8]) = match holder {
        Holder::RunInput(run) => (0, run.as_bytes()),
        Holder::RunOutput(run) => (1, run.as_bytes()),
        Holder::RunProvenance(run) => (2, run.as_bytes()),
        Holder::RunConfig(run) => (3, run.as_bytes()),
        Holder::ConfigInput(config) => (4, config.as_bytes()),
        Holder::ConfigText(config) => (5, config.as_bytes()),
    };
    let mut key = hash.as_bytes().to_vec();
    key.push(kind);
    key.extend_from_slice(id);
    key
}

/// The holder in a holder row's key; `None` for a key of another form.
pub fn holder_of(key: &[u8]) -> Option<Holder> {
    let (kind, id) = (*key.get(32)?, key.get(33..)?);
    let run = || Some(RunId::from_bytes(id.try_into().ok()?));
    let config = || Some(ContentHash::from_bytes(id.try_into().ok()?));
    match kind {
        0 => run().map(Holder::RunInput),
        1 => run().map(Holder::RunOutput),
        2 => run().map(Holder::RunProvenance),
        3 => run().map(Holder::RunConfig),
        4 => config().map(Holder::ConfigInput),
        5 => config().map(Holder::ConfigText),
        _ => None,
    }
}

/// The range of holder rows of a hash: from it, up to the next one.
pub fn holders_of(hash: &ContentHash) -> std::ops::RangeInclusive<Vec<u8>> {
    let from = hash.as_bytes().to_vec();
    let mut to = from.clone();
    to.extend([0xff; 34]);
    from..=to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holder_keys_round_trip_within_their_range() {
        let hash = ContentHash::of(b"x");
        let run = RunId::new();
        let config = ContentHash::of(b"y");
        for holder in [
            Holder::RunInput(run),
            Holder::RunOutput(run),
            Holder::RunProvenance(run),
            Holder::RunConfig(run),
            Holder::ConfigInput(config),
            Holder::ConfigText(config),
        ] {
            let key = holder_key(&hash, &holder);
            assert_eq!(holder_of(&key), Some(holder));
            assert!(holders_of(&hash).contains(&key));
            assert!(!holders_of(&ContentHash::of(b"z")).contains(&key));
        }
        assert_eq!(holder_of(b"short"), None);
    }
}
