//! Opening and closing a home.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use crate::base::limits::LOCK_WAIT_SECONDS;
use crate::base::{ContentHash, Fingerprint, RunId};
use crate::cas::{Disk, RealDisk, Store};
use crate::db::Db;
use crate::engine::error::EngineError;
use crate::engine::events::EventLog;
use crate::engine::finishers::Finishers;
use crate::engine::fresh::Fresh;
use crate::engine::housekeeper::{Ended, Housekeeper};
use crate::engine::inflight::Inflight;
use crate::engine::infra::MadeOn;
use crate::engine::job::Job;
use crate::engine::lately::Lately;
use crate::engine::lock::{Holder, HomeLock, Role, Taken};
use crate::engine::machine::Capacity;
use crate::engine::opened::Opened as OpenedBlobs;
use crate::engine::partial::Senders;
use crate::engine::scheduler::Scheduler;
use crate::engine::seal::SignerOf;
use crate::engine::slots::Slots;
use crate::engine::stage_threads::StageThreads;
use crate::engine::tools::Tools;
use crate::engine::totals::Totals;
use crate::engine::{earlier, first_start, infra, memory, seal, tables};

/// The file of a home's records; a directory that has it is a home.
pub const DATABASE: &str = "artdag.redb";

/// An open home: runs, cache, configs, assets. Cloning shares it.
#[derive(Clone)]
pub struct Engine(pub(super) Arc<Inner>);

/// What an open home is made of.
pub struct Inner {
    pub(super) home: PathBuf,
    pub(super) db: Db,
    pub(super) store: Store,
    pub(super) events: EventLog,
    pub(super) pool: rayon::ThreadPool,
    pub(super) stages: StageThreads,
    pub(super) scheduler: Scheduler,
    pub(super) finishers: Finishers,
    pub(super) housekeeper: Housekeeper,
    pub(super) slots: Slots,
    pub(super) ended: Ended,
    pub(super) inflight: Inflight,
    pub(super) fresh: Fresh,
    pub(super) totals: Totals,
    pub(super) opened: OpenedBlobs,
    pub(super) tools: Tools,
    pub(super) senders: Senders,
    pub(super) signer: SignerOf,
    /// The SHA-256 of outputs.
    pub(super) digests: Lately<ContentHash, Fingerprint>,
    /// What values were made on.
    pub(super) made_on: Lately<Fingerprint, Arc<MadeOn>>,
    /// Waits for a disk that refuses, where a command had better tell.
    pub(super) patient: AtomicBool,
    /// Set when the process is about to leave: runs that have not ended wait for the next one.
    pub(super) leaving: AtomicBool,
    /// How many bring in files that are recorded later, with what they belong to.
    pub(super) bringing: AtomicUsize,
    jobs: Mutex<HashMap<RunId, Arc<Job>>>,
    /// Held for reading while a plan counts on blobs that no run holds yet; for writing while
    /// blobs are taken away.
    eviction: RwLock<()>,
    /// How often somebody began to take blobs away.
    evictions: AtomicU64,
    lock: Mutex<HomeLock>,
}

/// What came of opening a home.
pub enum Opened {
    /// It is open.
    Ours(Engine),
    /// Another process holds it.
    Theirs(Option<Holder>),
}

/// How a home is opened.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The directory, absolute; made if it is missing.
    pub home: PathBuf,
    /// Threads of the pool.
    pub threads: usize,
    /// Stages at once.
    pub workers: usize,
    /// The cap on derived data in bytes, if it is set.
    pub cache_max_bytes: Option<u64>,
    /// Seconds that a stage may take; 0 for as long as it takes.
    pub stage_timeout: u64,
    /// The ffmpeg to use; else the first on the path.
    pub ffmpeg: Option<PathBuf>,
    /// As what.
    pub role: Role,
    /// Who signs the records of runs.
    pub signer: SignerOf,
}

impl Engine {
    /// Opens a home, making it (with its token and the asset `cat`) if need be. Waits for a
    /// command that holds it; a worker or server that does is named at once.
    pub fn open(opening: &Opening) -> Result<Opened, EngineError> {
        Self::open_on(opening, |home| Ok(Arc::new(RealDisk::open(home)?)))
    }

