//! What others hold of the database.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use redb::{ReadTransaction, WriteTransaction};

use crate::db::committer::{self, Queue};
use crate::db::error::{DbError, WriteError};
use crate::db::keeper::{Clock, Keeper, astray, builder};
use crate::db::place::{FilePlace, Place};
use crate::db::ticket::{Ticket, job};

/// An open database. Cloning shares it; with the last clone it is closed.
#[derive(Clone)]
pub struct Db(Arc<Shared>);

struct Shared {
    keeper: Arc<Keeper>,
    queue: Arc<Queue>,
    committer: Mutex<Option<JoinHandle<()>>>,
}

impl Db {
    /// Opens the database file at `path`, made if there is none.
    pub fn open(path: &Path) -> Result<Self, DbError> {
        Self::start(Box::new(FilePlace::new(path, &builder())?), false, Box::new(Instant::now))
    }

    /// Opens the database file at `path` after checking its every page, which takes as long as
    /// reading it.
    pub fn open_checked(path: &Path) -> Result<Self, DbError> {
        Self::start(Box::new(FilePlace::new(path, &builder())?), true, Box::new(Instant::now))
    }

    /// Opens an initialised database that lies elsewhere.
    pub fn open_at(place: impl Place) -> Result<Self, DbError> {
        Self::start(Box::new(place), false, Box::new(Instant::now))
    }

    pub(super) fn start(place: Box<dyn Place>, check: bool, clock: Clock) -> Result<Self, DbError> {
        let keeper = Arc::new(Keeper::open(place, check, clock)?);
        let queue = Arc::new(Queue::default());
        let committer = {
            let (queue, keeper) = (queue.clone(), keeper.clone());
            let thread = thread::Builder::new().name("artdag-commit".to_owned());
            let started = thread.spawn(move || committer::run(&queue, &keeper));
            started.map_err(|error| DbError::from(redb::StorageError::from(error)))?
        };
        Ok(Self(Arc::new(Shared { keeper, queue, committer: Mutex::new(Some(committer)) })))
    }

    /// Hands over a write, to be run in the transaction of the next commit. Returns at once,
    /// whatever the disk is doing; if too many writes wait already, the ticket says
    /// [`DbError::Busy`]. Writes of one thread are done in the order they were handed over.
    ///
    /// The transaction is shared with other writes, so `write` checks before it writes: when it
    /// answers [`WriteError::Refused`] it must have changed nothing. Any other error, and a
    /// panic, undoes the whole transaction. It runs on the committer's thread, where nothing may
    /// be waited for, above all no other ticket.
    pub fn write<T, E, F>(&self, write: F) -> Ticket<T, E>
    where
        F: FnOnce(&WriteTransaction) -> Result<T, WriteError<E>> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        self.write_then(write, |result| result)
    }

    /// Hands over a write as [`Db::write`] does; `then` is given its result once the commit is on
    /// disk, and what it makes of it is what the ticket gives. It runs on the committer's thread,
    /// whether anybody waits for the ticket or not: all others wait for it.
    pub fn write_then<T, U, E, F, R>(&self, write: F, then: R) -> Ticket<U, E>
    where
        F: FnOnce(&WriteTransaction) -> Result<T, WriteError<E>> + Send + 'static,
        R: FnOnce(Result<T, WriteError<E>>) -> Result<U, WriteError<E>> + Send + 'static,
        T: Send + 'static,
        U: Send + 'static,
        E: Send + 'static,
    {
        let (job, ticket) = job(write, then);
        self.0.queue.push(job);
        ticket
    }

    /// Holds the committer within a commit of its own, until the function it gives is called.
    #[cfg(test)]
    pub fn hold(&self) -> impl FnOnce() + use<> {
        use std::sync::mpsc::channel;
        let ((entered, wait_entered), (release, wait_release)) = (channel(), channel::<()>());
        let held: Ticket<(), std::convert::Infallible> = self.write(move |_| {
            entered.send(()).unwrap();
            wait_release.recv().unwrap();
            Ok(())
        });
        wait_entered.recv().unwrap();
        move || {
            release.send(()).unwrap();
            held.wait().unwrap();
        }
    }

    /// Writes that wait for the committer.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.0.queue.len()
    }

    /// Waits until all writes that were handed over before have been answered.
    pub fn settle(&self) -> Result<(), DbError> {
        // A write that is refused costs no commit.
        match self.write(|_| Err::<(), _>(WriteError::Refused(()))).wait() {
            Ok(()) | Err(WriteError::Refused(())) => Ok(()),
            Err(WriteError::Failed(error)) => Err(error),
        }
    }

    /// Reads from a snapshot of all that is committed; writes go on meanwhile and are not seen.
    pub fn read<T>(&self, read: impl FnOnce(&ReadTransaction) -> Result<T, DbError>) -> Result<T, DbError> {
        let begun = self.0.keeper.begin_read()?;
        astray(|| read(&begun.tx)).map_err(|error| {
            let error = self.0.keeper.judge(&begun, error);
            if self.0.keeper.trouble().is_some() {
                self.0.queue.look();
            }
            error
        })
    }

    /// Commits that have succeeded since it was opened.
    pub fn commits(&self) -> u64 {
        self.0.keeper.commits()
    }

    /// The last failure, if no commit has succeeded since; reads may work nevertheless. The
    /// database recovers by being used: a write of nothing is a way to ask.
    pub fn degraded(&self) -> Option<Arc<redb::Error>> {
        self.0.keeper.trouble()
    }

    /// Gives free pages back to the file system; true if there were any. Refused while anything
    /// reads or writes.
    pub fn compact(&self) -> Result<bool, DbError> {
        self.0.keeper.compact()
    }

    /// Does the writes that wait, and closes the database for all who hold it. Closing again is
    /// no error.
    pub fn close(&self) -> Result<(), DbError> {
        self.0.close()
    }
}

