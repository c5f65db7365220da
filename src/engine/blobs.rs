//! Blobs: read, described, listed, checked.

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use redb::ReadableTable as _;
use serde::{Deserialize, Serialize};

use crate::base::limits::SMALL_BLOB_BYTES;
use crate::base::{ContentHash, RunId, Timestamp};
use crate::cas::{Blob, StoreError, Verdict};
use crate::db::DbError;
use crate::engine::error::EngineError;
use crate::engine::{Engine, tables};
use crate::media::{MediaType, SourceFacts, probe};
use crate::records::tables as names;
use crate::records::{BlobRow, Origin, Record};

/// A blob's bytes: mapped, or held where they are small and came from the database. Cloning
/// shares them.
#[derive(Clone)]
pub enum Bytes {
    /// From the store.
    Mapped(Arc<Blob>),
    /// From the database.
    Inline(Arc<[u8]>),
}

impl Bytes {
    /// Reads a part into memory now, where that may wait for the disk. False if it is gone.
    pub fn page_in(&self, part: std::ops::Range<usize>) -> bool {
        match self {
            Self::Mapped(blob) => blob.page_in(part),
            Self::Inline(_) => true,
        }
    }

    /// Have all bytes been those of the file so far? See [`Blob::is_whole`].
    pub fn is_whole(&self) -> bool {
        match self {
            Self::Mapped(blob) => blob.is_whole(),
            Self::Inline(_) => true,
        }
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
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

/// What is stored, in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Storage {
    /// Blobs.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of these that can be made again.
    pub derived_bytes: u64,
    /// How many of those there may be.
    pub derived_cap: u64,
    /// Bytes that may still be written.
    pub free_bytes: u64,
}

/// What checking all blobs found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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
    /// A blob's bytes.
    pub fn read_blob(&self, hash: &ContentHash) -> Result<Bytes, EngineError> {
        let missing = || EngineError::NotFound { what: "blob", name: hash.to_string(), hint: String::new() };
        let row = self.blob_row(hash)?.ok_or_else(missing)?;
        if row.inline {
            let bytes = self.0.db.read(|tx| {
                let table = tx.open_table(names::RECORDS)?;
                Ok(table.get(row.sequence)?.map(|bytes| Arc::from(bytes.value())))
            })?;
            return bytes.map(Bytes::Inline).ok_or_else(missing);
        }
        match self.0.store.open_blob(hash, Some(row.size)) {
            Ok(blob) => Ok(Bytes::Mapped(Arc::new(blob))),
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
            return Ok(bytes);
        }
        self.found_damaged(hash)?;
        Err(damaged(*hash, OTHER_BYTES))
    }

    /// Lets nobody have a blob whose bytes are others until it is stored anew; what was made here is
    /// made again by the next run that needs it.
    fn found_damaged(&self, hash: &ContentHash) -> Result<(), EngineError> {
        self.0.opened.spoil(hash);
        let made = self.blob_row(hash)?.is_some_and(|row| row.origin == Origin::Derived);
        let hash = *hash;
        if made { Ok(self.write(move |tx| tables::forget_values(tx, &hash)).wait()?) } else { Ok(()) }
    }

    /// Is the blob recorded, with its bytes there?
    pub(super) fn has_blob(&self, hash: &ContentHash) -> bool {
        match self.blob_row(hash) {
            Ok(Some(row)) if !self.0.opened.is_spoilt(hash) => {
                row.inline || self.0.store.size_of(hash).is_ok_and(|size| size == Some(row.size))
            }
            _ => false,
        }
    }

    /// A record of ours (a config, the provenance record of a run): small ones go into the database
    /// by the write that is given back, large ones into the store before. The write tells the
    /// blob's sequence number.
    pub(super) fn put_record(
        &self,
        bytes: Vec<u8>,
        media_type: &'static str,
        record_of: Option<RunId>,
    ) -> Result<impl FnOnce(&redb::WriteTransaction) -> Result<u64, DbError> + Send + 'static, EngineError> {
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
            sequence: 0,
            record_of,
        };
        if !inline {
            self.0.store.put_bytes(&bytes)?;
        }
        Ok(move |tx: &redb::WriteTransaction| {
            let (sequence, is_new) = tables::record_blob(tx, &hash, &row)?;
            if inline && is_new {
                tx.open_table(names::RECORDS)?.insert(sequence, bytes.as_slice())?;
            }
            Ok(sequence)
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

    /// What is stored, from counters.
    pub fn storage(&self) -> Result<Storage, EngineError> {
        Ok(Storage {
            blobs: self.number(names::BLOB_COUNT)?,
            bytes: self.number(names::BLOB_BYTES)?,
            derived_bytes: self.number(names::DERIVED_BYTES)?,
            derived_cap: self.number(names::DERIVED_CAP)?,
            free_bytes: self.0.store.free_bytes()?,
        })
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
                self.found_damaged(hash)?;
                let names = names.get(hash).cloned().unwrap_or_default();
                report.damaged.push(Damage { content_hash: *hash, what, origin: row.origin, names });
            }
        }
        if only.is_none() {
            report.orphans = self.orphans()?.0.len() as u64;
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
            Verdict::Damaged { .. } => Some(OTHER_BYTES.to_owned()),
        })
    }
}

/// What is wrong with a blob that was changed.
pub(super) const OTHER_BYTES: &str = "its bytes are not what its name says";

pub(super) fn damaged(hash: ContentHash, what: &str) -> EngineError {
    let what = format!(
        "{what}; `artdag cache verify` tells what else is; what was made here is made again by the next run, and an \
         original file mends it when added again"
    );
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
        sequence: 0,
        record_of: None,
    }
}

/// What planning is told of a blob.
pub(super) fn source_facts(row: &BlobRow) -> SourceFacts {
    let media_type = MediaType::from_mime(&row.media_type).unwrap_or(MediaType::Octet);
    SourceFacts::of_bytes(media_type, row.dimensions, row.animated)
}
