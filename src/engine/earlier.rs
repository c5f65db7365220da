//! Rows of homes of earlier formats, moved to where this one has them.
//!
//! Format 2 had small blobs and signatures under content hashes, and the run of a provenance record
//! among the holders: each record that a run wrote touched four places of the database. Now they
//! stand under the blob's number, and in its row. A home is brought up when it is opened, some rows
//! a commit; stopped in between, the next opening goes on.

use redb::{ReadableTable as _, TableDefinition, TableHandle as _};

use crate::base::ContentHash;
use crate::db::{Db, DbError};
use crate::engine::tables;
use crate::records::tables::{self as names, ByHash};
use crate::records::{BlobRow, Holder};

/// Content hash → the bytes of a small blob.
const INLINE: ByHash = TableDefinition::new("inline");
/// Content hash of a provenance record → its signature.
const SEALS: ByHash = TableDefinition::new("seals");
/// Rows that are moved in one commit: neither memory nor a commit grows with the home.
const ROWS: usize = 2000;

/// A table by a blob's number.
type ByNumber = TableDefinition<'static, u64, &'static [u8]>;

/// Brings a home up to this format; nothing for one that has it.
pub(super) fn bring_up(db: &Db) -> Result<(), DbError> {
    for (from, to) in [(INLINE, names::RECORDS), (SEALS, names::SIGNATURES)] {
        let is_old = db.read(|tx| Ok(tx.list_tables()?.any(|table| table.name() == from.name())))?;
        if is_old {
            tracing::info!(table = from.name(), "rows of an earlier format are moved");
            while tables::write(db, move |tx| move_some(tx, from, to)).wait()? {}
            tables::write(db, move |tx| Ok(tx.delete_table(from)?)).wait()?;
        }
    }
    Ok(())
}

/// Moves the next rows; false if there were none.
fn move_some(tx: &redb::WriteTransaction, from: ByHash, to: ByNumber) -> Result<bool, DbError> {
    let mut rows = Vec::new();
    {
        let mut old = tx.open_table(from)?;
        for row in old.iter()?.take(ROWS) {
            let (hash, bytes) = row?;
            rows.push((*hash.value(), bytes.value().to_vec()));
        }
        for (hash, _) in &rows {
            old.remove(hash)?;
        }
    }
    for (hash, bytes) in &rows {
        // What no blob's row leads to nobody can read.
        let Some(blob) = tables::get::<BlobRow>(tx, names::BLOBS, hash)? else { continue };
        tx.open_table(to)?.insert(blob.sequence, bytes.as_slice())?;
        let hash = ContentHash::from_bytes(*hash);
        for holder in tables::holders_in(tx, &hash)? {
            if matches!(holder, Holder::RunProvenance(_)) && blob.record_of.is_none() {
                tables::release(tx, &hash, &holder)?;
                tables::hold(tx, &hash, &holder)?;
            }
        }
    }
    Ok(!rows.is_empty())
}

#[cfg(test)]
mod tests {
    use redb::ReadableTableMetadata as _;

    use super::*;
    use crate::base::RunId;
    use crate::db::initialise;
    use crate::records::Record as _;

    /// A blob's row as format 2 wrote it; its number is 18.
    const ROW: &[u8] = include_bytes!("../../tests/golden/blob-v2.bin");

    #[test]
    fn a_home_of_the_format_before_is_brought_up_and_nothing_is_lost() {
        let file = tempfile::NamedTempFile::new().unwrap();
        initialise(&redb::Database::create(file.path()).unwrap()).unwrap();
        let db = Db::open(file.path()).unwrap();
        tables::create(&db).unwrap();
        let (run, count) = (RunId::new(), ROWS as u64 + 7);
        let hash = |number: u64| ContentHash::of(&number.to_le_bytes());
        let filled = tables::write(&db, move |tx| {
            let mut blobs = tx.open_table(names::BLOBS)?;
            let (mut inline, mut seals) = (tx.open_table(INLINE)?, tx.open_table(SEALS)?);
            for number in 0..count {
                let hash = hash(number);
                let second = [&ROW[..ROW.len() - 8], &number.to_le_bytes()].concat();
                blobs.insert(hash.as_bytes(), second.as_slice())?;
                inline.insert(hash.as_bytes(), number.to_string().as_bytes())?;
                seals.insert(hash.as_bytes(), [number as u8].as_slice())?;
                let key = names::holder_key(&hash, &Holder::RunProvenance(run));
                tx.open_table(names::HOLDERS)?.insert(key.as_slice(), ())?;
            }
            // Of this one the blob is gone.
            inline.insert(hash(count).as_bytes(), b"lost".as_slice())?;
            Ok(())
        });
        filled.wait().unwrap();
        // Stopped after the first rows, it goes on.
        assert!(tables::write(&db, |tx| move_some(tx, INLINE, names::RECORDS)).wait().unwrap());
        bring_up(&db).unwrap();
        bring_up(&db).unwrap();
        db.read(|tx| {
            let (records, signatures) = (tx.open_table(names::RECORDS)?, tx.open_table(names::SIGNATURES)?);
            let (blobs, holders) = (tx.open_table(names::BLOBS)?, tx.open_table(names::HOLDERS)?);
            assert_eq!((records.len()?, signatures.len()?, holders.len()?), (count, count, 0));
            for number in 0..count {
                let bytes = blobs.get(hash(number).as_bytes())?.map(|bytes| BlobRow::from_bytes(bytes.value()));
                let row = bytes.transpose()?.expect("the row of a blob");
                assert_eq!((row.sequence, row.record_of), (number, Some(run)));
                assert_eq!(records.get(number)?.expect("its bytes").value(), number.to_string().as_bytes());
                assert_eq!(signatures.get(number)?.expect("its signature").value(), [number as u8]);
            }
            assert!(tx.open_table(INLINE).is_err() && tx.open_table(SEALS).is_err());
            Ok(())
        })
        .unwrap();
    }
}
