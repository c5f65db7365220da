//! The tables, and the bytes of their keys.

use redb::TableDefinition;

use crate::base::{ContentHash, NodeKey, RunId};
use crate::records::rows::{Holder, RunStatus};

/// A table from hashes.
pub type ByHash = TableDefinition<'static, &'static [u8; 32], &'static [u8]>;

/// A table of pairs: the bytes of one id and then of the other.
pub type ByPair = TableDefinition<'static, &'static [u8], ()>;

/// Run id → [`super::RunRow`]. Ids sort by time.
pub const RUNS: TableDefinition<'static, &'static [u8; 16], &'static [u8]> = TableDefinition::new("runs");
/// Id of a run that has not ended → 1 if it was started, so that a start need not look at all runs.
pub const UNFINISHED: TableDefinition<'static, &'static [u8; 16], u8> = TableDefinition::new("unfinished");
/// Runs that ended without an output, by id: 1 for those that were cancelled.
pub const UNSUCCESSFUL: TableDefinition<'static, &'static [u8; 16], u8> = TableDefinition::new("unsuccessful");
/// Node key → [`super::MemoRow`].
pub const MEMO: ByHash = TableDefinition::new("memo");
/// Node key → [`super::KeyRow`].
pub const KEYS: ByHash = TableDefinition::new("keys");
/// Content hash → [`super::BlobRow`].
pub const BLOBS: ByHash = TableDefinition::new("blobs");
/// Content hash → [`super::ProbeRow`].
pub const PROBES: ByHash = TableDefinition::new("probes");
/// A blob's sequence number → its hash, so that the newest are listed first.
pub const BLOB_ORDER: TableDefinition<'static, u64, &'static [u8; 32]> = TableDefinition::new("blob_order");
/// Content hash and node key → nothing: the keys whose result a blob is (the memo, turned round).
pub const MADE: ByPair = TableDefinition::new("made");
/// Content hash and asset name → nothing (the assets, turned round).
pub const NAMES: TableDefinition<'static, &'static [u8], ()> = TableDefinition::new("names");
/// Run id and content hash → nothing: values that the run made or took as known.
pub const VALUES: ByPair = TableDefinition::new("values");
/// Content hash and run id → nothing: the same, turned round.
pub const USERS: ByPair = TableDefinition::new("users");
/// Priority and sequence (see [`queue_key`]) → id of a run that waits to be started.
pub const QUEUE: TableDefinition<'static, &'static [u8; 12], &'static [u8; 16]> = TableDefinition::new("queue");
/// Run id → [`super::TraceRow`].
pub const TRACES: TableDefinition<'static, &'static [u8; 16], &'static [u8]> = TableDefinition::new("traces");
/// Run id and number of a stage (see [`stage_key`]) → [`super::CommandsRow`]: what it ran.
pub const COMMANDS: TableDefinition<'static, &'static [u8; 20], &'static [u8]> = TableDefinition::new("commands");
/// Run id and node key → how often the stage with this node brought the process down alone.
pub const SUSPECTS: TableDefinition<'static, &'static [u8; 48], u32> = TableDefinition::new("suspects");
/// Caller and idempotency key → [`super::IdempotencyRow`].
pub const IDEMPOTENCY: TableDefinition<'static, &'static str, &'static [u8]> = TableDefinition::new("idempotency");
/// A blob's sequence number → the bytes of a small blob. By number, as rows of a commit then lie together.
pub const RECORDS: TableDefinition<'static, u64, &'static [u8]> = TableDefinition::new("records");
/// Content hash and holder (see [`holder_key`]) → nothing. The run of a provenance record stands in
/// the record's [`super::BlobRow`].
pub const HOLDERS: TableDefinition<'static, &'static [u8], ()> = TableDefinition::new("holders");
/// Asset name → [`super::AssetRow`].
pub const ASSETS: TableDefinition<'static, &'static str, &'static [u8]> = TableDefinition::new("assets");
/// Config id → [`super::ConfigRow`].
pub const CONFIGS: ByHash = TableDefinition::new("configs");
/// Fingerprint → [`super::InfraRow`].
pub const INFRA: ByHash = TableDefinition::new("infra");
/// Sequence number of a provenance record's blob → [`super::SealRow`].
pub const SIGNATURES: TableDefinition<'static, u64, &'static [u8]> = TableDefinition::new("signatures");
/// Token id → [`super::TokenRow`].
pub const TOKENS: TableDefinition<'static, &'static str, &'static [u8]> = TableDefinition::new("tokens");
/// Hash of a session's id → [`super::SessionRow`].
pub const SESSIONS: ByHash = TableDefinition::new("sessions");
/// Run id → [`super::PublicationRow`].
pub const PUBLICATIONS: TableDefinition<'static, &'static [u8; 16], &'static [u8]> =
    TableDefinition::new("publications");
