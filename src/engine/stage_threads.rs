//! Threads that carry stages: as many as run at once, started when they are needed.
//!
//! A stage is not a job of the rendering pool: a thread of that pool that waits for its part of
//! a picture takes up other jobs meanwhile, and would take up a whole other stage. So a stage has
//! a thread of its own, and hands its steps to the pool.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

type Work = Box<dyn FnOnce() + Send>;

/// The threads. Cloning shares them; with the last clone those that are idle end.
#[derive(Clone, Default)]
pub struct StageThreads(Arc<Owner>);

#[derive(Default)]
struct Owner(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    work: VecDeque<Work>,
    idle: usize,
    /// All threads.
    alive: usize,
    over: bool,
}

impl StageThreads {
    /// Carries out work on a thread that has nothing else to do.
    pub fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        let shared = &self.0.0;
        let mut state = shared.state();
        state.work.push_back(Box::new(work));
        if state.work.len() > state.idle {
            let of_thread = shared.clone();
            let thread = std::thread::Builder::new().name("stage".to_owned());
            match thread.spawn(move || of_thread.run()) {
                Ok(_) => state.alive += 1,
                Err(error) if state.alive > 0 => {
                    tracing::error!(%error, "no thread can be started for a stage; it waits for one");
                }
                Err(error) => {
                    tracing::error!(%error, "no thread can be started for a stage; whoever starts it carries it out");
                    let work = state.work.pop_back();
                    drop(state);
                    return work.into_iter().for_each(|work| work());
                }
            }
        }
        drop(state);
        shared.changed.notify_one();
    }
}

impl Shared {
    fn run(&self) {
        let mut state = self.state();
        loop {
            if let Some(work) = state.work.pop_front() {
                drop(state);
                work();
                state = self.state();
            } else if state.over {
                return;
            } else {
                state.idle += 1;
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Work runs without the lock, so that its panics leave the state whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.state().over = true;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn as_many_run_at_once_as_are_asked_for() {
        let threads = StageThreads::default();
        let (sender, done) = std::sync::mpsc::channel();
        for round in 0..3 {
            // Each waits for all the others: none may wait for a thread.
            let together = Arc::new(Barrier::new(8));
            for _ in 0..8 {
                let (together, sender) = (together.clone(), sender.clone());
                threads.spawn(move || {
                    together.wait();
                    let _ = sender.send(round);
                });
            }
            assert_eq!(done.iter().take(8).collect::<Vec<_>>(), vec![round; 8]);
        }
    }
}
