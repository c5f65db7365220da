//! Power cuts and failing disks under the database: what is acknowledged stays, and nothing is
//! ever half there.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use redb::backends::FileBackend;
use redb::{
    Builder, Database, DatabaseError, ReadTransaction, ReadableTable, StorageBackend, TableDefinition, TableError,
};
use rustix::io::Errno;

use crate::db::fault::{FaultStorage, SetClock, Spared};
use crate::db::keeper::Keeper;
use crate::db::place::{FilePlace, Place};
use crate::db::{Db, DbError, Ticket, WriteError, initialise};

/// Each write puts the same text into both, so that half a write shows.
const LEFT: TableDefinition<u64, &str> = TableDefinition::new("left");
const RIGHT: TableDefinition<u64, &str> = TableDefinition::new("right");

/// Writes in the order they were handed over.
type History = Vec<(u64, String)>;

fn put(db: &Db, row: u64, text: String) -> Ticket<(), Infallible> {
    db.write(move |tx| {
        tx.open_table(LEFT)?.insert(row, text.as_str())?;
        tx.open_table(RIGHT)?.insert(row, text.as_str())?;
        Ok(())
    })
}

fn storage() -> FaultStorage {
    let storage = FaultStorage::default();
    initialise(&storage.open(&Builder::new()).unwrap()).unwrap();
    storage
}

fn rows(tx: &ReadTransaction, table: TableDefinition<u64, &str>) -> BTreeMap<u64, String> {
    match tx.open_table(table) {
        Err(TableError::TableDoesNotExist(_)) => BTreeMap::new(),
        table => {
            table.unwrap().iter().unwrap().map(Result::unwrap).map(|(k, v)| (k.value(), v.value().to_owned())).collect()
        }
    }
}

/// What is read is what the first so many writes leave, and among them are all acknowledged.
fn check_rows(tx: &ReadTransaction, history: &History, acknowledged: usize, context: &str) {
    let found = rows(tx, LEFT);
    assert!(found == rows(tx, RIGHT), "half a write, {context}");
    let mut state: BTreeMap<_, _> = history[..acknowledged].iter().cloned().collect();
    let mut rest = history[acknowledged..].iter().cloned();
    while state != found {
        let (row, text) =
            rest.next().unwrap_or_else(|| panic!("the rows of no moment after the last acknowledged, {context}"));
        state.insert(row, text);
    }
}

fn check(image: Vec<u8>, history: &History, acknowledged: usize, context: &str) -> FaultStorage {
    let storage = FaultStorage::holding(image);
    let keeper = Keeper::open(Box::new(storage.clone()), false, Box::new(Instant::now));
    let keeper = keeper.unwrap_or_else(|error| panic!("{error}, {context}"));
    check_rows(&keeper.begin_read().unwrap().tx, history, acknowledged, context);
    storage
}

#[test]
fn after_a_power_cut_at_any_sync_and_another_during_recovery_all_acknowledged_is_there_and_nothing_half() {
    let storage = storage();
    let before = storage.syncs();
    let db = Db::open_at(storage.clone()).unwrap();
    let mut history = History::new();
    // For each write the syncs that were done when it was acknowledged.
    let mut acknowledged = Vec::new();
    for round in 0..8_u64 {
        let writes: Vec<_> =
            (0..3).map(|n| (round * 2 + n, round.to_string().repeat(2_000 * n as usize + 1))).collect();
        let tickets: Vec<_> = writes.iter().map(|(row, text)| put(&db, *row, text.clone())).collect();
        history.extend(writes);
        for ticket in tickets {
            ticket.wait().unwrap();
            acknowledged.push(storage.syncs());
        }
    }
    let mut recovery_syncs = 0;
    for syncs in before..=storage.syncs() {
        let sure = acknowledged.iter().filter(|at| **at <= syncs).count();
        for spared in [Spared::Nothing, Spared::Everything].into_iter().chain((0..4).map(Spared::Some)) {
            let context = format!("power cut after sync {syncs}, {spared:?}");
            let recovered = check(storage.after_power_cut(syncs, spared), &history, sure, &context);
            recovery_syncs += recovered.syncs();
            for again in 0..=recovered.syncs() {
                for spared in [Spared::Nothing, Spared::Everything, Spared::Some(syncs as u64)] {
                    let context = format!("{context}; another in recovery after sync {again}, {spared:?}");
                    check(recovered.after_power_cut(again, spared), &history, sure, &context);
                }
            }
        }
    }
    assert!(storage.syncs() > 3 * 8 && recovery_syncs > 100, "{} {recovery_syncs}", storage.syncs());
}

