//! Assets: friendly names of blobs. A name holds nothing: a blob's names go with it.

use std::collections::{BTreeMap, HashMap};

use redb::ReadableTable as _;

use crate::base::{AssetName, ContentHash, Timestamp};
use crate::db::DbError;
use crate::engine::error::EngineError;
use crate::engine::{Engine, tables};
use crate::records::tables as names;
use crate::records::{AssetRow, BlobRow, Record};

/// Points a name at a blob, within a write.
pub(super) fn point(tx: &redb::WriteTransaction, name: &AssetName, hash: ContentHash) -> Result<(), DbError> {
    unpoint(tx, name.as_str())?;
    let row = AssetRow { hash, created_at: Timestamp::now() };
    tx.open_table(names::ASSETS)?.insert(name.as_str(), row.to_bytes().as_slice())?;
    tx.open_table(names::NAMES)?.insert(names::pair(hash.as_bytes(), name.as_str().as_bytes()).as_slice(), ())?;
    Ok(())
}

/// Takes a name away, within a write; what it named, if it named anything.
pub(super) fn unpoint(tx: &redb::WriteTransaction, name: &str) -> Result<Option<ContentHash>, DbError> {
    let mut assets = tx.open_table(names::ASSETS)?;
    let old = assets.remove(name)?.map(|bytes| AssetRow::from_bytes(bytes.value())).transpose()?;
    if let Some(AssetRow { hash, .. }) = old {
        tx.open_table(names::NAMES)?.remove(names::pair(hash.as_bytes(), name.as_bytes()).as_slice())?;
    }
    Ok(old.map(|row| row.hash))
}

/// The names of a blob, within a write.
pub(super) fn names_in(tx: &redb::WriteTransaction, hash: &ContentHash) -> Result<Vec<String>, DbError> {
    let table = tx.open_table(names::NAMES)?;
    names_from(&table, hash)
}

/// The names of a blob.
pub(super) fn names_from(
    table: &impl redb::ReadableTable<&'static [u8], ()>,
    hash: &ContentHash,
) -> Result<Vec<String>, DbError> {
    let range = names::pairs_of(hash.as_bytes());
    let mut names = Vec::new();
    for row in table.range(range.start().as_slice()..=range.end().as_slice())? {
        names.push(String::from_utf8_lossy(&row?.0.value()[32..]).into_owned());
    }
    Ok(names)
}

/// The blob that an asset names, within a write.
pub(super) fn asset_in(tx: &redb::WriteTransaction, name: &str) -> Result<Option<ContentHash>, DbError> {
    let table = tx.open_table(names::ASSETS)?;
    let row = table.get(name)?.map(|bytes| AssetRow::from_bytes(bytes.value())).transpose()?;
    Ok(row.map(|row| row.hash))
}

/// The refusal to move a name.
pub(super) fn name_taken(name: &AssetName, old: &ContentHash) -> EngineError {
    EngineError::NameTaken { name: name.to_string(), hash: *old }
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

    /// Points a name at a blob that is here. A name that stands for another blob is refused
    /// unless `repoint` says that it may be moved. True if the name is new.
    pub fn set_asset(&self, name: AssetName, hash: ContentHash, repoint: bool) -> Result<bool, EngineError> {
        let missing = || EngineError::NotFound { what: "blob", name: hash.to_string(), hint: String::new() };
        let _unremoved = self.keep_all();
        let hash = self.ours(hash)?;
        let taken = name.clone();
        let pointed = self
            .write(move |tx| {
                if tables::get::<BlobRow>(tx, names::BLOBS, hash.as_bytes())?.is_none() {
                    return Ok(Err(None));
                }
                let old = asset_in(tx, name.as_str())?;
                if !repoint && let Some(old) = old.filter(|old| *old != hash) {
                    return Ok(Err(Some(old)));
                }
                point(tx, &name, hash)?;
                Ok(Ok(old.is_none()))
            })
            .wait()?;
        pointed.map_err(|old| old.map_or_else(missing, |old| name_taken(&taken, &old)))
    }

    /// Takes a name away; the blob stays.
    pub fn remove_asset(&self, name: &str, dry_run: bool) -> Result<ContentHash, EngineError> {
        let hash = self.asset(name)?;
        if !dry_run {
            let name = name.to_owned();
            self.write(move |tx| unpoint(tx, &name)).wait()?;
        }
        Ok(hash)
    }

    /// The names of a blob.
    pub fn names_of(&self, hash: &ContentHash) -> Result<Vec<String>, EngineError> {
        Ok(self.0.db.read(|tx| names_from(&tx.open_table(names::NAMES)?, hash))?)
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
