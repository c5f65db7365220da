//! A thread for what must not keep anybody waiting: beginning runs that wait, making room,
//! recording ends again that the disk refused.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::engine::Engine;
use crate::engine::job::Job;
use crate::engine::machine::Outcome;
use crate::engine::memory;

/// Between two times that old rows are looked for.
const SOMETIMES: Duration = Duration::from_secs(3600);
/// Without a run before memory is given back.
const QUIET: Duration = Duration::from_secs(5);
/// Until what the disk refused is tried again: twice as long each time, up to the longest.
const TRY_AGAIN: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(5);

/// The way to the thread.
pub struct Housekeeper {
    inbox: Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Message {
    LookAtQueue,
    MakeRoom,
    /// The end of a run that could not be recorded.
    Unrecorded(Arc<Job>, Outcome),
    Stop,
}

impl Housekeeper {
    /// A housekeeper whose thread is still to be started.
    pub fn new() -> (Self, Tasks) {
        let (inbox, tasks) = channel();
        (Self { inbox, thread: Mutex::default() }, Tasks(tasks))
    }

    /// Begins what waits, soon.
    pub fn look_at_queue(&self) {
        self.send(Message::LookAtQueue);
    }

    /// Evicts what is over the cap, soon.
    pub fn make_room(&self) {
        self.send(Message::MakeRoom);
    }

    /// Records an end again, soon.
    pub fn record_later(&self, job: Arc<Job>, outcome: Outcome) {
        self.send(Message::Unrecorded(job, outcome));
    }

    /// Ends the thread.
    pub fn stop(&self) {
        self.send(Message::Stop);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the housekeeper's thread panicked");
        }
    }

    fn send(&self, message: Message) {
        if self.inbox.send(message).is_err() {
            tracing::debug!("the housekeeper has stopped");
        }
    }
}

/// What the thread is asked to do.
pub struct Tasks(Receiver<Message>);

impl Tasks {
    /// Starts the thread.
    pub fn start(self, engine: &Engine) {
        let inner = Arc::downgrade(&engine.0);
        let spawned = std::thread::Builder::new().name("housekeeper".to_owned()).spawn(move || {
            let mut refused = Refused::default();
            let mut tidied = Instant::now();
            // A home's first start has drawn a picture.
            let mut rests = false;
            loop {
                let wait = refused.wait().unwrap_or(if rests { SOMETIMES } else { QUIET });
                let message = match self.0.recv_timeout(wait) {
                    Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                    Ok(message) => Some(message),
                    Err(RecvTimeoutError::Timeout) => None,
                };
                let Some(inner) = inner.upgrade() else { break };
                let engine = Engine(inner);
                if tidied.elapsed() >= SOMETIMES {
                    tidied = Instant::now();
                    if let Err(error) = engine.forget_old_keys() {
                        tracing::warn!(%error, "old idempotency keys cannot be forgotten");
                    }
                }
                rests = message.is_none() && (rests || engine.rest());
                match message {
                    Some(Message::LookAtQueue) => refused.begin_waiting(&engine),
                    Some(Message::MakeRoom) => engine.keep_to_the_cap(),
                    Some(Message::Unrecorded(job, outcome)) => refused.record_later(job, outcome),
                    Some(Message::Stop) | None => {}
                }
                // However much else there is to do.
                if refused.wait().is_some_and(|wait| wait.is_zero()) {
                    refused.try_again(&engine);
                }
            }
        });
        match spawned {
            Ok(handle) => {
                *engine.0.housekeeper.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle);
            }
            Err(error) => tracing::error!(%error, "the housekeeper cannot start"),
        }
    }
}

/// What the disk has refused, and when it is tried again.
#[derive(Default)]
struct Refused {
    /// Ends that are not recorded.
    ends: Vec<(Arc<Job>, Outcome)>,
    /// May runs wait that could begin?
    queue: bool,
    again: Option<Instant>,
    delay: Duration,
}

impl Refused {
    /// How long until it is tried again, if there is anything.
    fn wait(&self) -> Option<Duration> {
        self.again.map(|again| again.saturating_duration_since(Instant::now()))
    }

    fn begin_waiting(&mut self, engine: &Engine) {
        let begun = engine.begin_waiting();
        self.queue = begun.is_err();
        if let Err(error) = begun {
            tracing::warn!(%error, "runs that wait cannot be begun; it is tried again");
            self.put_off();
        }
    }

    fn record_later(&mut self, job: Arc<Job>, outcome: Outcome) {
        self.ends.push((job, outcome));
        self.put_off();
    }

    fn put_off(&mut self) {
        if self.again.is_none() {
            self.delay = (2 * self.delay).clamp(TRY_AGAIN, LONGEST);
            self.again = Some(Instant::now() + self.delay);
        }
    }

    fn try_again(&mut self, engine: &Engine) {
        self.again = None;
        let (ends, queue) = (std::mem::take(&mut self.ends), self.queue);
        let idle = ends.is_empty();
        for (job, outcome) in ends {
            engine.finish(&job, outcome);
        }
        if queue || !idle {
            self.begin_waiting(engine);
        }
        // What is refused once more comes back as a message, or has put itself off.
        if idle && !self.queue {
            self.delay = Duration::ZERO;
        }
    }
}

impl Engine {
    /// Gives memory back if nothing runs, and commands come and go; does nothing run?
    fn rest(&self) -> bool {
        let idle = self.jobs().is_empty();
        if idle && self.0.patient.load(Ordering::Relaxed) {
            memory::rest();
            // Each thread keeps what it has freed itself. One that a disk holds up is not waited
            // for: the queue would wait with it.
            self.0.pool.spawn_broadcast(|_| memory::give_back());
        }
        idle
    }
}

/// Wakes those who wait for the end of a run.
#[derive(Default)]
pub struct Ended(Mutex<()>, Condvar);

impl Ended {
    /// A run has ended.
    pub fn notify(&self) {
        // Taken, so that nobody is between looking and waiting.
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.1.notify_all();
    }

    /// Waits until `look` finds something; it is asked again whenever a run has ended.
    pub fn wait_until<T>(&self, mut look: impl FnMut() -> Option<T>) -> T {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = look() {
                return found;
            }
            guard = self.1.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The same, but gives up after a while.
    pub fn wait_at_most<T>(&self, most: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        let until = Instant::now() + most;
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = look() {
                return Some(found);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            guard = self.1.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
