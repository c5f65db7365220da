//! A run that is being carried out: its plan, and what has come of it so far.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::base::limits::COMMIT_WRITES;
use crate::base::{ContentHash, NodeKey, RunId};
use crate::db::DbError;
use crate::engine::machine::Attempt;
use crate::engine::notes::{NodeNotes, Notes};
use crate::engine::request::Data;
use crate::engine::slots::Place;
use crate::engine::tables::Pending;
use crate::plan::{Plan, State};
use crate::records::{BlobRow, CommandTrace, KeyRow, MemoRow, RunRow, RunStats, RunStatus};

/// A run in flight.
pub struct Job {
    /// The run.
    pub run: RunId,
    /// Its plan.
    pub plan: Plan,
    /// May its stages take what other runs have made?
    pub share: bool,
    /// Set when the run is to stop.
    pub cancelled: AtomicBool,
    /// Nodes done.
    pub done: AtomicU64,
    progress: Mutex<Progress>,
    /// What its stages have stored or found, whatever became of them: nobody deletes it meanwhile.
    counted_on: Mutex<HashSet<ContentHash>>,
    /// Writes of its stages on their way to disk.
    pending: Mutex<VecDeque<Pending<()>>>,
    /// Rows of its stages that are not queued yet.
    gathered: Mutex<Rows>,
    row: Mutex<RunRow>,
    /// Does it render another run again?
    pub verifies: bool,
    /// Nodes whose stages are suspected of having brought the process down.
    pub suspects: Vec<NodeKey>,
    /// Tries at stages that took too long: nothing is taken from them any more.
    given_up: Mutex<HashSet<Attempt>>,
    /// Its place among the runs under way.
    place: Mutex<Option<Place>>,
    /// Set when rows of its stages could not be recorded.
    pub rows_lost: AtomicBool,
    /// Stages that have not answered.
    pub stages_left: AtomicUsize,
    /// How its stages and nodes were carried out.
    notes: Mutex<Notes>,
    /// The values that its plan was made by, by position in the recipe.
    pub data: Data,
    /// What the run did before it could be planned so far.
    earlier: Earlier,
}

/// What a run did before the rest of it could be planned.
#[derive(Debug, Default, Clone)]
struct Earlier {
    stages: u64,
    written: u64,
    /// What it computed, and how that went.
    made: HashMap<NodeKey, NodeNotes>,
}

/// What stages made, on its way to the database.
#[derive(Default, Clone)]
pub struct Rows {
    /// Results, with the row of the blob where it is new.
    pub results: Vec<(NodeKey, MemoRow, Option<BlobRow>)>,
    /// What keys are made of.
    pub keys: Vec<(NodeKey, KeyRow)>,
}

impl Rows {
    /// Is there nothing to record?
    pub fn is_empty(&self) -> bool {
        self.results.is_empty() && self.keys.is_empty()
    }
}

/// What has come of a run.
#[derive(Debug, Default, Clone)]
pub struct Progress {
    /// The blobs of sources, hits and kept values.
    pub values: HashMap<usize, ContentHash>,
    /// Nodes that were planned to run and were found known when their stage started.
    pub adopted: Vec<usize>,
    /// Stages that ran.
    pub stages: u64,
    /// Blobs that were new.
    pub written: u64,
    /// The first node that failed and why.
    pub failure: Option<NodeFailure>,
    /// Nodes that did not run.
    pub skipped: Vec<usize>,
}

/// Why a node failed.
#[derive(Debug, Clone)]
pub struct NodeFailure {
    /// The node.
    pub node: usize,
    /// One sentence.
    pub message: String,
    /// The blob that was found damaged or missing, if that was why.
    pub damaged: Option<ContentHash>,
    /// Was it for want of space?
    pub full: bool,
}