/// Run id → [`super::DeliveryRow`] of its publication.
pub const DELIVERIES: TableDefinition<'static, &'static [u8; 16], &'static [u8]> = TableDefinition::new("deliveries");
/// A publication's sequence number → its run, so that the newest are listed first.
pub const PUBLICATION_ORDER: TableDefinition<'static, u64, &'static [u8; 16]> =
    TableDefinition::new("publication_order");
/// The same for those that L2 does not have yet.
pub const OUTBOX: TableDefinition<'static, u64, &'static [u8; 16]> = TableDefinition::new("outbox");
/// SHA3-256 of a published output → the run of its publication.
pub const PUBLISHED: TableDefinition<'static, &'static [u8; 32], &'static [u8; 16]> = TableDefinition::new("published");
/// Number of a change (see [`subject_key`]) → what changed: what the mirror has yet to be told.
pub const CHANGES: TableDefinition<'static, u64, &'static [u8]> = TableDefinition::new("changes");
/// Run id → [`super::TaskRow`], for runs that came as tasks.
pub const TASKS: TableDefinition<'static, &'static [u8; 16], &'static [u8]> = TableDefinition::new("tasks");
/// Run id → nothing: tasks whose run has ended and whose caller has yet to be answered.
pub const OWED: TableDefinition<'static, &'static [u8; 16], ()> = TableDefinition::new("owed");
/// SHA3-256 of bytes → their content hash.
pub const ALIASES: TableDefinition<'static, &'static [u8; 32], &'static [u8; 32]> = TableDefinition::new("aliases");
/// Id of a run of the original → its id here.
pub const RUN_ALIASES: TableDefinition<'static, &'static [u8; 16], &'static [u8; 16]> =
    TableDefinition::new("run_aliases");
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
/// 1 while no run is begun, a row of [`NUMBERS`].
pub const QUEUE_PAUSED: &str = "queue_paused";
/// Blobs recorded, a row of [`NUMBERS`].
pub const BLOB_COUNT: &str = "blob_count";
/// Bytes of these, a row of [`NUMBERS`].
pub const BLOB_BYTES: &str = "blob_bytes";

/// The last number of a change, a row of [`NUMBERS`].
pub const CHANGE: &str = "change";
/// 1 while changes are noted, a row of [`NUMBERS`].
pub const CHANGES_NOTED: &str = "changes_noted";
/// How often noting was begun: numbers of changes mean nothing beyond that, a row of [`NUMBERS`].
pub const CHANGES_EPOCH: &str = "changes_epoch";
/// The last change that was let go of, a row of [`NUMBERS`].
pub const CHANGES_GONE: &str = "changes_gone";
/// A number that no other home has, a row of [`NUMBERS`].
pub const HOME_ID: &str = "home_id";

/// The row of [`NUMBERS`] that counts runs of a status.
pub const fn run_count(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Pending => "runs_pending",
        RunStatus::Running => "runs_running",
        RunStatus::Completed => "runs_completed",
        RunStatus::Failed => "runs_failed",
        RunStatus::Cancelled => "runs_cancelled",
    }
}

/// The key of a queue row: higher priorities first, then in the order of acceptance.
pub fn queue_key(priority: i32, sequence: u64) -> [u8; 12] {
    let mut key = [0; 12];
    // Flipping all bits but the sign turns the order round, and makes it one of unsigned numbers.
    key[..4].copy_from_slice(&(!priority.cast_unsigned() ^ 0x8000_0000).to_be_bytes());
    key[4..].copy_from_slice(&sequence.to_be_bytes());
    key
}

