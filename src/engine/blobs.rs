//! Blobs: taken in, read, described, checked, removed.

use std::io::Read;
use std::ops::Deref;
use std::path::Path;

use redb::ReadableTable as _;
use serde::{Deserialize, Serialize};

use crate::base::limits::SMALL_BLOB_BYTES;
use crate::base::{AssetName, ContentHash, NodeKey, Timestamp};
use crate::cas::{Blob, StoreError, Stored, Verdict};
use crate::engine::error::EngineError;
use crate::engine::references::Freed;
use crate::engine::{Engine, tables};
use crate::media::{MediaType, SourceFacts, probe};
use crate::records::tables as names;
use crate::records::{BlobRow, Holder, Origin, Record};

/// A blob's bytes: mapped, or held where they are small and came from the database.
pub enum Bytes {
    /// From the store.
    Mapped(Blob),
    /// From the database.
    Inline(Vec<u8>),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(blob) => blob,
            Self::Inline(bytes) => bytes,
        }
    }
}

/// What taking in a blob answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Its name.
    pub content_hash: ContentHash,
    /// Its bytes.
    pub size: u64,
    /// Its type, by our own sniffing.
    pub media_type: String,
    /// The asset that names it, if it was named.
    pub name: Option<AssetName>,
    /// Was it here before?
    pub existing: bool,
}

/// What checking all blobs found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyReport {
    /// Blobs checked.
    pub checked: u64,
    /// Bytes hashed.
    pub bytes: u64,
    /// Blobs whose bytes are not what their names say, or that are gone; and what that means.
    pub damaged: Vec<Damage>,
    /// Files in the store that no record names.
    pub orphans: u64,
}

/// A blob that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// Its name.
    pub content_hash: ContentHash,
    /// What is wrong.
    pub what: String,
    /// How it came here; what was derived can be made again.
    pub origin: Origin,
    /// Assets that name it.
    pub names: Vec<String>,
}

impl Engine {
    /// Takes in all that `input` gives, and names it if asked. Memory does not grow with it.
    pub fn add(&self, input: &mut dyn Read, name: Option<AssetName>) -> Result<Upload, EngineError> {
        // Until it is recorded nobody may take it for a file that belongs to nothing.
        let _unrecorded = self.keep_all();
        let stored = self.0.store.copy_in(input, None)?;
        self.record_upload(stored.hash, stored.size, name)
    }

    /// Takes in a copy of a user's file.
    pub fn add_file(&self, path: &Path, name: Option<AssetName>) -> Result<Upload, EngineError> {
        let _unrecorded = self.keep_all();
        let stored = self.put_sound(&|| {
            self.0.store.copy_in_file(path, None).map_err(|error| match &error {
                StoreError::Io { path: of, source, .. } if of == path => EngineError::file(path, source),
                StoreError::Input(source) => EngineError::file(path, source),
                StoreError::NotAFile { .. } => EngineError::Input(format!("{}: not a regular file", path.display())),
                _ => error.into(),
            })
        })?;
        self.record_upload(stored.hash, stored.size, name)
    }

    /// Takes in bytes.
    pub fn add_bytes(&self, bytes: &[u8], name: Option<AssetName>) -> Result<Upload, EngineError> {
        let _unrecorded = self.keep_all();
        let stored = self.put_sound(&|| Ok(self.0.store.put_bytes(bytes)?))?;
        self.record_upload(stored.hash, stored.size, name)
    }

    /// Puts bytes that may be there already; if what is there has been damaged, it is replaced.
    fn put_sound(&self, put: &dyn Fn() -> Result<Stored, EngineError>) -> Result<Stored, EngineError> {
        let stored = put()?;
        if !stored.existing || matches!(self.0.store.verify(&stored.hash)?, Verdict::Whole { .. }) {
            return Ok(stored);
        }
        self.0.store.remove(&stored.hash)?;
        put()
    }

    fn record_upload(&self, hash: ContentHash, size: u64, name: Option<AssetName>) -> Result<Upload, EngineError> {
        let known = self.blob_row(&hash)?;
        let row = match &known {
            Some(row) => BlobRow { origin: Origin::Upload, ..row.clone() },
            None => blob_row(&self.0.store.open_blob(&hash, Some(size))?, size, Origin::Upload),
        };
        let media_type = row.media_type.clone();
        let asset = name.clone();
        self.write(move |tx| {
            tables::record_blob(tx, &hash, &row)?;
            match &asset {
                Some(asset) => super::assets::point(tx, asset, hash),
                None => Ok(()),
            }
        })
        .wait()?;
        let existing = known.is_some_and(|row| row.origin == Origin::Upload);
        Ok(Upload { content_hash: hash, size, media_type, name, existing })
    }