impl Job {
    /// A run about to start.
    pub fn new(run: RunId, plan: Plan, row: RunRow, share: bool, suspects: Vec<NodeKey>, place: Option<Place>) -> Self {
        let mut progress = Progress::default();
        let mut done = 0;
        for (index, node) in plan.nodes.iter().enumerate() {
            match (node.state, node.source) {
                (State::Hit(hash), _) | (_, Some(hash)) => {
                    progress.values.insert(index, hash);
                }
                _ => {}
            }
            done += u64::from(node.state != State::Miss);
        }
        let notes = Notes::new(plan.stages.len());
        Self {
            run,
            stages_left: AtomicUsize::new(plan.stages.len()),
            plan,
            suspects,
            given_up: Mutex::default(),
            rows_lost: AtomicBool::new(false),
            place: Mutex::new(place),
            notes: Mutex::new(notes),
            share,
            cancelled: AtomicBool::new(false),
            done: AtomicU64::new(done),
            progress: Mutex::new(progress),
            counted_on: Mutex::default(),
            pending: Mutex::default(),
            gathered: Mutex::default(),
            verifies: row.verifies.is_some(),
            row: Mutex::new(row),
            data: Data::new(),
            earlier: Earlier::default(),
        }
    }

    /// The values that its plan was made by.
    #[must_use]
    pub fn with_data(self, data: Data) -> Self {
        Self { data, ..self }
    }

    /// The rest of a run whose first part has found what its plan depends on.
    pub fn rest_of(first: &Self, plan: Plan, row: RunRow, data: Data) -> Self {
        let place = first.place.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut earlier = first.earlier.clone();
        let progress = first.progress();
        earlier.stages += progress.stages;
        earlier.written += progress.written;
        let computed = first.plan.nodes.iter().enumerate();
        let computed = computed.filter(|(index, node)| node.state == State::Miss && !progress.adopted.contains(index));
        let notes = first.notes();
        earlier.made.extend(computed.map(|(index, node)| (node.key, notes.of_node(index))));
        let notes = Mutex::new(notes.followed_by(plan.stages.len()));
        let suspects = first.suspects.clone();
        Self { notes, earlier, ..Self::new(first.run, plan, row, first.share, suspects, place).with_data(data) }
    }

    /// Did the run itself compute this node's value before the rest of it could be planned?
    pub fn made_before(&self, node: usize) -> bool {
        let node = &self.plan.nodes[node];
        node.state != State::Miss && self.earlier.made.contains_key(&node.key)
    }

    /// Takes note of a write; waits for an earlier one if too many are on their way.
    pub fn queue(&self, write: Pending<()>) -> Result<(), DbError> {
        let earliest = {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            pending.push_back(write);
            if pending.len() > 2 * COMMIT_WRITES { pending.pop_front() } else { None }
        };
        self.note(earliest.map_or(Ok(()), Pending::wait))
    }

    fn note(&self, written: Result<(), DbError>) -> Result<(), DbError> {
        self.rows_lost.fetch_or(written.is_err(), Ordering::Relaxed);
        written
    }

    /// Adds rows to those that are to be queued; how many there are now.
    pub fn gather(&self, rows: Rows) -> usize {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.results.extend(rows.results);
        gathered.keys.extend(rows.keys);
        gathered.keys.len() + gathered.results.len()
    }

