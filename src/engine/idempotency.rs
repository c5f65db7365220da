//! Requests that are made again: the key that a client chose leads to the run that it made first.

use redb::{ReadableTable, ReadableTableMetadata as _};

use crate::base::limits::IDEMPOTENCY_HOURS;
use crate::base::{ContentHash, RunId, Timestamp};
use crate::db::DbError;
use crate::engine::Engine;
use crate::engine::error::EngineError;
use crate::records::tables as names;
use crate::records::{IdempotencyRow, Record, TaskRow};

/// What tells a request that is made again from a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// Who asks, and the key that they chose.
    pub key: String,
    /// BLAKE3 of all that they ask for.
    pub body: ContentHash,
    /// The task that the request came as, if it did.
    pub task: Option<TaskRow>,
}

impl Idempotency {
    /// Takes the key for a run, unless it leads to one that is there; true if it was taken.
    pub(super) fn claim(&self, tx: &redb::WriteTransaction, run: RunId, at: Timestamp) -> Result<bool, DbError> {
        let mut keys = tx.open_table(names::IDEMPOTENCY)?;
        if leads_to(&keys, &tx.open_table(names::RUNS)?, &self.key)?.is_some() {
            return Ok(false);
        }
        let row = IdempotencyRow { body: self.body, run, created_at: at };
        keys.insert(self.key.as_str(), row.to_bytes().as_slice())?;
        Ok(true)
    }
}

impl Engine {
    /// What a key leads to.
    pub(super) fn row_of_key(&self, key: &str) -> Result<Option<IdempotencyRow>, EngineError> {
        let row = |tx: &redb::ReadTransaction| {
            leads_to(&tx.open_table(names::IDEMPOTENCY)?, &tx.open_table(names::RUNS)?, key)
        };
        Ok(self.0.db.read(row)?)
    }

    /// Forgets idempotency keys that are no longer remembered; how many.
    pub(super) fn forget_old_keys(&self) -> Result<u64, EngineError> {
        Ok(self.write(|tx| forget_keys(tx, is_old)).wait()?)
    }
}

/// What a key leads to. One that is old is free again, and so is one whose run was deleted.
fn leads_to(
    keys: &impl ReadableTable<&'static str, &'static [u8]>,
    runs: &impl ReadableTable<&'static [u8; 16], &'static [u8]>,
    key: &str,
) -> Result<Option<IdempotencyRow>, DbError> {
    let Some(row) = keys.get(key)?.map(|bytes| IdempotencyRow::from_bytes(bytes.value())).transpose()? else {
        return Ok(None);
    };
    let leads = !is_old(&row) && runs.get(row.run.as_bytes())?.is_some();
    Ok(leads.then_some(row))
}

fn forget_keys(tx: &redb::WriteTransaction, old: impl Fn(&IdempotencyRow) -> bool) -> Result<u64, DbError> {
    let mut keys = tx.open_table(names::IDEMPOTENCY)?;
    let before = keys.len()?;
    // One that cannot be read is nobody's any more.
    keys.retain(|_, bytes| IdempotencyRow::from_bytes(bytes).is_ok_and(|row| !old(&row)))?;
    Ok(before - keys.len()?)
}

fn is_old(row: &IdempotencyRow) -> bool {
    Timestamp::now().seconds_since(row.created_at) > (IDEMPOTENCY_HOURS * 3600) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Db, initialise};
    use crate::engine::tables;

    #[test]
    fn old_idempotency_keys_are_forgotten_and_others_stay() {
        let file = tempfile::NamedTempFile::new().unwrap();
        initialise(&redb::Database::create(file.path()).unwrap()).unwrap();
        let db = Db::open(file.path()).unwrap();
        tables::create(&db).unwrap();
        let hour = 3_600_000_000;
        let now = Timestamp::now().micros();
        let left = tables::write(&db, move |tx| {
            for (key, age) in [("new", 0), ("day", IDEMPOTENCY_HOURS - 1), ("old", IDEMPOTENCY_HOURS + 1)] {
                let created_at = Timestamp::from_micros(now - age * hour);
                let row = IdempotencyRow { body: ContentHash::of(b""), run: RunId::new(), created_at };
                tx.open_table(names::IDEMPOTENCY)?.insert(key, row.to_bytes().as_slice())?;
            }
            let forgotten = forget_keys(tx, is_old)?;
            Ok((forgotten, tx.open_table(names::IDEMPOTENCY)?.len()?))
        });
        assert_eq!(left.wait().unwrap(), (1, 2));
    }
}
