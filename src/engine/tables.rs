//! Reading and writing single rows: what the files beside this one share.

use std::convert::Infallible;

use redb::ReadableTable as _;

use crate::base::{ContentHash, NodeKey, RunId};
use crate::db::{Db, DbError, Ticket, WriteError};
use crate::engine::Engine;
use crate::engine::changes::{self, Subject};
use crate::engine::error::EngineError;
use crate::records::tables as names;
use crate::records::{BlobRow, Holder, MemoRow, Origin, Record};

/// A write on its way to disk. Writes of the engine check before they are queued, so they are
/// never refused.
pub struct Pending<T>(Ticket<T, Infallible>);

impl<T> Pending<T> {
    /// Waits until it is on disk.
    pub fn wait(self) -> Result<T, DbError> {
        self.0.wait().map_err(failure)
    }

    /// The same, and no thread is held meanwhile.
    pub async fn written(self) -> Result<T, DbError> {
        self.0.written().await.map_err(failure)
    }
}

fn failure(error: WriteError<Infallible>) -> DbError {
    match error {
        WriteError::Failed(error) => error,
        WriteError::Refused(never) => match never {},
    }
}

/// Queues a write.
pub fn write<T: Send + 'static>(
    db: &Db,
    write: impl FnOnce(&redb::WriteTransaction) -> Result<T, DbError> + Send + 'static,
) -> Pending<T> {
    write_then(db, write, |written| written)
}

/// Queues a write; `then` is told what became of it, on the committer's thread, and gives what is
/// waited for.
pub fn write_then<T: Send + 'static, U: Send + 'static>(
    db: &Db,
    write: impl FnOnce(&redb::WriteTransaction) -> Result<T, DbError> + Send + 'static,
    then: impl FnOnce(Result<T, DbError>) -> Result<U, DbError> + Send + 'static,
) -> Pending<U> {
    let write = move |tx: &redb::WriteTransaction| write(tx).map_err(WriteError::Failed);
    Pending(db.write_then(write, move |written| then(written.map_err(failure)).map_err(WriteError::Failed)))
}

/// Makes all tables, so that reading never finds one missing.
pub fn create(db: &Db) -> Result<(), DbError> {
    if number(db, names::DERIVED_BYTES).is_ok_and(|number| number.is_some()) {
        // Homes of earlier versions lack tables that came later.
        let has_all = |tx: &redb::ReadTransaction| {
            let later = tx.open_table(names::ALIASES).is_ok() && tx.open_table(names::PUBLICATIONS).is_ok();
            Ok(later && tx.open_table(names::SIGNATURES).is_ok() && tx.open_table(names::COMMANDS).is_ok())
        };
        if !db.read(has_all)? {
            write(db, create_later).wait()?;
        }
        return Ok(());
    }
    write(db, |tx| {
        tx.open_table(names::RUNS)?;
        tx.open_table(names::UNFINISHED)?;
        tx.open_table(names::UNSUCCESSFUL)?;
        tx.open_table(names::QUEUE)?;
        tx.open_table(names::TRACES)?;
        tx.open_table(names::SUSPECTS)?;
        tx.open_table(names::IDEMPOTENCY)?;
        tx.open_table(names::BLOB_ORDER)?;
        tx.open_table(names::MADE)?;
        tx.open_table(names::NAMES)?;
        tx.open_table(names::VALUES)?;
        tx.open_table(names::USERS)?;
        tx.open_table(names::MEMO)?;
        tx.open_table(names::KEYS)?;
        tx.open_table(names::BLOBS)?;
        tx.open_table(names::HOLDERS)?;
        tx.open_table(names::ASSETS)?;
        tx.open_table(names::CONFIGS)?;
        tx.open_table(names::INFRA)?;
        tx.open_table(names::TOKENS)?;
        tx.open_table(names::SESSIONS)?;
        create_later(tx)?;
        if tx.open_table(names::NUMBERS)?.get(names::DERIVED_BYTES)?.is_none() {
            set_number(tx, names::DERIVED_BYTES, 0)?;
        }
        Ok(())
    })
    .wait()
}

