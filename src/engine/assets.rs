//! Assets: friendly names of blobs. A name holds nothing: a blob's names go with it.

use std::collections::{BTreeMap, HashMap};

use redb::ReadableTable as _;

use crate::base::{AssetName, ContentHash, Timestamp};
use crate::db::DbError;
use crate::engine::Engine;
use crate::engine::error::EngineError;
use crate::records::tables as names;
use crate::records::{AssetRow, Record};

/// Points a name at a blob, within a write.
pub(super) fn point(tx: &redb::WriteTransaction, name: &AssetName, hash: ContentHash) -> Result<(), DbError> {
    let row = AssetRow { hash, created_at: Timestamp::now() };
    tx.open_table(names::ASSETS)?.insert(name.as_str(), row.to_bytes().as_slice())?;
    Ok(())
}

impl Engine {
    /// All assets by name.
    pub fn assets(&self) -> Result<BTreeMap<String, AssetRow>, EngineError> {
        let assets = self.0.db.read(|tx| {
            let table = tx.open_table(names::ASSETS)?;
            let mut assets = BTreeMap::new();
            for row in table.iter()? {
                let (name, bytes) = row?;
                assets.insert(name.value().to_owned(), AssetRow::from_bytes(bytes.value())?);
            }
            Ok(assets)
        })?;
        Ok(assets)
    }

    /// The blob that an asset names.
    pub fn asset(&self, name: &str) -> Result<ContentHash, EngineError> {
        match self.find_asset(name)? {
            Some(hash) => Ok(hash),
            None => {
                let assets = self.assets()?;
                Err(EngineError::not_found("asset", name, assets.keys().map(String::as_str)))
            }
        }
    }

    /// The blob that an asset names, if there is such an asset.
    pub fn find_asset(&self, name: &str) -> Result<Option<ContentHash>, EngineError> {
        let hash = self.0.db.read(|tx| {
            let table = tx.open_table(names::ASSETS)?;
            let row = table.get(name)?.map(|bytes| AssetRow::from_bytes(bytes.value())).transpose()?;
            Ok(row.map(|row| row.hash))
        })?;
        Ok(hash)
    }

    /// Points a name at a blob that is here.
    pub fn set_asset(&self, name: AssetName, hash: ContentHash) -> Result<(), EngineError> {
        if self.blob_row(&hash)?.is_none() {
            return Err(EngineError::NotFound { what: "blob", name: hash.to_string(), hint: String::new() });
        }
        Ok(self.write(move |tx| point(tx, &name, hash)).wait()?)
    }

    /// Takes a name away; the blob stays.
    pub fn remove_asset(&self, name: &str, dry_run: bool) -> Result<ContentHash, EngineError> {
        let hash = self.asset(name)?;
        if !dry_run {
            let name = name.to_owned();
            self.write(move |tx| {
                tx.open_table(names::ASSETS)?.remove(name.as_str())?;
                Ok::<(), DbError>(())
            })
            .wait()?;
        }
        Ok(hash)
    }

    /// The names of each blob.
    pub fn names_by_hash(&self) -> Result<HashMap<ContentHash, Vec<String>>, EngineError> {
        let mut names: HashMap<ContentHash, Vec<String>> = HashMap::new();
        for (name, row) in self.assets()? {
            names.entry(row.hash).or_default().push(name);
        }
        Ok(names)
    }
}
