//! Making room: what can be made again is taken away, oldest use first.
//!
//! A value can be made again only while every tool in its making is the installed one and its
//! inputs exist. What a run, a config or a running plan holds is never taken.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;

use redb::ReadableTable as _;
use serde::{Deserialize, Serialize};

use crate::base::{ContentHash, Fingerprint, NodeKey, Timestamp};
use crate::cas::Found;
use crate::engine::error::EngineError;
use crate::engine::{Engine, tables};
use crate::media::codec;
use crate::nodes::{self, NodeType};
use crate::records::{BlobRow, KeyRow, MemoRow, Origin, Record, tables as names};

/// What was, or would be, taken away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Collected {
    /// Blobs taken away, oldest use first.
    pub evicted: Vec<ContentHash>,
    /// Their bytes.
    pub freed_bytes: u64,
    /// Files that no record named, taken away too.
    pub orphans: u64,
    /// Bytes of derived data that stay.
    pub derived_bytes: u64,
    /// The cap on derived data that was kept to.
    pub cap_bytes: u64,
    /// Was it only looked at?
    pub dry_run: bool,
}

/// Blobs with their rows.
type Blobs = Vec<(ContentHash, BlobRow)>;

impl Engine {
    /// Evicts until derived data has at most `max_bytes` (by default the home's cap).
    /// Files that no record names go too, but not beside a database that was new when they were
    /// there: then only if `orphans` says so.
    pub fn gc(&self, max_bytes: Option<u64>, orphans: bool, dry_run: bool) -> Result<Collected, EngineError> {
        let wanted = orphans;
        let _nobody_plans = self.evict()?;
        // A run that ends from here on has what it counted on in this set or in what is read below.
        let counted_on = self.jobs().values().flat_map(|job| job.counted_on()).collect();
        let (orphans, rows) = self.orphans()?;
        let lost = tables::number(&self.0.db, names::LOST_DATABASE)? == Some(1);
        if lost && !orphans.is_empty() && !wanted {
            return Err(EngineError::Refused(format!(
                "{} files in the cache are older than the database, which was lost or replaced: nothing is removed; \
                 add them again with `artdag cache add`, or remove them with `artdag cache gc --orphans`",
                orphans.len()
            )));
        }
        let cap = match max_bytes {
            Some(bytes) => bytes,
            None => tables::number(&self.0.db, names::DERIVED_CAP)?.unwrap_or(u64::MAX),
        };
        let mut derived: u64 =
            rows.iter().filter(|(_, row)| row.origin == Origin::Derived).map(|(_, row)| row.size).sum();
        let mut collected =
            Collected { cap_bytes: cap, dry_run, orphans: orphans.len() as u64, ..Collected::default() };
        for (hash, row) in self.evictable(rows, counted_on)? {
            if derived <= cap {
                break;
            }
            derived -= row.size;
            collected.freed_bytes += row.size;
            collected.evicted.push(hash);
        }
        collected.derived_bytes = derived;
        if !dry_run {
            self.take_away(&collected.evicted)?;
            for hash in orphans {
                self.0.store.remove(&hash)?;
            }
        }
        Ok(collected)
    }

    /// Bytes that derived data may still grow by.
    pub(super) fn derived_room(&self) -> Result<u64, EngineError> {
        let cap = tables::number(&self.0.db, names::DERIVED_CAP)?.unwrap_or(u64::MAX);
        let used = tables::number(&self.0.db, names::DERIVED_BYTES)?.unwrap_or(0);
        Ok(cap.saturating_sub(used))
    }

    /// Evicts what is over the cap, if anything is.
    pub(super) fn keep_to_the_cap(&self) {
        let over = self.derived_room().is_ok_and(|room| room == 0);
        if over && let Err(error) = self.gc(None, false, false) {
            tracing::warn!(%error, "room cannot be made");
        }
    }

    /// Files of the store that no record names, and all records. No files while runs are under way
    /// or come in from elsewhere, whose blobs may be about to be recorded.
    pub(super) fn orphans(&self) -> Result<(Vec<ContentHash>, Blobs), EngineError> {
        let mut files = Vec::new();
        if self.jobs().is_empty() && self.0.bringing.load(Ordering::Acquire) == 0 {
            for found in &self.0.store {
                if let Found::Blob { hash, .. } = found? {
                    files.push(hash);
                }
            }
        }
        // Read last: whatever was stored and recorded meanwhile has its record here.
        let rows = self.blobs()?;
        let known: HashSet<ContentHash> = rows.iter().map(|(hash, _)| *hash).collect();
        files.retain(|hash| !known.contains(hash));
        Ok((files, rows))
    }