/// Tables that homes of earlier versions may lack.
fn create_later(tx: &redb::WriteTransaction) -> Result<(), DbError> {
    tx.open_table(names::PROBES)?;
    tx.open_table(names::CHANGES)?;
    tx.open_table(names::TASKS)?;
    tx.open_table(names::OWED)?;
    tx.open_table(names::ALIASES)?;
    tx.open_table(names::RUN_ALIASES)?;
    tx.open_table(names::PUBLICATIONS)?;
    tx.open_table(names::DELIVERIES)?;
    tx.open_table(names::PUBLICATION_ORDER)?;
    tx.open_table(names::OUTBOX)?;
    tx.open_table(names::PUBLISHED)?;
    tx.open_table(names::RECORDS)?;
    tx.open_table(names::SIGNATURES)?;
    tx.open_table(names::COMMANDS)?;
    Ok(())
}

/// A number of the home.
pub fn number(db: &Db, name: &'static str) -> Result<Option<u64>, DbError> {
    db.read(|tx| match tx.open_table(names::NUMBERS) {
        Ok(table) => Ok(table.get(name)?.map(|number| number.value())),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    })
}

/// A number of the home, within a write; 0 where it was never set.
pub fn number_in(tx: &redb::WriteTransaction, name: &'static str) -> Result<u64, DbError> {
    Ok(tx.open_table(names::NUMBERS)?.get(name)?.map_or(0, |number| number.value()))
}

/// Sets a number of the home.
pub fn set_number(tx: &redb::WriteTransaction, name: &'static str, value: u64) -> Result<(), DbError> {
    tx.open_table(names::NUMBERS)?.insert(name, value)?;
    Ok(())
}

/// Adds to a number of the home; it never falls below 0.
pub fn add_to_number(tx: &redb::WriteTransaction, name: &'static str, change: i64) -> Result<u64, DbError> {
    let mut table = tx.open_table(names::NUMBERS)?;
    let old = table.get(name)?.map_or(0, |number| number.value());
    let new = old.saturating_add_signed(change);
    table.insert(name, new)?;
    Ok(new)
}

/// A row of a table of hashes, within a write.
pub fn get<R: Record>(tx: &redb::WriteTransaction, table: names::ByHash, key: &[u8; 32]) -> Result<Option<R>, DbError> {
    let table = tx.open_table(table)?;
    let row = table.get(key)?.map(|bytes| R::from_bytes(bytes.value())).transpose()?;
    Ok(row)
}

/// Writes a row of a table of hashes.
pub fn put<R: Record>(
    tx: &redb::WriteTransaction,
    table: names::ByHash,
    key: &[u8; 32],
    row: &R,
) -> Result<(), DbError> {
    tx.open_table(table)?.insert(key, row.to_bytes().as_slice())?;
    Ok(())
}

/// Records a blob whose bytes are there, if it is not recorded. Derived ones count against the cap.
/// Its sequence number, and whether it is new.
pub fn record_blob(tx: &redb::WriteTransaction, hash: &ContentHash, row: &BlobRow) -> Result<(u64, bool), DbError> {
    match get::<BlobRow>(tx, names::BLOBS, hash.as_bytes())? {
        None => {
            let sequence = add_to_number(tx, names::SEQUENCE, 1)?;
            put(tx, names::BLOBS, hash.as_bytes(), &BlobRow { sequence, ..row.clone() })?;
            tx.open_table(names::BLOB_ORDER)?.insert(sequence, hash.as_bytes())?;
            add_to_number(tx, names::BLOB_COUNT, 1)?;
            add_to_number(tx, names::BLOB_BYTES, row.size as i64)?;
            if row.origin == Origin::Derived {
                add_to_number(tx, names::DERIVED_BYTES, row.size as i64)?;
            }
            Ok((sequence, true))
        }
        // What somebody brings is theirs, although it was made here before.
        Some(mut old) if old.origin != Origin::Upload && row.origin == Origin::Upload => {
            if old.origin == Origin::Derived {
                add_to_number(tx, names::DERIVED_BYTES, -(old.size as i64))?;
            }
            old.origin = Origin::Upload;
            put(tx, names::BLOBS, hash.as_bytes(), &old)?;
            Ok((old.sequence, false))
        }
        Some(old) => Ok((old.sequence, false)),
    }
}

