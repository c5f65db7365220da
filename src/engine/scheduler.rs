//! The scheduler's thread: takes messages, asks the pure machine what to do, and does it.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::base::RunId;
use crate::engine::Engine;
use crate::engine::error::EngineError;
use crate::engine::events::{NodeState, What};
use crate::engine::film;
use crate::engine::home::Inner;
use crate::engine::job::{Job, NodeFailure, Rows};
use crate::engine::machine::{Action, Attempt, Capacity, Event, Need, State};
use crate::engine::memory;
use crate::engine::stage_blobs::StageBlobs;
use crate::engine::work::{self, Failure, WorkError, panic_text};
use crate::plan::{Step, Work};

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
    /// A try at a stage has answered; did it fail?
    Answer(Attempt, bool),
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
    /// Starts the thread. A try at a stage that takes longer than `limit` is given up.
    pub fn start(self, engine: &Engine, capacity: Capacity, limit: Option<Duration>) {
        let inner = Arc::downgrade(&engine.0);
        let thread = self.thread.clone();
        let spawned = std::thread::Builder::new().name("scheduler".to_owned()).spawn(move || {
            let mut lead = Lead {
                state: State::new(capacity),
                jobs: HashMap::new(),
                running: 0,
                back: self.back,
                limit,
                deadlines: VecDeque::new(),
            };
            let mut stopping = false;
            while !(stopping && lead.running == 0) {
                let message = match lead.next_deadline() {
                    // What nobody sends must still be noticed.
                    Some(at) => self.messages.recv_timeout(at.saturating_duration_since(Instant::now())),
                    None => self.messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
                };
                let Some(inner) = inner.upgrade() else { break };
                match message {
                    Ok(message) => {
                        stopping |= matches!(message, Message::Stop);
                        lead.take(&Engine(inner), message, stopping);
                    }
                    Err(RecvTimeoutError::Timeout) => lead.time_out(&Engine(inner), stopping),
                    Err(RecvTimeoutError::Disconnected) => break,
                }
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
    /// How long a try at a stage may take.
    limit: Option<Duration>,
    /// When tries that run are given up: all have the same time, so the first is next. There are
    /// as many as stages run, and those that were given up.
    deadlines: VecDeque<(Instant, Attempt)>,
}

impl Lead {
    fn take(&mut self, engine: &Engine, message: Message, stopping: bool) {
        let event = match message {
            Message::Submit(job) => {
                let event = Event::Submitted { run: job.run, priority: job.row().priority, stages: needs(&job) };
                self.jobs.insert(job.run, job);
                event
            }
            Message::Answer(attempt, failed) => {
                self.running -= 1;
                self.deadlines.retain(|(_, of)| *of != attempt);
                if failed { Event::Failed(attempt) } else { Event::Done(attempt) }
            }
            Message::Cancel(run) => Event::Cancel { run },
            Message::Stop => return,
        };
        // What is stopped because the process leaves has not failed.
        if stopping || engine.0.leaving.load(Ordering::Relaxed) {
            return;
        }
        self.handle(engine, event);
    }

    fn handle(&mut self, engine: &Engine, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for action in self.state.next(event) {
                events.extend(self.act(engine, action));
            }
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.front().map(|(at, _)| *at)
    }

    fn time_out(&mut self, engine: &Engine, stopping: bool) {
        let now = Instant::now();
        while let Some((_, attempt)) = self.deadlines.front().copied().filter(|(at, _)| *at <= now) {
            self.deadlines.pop_front();
            if !stopping {
                self.handle(engine, Event::TimedOut(attempt));
            }
        }
    }

    /// Does what the machine says. A stage that only hands on bytes is done at once, and its
    /// answer comes back.
    fn act(&mut self, engine: &Engine, action: Action) -> Option<Event> {
        match action {
            Action::Start(attempt) => return self.start(engine, attempt),
            Action::Skip(run, stage) => {
                if let Some(job) = self.jobs.get(&run) {
                    let nodes = &job.plan.stages[stage].nodes;
                    job.progress().skipped.extend(nodes.iter().copied());
                    tell_nodes(engine, job, nodes, &NodeState::Skipped);
                }
            }
            Action::Waits { run, stage, on } => {
                if let Some(job) = self.jobs.get(&run) {
                    tell_nodes(engine, job, &job.plan.stages[stage].nodes, &NodeState::Waiting { on });
                }
                engine.0.events.tell(run, What::Waits { on });
            }
            Action::GiveUp(attempt, last) => {
                if let Some(job) = self.jobs.get(&attempt.run) {
                    give_up(engine, job, attempt, last, self.limit.unwrap_or_default());
                }
            }
            Action::Stop(run) => {
                if let Some(job) = self.jobs.get(&run) {
                    job.cancelled.store(true, Ordering::Relaxed);
                }
            }
            Action::End(run, outcome) => {
                if let Some(job) = self.jobs.remove(&run) {
                    engine.0.finishers.finish(job, outcome);
                }
            }
        }
        None
    }

    fn start(&mut self, engine: &Engine, attempt: Attempt) -> Option<Event> {
        let job = self.jobs.get(&attempt.run).cloned()?;
        if is_light(&job, attempt.stage) {
            let failed = answered(engine, &job, attempt);
            return Some(if failed { Event::Failed(attempt) } else { Event::Done(attempt) });
        }
        if let Some(limit) = self.limit {
            self.deadlines.push_back((Instant::now() + limit, attempt));
        }
        self.running += 1;
        let (engine, back) = (engine.clone(), self.back.clone());
        let inner: Arc<Inner> = engine.0.clone();
        memory::work();
        inner.stages.spawn(move || {
            let failed = answered(&engine, &job, attempt);
            // The scheduler waits for every stage it started before it ends.
            let _ = back.send(Message::Answer(attempt, failed));
        });
        None
    }
}

/// Takes nothing more from a try that takes too long; the last one fails the run.
fn give_up(engine: &Engine, job: &Job, attempt: Attempt, last: bool, limit: Duration) {
    job.give_up(attempt);
    let node = last_node(job, attempt.stage);
    let id = &job.plan.nodes[node].id;
    tracing::warn!(run = %job.run, node = %id, attempt = attempt.number, "a stage takes too long");
    if last {
        let message = format!(
            "node {id}: its stage took longer than {} s, {} times; the time is set by stage-timeout",
            limit.as_secs(),
            attempt.number
        );
        tell_nodes(engine, job, &[node], &NodeState::Failed(message.clone()));
        job.progress().failure.get_or_insert(NodeFailure { node, message, damaged: None, full: false });
    }
}

/// The node that a stage is named by: the last whose value it keeps.
fn last_node(job: &Job, stage: usize) -> usize {
    let stage = &job.plan.stages[stage];
    stage.keeps.last().or(stage.nodes.last()).copied().unwrap_or(job.plan.output)
}

/// Does the stage only hand on bytes?
fn is_light(job: &Job, stage: usize) -> bool {
    let stage = &job.plan.stages[stage];
    stage.work == Work::Pixels && stage.steps.iter().all(|step| matches!(step, Step::Alias(_)))
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
            light: is_light(job, index),
            suspect: !job.suspects.is_empty() && job.suspects.contains(&job.plan.nodes[last_node(job, index)].key),
        })
        .collect()
}

/// May the stage take values that other runs have made, or are making?
fn may_share(job: &Job, stage: usize) -> bool {
    job.share && !is_light(job, stage) && !job.plan.stages[stage].keeps.iter().any(|node| job.plan.nodes[*node].forced)
}

/// Carries a stage out, whatever happens: the run waits for the answer.
fn answered(engine: &Engine, job: &Job, attempt: Attempt) -> bool {
    catch_unwind(AssertUnwindSafe(|| carry_out(engine, job, attempt))).unwrap_or_else(|panic| {
        let node = last_node(job, attempt.stage);
        let message = format!("node {}: {}", job.plan.nodes[node].id, WorkError::Panic(panic_text(panic.as_ref())));
        tracing::error!(run = %job.run, message, "BUG: a stage panicked");
        job.progress().failure.get_or_insert(NodeFailure { node, message, damaged: None, full: false });
        true
    })
}

/// Runs a stage and records what it made; true if it failed.
fn carry_out(engine: &Engine, job: &Job, attempt: Attempt) -> bool {
    let stage = attempt.stage;
    if may_share(job, stage) && adopt(engine, job, attempt) {
        return false;
    }
    let nodes = &job.plan.stages[stage].nodes;
    job.began(stage);
    tell_nodes(engine, job, nodes, &NodeState::Running);
    let inputs: work::Inputs = {
        let progress = job.progress();
        let reads = &job.plan.stages[stage].reads;
        reads.iter().filter_map(|read| Some((*read, *progress.values.get(read)?))).collect()
    };
    let light = is_light(job, stage);
    let blobs = StageBlobs { engine, job, attempt, light, checked: Mutex::default(), broken: Mutex::default() };
    let _mark = (!light).then(|| engine.0.inflight.mark(job.run, &job.plan.nodes[last_node(job, stage)].key));
    let run = || match job.plan.stages[stage].work {
        Work::Pixels => work::run_stage(&job.plan, stage, &inputs, &blobs),
        _ => film::run_stage(&job.plan, stage, &inputs, &blobs),
    };
    let node = last_node(job, stage);
    let outcome = blobs.judged(node, guarded(node, run));
    if !job.suspects.is_empty() {
        engine.acquit(job.run);
    }
    // A try that was given up is too late, whatever it has made.
    let failed = job.unless_given_up(attempt, || take(engine, job, attempt, outcome));
    failed.unwrap_or_else(|| {
        tracing::warn!(run = %job.run, stage, attempt = attempt.number, "a late result is refused");
        true
    })
}

/// Runs a stage. A bug of ours in what lies around its nodes fails the node that it is named by: else
/// the run would wait for an answer for ever.
fn guarded(node: usize, run: impl FnOnce() -> work::Outcome) -> work::Outcome {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let error = WorkError::Panic(panic_text(panic.as_ref()));
        work::Outcome { failure: Some(Failure { node, error }), ..work::Outcome::default() }
    })
}

