//! The scheduler's thread: takes messages, asks the pure machine what to do, and does it.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::base::{ContentHash, RunId};
use crate::engine::Engine;
use crate::engine::error::EngineError;
use crate::engine::events::{NodeState, What};
use crate::engine::home::Inner;
use crate::engine::job::{Job, NodeFailure};
use crate::engine::machine::{Action, Capacity, Event, Need, State};
use crate::engine::work::{self, Blobs, Failure, WorkError};
use crate::plan::Step;

/// The way to the scheduler's thread.
pub struct Scheduler {
    inbox: Sender<Message>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// The other end, until the thread starts.
pub struct Inbox {
    messages: Receiver<Message>,
    back: Sender<Message>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

enum Message {
    Submit(Arc<Job>),
    /// A stage has answered; did it fail?
    Answer(RunId, usize, bool),
    Cancel(RunId),
    Stop,
}

impl Scheduler {
    /// A scheduler whose thread is still to be started.
    pub fn new() -> (Self, Inbox) {
        let (inbox, messages) = channel();
        let thread = Arc::new(Mutex::new(None));
        (Self { inbox: inbox.clone(), thread: thread.clone() }, Inbox { messages, back: inbox, thread })
    }

    /// Hands over a run.
    pub fn submit(&self, job: Arc<Job>) {
        self.send(Message::Submit(job));
    }

    /// Asks a run to stop.
    pub fn cancel(&self, run: RunId) {
        self.send(Message::Cancel(run));
    }

    /// Ends the thread after the stages that run now.
    pub fn stop(&self) {
        self.send(Message::Stop);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the scheduler's thread panicked");
        }
    }

    fn send(&self, message: Message) {
        if self.inbox.send(message).is_err() {
            tracing::debug!("the scheduler has stopped");
        }
    }
}

impl Inbox {
    /// Starts the thread.
    pub fn start(self, engine: &Engine, capacity: Capacity) {
        let inner = Arc::downgrade(&engine.0);
        let thread = self.thread.clone();
        let spawned = std::thread::Builder::new().name("scheduler".to_owned()).spawn(move || {
            let mut lead = Lead { state: State::new(capacity), jobs: HashMap::new(), running: 0, back: self.back };
            let mut stopping = false;
            while !(stopping && lead.running == 0) {
                let Ok(message) = self.messages.recv() else { break };
                let Some(inner) = inner.upgrade() else { break };
                stopping |= matches!(message, Message::Stop);
                lead.take(&Engine(inner), message, stopping);
            }
        });
        match spawned {
            Ok(handle) => *thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle),
            Err(error) => tracing::error!(%error, "the scheduler cannot start"),
        }
    }
}

/// What the thread keeps.
struct Lead {
    state: State,
    jobs: HashMap<RunId, Arc<Job>>,
    running: usize,
    back: Sender<Message>,
}

impl Lead {
    fn take(&mut self, engine: &Engine, message: Message, stopping: bool) {
        let event = match message {
            Message::Submit(job) => {
                let event = Event::Submitted { run: job.run, priority: job.row().priority, stages: needs(&job) };
                self.jobs.insert(job.run, job);
                event
            }
            Message::Answer(run, stage, failed) => {
                self.running -= 1;
                if failed { Event::Failed { run, stage } } else { Event::Done { run, stage } }
            }
            Message::Cancel(run) => Event::Cancel { run },
            Message::Stop => return,
        };
        if stopping {
            return;
        }
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for action in self.state.next(event) {
                events.extend(self.act(engine, action));
            }
        }
    }

    /// Does what the machine says. A stage that only hands on bytes is done at once, and its
    /// answer comes back.
    fn act(&mut self, engine: &Engine, action: Action) -> Option<Event> {
        match action {
            Action::Start(run, stage) => {
                let job = self.jobs.get(&run).cloned()?;
                if is_light(&job, stage) {
                    let failed = carry_out(engine, &job, stage);
                    return Some(if failed { Event::Failed { run, stage } } else { Event::Done { run, stage } });
                }
                self.running += 1;
                let (engine, back) = (engine.clone(), self.back.clone());
                let inner: Arc<Inner> = engine.0.clone();
                inner.pool.spawn(move || {
                    let failed = carry_out(&engine, &job, stage);
                    // The scheduler waits for every stage it started before it ends.
                    let _ = back.send(Message::Answer(job.run, stage, failed));
                });
            }
            Action::Skip(run, stage) => {
                if let Some(job) = self.jobs.get(&run) {
                    let nodes = &job.plan.stages[stage].nodes;
                    job.progress().skipped.extend(nodes.iter().copied());
                    tell_nodes(engine, job, nodes, &NodeState::Skipped);
                }
            }
            Action::Waits { run, on, .. } => engine.0.listeners.tell(run, &What::Waits { on }),
            Action::Stop(run) => {
                if let Some(job) = self.jobs.get(&run) {
                    job.cancelled.store(true, Ordering::Relaxed);
                }
            }
            Action::End(run, outcome) => {
                if let Some(job) = self.jobs.remove(&run) {
                    let engine = engine.clone();
                    let inner = engine.0.clone();
                    inner.pool.spawn(move || engine.finish(&job, outcome));
                }
            }
        }
        None
    }
}