/// Takes a blob's row, with its inline bytes, out.
pub fn forget_blob(tx: &redb::WriteTransaction, hash: &ContentHash) -> Result<(), DbError> {
    let Some(row) = get::<BlobRow>(tx, names::BLOBS, hash.as_bytes())? else { return Ok(()) };
    tx.open_table(names::BLOBS)?.remove(hash.as_bytes())?;
    tx.open_table(names::RECORDS)?.remove(row.sequence)?;
    tx.open_table(names::SIGNATURES)?.remove(row.sequence)?;
    tx.open_table(names::PROBES)?.remove(hash.as_bytes())?;
    tx.open_table(names::BLOB_ORDER)?.remove(row.sequence)?;
    add_to_number(tx, names::BLOB_COUNT, -1)?;
    add_to_number(tx, names::BLOB_BYTES, -(row.size as i64))?;
    if row.origin == Origin::Derived {
        add_to_number(tx, names::DERIVED_BYTES, -(row.size as i64))?;
    }
    forget_values(tx, hash)
}

/// Takes out the memo rows whose result a blob is.
pub fn forget_values(tx: &redb::WriteTransaction, hash: &ContentHash) -> Result<(), DbError> {
    let (mut memo, mut made) = (tx.open_table(names::MEMO)?, tx.open_table(names::MADE)?);
    for key in second_halves::<32>(&made, hash.as_bytes())? {
        memo.remove(&key)?;
        made.remove(names::pair(hash.as_bytes(), &key).as_slice())?;
    }
    changes::note(tx, &Subject::Content(*hash))
}

/// The second halves of the rows of pairs that begin with an id.
pub fn second_halves<const N: usize>(
    table: &impl redb::ReadableTable<&'static [u8], ()>,
    first: &[u8],
) -> Result<Vec<[u8; N]>, DbError> {
    let range = names::pairs_of(first);
    let mut halves = Vec::new();
    for row in table.range(range.start().as_slice()..=range.end().as_slice())? {
        halves.extend(row?.0.value().get(first.len()..).and_then(|half| <[u8; N]>::try_from(half).ok()));
    }
    Ok(halves)
}

/// Says that a run made a value, or took it as known.
pub fn use_value(tx: &redb::WriteTransaction, run: RunId, hash: &ContentHash) -> Result<(), DbError> {
    tx.open_table(names::VALUES)?.insert(names::pair(run.as_bytes(), hash.as_bytes()).as_slice(), ())?;
    tx.open_table(names::USERS)?.insert(names::pair(hash.as_bytes(), run.as_bytes()).as_slice(), ())?;
    Ok(())
}

/// Says that `holder` holds a blob.
pub fn hold(tx: &redb::WriteTransaction, hash: &ContentHash, holder: &Holder) -> Result<(), DbError> {
    if let Holder::RunProvenance(run) = holder
        && let Some(row) = get::<BlobRow>(tx, names::BLOBS, hash.as_bytes())?
        && row.record_of.is_none_or(|of| of == *run)
    {
        return match row.record_of {
            Some(_) => Ok(()),
            None => put(tx, names::BLOBS, hash.as_bytes(), &BlobRow { record_of: Some(*run), ..row }),
        };
    }
    tx.open_table(names::HOLDERS)?.insert(names::holder_key(hash, holder).as_slice(), ())?;
    Ok(())
}

/// Says that it no longer does.
pub fn release(tx: &redb::WriteTransaction, hash: &ContentHash, holder: &Holder) -> Result<(), DbError> {
    if let Holder::RunProvenance(run) = holder
        && let Some(row) = get::<BlobRow>(tx, names::BLOBS, hash.as_bytes())?
        && row.record_of == Some(*run)
    {
        return put(tx, names::BLOBS, hash.as_bytes(), &BlobRow { record_of: None, ..row });
    }
    tx.open_table(names::HOLDERS)?.remove(names::holder_key(hash, holder).as_slice())?;
    Ok(())
}