    /// The same on a disk of the caller's.
    pub(super) fn open_on(
        opening: &Opening,
        disk: impl FnOnce(&Path) -> std::io::Result<Arc<dyn Disk>>,
    ) -> Result<Opened, EngineError> {
        let home = &opening.home;
        let unusable = |reason: String| EngineError::Home { home: home.display().to_string(), reason };
        make_home(home).map_err(|error| unusable(error.to_string()))?;
        let wait = Duration::from_secs(if opening.role == Role::Serve { 1 } else { LOCK_WAIT_SECONDS });
        if opening.role != Role::Command {
            memory::rest();
        }
        let lock = match HomeLock::take(home, opening.role, wait).map_err(|error| unusable(error.to_string()))? {
            Taken::Ours(lock) => lock,
            Taken::Theirs(holder) => return Ok(Opened::Theirs(holder)),
        };
        let db = Db::open(&home.join(DATABASE))?;
        tables::create(&db)?;
        earlier::bring_up(&db)?;
        let store = Store::open(disk(home).map_err(|error| unusable(error.to_string()))?)?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(opening.threads)
            .thread_name(|index| format!("render-{index}"))
            .build()
            .map_err(|error| unusable(error.to_string()))?;
        let memory = rustix::system::sysinfo();
        let capacity = Capacity {
            workers: opening.workers,
            // Pictures may take half of the memory together; one that needs more runs alone.
            memory: memory.totalram as u64 * u64::from(memory.mem_unit) / 2,
        };
        let (inflight, killed) = Inflight::open(&home.join("inflight")).map_err(|error| unusable(error.to_string()))?;
        let (scheduler, inbox) = Scheduler::new();
        let (finishers, ends) = Finishers::new();
        let (housekeeper, tasks) = Housekeeper::new();
        let engine = Self(Arc::new(Inner {
            home: home.clone(),
            db,
            store,
            events: EventLog::default(),
            pool,
            stages: StageThreads::default(),
            scheduler,
            finishers,
            housekeeper,
            slots: Slots::default(),
            ended: Ended::default(),
            inflight,
            fresh: Fresh::default(),
            totals: Totals::default(),
            opened: OpenedBlobs::default(),
            senders: Senders::default(),
            signer: opening.signer.clone(),
            digests: Lately::new(seal::DIGESTS),
            made_on: Lately::new(infra::ROWS),
            tools: Tools::new(opening.ffmpeg.clone(), home.join("tools.json")),
            patient: AtomicBool::new(opening.role != Role::Command),
            leaving: AtomicBool::new(false),
            bringing: AtomicUsize::new(0),
            jobs: Mutex::default(),
            eviction: RwLock::new(()),
            evictions: AtomicU64::new(0),
            lock: Mutex::new(lock),
        }));
        first_start::ensure(&engine, opening.cache_max_bytes)?;
        engine.requeue_interrupted(&killed)?;
        engine.0.inflight.clear().map_err(|error| unusable(error.to_string()))?;
        ends.start(&engine);
        tasks.start(&engine);
        let limit = (opening.stage_timeout > 0).then(|| Duration::from_secs(opening.stage_timeout));
        inbox.start(&engine, capacity, limit);
        Ok(Opened::Ours(engine))
    }

    /// The home's directory.
    pub fn home(&self) -> &Path {
        &self.0.home
    }

    /// Writes into the lock file who holds the home.
    pub fn name_holder(&self, holder: &Holder) -> Result<(), EngineError> {
        let mut lock = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        lock.name(holder).map_err(|error| EngineError::file(&self.0.home.join("lock"), &error))
    }

    /// What happens to runs.
    pub fn events(&self) -> &EventLog {
        &self.0.events
    }

    /// Commits of the database since it was opened.
    pub fn commits(&self) -> u64 {
        self.0.db.commits()
    }

    /// Why the database takes no writes at the moment, if it does not.
    pub fn degraded(&self) -> Option<String> {
        self.0.db.degraded().map(|error| error.to_string())
    }

    /// Begins no further runs, and waits for those under way, at most this long; true if all
    /// have ended.
    pub fn drain(&self, most: Duration) -> bool {
        self.0.slots.close();
        let idle = || self.jobs().is_empty().then_some(());
        self.0.ended.wait_at_most(most, idle).is_some()
    }

    /// Stops what runs, commits what is queued and closes the database. Runs that have not
    /// ended wait for whoever opens the home next.
    pub fn close(self) -> Result<(), EngineError> {
        self.0.leaving.store(true, Ordering::Relaxed);
        self.0.slots.close();
        let patient = self.0.patient.load(Ordering::Relaxed);
        if patient {
            // A stage that is stopped is run again; what it had finished is kept.
            self.jobs().values().for_each(|job| job.cancelled.store(true, Ordering::Relaxed));
        }
        self.0.housekeeper.stop();
        self.0.scheduler.stop();
        self.0.finishers.stop();
        if patient && !self.jobs().is_empty() {
            self.requeue_interrupted(&[])?;
        }
        self.0.db.close()?;
        Ok(())
    }

    pub(super) fn jobs(&self) -> MutexGuard<'_, HashMap<RunId, Arc<Job>>> {
        self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// While it is held nothing is evicted, and afterwards nothing that a write which was handed
    /// over meanwhile counts on.
    pub(super) fn keep_all(&self) -> RwLockReadGuard<'_, ()> {
        self.0.eviction.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at what a request counts on, and keeps all of that from then on. Looking may take long,
    /// where ffmpeg does it, and is done before others would have to wait for it.
    pub(super) fn look_and_keep<T>(
        &self,
        look: impl Fn() -> Result<T, EngineError>,
    ) -> Result<(T, RwLockReadGuard<'_, ()>), EngineError> {
        let before = self.0.evictions.load(Ordering::Acquire);
        let seen = look()?;
        let kept = self.keep_all();
        if self.0.evictions.load(Ordering::Acquire) == before {
            return Ok((seen, kept));
        }
        // Something may have gone. What ffmpeg has seen is remembered.
        Ok((look()?, kept))
    }

    /// While it is held nobody plans, and what was planned and handed over before is recorded.
    pub(super) fn evict(&self) -> Result<RwLockWriteGuard<'_, ()>, EngineError> {
        let nobody_plans = self.0.eviction.write().unwrap_or_else(PoisonError::into_inner);
        self.0.evictions.fetch_add(1, Ordering::Release);
        self.0.db.settle()?;
        Ok(nobody_plans)
    }
}

fn make_home(home: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(home)?;
    // The home's own name must be durable before anything in it is promised.
    if let Some(parent) = home.parent() {
        std::fs::File::open(parent)?.sync_all()?;
    }
    Ok(())
}