/// Does the stage only hand on bytes?
fn is_light(job: &Job, stage: usize) -> bool {
    job.plan.stages[stage].steps.iter().all(|step| matches!(step, Step::Alias(_)))
}

fn needs(job: &Job) -> Vec<Need> {
    let keys = |keeps: &[usize]| keeps.iter().map(|node| job.plan.nodes[*node].key).collect();
    let stages = job.plan.stages.iter().enumerate();
    stages
        .map(|(index, stage)| Need {
            after: stage.after.clone(),
            memory: stage.memory,
            remaining: stage.remaining,
            keys: if may_share(job, index) { keys(&stage.keeps) } else { Vec::new() },
        })
        .collect()
}

/// May the stage take values that other runs have made, or are making?
fn may_share(job: &Job, stage: usize) -> bool {
    job.share && !is_light(job, stage) && !job.plan.stages[stage].keeps.iter().any(|node| job.plan.nodes[*node].forced)
}

/// Runs a stage and records what it made; true if it failed.
fn carry_out(engine: &Engine, job: &Job, stage: usize) -> bool {
    if may_share(job, stage) && adopt(engine, job, stage) {
        return false;
    }
    let nodes = &job.plan.stages[stage].nodes;
    tell_nodes(engine, job, nodes, &NodeState::Running);
    let inputs: work::Inputs = {
        let progress = job.progress();
        let reads = &job.plan.stages[stage].reads;
        reads.iter().filter_map(|read| Some((*read, *progress.values.get(read)?))).collect()
    };
    let outcome = work::run_stage(&job.plan, stage, &inputs, &StageBlobs { engine, job });
    let published = engine.publish(job, stage, &outcome);
    let mut progress = job.progress();
    progress.stages += 1;
    progress.written += outcome.written;
    progress.values.extend(outcome.kept.iter().copied());
    progress.skipped.extend(outcome.skipped.iter().copied());
    let failure = match (outcome.failure, published) {
        (Some(failure), _) => Some(describe(job, &failure)),
        (None, Err(failure)) => Some(failure),
        (None, Ok(())) => None,
    };
    drop(progress);
    if let Some(failure) = failure {
        tell_nodes(engine, job, &[failure.node], &NodeState::Failed(failure.message.clone()));
        tell_nodes(engine, job, &outcome.skipped, &NodeState::Skipped);
        job.progress().failure.get_or_insert(failure);
        return true;
    }
    false
}

/// Takes a stage's values as known if another run has made them since this one was planned.
/// What this run itself has made counts as computed, however soon its rows are on disk.
fn adopt(engine: &Engine, job: &Job, stage: usize) -> bool {
    let keeps = &job.plan.stages[stage].keeps;
    let found: Option<Vec<(usize, ContentHash)>> = keeps
        .iter()
        .map(|node| Some((*node, engine.known_from_others(&job.plan.nodes[*node].key, job.run)?)))
        .collect();
    let Some(found) = found.filter(|_| !job.plan.stages[stage].nodes.is_empty()) else { return false };
    let mut progress = job.progress();
    progress.adopted.extend(keeps.iter().copied());
    progress.values.extend(found);
    drop(progress);
    let nodes = &job.plan.stages[stage].nodes;
    job.done.fetch_add(nodes.len() as u64, Ordering::Relaxed);
    tell_nodes(engine, job, nodes, &NodeState::Cached);
    true
}

fn describe(job: &Job, failure: &Failure) -> NodeFailure {
    let (damaged, full) = match &failure.error {
        WorkError::Storage(EngineError::Damaged { hash, .. }) => (Some(*hash), false),
        WorkError::Storage(error) => (None, error.class() == crate::engine::Class::Full),
        _ => (None, false),
    };
    let node = &job.plan.nodes[failure.node];
    let message = format!("node {} ({}): {}", node.id, node.node_type.name(), failure.error);
    NodeFailure { node: failure.node, message, damaged, full }
}

fn tell_nodes(engine: &Engine, job: &Job, nodes: &[usize], state: &NodeState) {
    if engine.0.listeners.any() {
        for node in nodes {
            let node = job.plan.nodes[*node].id.clone();
            engine.0.listeners.tell(job.run, &What::Node { node, state: state.clone() });
        }
    }
}

/// A stage's way to the store.
struct StageBlobs<'a> {
    engine: &'a Engine,
    job: &'a Job,
}

impl Blobs for StageBlobs<'_> {
    fn read(&self, hash: &ContentHash) -> Result<Box<dyn std::ops::Deref<Target = [u8]> + '_>, EngineError> {
        Ok(Box::new(self.engine.stage_read(hash)?))
    }

    fn write(&self, bytes: &[u8]) -> Result<(ContentHash, bool), EngineError> {
        let stored = self.engine.0.store.put_bytes(bytes)?;
        Ok((stored.hash, !stored.existing))
    }

    fn cancelled(&self) -> bool {
        self.job.cancelled.load(Ordering::Relaxed)
    }

    fn done(&self, node: usize) {
        let done = self.job.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.engine.0.listeners.any() {
            let nodes = self.job.plan.nodes.len() as u64;
            tell_nodes(self.engine, self.job, &[node], &NodeState::Completed(None));
            self.engine.0.listeners.tell(self.job.run, &What::Progress { done, nodes });
        }
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.send(Message::Stop);
    }
}