impl Shared {
    fn close(&self) -> Result<(), DbError> {
        self.queue.close();
        let committer = self.committer.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The last clone may have been dropped by a write, on that very thread.
        if let Some(committer) = committer.filter(|committer| committer.thread().id() != thread::current().id()) {
            let _ = committer.join();
        }
        self.keeper.close()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Who wants to know has called `close`.
        let _ = self.close();
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicBool, Ordering};

    use redb::{ReadableTable, ReadableTableMetadata, TableDefinition};

    use super::*;
    use crate::db::fault::FaultStorage;
    use crate::db::initialise;

    const ROWS: TableDefinition<u64, u64> = TableDefinition::new("rows");

    fn memory() -> (FaultStorage, Db) {
        let storage = FaultStorage::default();
        initialise(&storage.open(&builder()).unwrap()).unwrap();
        (storage.clone(), Db::open_at(storage).unwrap())
    }

    fn insert(db: &Db, row: u64) -> Ticket<u64, Infallible> {
        db.write(move |tx| {
            tx.open_table(ROWS)?.insert(row, row)?;
            Ok(row)
        })
    }

    fn rows(db: &Db) -> Vec<u64> {
        let keys = |tx: &ReadTransaction| {
            let table = tx.open_table(ROWS)?;
            table.iter()?.map(|row| Ok(row?.0.value())).collect()
        };
        db.read(keys).unwrap()
    }

