//! Keeps the database open: after a failure it is dropped, and opened again when next used.
//!
//! Reads may open it at once, since most failures are of writes (a full disk) and what is
//! committed is still there; where it cannot be opened, a frozen view of it may do. Writes wait
//! for the back-off, and a commit that succeeds ends the trouble.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use redb::{Builder, Database, DatabaseError, ReadTransaction, ReadableDatabase, WriteTransaction};

use crate::db::error::DbError;
use crate::db::format;
use crate::db::place::Place;

/// The wait after a first failure: long enough that a stream of failing writes costs nothing.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait, so that a disk that works again is noticed within seconds.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// redb's cache; what it does not hold, the system's page cache does.
const CACHE_BYTES: usize = 128 << 20;

/// The monotonic clock, or a test's.
pub(super) type Clock = Box<dyn Fn() -> Instant + Send + Sync>;

/// The database and its trouble.
pub(super) struct Keeper {
    place: Box<dyn Place>,
    clock: Clock,
    state: RwLock<State>,
    commits: AtomicU64,
    /// Shared with every write transaction that has not ended.
    writing: Arc<()>,
}

struct State {
    /// Nothing between a failure and the next use.
    database: Option<Database>,
    /// Is it a frozen view?
    frozen: bool,
    /// Raised with every opening, so that the failure of an earlier one is not laid on this one.
    generation: u64,
    trouble: Option<Trouble>,
    closed: bool,
}

struct Trouble {
    reason: Arc<redb::Error>,
    wait: Duration,
    retry_at: Instant,
    /// Has opening been tried since the failure?
    tried: bool,
}

/// A transaction, and which opening of the database it belongs to.
pub(super) struct Begun<T> {
    pub(super) tx: T,
    generation: u64,
    /// Of a write transaction.
    _writing: Option<Arc<()>>,
}

/// How the database is set up.
pub(super) fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

impl Keeper {
    /// Opens the database at a place, checking its every page first if `check` is set.
    pub(super) fn open(place: Box<dyn Place>, check: bool, clock: Clock) -> Result<Self, DbError> {
        let mut builder = builder();
        builder.set_check_integrity_on_open(check);
        let database = astray(|| Ok(place.open(&builder)?))?;
        astray(|| format::check(&database))?;
        let state = State { database: Some(database), frozen: false, generation: 0, trouble: None, closed: false };
        Ok(Self { place, clock, state: RwLock::new(state), commits: AtomicU64::new(0), writing: Arc::new(()) })
    }

    /// Commits that have succeeded.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// The last failure, if no commit has succeeded since.
    pub(super) fn trouble(&self) -> Option<Arc<redb::Error>> {
        self.read_state().trouble.as_ref().map(|trouble| trouble.reason.clone())
    }

    /// A snapshot of what is committed.
    pub(super) fn begin_read(&self) -> Result<Begun<ReadTransaction>, DbError> {
        loop {
            let state = self.read_state();
            if state.closed {
                return Err(DbError::Closed);
            }
            if let Some(database) = &state.database {
                let generation = state.generation;
                let begun = astray(|| Ok(database.begin_read()?));
                drop(state);
                return match begun {
                    Ok(tx) => Ok(Begun { tx, generation, _writing: None }),
                    Err(error) => Err(self.failed(generation, error)),
                };
            }
            drop(state);
            self.reopen(false)?;
        }
    }

    /// The transaction of the next commit.
    pub(super) fn begin_write(&self) -> Result<Begun<WriteTransaction>, DbError> {
        loop {
            let state = self.read_state();
            if state.closed {
                return Err(DbError::Closed);
            }
            let waiting = |trouble: &Trouble| (self.clock)() < trouble.retry_at;
            if state.trouble.as_ref().is_some_and(waiting) {
                return Err(state.unavailable());
            }
            if let Some(database) = state.database.as_ref().filter(|_| !state.frozen) {
                let generation = state.generation;
                let live = Some(self.writing.clone());
                let begun = astray(|| format::begin(database));
                drop(state);
                return match begun {
                    Ok(tx) => Ok(Begun { tx, generation, _writing: live }),
                    Err(error) => Err(self.failed(generation, error)),
                };
            }
            drop(state);
            self.reopen(true)?;
        }
    }

    /// Commits; when it returns the changes are durable.
    pub(super) fn commit(&self, begun: Begun<WriteTransaction>) -> Result<(), DbError> {
        match astray(|| Ok(begun.tx.commit())) {
            Ok(Ok(())) => {
                self.commits.fetch_add(1, Ordering::Relaxed);
                self.succeeded(begun.generation);
                Ok(())
            }
            // Rolled back, and nothing is wrong with the database.
            Ok(Err(error @ redb::CommitError::TransactionPoisoned)) => Err(error.into()),
            Ok(Err(error)) => Err(self.failed(begun.generation, error.into())),
            Err(error) => Err(self.failed(begun.generation, error)),
        }
    }

    /// Commits nothing, which brings a database back that had failed, if the disk is well again.
    pub(super) fn try_again(&self) {
        let brought = self.begin_write().and_then(|begun| self.commit(begun));
        brought.inspect_err(|error| tracing::debug!(%error, "the database is not back yet")).ok();
    }