    /// Takes the rows that are to be queued.
    pub fn take_rows(&self) -> Rows {
        std::mem::take(&mut *self.gathered.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until all its writes are on disk.
    pub fn settle(&self) -> Result<(), DbError> {
        let pending = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        pending.into_iter().try_for_each(|write| self.note(write.wait()))
    }

    /// What has come of it so far.
    pub fn progress(&self) -> MutexGuard<'_, Progress> {
        // Every change is one statement: the state is whole even where a holder panicked.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that it counts on a blob from now on.
    pub fn count_on(&self, hash: ContentHash) {
        self.counted_on.lock().unwrap_or_else(PoisonError::into_inner).insert(hash);
    }

    /// All blobs that it counts on while it is under way.
    pub fn counted_on(&self) -> HashSet<ContentHash> {
        let mut all = self.counted_on.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.extend(self.progress().values.values().copied());
        all.extend(self.data.values().copied());
        all
    }

    /// Does it count on this blob?
    pub fn counts_on(&self, hash: &ContentHash) -> bool {
        let noted = self.counted_on.lock().unwrap_or_else(PoisonError::into_inner).contains(hash);
        noted || self.progress().values.values().chain(self.data.values()).any(|value| value == hash)
    }

    /// Its row as it stands.
    pub fn row(&self) -> RunRow {
        self.lock_row().clone()
    }

    /// Replaces its row.
    pub fn set_row(&self, row: RunRow) {
        *self.lock_row() = row;
    }

    /// Takes nothing more from a try at a stage.
    pub fn give_up(&self, attempt: Attempt) {
        self.given_up().insert(attempt);
    }

    /// Does something with what a try has made, unless it was given up; nobody can give it up
    /// meanwhile.
    pub fn unless_given_up<T>(&self, attempt: Attempt, then: impl FnOnce() -> T) -> Option<T> {
        let given_up = self.given_up();
        (!given_up.contains(&attempt)).then(then)
    }

    /// Is a try to stop?
    pub fn is_stopped(&self, attempt: Attempt) -> bool {
        self.cancelled.load(Ordering::Relaxed) || self.given_up().contains(&attempt)
    }

    fn given_up(&self) -> MutexGuard<'_, HashSet<Attempt>> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives back its place among the runs under way.
    pub fn leave(&self) {
        drop(self.place.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Notes that a stage begins.
    pub fn began(&self, stage: usize) {
        let plan = &self.plan.stages[stage];
        self.notes().began(stage, &plan.after, &plan.nodes);
    }

    /// Notes that all of a stage is there, or failed.
    pub fn stage_ended(&self, stage: usize) {
        self.notes().stage_ended(stage);
    }

    /// Notes a command that a stage has started.
    pub fn ran(&self, stage: usize, command: CommandTrace) {
        self.notes().ran(stage, command);
    }

    /// Notes how long storing a node's value took.
    pub fn stored(&self, node: usize, took: Duration) {
        self.notes().stored(node, took);
    }

    /// Notes that a node has ended.
    pub fn node_ended(&self, node: usize) {
        self.notes().node_ended(node);
    }

    /// How a node was carried out, as far as it was.
    pub fn notes_of(&self, node: usize) -> NodeNotes {
        let before = self.earlier.made.get(&self.plan.nodes[node].key).filter(|_| self.made_before(node));
        before.copied().unwrap_or_else(|| self.notes().of_node(node))
    }

    /// How its stages were carried out.
    pub fn notes(&self) -> MutexGuard<'_, Notes> {
        // Every change is one statement, or makes an entry whole.
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts for the record of a run that ends so.
    pub fn stats(&self, status: RunStatus) -> RunStats {
        let progress = self.progress();
        let adopted: HashSet<usize> = progress.adopted.iter().copied().collect();
        let failed = progress.failure.as_ref().map(|failure| failure.node);
        let skipped: HashSet<usize> = progress.skipped.iter().copied().collect();
        let notes = self.notes();
        // Of a run without an output only what was done counts, whatever else it was to do.
        let was_made = |node: usize| {
            status == RunStatus::Completed
                || (notes.of_node(node).ended.is_some() && failed != Some(node) && !skipped.contains(&node))
        };
        let computed: Vec<&NodeKey> = (0..self.plan.nodes.len())
            .filter(|node| self.plan.nodes[*node].state == State::Miss && !adopted.contains(node) && was_made(*node))
            .map(|node| &self.plan.nodes[node].key)
            .collect();
        // What is computed twice by one run is one node.
        let again: HashSet<&NodeKey> = computed.iter().copied().collect();
        let before = self.earlier.made.keys().filter(|key| !again.contains(key)).count();
        let own = (0..self.plan.nodes.len()).filter(|node| self.is_hit(*node) && self.made_before(*node)).count();
        RunStats {
            stages: self.earlier.stages + progress.stages,
            hits: (self.plan.hits() - own + adopted.len()) as u64,
            misses: (computed.len() + before) as u64,
            blobs_written: self.earlier.written + progress.written,
        }
    }

    fn is_hit(&self, node: usize) -> bool {
        matches!(self.plan.nodes[node].state, State::Hit(_))
    }

    /// Nodes: all, done, and of these known before.
    pub fn counts(&self) -> (u64, u64, u64) {
        let nodes = &self.plan.nodes;
        let is_cached =
            |node: &usize| !matches!(nodes[*node].state, State::Miss | State::Source) && !self.made_before(*node);
        let later = self.plan.later.as_ref().map_or(0, |later| later.nodes.len());
        let cached = (0..nodes.len()).filter(is_cached).count();
        ((nodes.len() + later) as u64, self.done.load(Ordering::Relaxed), cached as u64)
    }

    fn lock_row(&self) -> MutexGuard<'_, RunRow> {
        self.row.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