    #[test]
    fn what_a_thousand_threads_write_meanwhile_goes_in_one_commit() {
        let (storage, db) = memory();
        let release = db.hold();
        let syncs = storage.syncs();
        let tickets: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..1000)
                .map(|n| {
                    scope.spawn({
                        let db = &db;
                        move || insert(db, n)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(db.commits(), 0);
        release();
        for (n, ticket) in tickets.into_iter().enumerate() {
            assert_eq!(ticket.wait().unwrap(), n as u64);
        }
        assert_eq!(rows(&db), (0..1000).collect::<Vec<_>>());
        assert_eq!(db.commits(), 2, "one held, one for all the others");
        assert!(storage.syncs() - syncs <= 8, "{} syncs", storage.syncs() - syncs);
    }

    #[test]
    fn writes_of_a_thread_keep_their_order_and_a_waited_one_is_seen_by_the_next_read() {
        let (_, db) = memory();
        for n in 0..200_u64 {
            // Each depends on the one before it.
            let ticket: Ticket<(), Infallible> = db.write(move |tx| {
                let mut table = tx.open_table(ROWS)?;
                let last = table.last()?.map(|(row, _)| row.value());
                assert_eq!(last, n.checked_sub(1));
                table.insert(n, n)?;
                Ok(())
            });
            if n % 20 == 19 {
                ticket.wait().unwrap();
                assert_eq!(rows(&db).len() as u64, n + 1);
            }
        }
    }

    #[test]
    fn a_refusal_disturbs_no_neighbour_and_costs_no_commit_of_its_own() {
        let (storage, db) = memory();
        let put_new = |row: u64| {
            db.write(move |tx| {
                let mut table = tx.open_table(ROWS)?;
                if table.get(row)?.is_some() {
                    return Err(WriteError::Refused("taken"));
                }
                table.insert(row, 0)?;
                Ok(())
            })
        };
        let release = db.hold();
        let tickets = [1, 2, 1, 3].map(put_new);
        release();
        let results = tickets.map(Ticket::wait);
        assert!(matches!(results, [Ok(()), Ok(()), Err(WriteError::Refused("taken")), Ok(())]), "{results:?}");
        assert_eq!((rows(&db), db.commits()), (vec![1, 2, 3], 2));
        let syncs = storage.syncs();
        assert!(matches!(put_new(2).wait(), Err(WriteError::Refused("taken"))));
        assert_eq!((db.commits(), storage.syncs()), (2, syncs));
    }

    #[test]
    fn who_settles_waits_for_what_was_handed_over_before_and_makes_no_commit() {
        let (storage, db) = memory();
        let release = db.hold();
        drop(insert(&db, 1));
        let settled = thread::spawn({
            let db = db.clone();
            move || db.settle().map(|()| rows(&db))
        });
        while db.waiting() < 2 {
            thread::yield_now();
        }
        assert!(!settled.is_finished());
        release();
        assert_eq!(settled.join().unwrap().unwrap(), [1]);
        let syncs = storage.syncs();
        db.settle().unwrap();
        assert_eq!((db.commits(), storage.syncs()), (2, syncs));
        db.close().unwrap();
        assert!(matches!(db.settle(), Err(DbError::Closed)));
    }

    #[test]
    fn a_panic_undoes_its_transaction_and_those_after_it_are_not_touched() {
        let (storage, db) = memory();
        let half = |row: u64| -> Ticket<(), Infallible> {
            db.write(move |tx| {
                tx.open_table(ROWS)?.insert(row, row)?;
                // A panic without its message on the console.
                std::panic::resume_unwind(Box::new("half-way"))
            })
        };
        let release = db.hold();
        let (before, culprit, after) = (insert(&db, 1), half(2), insert(&db, 3));
        release();
        // The held write ran in a commit before these.
        assert!(matches!(before.wait(), Err(WriteError::Failed(DbError::Aborted))));
        let panicked = culprit.wait();
        assert!(matches!(&panicked, Err(WriteError::Failed(DbError::Panicked { message })) if message == "half-way"));
        assert_eq!(after.wait().unwrap(), 3);
        assert_eq!(rows(&db), [3]);

        let mut sizes = [0; 2];
        for size in &mut sizes {
            for row in 0..500 {
                assert!(half(row).wait().is_err());
                insert(&db, 4).wait().unwrap();
            }
            *size = storage.size();
        }
        assert_eq!(rows(&db), [3, 4]);
        assert_eq!(sizes[0], sizes[1], "pages leak");
        assert!(db.degraded().is_none());
    }

    #[test]
    fn an_error_of_one_write_that_is_not_of_the_disk_fails_it_and_its_predecessors_alone() {
        let (_, db) = memory();
        let other: TableDefinition<&str, u64> = TableDefinition::new("rows");
        let release = db.hold();
        let before = insert(&db, 1);
        let wrong: Ticket<(), Infallible> = db.write(move |tx| {
            tx.open_table(other)?;
            Ok(())
        });
        let after = insert(&db, 2);
        release();
        assert!(matches!(before.wait(), Err(WriteError::Failed(DbError::Aborted))));
        assert!(matches!(wrong.wait(), Err(WriteError::Failed(DbError::Storage(_)))));
        after.wait().unwrap();
        assert!(db.degraded().is_none());
    }

    #[test]
    fn more_writes_than_may_wait_are_told_so_at_once() {
        let (_, db) = memory();
        let release = db.hold();
        let ran = Arc::new(AtomicBool::new(false));
        let nothing = || -> Ticket<(), Infallible> { db.write(|_| Ok(())) };
        let waiting: Vec<_> = (0..committer::QUEUE_WRITES).map(|_| nothing()).collect();
        let flag = ran.clone();
        let refused: Ticket<(), Infallible> = db.write(move |_| {
            flag.store(true, Ordering::Relaxed);
            Ok(())
        });
        assert!(matches!(refused.wait(), Err(WriteError::Failed(DbError::Busy))));
        release();
        for ticket in waiting {
            ticket.wait().unwrap();
        }
        nothing().wait().unwrap();
        assert!(!ran.load(Ordering::Relaxed));
    }

    #[test]
    fn closing_does_what_waits_and_a_file_has_it_all_when_opened_again() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("artdag.redb");
        let db = Db::open(&path).unwrap();
        assert!(matches!(Db::open(&path).map(drop), Err(DbError::Storage(_))), "two owners");
        for n in 0..500 {
            // Nobody waits for these.
            drop(insert(&db, n));
        }
        db.close().unwrap();
        assert!(matches!(insert(&db, 1).wait(), Err(WriteError::Failed(DbError::Closed))));
        assert!(matches!(db.read(|_| Ok(())), Err(DbError::Closed)));
        db.close().unwrap();

        let db = Db::open_checked(&path).unwrap();
        assert_eq!(rows(&db).len(), 500);
        let last = insert(&db, 1000);
        drop(db);
        last.wait().unwrap();
        assert_eq!(rows(&Db::open(&path).unwrap()).len(), 501);
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_last_handle_may_be_dropped_by_a_write() {
        let (_, db) = memory();
        let release = db.hold();
        let held = db.clone();
        let ticket: Ticket<(), Infallible> = db.write(move |_| {
            drop(held);
            Ok(())
        });
        let release = std::thread::spawn(release);
        drop(db);
        release.join().unwrap();
        let _ = ticket.wait();
    }

    #[test]
    fn a_damaged_or_foreign_file_is_a_typed_error() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("artdag.redb");
        drop(redb::Database::create(&path).unwrap());
        assert!(matches!(Db::open(&path).map(drop), Err(DbError::Foreign)));
        std::fs::write(&path, "no database at all").unwrap();
        assert!(matches!(Db::open(&path).map(drop), Err(DbError::Storage(_))));
        std::fs::write(&path, "").unwrap();
        assert!(Db::open(&path).is_err(), "an empty file is not taken for a new database");
    }

    #[test]
    fn compacting_gives_space_back_and_is_refused_while_someone_reads() {
        let (storage, db) = memory();
        for n in 0..20 {
            let ticket: Ticket<(), Infallible> = db.write(move |tx| {
                let table: TableDefinition<u64, &[u8]> = TableDefinition::new("large");
                tx.open_table(table)?.insert(n, vec![7; 100_000].as_slice())?;
                Ok(())
            });
            ticket.wait().unwrap();
        }
        let dropped: Ticket<(), Infallible> = db.write(move |tx| {
            let table: TableDefinition<u64, &[u8]> = TableDefinition::new("large");
            tx.delete_table(table)?;
            Ok(())
        });
        dropped.wait().unwrap();
        let size = storage.size();
        db.read(|_| {
            assert!(db.compact().is_err());
            Ok(())
        })
        .unwrap();
        assert!(db.compact().unwrap());
        assert!(storage.size() < size / 2, "{size} bytes, then {}", storage.size());
        insert(&db, 1).wait().unwrap();
        let count = db.read(|tx| Ok(tx.open_table(ROWS)?.len()?)).unwrap();
        assert_eq!(count, 1);
    }
}
