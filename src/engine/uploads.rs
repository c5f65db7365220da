//! Taking in files: streamed to disk while they are hashed, and recorded once they are whole.

use std::io::{self, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::base::limits::{FREE_BYTES_KEPT, FREE_BYTES_LOOK};
use crate::base::{AssetName, ContentHash};
use crate::cas::{BlobWriter, StoreError, Stored};
use crate::engine::assets::{asset_in, name_taken, point};
use crate::engine::blobs::blob_row;
use crate::engine::error::EngineError;
use crate::engine::{Engine, tables};
use crate::records::{BlobRow, Origin};

/// What taking in a file answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Upload {
    /// The name of its content.
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

/// A file whose bytes are still coming. Dropped before it is finished, it leaves nothing.
pub struct Uploader {
    engine: Engine,
    writer: BlobWriter,
    /// Bytes that may come until the free space is looked at again.
    unlooked: u64,
}

impl Uploader {
    /// Appends bytes; refused when the disk would be left with too little.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), EngineError> {
        let count = bytes.len() as u64;
        if count > self.unlooked {
            self.engine.check_room(count)?;
            self.unlooked = FREE_BYTES_LOOK.max(count);
        }
        self.unlooked -= count;
        Ok(self.writer.push(bytes)?)
    }

    /// Stores the file and names it, if asked. A name that stands for another file is moved only
    /// if `repoint` says so. When it returns, all of it is on disk.
    pub fn finish(mut self, name: Option<AssetName>, repoint: bool) -> Result<Upload, EngineError> {
        self.writer.ready()?;
        // Until it is recorded nobody may take it for a file that belongs to nothing.
        let _unrecorded = self.engine.keep_all();
        let stored = self.writer.finish()?;
        self.engine.record_upload(stored, name, repoint)
    }

    /// Stores the file and records nothing of it: it is recorded with the run that made it
    /// ([`Engine::take_run`]). Until then [`Engine::bring`] keeps it from being taken for nobody's.
    pub fn store(self) -> Result<(), EngineError> {
        self.writer.finish()?;
        Ok(())
    }
}

impl Write for Uploader {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Engine {
    /// Begins to take in a file. One that is known to be too large for the disk is refused
    /// before a byte of it is taken.
    pub fn uploader(&self, expected_bytes: Option<u64>) -> Result<Uploader, EngineError> {
        self.check_room(expected_bytes.unwrap_or(0))?;
        Ok(Uploader { engine: self.clone(), writer: self.0.store.writer()?, unlooked: FREE_BYTES_LOOK })
    }

    /// Takes in all that `input` gives, and names it if asked. Memory does not grow with it.
    pub fn add(&self, input: &mut dyn Read, name: Option<AssetName>) -> Result<Upload, EngineError> {
        let mut writer = self.0.store.writer()?;
        writer.fill_from(input)?;
        writer.ready()?;
        let _unrecorded = self.keep_all();
        let stored = writer.finish()?;
        self.record_upload(stored, name, true)
    }

    /// Takes in a copy of a user's file.
    pub fn add_file(&self, path: &Path, name: Option<AssetName>) -> Result<Upload, EngineError> {
        let mut writer = self.0.store.copy_file(path).map_err(|error| match &error {
            StoreError::Io { path: of, source, .. } if of == path => EngineError::file(path, source),
            StoreError::Input(source) => EngineError::file(path, source),
            StoreError::NotAFile { .. } => EngineError::Input(format!("{}: not a regular file", path.display())),
            _ => error.into(),
        })?;
        writer.ready()?;
        let _unrecorded = self.keep_all();
        let stored = writer.finish()?;
        self.record_upload(stored, name, true)
    }

    /// Takes in bytes.
    pub fn add_bytes(&self, bytes: &[u8], name: Option<AssetName>) -> Result<Upload, EngineError> {
        self.add(&mut &*bytes, name)
    }

    /// Refuses what would leave the disk with less than it must keep.
    pub(super) fn check_room(&self, bytes: u64) -> Result<(), EngineError> {
        let free = self.0.store.free_bytes()?;
        if bytes.saturating_add(FREE_BYTES_KEPT) <= free {
            return Ok(());
        }
        Err(EngineError::NoRoom(format!(
            "no room for it: {bytes} bytes are to come, the disk has {free} left and keeps {FREE_BYTES_KEPT} of these; \
             remove what is not needed (`artdag cache gc`) and send it again"
        )))
    }

    /// Records what is stored. The caller holds the guard under which nothing is evicted.
    fn record_upload(&self, stored: Stored, name: Option<AssetName>, repoint: bool) -> Result<Upload, EngineError> {
        let Stored { hash, size, existing } = stored;
        if !existing {
            // A damaged file may have been handed out until now.
            self.0.opened.forget(&hash);
        }
        let known = self.blob_row(&hash)?;
        let row = match &known {
            Some(row) => BlobRow { origin: Origin::Upload, ..row.clone() },
            None => blob_row(&self.0.store.open_blob(&hash, Some(size))?, size, Origin::Upload),
        };
        let media_type = row.media_type.clone();
        let asset = name.clone();
        let named = self.write(move |tx| {
            tables::record_blob(tx, &hash, &row)?;
            let Some(asset) = &asset else { return Ok(None) };
            let other = asset_in(tx, asset.as_str())?.filter(|old| !repoint && *old != hash);
            match other {
                Some(other) => Ok(Some(other)),
                None => point(tx, asset, hash).map(|()| None),
            }
        });
        if let (Some(taken), Some(name)) = (named.wait()?, &name) {
            return Err(name_taken(name, &taken));
        }
        let existing = known.is_some_and(|row| row.origin == Origin::Upload);
        Ok(Upload { content_hash: hash, size, media_type, name, existing })
    }
}