#[test]
fn a_full_or_failing_disk_makes_it_degraded_and_when_the_disk_works_again_so_does_it() {
    for errno in [Errno::NOSPC, Errno::IO] {
        for changes in 0.. {
            let (storage, clock) = (storage(), SetClock::new());
            let db = Db::start(Box::new(storage.clone()), false, clock.clock()).unwrap();
            let history = [(1, "first".to_owned()), (2, "x".repeat(50_000)), (3, "last".to_owned())];
            put(&db, 1, history[0].1.clone()).wait().unwrap();

            storage.fail_after(changes, errno);
            let failed = put(&db, 2, history[1].1.clone()).wait();
            let context = format!("{errno} after {changes} changes: {failed:?}");
            if failed.is_ok() {
                assert!(changes > 5 && db.degraded().is_none(), "{context}");
                break;
            }
            let Err(WriteError::Failed(error @ DbError::Storage(_))) = failed else { panic!("{context}") };
            assert_eq!(error.is_full(), errno == Errno::NOSPC, "{context}");
            // Refused at once, with the reason, until the wait is over; then tried, in vain.
            let Err(WriteError::Failed(waiting)) = put(&db, 3, String::new()).wait() else { panic!("{context}") };
            assert!(matches!(waiting, DbError::Degraded { .. }) && waiting.is_retryable(), "{context}: {waiting}");
            assert_eq!(waiting.is_full(), errno == Errno::NOSPC, "{context}: {waiting}");
            for _ in 0..3 {
                clock.advance(Duration::from_secs(2));
                assert!(put(&db, 3, String::new()).wait().is_err(), "{context}");
                assert!(db.degraded().is_some(), "{context}");
            }

            assert!(storage.mend(), "{context}");
            clock.advance(Duration::from_secs(2));
            put(&db, 3, history[2].1.clone()).wait().unwrap_or_else(|error| panic!("{error}, {context}"));
            assert!(db.degraded().is_none(), "{context}");
            db.read(|tx| {
                let found = rows(tx, LEFT);
                assert_eq!((&found[&1], &found[&3]), (&history[0].1, &history[2].1), "{context}");
                // Not acknowledged: there or not, but whole.
                assert!(
                    found.get(&2).is_none_or(|text| *text == history[1].1) && found == rows(tx, RIGHT),
                    "{context}"
                );
                Ok(())
            })
            .unwrap();
            db.close().unwrap();
        }
    }
}

#[test]
fn the_wait_grows_while_it_keeps_failing_and_a_commit_resets_it() {
    let (storage, clock) = (storage(), SetClock::new());
    let db = Db::start(Box::new(storage.clone()), false, clock.clock()).unwrap();
    storage.fail_after(0, Errno::IO);
    // Milliseconds until a write is tried again, found by trying each tenth of a second.
    let wait = || {
        let mut tenths = 0;
        while matches!(put(&db, 1, String::new()).wait(), Err(WriteError::Failed(DbError::Degraded { .. }))) {
            let seen = storage.attempts();
            clock.advance(Duration::from_millis(100));
            let _ = put(&db, 1, String::new()).wait();
            tenths += 1;
            if storage.attempts() > seen {
                break;
            }
        }
        tenths
    };
    let _ = put(&db, 1, String::new()).wait();
    let waits: Vec<_> = (0..7).map(|_| wait()).collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 20, 20]);
    storage.mend();
    clock.advance(Duration::from_secs(2));
    put(&db, 1, String::new()).wait().unwrap();
    storage.fail_after(0, Errno::IO);
    let _ = put(&db, 1, String::new()).wait();
    assert_eq!(wait(), 1);
}

