//! Which format the file has, and how it comes to have the present one.

use redb::{Database, ReadableDatabase, TableDefinition, TableError, WriteTransaction};

use crate::db::error::DbError;

/// The format of the tables as a whole. A record type has a version of its own; this is raised
/// when tables come, go or change their keys.
pub const FORMAT: u64 = 3;

const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
const FORMAT_ROW: &str = "format";

/// A step from one format to the next.
struct Migration {
    from: u64,
    run: fn(&WriteTransaction) -> Result<(), DbError>,
}

/// All steps that this version can take.
///
/// From 2 to 3 rows move from one table to another by what they say: who knows the rows does that
/// (`engine::earlier`), and can be stopped in between.
const MIGRATIONS: &[Migration] = &[Migration { from: 2, run: |_| Ok(()) }];

/// Makes an empty database one of this program's.
pub fn initialise(database: &Database) -> Result<(), DbError> {
    let tx = begin(database)?;
    set_format(&tx, FORMAT)?;
    Ok(tx.commit()?)
}

/// Refuses a database that is not this program's or too new; brings an older one up to date.
pub(super) fn check(database: &Database) -> Result<(), DbError> {
    migrate(database, MIGRATIONS, FORMAT)
}

/// Begins a transaction whose commit is durable when it returns, and after which a crash costs
/// no repair. Quick repair brings two-phase commit with it.
pub(super) fn begin(database: &Database) -> Result<WriteTransaction, DbError> {
    let mut tx = database.begin_write()?;
    tx.set_quick_repair(true);
    Ok(tx)
}

/// Each step is one commit together with the format it leads to.
fn migrate(database: &Database, steps: &[Migration], known: u64) -> Result<(), DbError> {
    loop {
        let found = format_of(database)?;
        if found == known {
            return Ok(());
        }
        if found > known {
            return Err(DbError::NewerFormat { found, known });
        }
        let step = steps.iter().find(|step| step.from == found).ok_or(DbError::OlderFormat { found, known })?;
        let tx = begin(database)?;
        (step.run)(&tx)?;
        set_format(&tx, found + 1)?;
        tx.commit()?;
    }
}

fn format_of(database: &Database) -> Result<u64, DbError> {
    let table = match database.begin_read()?.open_table(META) {
        Ok(table) => table,
        Err(TableError::Storage(error)) => return Err(error.into()),
        // No such table, or one of that name with other types.
        Err(_) => return Err(DbError::Foreign),
    };
    table.get(FORMAT_ROW)?.map(|row| row.value()).ok_or(DbError::Foreign)
}

fn set_format(tx: &WriteTransaction, format: u64) -> Result<(), DbError> {
    tx.open_table(META)?.insert(FORMAT_ROW, format)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use redb::backends::InMemoryBackend;

    use super::*;

    const TABLE: TableDefinition<u64, u64> = TableDefinition::new("rows");

    fn database() -> Database {
        Database::builder().create_with_backend(InMemoryBackend::new()).unwrap()
    }

    #[test]
    fn an_initialised_database_is_ours_and_an_empty_one_is_not() {
        let database = database();
        assert!(matches!(check(&database), Err(DbError::Foreign)));
        initialise(&database).unwrap();
        check(&database).unwrap();
    }

    #[test]
    fn a_newer_format_is_refused_and_both_formats_are_named() {
        let database = database();
        initialise(&database).unwrap();
        let tx = begin(&database).unwrap();
        set_format(&tx, 9).unwrap();
        tx.commit().unwrap();
        let error = check(&database).unwrap_err();
        assert!(matches!(error, DbError::NewerFormat { found: 9, known: FORMAT }));
        assert!(error.to_string().contains('9') && error.to_string().contains(&FORMAT.to_string()));
    }

    #[test]
    fn an_older_format_goes_step_by_step_and_a_failing_step_leaves_the_last_good_one() {
        let database = database();
        initialise(&database).unwrap();
        let tx = begin(&database).unwrap();
        set_format(&tx, 1).unwrap();
        tx.commit().unwrap();
        let insert = |tx: &WriteTransaction| {
            tx.open_table(TABLE)?.insert(1, 1)?;
            Ok(())
        };
        let fail = |tx: &WriteTransaction| {
            tx.open_table(TABLE)?.insert(2, 2)?;
            Err(DbError::Foreign)
        };
        let steps = [Migration { from: 1, run: insert }, Migration { from: 2, run: fail }];
        assert!(migrate(&database, &steps, 3).is_err());
        assert_eq!(format_of(&database).unwrap(), 2);
        let rows = database.begin_read().unwrap().open_table(TABLE).unwrap();
        assert_eq!(redb::ReadableTableMetadata::len(&rows).unwrap(), 1);
        assert!(matches!(migrate(&database, &[], 3), Err(DbError::OlderFormat { found: 2, known: 3 })));
    }
}