/// Takes what a stage has made; true if it failed.
fn take(engine: &Engine, job: &Job, attempt: Attempt, outcome: work::Outcome) -> bool {
    let published = engine.publish(job, attempt.stage, &outcome);
    job.stage_ended(attempt.stage);
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
    job.stages_left.fetch_sub(1, Ordering::Relaxed);
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
fn adopt(engine: &Engine, job: &Job, attempt: Attempt) -> bool {
    let stage = &job.plan.stages[attempt.stage];
    let mut rows = Rows::default();
    let mut found = Vec::new();
    for node in &stage.keeps {
        let key = job.plan.nodes[*node].key;
        if let Some(hash) = engine.known_from_others(&key, job.run) {
            found.push((*node, hash));
        } else if let Some((memo, blob)) = engine.0.fresh.get(&key).filter(|(memo, _)| memo.run != job.run) {
            found.push((*node, memo.hash));
            rows.results.push((key, memo, Some(blob)));
        } else {
            return false;
        }
    }
    if stage.nodes.is_empty() || !found.iter().all(|(_, hash)| engine.count_on(job, *hash).is_ok_and(|there| there)) {
        return false;
    }
    job.gather(rows);
    let mut progress = job.progress();
    // What the kept values were made from was not computed either.
    progress.adopted.extend(stage.nodes.iter().copied());
    progress.values.extend(found);
    drop(progress);
    job.stages_left.fetch_sub(1, Ordering::Relaxed);
    job.done.fetch_add(stage.nodes.len() as u64, Ordering::Relaxed);
    stage.nodes.iter().for_each(|node| job.node_ended(*node));
    job.stage_ended(attempt.stage);
    tell_nodes(engine, job, &stage.nodes, &NodeState::Cached);
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
    for node in nodes {
        let node = job.plan.nodes[*node].id.clone();
        engine.0.events.tell(job.run, What::Node { node, state: state.clone() });
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.send(Message::Stop);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc;

    use super::*;
    use crate::engine::Opened;
    use crate::engine::home::Opening;
    use crate::engine::testing::{opened_on, opening, picture, submitted};
    use crate::records::RunStatus;

    const COLOUR: [u8; 4] = [1, 2, 3, 255];

    #[test]
    fn a_stage_that_panics_outside_of_its_nodes_has_an_answer() {
        let outcome = guarded(7, || panic!("a bug"));
        let failure = outcome.failure.expect("it failed");
        assert!(matches!(failure, Failure { node: 7, error: WorkError::Panic(text) } if text == "a bug"));
    }

    #[test]
    fn a_disk_that_panics_fails_the_run_that_stores_and_no_other() {
        let home = tempfile::tempdir().unwrap();
        let panics = Arc::new(AtomicBool::new(false));
        let of_disk = panics.clone();
        let engine = opened_on(&opening(home.path()), move || {
            assert!(!of_disk.swap(false, Ordering::SeqCst), "the disk is a bug");
        });
        let picture = picture(&engine, COLOUR);
        panics.store(true, Ordering::SeqCst);
        let row = engine.wait(submitted(&engine, "invert", picture)).unwrap();
        assert_eq!(row.status, RunStatus::Failed);
        let error = row.error.unwrap();
        assert!(error.starts_with("node invert:encode (ENCODE): the node panicked: the disk is a bug"), "{error}");
        let row = engine.wait(submitted(&engine, "invert", picture)).unwrap();
        assert_eq!((row.status, row.error), (RunStatus::Completed, None));
        engine.close().unwrap();
    }

    #[test]
    fn r9_a_result_handed_in_late_through_the_engine_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let opening = Opening { stage_timeout: 1, ..opening(home.path()) };
        let hangs = Arc::new(AtomicBool::new(false));
        let (hanging, hangs_now) = mpsc::channel();
        let (go, let_go) = mpsc::channel::<()>();
        let (of_disk, let_go) = (hangs.clone(), Mutex::new(let_go));
        let engine = opened_on(&opening, move || {
            // The first rename says that it hangs, and waits until it is let go.
            if of_disk.swap(false, Ordering::SeqCst) {
                let _ = hanging.send(());
                let _ = let_go.lock().unwrap().recv();
            }
        });
        // Dropped before the engine, which waits for what hangs.
        let go = go;
        let picture = picture(&engine, COLOUR);
        hangs.store(true, Ordering::SeqCst);
        let run = submitted(&engine, "invert", picture);
        hangs_now.recv().unwrap();
        let job = engine.jobs().get(&run).cloned().unwrap();
        // The first try hangs past its time; the second makes the output.
        let row = engine.wait(run).unwrap();
        assert_eq!(row.status, RunStatus::Completed);
        let before = job.stats(RunStatus::Completed);
        assert_eq!((before.stages, before.blobs_written), (1, 1));
        // Others are not held up by it.
        let other = submitted(&engine, "sepia", picture);
        assert_eq!(engine.wait(other).unwrap().status, RunStatus::Completed);
        // The first hands in the same after all, to an engine that waits for it before it ends.
        go.send(()).unwrap();
        engine.close().unwrap();
        assert_eq!(job.stats(RunStatus::Completed), before);
        assert!(job.take_rows().is_empty(), "it left something to be recorded");

        let Ok(Opened::Ours(engine)) = Engine::open(&opening) else { panic!("the home opens again") };
        assert_eq!(engine.run_row(run).unwrap(), row);
        assert_eq!(engine.memo_len().unwrap(), 2, "a result of each");
        engine.close().unwrap();
    }
}