/// A file on a file system that can be made read-only.
struct Remounted {
    file: FilePlace,
    path: PathBuf,
    read_only: Arc<AtomicBool>,
}

#[derive(Debug)]
struct RemountedFile(FileBackend, Arc<AtomicBool>);

impl RemountedFile {
    fn writable(&self) -> io::Result<&FileBackend> {
        let read_only = self.1.load(Ordering::Relaxed);
        if read_only { Err(Errno::ROFS.into()) } else { Ok(&self.0) }
    }
}

impl StorageBackend for RemountedFile {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.writable()?.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.writable()?.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.writable()?.write(offset, data)
    }
}

impl Place for Remounted {
    fn open(&self, builder: &Builder) -> Result<Database, DatabaseError> {
        if self.read_only.load(Ordering::Relaxed) {
            return Err(io::Error::from(Errno::ROFS).into());
        }
        let file = File::options().read(true).write(true).open(&self.path)?;
        builder.create_with_backend(RemountedFile(FileBackend::new(file)?, self.read_only.clone()))
    }

    fn open_frozen(&self, builder: &Builder) -> Result<Database, DatabaseError> {
        self.file.open_frozen(builder)
    }
}

#[test]
fn on_a_disk_remounted_read_only_reads_go_on_and_back_again_writes_do() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("artdag.redb");
    let read_only = Arc::new(AtomicBool::new(false));
    let file = FilePlace::new(&path, &Builder::new()).unwrap();
    let clock = SetClock::new();
    let place = Remounted { file, path, read_only: read_only.clone() };
    let db = Db::start(Box::new(place), false, clock.clock()).unwrap();
    let count = || db.read(|tx| Ok(rows(tx, LEFT).len()));
    put(&db, 1, "one".to_owned()).wait().unwrap();

    read_only.store(true, Ordering::Relaxed);
    assert!(put(&db, 2, "two".to_owned()).wait().is_err());
    for _ in 0..3 {
        assert_eq!(count().unwrap(), 1);
        assert!(matches!(put(&db, 2, "two".to_owned()).wait(), Err(WriteError::Failed(DbError::Degraded { .. }))));
        clock.advance(Duration::from_secs(2));
    }
    read_only.store(false, Ordering::Relaxed);
    put(&db, 2, "two".to_owned()).wait().unwrap();
    assert_eq!(count().unwrap(), 2);
    db.close().unwrap();
}

#[test]
fn an_error_of_reading_is_met_once_and_the_database_opened_again() {
    let (storage, clock) = (storage(), SetClock::new());
    let db = Db::start(Box::new(storage.clone()), false, clock.clock()).unwrap();
    put(&db, 1, "one".to_owned()).wait().unwrap();
    let failed: Result<(), _> = db.read(|_| Err(redb::StorageError::from(io::Error::from(Errno::IO)).into()));
    assert!(matches!(failed, Err(DbError::Storage(_))) && db.degraded().is_some());
    assert_eq!(db.read(|tx| Ok(rows(tx, LEFT).len())).unwrap(), 1);
    clock.advance(Duration::from_secs(1));
    put(&db, 2, "two".to_owned()).wait().unwrap();
    assert!(db.degraded().is_none());
}

#[test]
fn a_database_that_has_failed_comes_back_though_nobody_writes() {
    let (storage, clock) = (storage(), SetClock::new());
    let db = Db::start(Box::new(storage.clone()), false, clock.clock()).unwrap();
    storage.fail_after(0, Errno::IO);
    assert!(put(&db, 1, "one".to_owned()).wait().is_err() && db.degraded().is_some());
    assert!(storage.mend());
    clock.advance(Duration::from_secs(2));
    let start = std::time::Instant::now();
    while db.degraded().is_some() {
        assert!(start.elapsed() < Duration::from_secs(60), "it does not come back");
        std::thread::yield_now();
    }
    put(&db, 2, "two".to_owned()).wait().unwrap();
    assert!(db.read(|tx| Ok(rows(tx, LEFT))).unwrap().contains_key(&2));
}