/// Who holds a blob, within a write.
pub fn holders_in(tx: &redb::WriteTransaction, hash: &ContentHash) -> Result<Vec<Holder>, DbError> {
    holders_from(&tx.open_table(names::HOLDERS)?, &tx.open_table(names::BLOBS)?, hash)
}

/// Who holds a blob.
fn holders_from(
    holders: &impl redb::ReadableTable<&'static [u8], ()>,
    blobs: &impl redb::ReadableTable<&'static [u8; 32], &'static [u8]>,
    hash: &ContentHash,
) -> Result<Vec<Holder>, DbError> {
    let range = names::holders_of(hash);
    let mut found = Vec::new();
    for row in holders.range(range.start().as_slice()..=range.end().as_slice())? {
        found.extend(names::holder_of(row?.0.value()));
    }
    let row = blobs.get(hash.as_bytes())?.map(|bytes| BlobRow::from_bytes(bytes.value())).transpose()?;
    found.extend(row.and_then(|row| row.record_of).map(Holder::RunProvenance));
    Ok(found)
}

#[cfg(test)]
impl Engine {
    /// Holds the committer within a commit of its own, until the function it gives is called.
    pub fn hold_writes(&self) -> impl FnOnce() + use<> {
        self.0.db.hold()
    }

    /// Writes that wait for the committer.
    pub fn waiting_writes(&self) -> usize {
        self.0.db.waiting()
    }
}

impl Engine {
    /// Queues a write.
    pub(super) fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&redb::WriteTransaction) -> Result<T, DbError> + Send + 'static,
    ) -> Pending<T> {
        self::write(&self.0.db, write)
    }

    /// A row of a table of hashes.
    pub(super) fn row<R: Record>(&self, table: names::ByHash, key: &[u8; 32]) -> Result<Option<R>, EngineError> {
        let row = self.0.db.read(|tx| {
            let table = tx.open_table(table)?;
            Ok(table.get(key)?.map(|bytes| R::from_bytes(bytes.value())).transpose()?)
        })?;
        Ok(row)
    }

    /// The memo row of a key.
    pub(super) fn memo(&self, key: &NodeKey) -> Result<Option<MemoRow>, EngineError> {
        self.row(names::MEMO, key.as_bytes())
    }

    /// The memo rows of keys, from one snapshot.
    pub(super) fn memos<'a>(
        &self,
        keys: impl Iterator<Item = &'a NodeKey>,
    ) -> Result<Vec<Option<MemoRow>>, EngineError> {
        let rows = self.0.db.read(|tx| {
            let table = tx.open_table(names::MEMO)?;
            let row = |key: &NodeKey| {
                let row = table.get(key.as_bytes())?;
                Ok(row.map(|bytes| MemoRow::from_bytes(bytes.value())).transpose()?)
            };
            keys.map(row).collect()
        })?;
        Ok(rows)
    }

    /// The row of a blob.
    pub(super) fn blob_row(&self, hash: &ContentHash) -> Result<Option<BlobRow>, EngineError> {
        self.row(names::BLOBS, hash.as_bytes())
    }

    /// The keys whose result a blob is.
    pub(super) fn keys_of(&self, hash: &ContentHash) -> Result<Vec<NodeKey>, EngineError> {
        let keys = self.0.db.read(|tx| second_halves(&tx.open_table(names::MADE)?, hash.as_bytes()))?;
        Ok(keys.into_iter().map(NodeKey::from_bytes).collect())
    }

    /// A number of the home; 0 where it was never set.
    pub(super) fn number(&self, name: &'static str) -> Result<u64, EngineError> {
        Ok(number(&self.0.db, name)?.unwrap_or(0))
    }

    /// Who holds a blob.
    pub fn holders(&self, hash: &ContentHash) -> Result<Vec<Holder>, EngineError> {
        let from = |tx: &redb::ReadTransaction| {
            holders_from(&tx.open_table(names::HOLDERS)?, &tx.open_table(names::BLOBS)?, hash)
        };
        Ok(self.0.db.read(from)?)
    }
}