    /// Derived blobs that nothing holds, no run counts on and that can be made again, oldest use first.
    fn evictable(&self, rows: Blobs, counted_on: HashSet<ContentHash>) -> Result<Blobs, EngineError> {
        let mut held = self.held_blobs()?;
        held.extend(counted_on);
        let present: HashSet<ContentHash> = rows.iter().map(|(hash, _)| *hash).collect();
        let mut remaking = Remaking { keys: self.key_rows()?, present, verdicts: HashMap::new() };
        let mut keys_of: HashMap<ContentHash, Vec<NodeKey>> = HashMap::new();
        for (key, MemoRow { hash, .. }) in self.memo_rows()? {
            keys_of.entry(hash).or_default().push(key);
        }
        let mut evictable: Vec<(ContentHash, BlobRow)> = rows
            .into_iter()
            .filter(|(hash, row)| row.origin == Origin::Derived && !held.contains(hash))
            .filter(|(hash, _)| keys_of.get(hash).is_some_and(|keys| keys.iter().all(|key| remaking.is_possible(key))))
            .collect();
        evictable.sort_by_key(|(hash, row)| (row.used_at, *hash));
        Ok(evictable)
    }

    fn held_blobs(&self) -> Result<HashSet<ContentHash>, EngineError> {
        let held = self.0.db.read(|tx| {
            let table = tx.open_table(names::HOLDERS)?;
            let mut held = HashSet::new();
            for row in table.iter()? {
                let (key, _) = row?;
                if let Some(Ok(hash)) = key.value().get(..32).map(<[u8; 32]>::try_from) {
                    held.insert(ContentHash::from_bytes(hash));
                }
            }
            Ok(held)
        })?;
        Ok(held)
    }

    fn key_rows(&self) -> Result<HashMap<NodeKey, KeyRow>, EngineError> {
        let rows = self.0.db.read(|tx| {
            let table = tx.open_table(names::KEYS)?;
            let mut rows = HashMap::new();
            for row in table.iter()? {
                let (key, bytes) = row?;
                rows.insert(NodeKey::from_bytes(*key.value()), KeyRow::from_bytes(bytes.value())?);
            }
            Ok(rows)
        })?;
        Ok(rows)
    }

    /// When a blob was last used, for tests and reports.
    pub fn used_at(&self, hash: &ContentHash) -> Result<Option<Timestamp>, EngineError> {
        Ok(self.blob_row(hash)?.map(|row| row.used_at))
    }
}

/// Can the results of keys be made again here and now?
struct Remaking {
    keys: HashMap<NodeKey, KeyRow>,
    present: HashSet<ContentHash>,
    verdicts: HashMap<NodeKey, bool>,
}

impl Remaking {
    /// Walks the inputs of a key without recursion: chains are long.
    fn is_possible(&mut self, key: &NodeKey) -> bool {
        let mut stack = vec![(*key, false)];
        while let Some((key, inputs_judged)) = stack.pop() {
            if self.verdicts.contains_key(&key) {
                continue;
            }
            let Some(row) = self.keys.get(&key) else {
                self.verdicts.insert(key, false);
                continue;
            };
            if let Some(content) = row.content {
                self.verdicts.insert(key, self.present.contains(&content));
            } else if inputs_judged {
                let inputs = row.inputs.iter().all(|input| self.verdicts.get(input) == Some(&true));
                let verdict = inputs && is_current(row);
                self.verdicts.insert(key, verdict);
            } else {
                stack.push((key, true));
                stack.extend(row.inputs.iter().map(|input| (*input, false)));
            }
        }
        self.verdicts.get(key) == Some(&true)
    }
}

/// Are the node type and all tools of a key the installed ones?
fn is_current(row: &KeyRow) -> bool {
    let encode: &dyn NodeType = &nodes::ENCODE;
    let node_type = nodes::find(&row.node_type).or((row.node_type == encode.name()).then_some(encode));
    node_type.is_some_and(|node_type| node_type.version() == row.version)
        && row.tools.iter().all(|(name, hash)| installed(name).contains(hash))
}

/// The identities that a tool of this name has here; a codec may have several settings.
fn installed(name: &str) -> Vec<Fingerprint> {
    if let Some(effect) = name.strip_prefix("effect:") {
        return crate::effects::find(effect).map(crate::effects::hash).into_iter().collect();
    }
    codec::all().filter(|codec| codec.name == name).map(|codec| codec.hash()).collect()
}