    /// Takes back what a transaction has done.
    pub(super) fn abort(&self, begun: Begun<WriteTransaction>) {
        if let Err(error) = astray(|| Ok(begun.tx.abort()?)) {
            self.failed(begun.generation, error);
        }
    }

    /// Judges an error met within a transaction.
    pub(super) fn judge<T>(&self, begun: &Begun<T>, error: DbError) -> DbError {
        let closed_by_failure =
            matches!(&error, DbError::Storage(cause) if matches!(**cause, redb::Error::DatabaseClosed));
        if error.is_latched() {
            self.failed(begun.generation, error)
        } else if closed_by_failure {
            let state = self.read_state();
            let reason = state.trouble.as_ref().map(|trouble| trouble.reason.clone());
            reason.map_or(DbError::Closed, |reason| DbError::Degraded { reason })
        } else {
            error
        }
    }

    /// Gives free pages back to the file system; true if there were any. Refused while anything
    /// reads or writes.
    pub(super) fn compact(&self) -> Result<bool, DbError> {
        let mut state = self.write_state();
        match &mut state.database {
            Some(database) => Ok(database.compact()?),
            None => Err(state.unavailable()),
        }
    }

    /// Closes the database for good.
    pub(super) fn close(&self) -> Result<(), DbError> {
        let mut state = self.write_state();
        state.closed = true;
        state.database.take().map_or(Ok(()), |database| Ok(database.close()?))
    }

    /// Ends the trouble, unless the database has failed again since.
    fn succeeded(&self, generation: u64) {
        if self.read_state().trouble.is_none() {
            return;
        }
        let mut state = self.write_state();
        if state.generation == generation && state.database.is_some() {
            state.trouble = None;
        }
    }

    /// Drops a database that has failed, and gives the error back.
    fn failed(&self, generation: u64, error: DbError) -> DbError {
        let mut state = self.write_state();
        if state.generation == generation && state.database.is_some() {
            state.database = None;
            state.put_off(&error, (self.clock)(), false);
        }
        error
    }

    /// Opens a database that was dropped, or is only a frozen view of one.
    fn reopen(&self, for_writing: bool) -> Result<(), DbError> {
        let mut state = self.write_state();
        let now = (self.clock)();
        let enough = state.database.is_some() && !(for_writing && state.frozen);
        if enough || state.closed {
            return Ok(());
        }
        // A database dropped under a write transaction stays open until that has ended, and must
        // not be open twice.
        let still_open = Arc::strong_count(&self.writing) > 1;
        let tried = |trouble: &Trouble| trouble.tried && now < trouble.retry_at;
        if still_open || state.trouble.as_ref().is_some_and(tried) {
            return Err(state.unavailable());
        }
        state.database = None;
        match self.open_checked(Place::open) {
            Ok(database) => state.set(database, false),
            Err(error) => {
                state.put_off(&error, now, true);
                match self.open_checked(Place::open_frozen) {
                    Ok(database) => state.set(database, true),
                    Err(_) => return Err(state.unavailable()),
                }
                if for_writing {
                    return Err(state.unavailable());
                }
            }
        }
        Ok(())
    }

    fn open_checked(
        &self,
        open: fn(&dyn Place, &Builder) -> Result<Database, DatabaseError>,
    ) -> Result<Database, DbError> {
        astray(|| {
            let database = open(&*self.place, &builder())?;
            format::check(&database)?;
            Ok(database)
        })
    }

    /// The locks are held to begin a transaction or to open the database, not while one runs.
    fn read_state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_state(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn set(&mut self, database: Database, frozen: bool) {
        self.database = Some(database);
        self.frozen = frozen;
        self.generation += 1;
    }

    /// Notes a failure. One met while a wait is on leaves the wait as it is; the first after it
    /// doubles it.
    fn put_off(&mut self, error: &DbError, now: Instant, tried: bool) {
        let (wait, retry_at) = match &self.trouble {
            None => (FIRST_WAIT, now + FIRST_WAIT),
            Some(trouble) if now < trouble.retry_at => (trouble.wait, trouble.retry_at),
            Some(trouble) => {
                let wait = (trouble.wait * 2).min(LONGEST_WAIT);
                (wait, now + wait)
            }
        };
        let reason = match error {
            DbError::Storage(cause) => cause.clone(),
            other => Arc::new(redb::Error::Corrupted(other.to_string())),
        };
        self.trouble = Some(Trouble { reason, wait, retry_at, tried });
    }

    fn unavailable(&self) -> DbError {
        match &self.trouble {
            Some(trouble) => DbError::Degraded { reason: trouble.reason.clone() },
            None => DbError::Closed,
        }
    }
}

/// redb trusts the file and may panic where it is damaged; that is an answer, not a crash.
pub(super) fn astray<T>(run: impl FnOnce() -> Result<T, DbError>) -> Result<T, DbError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(DbError::Damaged { message: message_of(&*panic) }))
}

/// What a panic said.
pub(super) fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().map(str::to_owned);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