/// The key of a row of [`SUSPECTS`].
pub fn suspect_key(run: &RunId, node: &NodeKey) -> [u8; 48] {
    let mut key = [0; 48];
    key[..16].copy_from_slice(run.as_bytes());
    key[16..].copy_from_slice(node.as_bytes());
    key
}

/// The key of a row of [`COMMANDS`]; those of a run are together, in order.
pub fn stage_key(run: &RunId, stage: u32) -> [u8; 20] {
    let mut key = [0; 20];
    key[..16].copy_from_slice(run.as_bytes());
    key[16..].copy_from_slice(&stage.to_be_bytes());
    key
}

/// What changed: a run (its id) or what a blob is the result of (its hash).
pub fn subject_key(kind: u8, id: &[u8]) -> Vec<u8> {
    [&[kind], id].concat()
}

/// The key of a row of pairs.
pub fn pair(first: &[u8], second: &[u8]) -> Vec<u8> {
    [first, second].concat()
}

/// The range of rows of pairs that begin with this id.
pub fn pairs_of(first: &[u8]) -> std::ops::RangeInclusive<Vec<u8>> {
    let mut end = first.to_vec();
    // Longer than any second half.
    end.extend([0xff; 256]);
    first.to_vec()..=end
}

/// The key of a holder row: hash, a byte for the kind of holder, the holder's id.
pub fn holder_key(hash: &ContentHash, holder: &Holder) -> Vec<u8> {
    let (kind, id): (u8, &[u8]) = match holder {
        Holder::RunInput(run) => (0, run.as_bytes()),
        Holder::RunOutput(run) => (1, run.as_bytes()),
        Holder::RunProvenance(run) => (2, run.as_bytes()),
        Holder::RunConfig(run) => (3, run.as_bytes()),
        Holder::ConfigInput(config) => (4, config.as_bytes()),
        Holder::ConfigText(config) => (5, config.as_bytes()),
        Holder::PublishedOutput(run) => (16, run.as_bytes()),
        Holder::PublishedInput(run) => (17, run.as_bytes()),
        Holder::PublishedRecord(run) => (18, run.as_bytes()),
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
        16 => run().map(Holder::PublishedOutput),
        17 => run().map(Holder::PublishedInput),
        18 => run().map(Holder::PublishedRecord),
        _ => None,
    }
}

/// The range of holder rows of a hash by which it is published: as an output alone, or as anything.
pub fn publications_of(hash: &ContentHash, outputs_alone: bool) -> std::ops::Range<Vec<u8>> {
    let of = |kind: u8| [hash.as_bytes().as_slice(), &[kind]].concat();
    of(16)..of(if outputs_alone { 17 } else { 19 })
}

/// The range of holder rows of a hash whose holders are runs that it is the output of.
pub fn runs_that_gave(hash: &ContentHash) -> std::ops::Range<Vec<u8>> {
    let of = |kind: u8| [hash.as_bytes().as_slice(), &[kind]].concat();
    of(1)..of(2)
}

/// The range of holder rows of a hash: from it, up to the next one.
pub fn holders_of(hash: &ContentHash) -> std::ops::RangeInclusive<Vec<u8>> {
    pairs_of(hash.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_in_order_of_priority_and_then_of_acceptance() {
        let order = [(i32::MAX, 9), (1, 3), (0, 1), (0, 2), (0, 300), (-1, 0), (i32::MIN, 4)];
        let keys: Vec<[u8; 12]> = order.iter().map(|(priority, sequence)| queue_key(*priority, *sequence)).collect();
        assert!(keys.is_sorted());
    }

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
            Holder::PublishedOutput(run),
            Holder::PublishedInput(run),
            Holder::PublishedRecord(run),
        ] {
            let key = holder_key(&hash, &holder);
            assert_eq!(holder_of(&key), Some(holder));
            assert!(holders_of(&hash).contains(&key));
            assert!(!holders_of(&ContentHash::of(b"z")).contains(&key));
            assert_eq!(publications_of(&hash, false).contains(&key), holder.is_publication());
            let is_output = matches!(holder, Holder::PublishedOutput(_));
            assert_eq!(publications_of(&hash, true).contains(&key), is_output);
        }
        assert_eq!(holder_of(b"short"), None);
    }
}