    /// A blob's bytes.
    pub fn read_blob(&self, hash: &ContentHash) -> Result<Bytes, EngineError> {
        let missing = || EngineError::NotFound { what: "blob", name: hash.to_string(), hint: String::new() };
        let row = self.blob_row(hash)?.ok_or_else(missing)?;
        if row.inline {
            let bytes = self.0.db.read(|tx| {
                let table = tx.open_table(names::INLINE)?;
                Ok(table.get(hash.as_bytes())?.map(|bytes| bytes.value().to_vec()))
            })?;
            return bytes.map(Bytes::Inline).ok_or_else(missing);
        }
        match self.0.store.open_blob(hash, Some(row.size)) {
            Ok(blob) => Ok(Bytes::Mapped(blob)),
            Err(StoreError::NotFound { .. }) => Err(damaged(*hash, "its file is gone")),
            Err(StoreError::Damaged { expected, found, .. }) => {
                Err(damaged(*hash, &format!("its file has {found} of {expected} bytes")))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A blob's bytes, hashed and found to be what the name says.
    pub fn read_checked(&self, hash: &ContentHash) -> Result<Bytes, EngineError> {
        let bytes = self.read_blob(hash)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update_rayon(&bytes);
        if ContentHash::from(hasher.finalize()) == *hash {
            Ok(bytes)
        } else {
            Err(damaged(*hash, "its bytes are not what its name says"))
        }
    }

    /// Is the blob recorded, with its bytes there?
    pub(super) fn has_blob(&self, hash: &ContentHash) -> bool {
        match self.blob_row(hash) {
            Ok(Some(row)) => row.inline || self.0.store.size_of(hash).is_ok_and(|size| size == Some(row.size)),
            _ => false,
        }
    }

    /// A record of ours (a config, a provenance record): small ones go into the database with
    /// the write that `also` does, large ones into the store before.
    pub(super) fn put_record(
        &self,
        bytes: Vec<u8>,
        media_type: &'static str,
    ) -> Result<impl FnOnce(&redb::WriteTransaction) -> Result<(), crate::db::DbError> + Send + 'static, EngineError>
    {
        let hash = ContentHash::of(&bytes);
        let inline = bytes.len() <= SMALL_BLOB_BYTES;
        let now = Timestamp::now();
        let row = BlobRow {
            size: bytes.len() as u64,
            origin: Origin::Record,
            created_at: now,
            used_at: now,
            media_type: media_type.to_owned(),
            dimensions: None,
            animated: false,
            damage: None,
            inline,
        };
        if !inline {
            self.0.store.put_bytes(&bytes)?;
        }
        Ok(move |tx: &redb::WriteTransaction| {
            if tables::get::<BlobRow>(tx, names::BLOBS, hash.as_bytes())?.is_none() {
                tables::put(tx, names::BLOBS, hash.as_bytes(), &row)?;
                if inline {
                    tx.open_table(names::INLINE)?.insert(hash.as_bytes(), bytes.as_slice())?;
                }
            }
            Ok(())
        })
    }

    /// All blobs with their rows, in the order of their hashes.
    pub fn blobs(&self) -> Result<Vec<(ContentHash, BlobRow)>, EngineError> {
        let rows = self.0.db.read(|tx| {
            let table = tx.open_table(names::BLOBS)?;
            let mut rows = Vec::new();
            for row in table.iter()? {
                let (hash, bytes) = row?;
                rows.push((ContentHash::from_bytes(*hash.value()), BlobRow::from_bytes(bytes.value())?));
            }
            Ok(rows)
        })?;
        Ok(rows)
    }

    /// Writes a copy of a blob to a user's path, after checking its bytes.
    pub fn export(&self, hash: &ContentHash, path: &Path) -> Result<(), EngineError> {
        match self.read_checked(hash)? {
            Bytes::Mapped(_) => {
                self.0.store.export_to(hash, path).map_err(|error| match &error {
                    StoreError::Io { source, .. } => EngineError::file(path, source),
                    _ => error.into(),
                })?;
            }
            Bytes::Inline(bytes) => std::fs::write(path, bytes).map_err(|error| EngineError::file(path, &error))?,
        }
        Ok(())
    }

    /// Re-hashes every blob, or those given, until `progress` (checked, of all) says no.
    pub fn verify_blobs(
        &self,
        only: Option<&[ContentHash]>,
        progress: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<VerifyReport, EngineError> {
        let mut rows = self.blobs()?;
        if let Some(only) = only {
            rows.retain(|(hash, _)| only.contains(hash));
        }
        let names = self.names_by_hash()?;
        let mut report = VerifyReport::default();
        let all = rows.len() as u64;
        for (hash, row) in &rows {
            if !progress(report.checked, all) {
                break;
            }
            report.checked += 1;
            report.bytes += row.size;
            if let Some(what) = self.what_is_wrong(hash, row)? {
                let names = names.get(hash).cloned().unwrap_or_default();
                report.damaged.push(Damage { content_hash: *hash, what, origin: row.origin, names });
            }
        }
        if only.is_none() {
            let known: std::collections::HashSet<ContentHash> = rows.iter().map(|(hash, _)| *hash).collect();
            report.orphans = self.orphans(&known)?.len() as u64;
        }
        Ok(report)
    }

    fn what_is_wrong(&self, hash: &ContentHash, row: &BlobRow) -> Result<Option<String>, EngineError> {
        if row.inline {
            return match self.read_checked(hash) {
                Ok(_) => Ok(None),
                Err(EngineError::Damaged { what, .. }) => Ok(Some(what)),
                Err(EngineError::NotFound { .. }) => Ok(Some("its bytes are gone".to_owned())),
                Err(error) => Err(error),
            };
        }
        Ok(match self.0.store.verify(hash)? {
            Verdict::Whole { .. } => None,
            Verdict::Missing => Some("its file is gone".to_owned()),
            Verdict::Unreadable(kind) => Some(format!("the disk does not give its bytes back: {kind}")),
            Verdict::Damaged { .. } => Some("its bytes are not what its name says".to_owned()),
        })
    }

    /// Removes a blob that nothing holds, with the names that point to it.
    pub fn remove_blob(&self, hash: &ContentHash, dry_run: bool) -> Result<Freed, EngineError> {
        let row = self.blob_row(hash)?.ok_or_else(|| EngineError::NotFound {
            what: "blob",
            name: hash.to_string(),
            hint: String::new(),
        })?;
        let _nobody_plans = self.evict();
        self.refuse_if_held(hash)?;
        if !dry_run {
            self.take_away(&[*hash])?;
        }
        Ok(Freed { freed_bytes: row.size, kept: Vec::new() })
    }

    /// Refuses, naming the holder, while anything holds the blob.
    pub(super) fn refuse_if_held(&self, hash: &ContentHash) -> Result<(), EngineError> {
        let holders = self.holders(hash)?;
        if holders.is_empty() {
            return Ok(());
        }
        let listed: Vec<String> = holders.iter().take(3).map(Holder::to_string).collect();
        let more = match holders.len().saturating_sub(3) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Err(EngineError::Refused(format!("blob {hash} is in use: it is {}{more}", listed.join(", "))))
    }

    /// Takes blobs away: their rows, names and memo rows in one commit, then their files.
    /// The caller holds the eviction guard and has made sure that nobody holds them.
    pub(super) fn take_away(&self, hashes: &[ContentHash]) -> Result<(), EngineError> {
        let wanted: std::collections::HashSet<ContentHash> = hashes.iter().copied().collect();
        let memo = self.memo_keys_of(&wanted)?;
        let names: Vec<String> = self
            .names_by_hash()?
            .into_iter()
            .filter(|(hash, _)| wanted.contains(hash))
            .flat_map(|(_, names)| names)
            .collect();
        let rows = hashes.to_vec();
        self.write(move |tx| {
            for key in &memo {
                tx.open_table(names::MEMO)?.remove(key.as_bytes())?;
            }
            for name in &names {
                tx.open_table(names::ASSETS)?.remove(name.as_str())?;
            }
            rows.iter().try_for_each(|hash| tables::forget_blob(tx, hash))
        })
        .wait()?;
        for hash in hashes {
            self.0.store.remove(hash)?;
        }
        Ok(())
    }

    /// Keys whose results are these blobs.
    fn memo_keys_of(&self, hashes: &std::collections::HashSet<ContentHash>) -> Result<Vec<NodeKey>, EngineError> {
        let all = self.memo_rows()?;
        Ok(all.into_iter().filter(|(_, row)| hashes.contains(&row.hash)).map(|(key, _)| key).collect())
    }
}

fn damaged(hash: ContentHash, what: &str) -> EngineError {
    let what =
        format!("{what}; `artdag cache verify` tells what else is, and the original file mends it when added again");
    EngineError::Damaged { hash, what }
}

/// The row of a blob with these bytes.
pub(super) fn blob_row(bytes: &[u8], size: u64, origin: Origin) -> BlobRow {
    let (facts, damage) = probe::probe(bytes);
    let now = Timestamp::now();
    BlobRow {
        size,
        origin,
        created_at: now,
        used_at: now,
        media_type: facts.media_type.mime().to_owned(),
        dimensions: facts.size,
        animated: facts.animated,
        damage: damage.map(|damage| damage.to_string()),
        inline: false,
    }
}

/// What planning is told of a blob.
pub(super) fn source_facts(row: &BlobRow) -> SourceFacts {
    SourceFacts {
        media_type: MediaType::from_mime(&row.media_type).unwrap_or(MediaType::Octet),
        size: row.dimensions,
        animated: row.animated,
    }
}