#[test]
fn a_failure_met_during_a_commit_does_not_open_the_database_twice() {
    let (storage, clock) = (storage(), SetClock::new());
    let place = Gone { storage, missing: Arc::default(), opened: Arc::default() };
    let db = Db::start(Box::new(place.clone()), false, clock.clock()).unwrap();
    let ((entered, wait_entered), (release, wait_release)) = (channel(), channel());
    let held: Ticket<(), Infallible> = db.write(move |tx| {
        tx.open_table(LEFT)?.insert(1, "one")?;
        entered.send(()).unwrap();
        wait_release.recv().unwrap();
        Ok(())
    });
    wait_entered.recv().unwrap();
    let failed: Result<(), _> = db.read(|_| Err(redb::StorageError::from(io::Error::from(Errno::IO)).into()));
    failed.unwrap_err();
    assert!(matches!(db.read(|_| Ok(())), Err(DbError::Degraded { .. })));
    assert_eq!(place.opened.load(Ordering::Relaxed), 1);
    release.send(()).unwrap();
    held.wait().unwrap();
    assert!(db.degraded().is_some(), "a commit of the dropped database says nothing of the next");
    clock.advance(Duration::from_secs(1));
    put(&db, 2, "two".to_owned()).wait().unwrap();
    assert_eq!(db.read(|tx| Ok(rows(tx, LEFT).len())).unwrap(), 2);
    assert_eq!(place.opened.load(Ordering::Relaxed), 2);
}

#[test]
fn failing_reads_do_not_put_off_the_next_try_of_a_write() {
    let (storage, clock) = (storage(), SetClock::new());
    let db = Db::start(Box::new(storage), false, clock.clock()).unwrap();
    let fail = || db.read(|_| -> Result<(), _> { Err(redb::StorageError::from(io::Error::from(Errno::IO)).into()) });
    fail().unwrap_err();
    for _ in 0..9 {
        clock.advance(Duration::from_millis(10));
        fail().unwrap_err();
        assert!(put(&db, 1, String::new()).wait().is_err());
    }
    clock.advance(Duration::from_millis(10));
    put(&db, 1, String::new()).wait().unwrap();
}

/// Storage that can go missing, and counts how often it is opened.
#[derive(Clone)]
struct Gone {
    storage: FaultStorage,
    missing: Arc<AtomicBool>,
    opened: Arc<AtomicUsize>,
}

impl Place for Gone {
    fn open(&self, builder: &Builder) -> Result<Database, DatabaseError> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        if self.missing.load(Ordering::Relaxed) {
            return Err(io::Error::from(Errno::NOENT).into());
        }
        self.storage.open(builder)
    }
}

#[test]
fn a_database_gone_missing_is_looked_for_once_in_a_wait_however_many_ask() {
    let place = Gone { storage: storage(), missing: Arc::default(), opened: Arc::default() };
    let clock = SetClock::new();
    let db = Db::start(Box::new(place.clone()), false, clock.clock()).unwrap();
    put(&db, 1, "one".to_owned()).wait().unwrap();
    place.missing.store(true, Ordering::Relaxed);
    place.storage.fail_after(0, Errno::IO);
    put(&db, 2, "two".to_owned()).wait().unwrap_err();
    place.storage.mend();
    for opened in 2..5 {
        for _ in 0..50 {
            assert!(matches!(db.read(|_| Ok(())), Err(DbError::Degraded { .. })));
            assert!(matches!(put(&db, 2, String::new()).wait(), Err(WriteError::Failed(DbError::Degraded { .. }))));
        }
        assert_eq!(place.opened.load(Ordering::Relaxed), opened);
        clock.advance(Duration::from_secs(2));
    }
    place.missing.store(false, Ordering::Relaxed);
    assert_eq!(db.read(|tx| Ok(rows(tx, LEFT).len())).unwrap(), 1);
}
