//! How many runs may be under way at once: those beyond wait on disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::limits::{ACTIVE_NODES, ACTIVE_RUNS, ACTIVE_RUNS_MOST};

/// The places for runs under way. Cloning shares them.
#[derive(Clone, Default)]
pub struct Slots(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Does this process work on the queue? If not, it begins what is given to it alone.
    open: bool,
    paused: bool,
    /// Does anything wait? Then nobody who comes now may pass it.
    waiting: bool,
    nodes: usize,
    /// Runs under way by priority.
    runs: BTreeMap<i32, usize>,
}

/// A run's place, given back when dropped.
pub struct Place {
    slots: Slots,
    nodes: usize,
    priority: i32,
}

impl State {
    fn under_way(&self) -> usize {
        self.runs.values().sum()
    }

    fn fits(&self, nodes: usize, priority: i32) -> bool {
        let runs = self.under_way();
        let urgent = || self.runs.first_key_value().is_some_and(|(lowest, _)| priority > *lowest);
        runs == 0 || (runs < ACTIVE_RUNS && self.nodes + nodes <= ACTIVE_NODES) || (runs < ACTIVE_RUNS_MOST && urgent())
    }
}

impl Slots {
    /// From now on this process works on the queue.
    pub fn open(&self, paused: bool) {
        let mut state = self.state();
        state.open = true;
        state.paused = paused;
        // Until the queue has been looked at, somebody may be waiting.
        state.waiting = true;
    }

    /// From now on nothing begins.
    pub fn close(&self) {
        self.state().paused = true;
    }

    /// Does this process work on the queue?
    pub fn is_open(&self) -> bool {
        self.state().open
    }

    /// Begins nothing, or goes on.
    pub fn pause(&self, paused: bool) {
        self.state().paused = paused;
    }

    /// Says whether anything waits.
    pub fn set_waiting(&self, waiting: bool) {
        self.state().waiting = waiting;
    }

    /// May a run that waits begin?
    pub fn has_room(&self, nodes: usize, priority: i32) -> bool {
        let state = self.state();
        state.open && !state.paused && state.fits(nodes, priority)
    }

    /// A place for a run that has just come, if it may begin at once.
    pub fn take(&self, nodes: usize, priority: i32) -> Option<Place> {
        let mut state = self.state();
        let begins = !state.open || (!state.paused && !state.waiting && state.fits(nodes, priority));
        if !begins {
            state.waiting |= state.open;
            return None;
        }
        Some(self.place(&mut state, nodes, priority))
    }

    /// A place for a run whose turn it is.
    pub fn take_anyway(&self, nodes: usize, priority: i32) -> Place {
        self.place(&mut self.state(), nodes, priority)
    }

    fn place(&self, state: &mut State, nodes: usize, priority: i32) -> Place {
        state.nodes += nodes;
        *state.runs.entry(priority).or_default() += 1;
        Place { slots: self.clone(), nodes, priority }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.slots.state();
        state.nodes -= self.nodes;
        if let std::collections::btree_map::Entry::Occupied(mut runs) = state.runs.entry(self.priority) {
            *runs.get_mut() -= 1;
            if *runs.get() == 0 {
                runs.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_later_does_not_pass_what_waits() {
        let slots = Slots::default();
        assert!(slots.take(1, 0).is_some(), "a command begins what it is given");
        slots.open(false);
        assert!(slots.take(1, 0).is_none(), "the queue has not been looked at");
        slots.set_waiting(false);
        let places: Vec<Place> = (0..ACTIVE_RUNS).map(|_| slots.take(1, 0).unwrap()).collect();
        assert!(slots.take(1, 0).is_none() && !slots.has_room(1, 0));
        assert!(slots.has_room(1, 1), "one that is more urgent goes beyond");
        drop(places);
        assert!(slots.has_room(1, 0));
        assert!(slots.take(1, 0).is_none(), "one waits since");
        slots.set_waiting(false);
        assert!(slots.take(1, 0).is_some());
        slots.pause(true);
        assert!(slots.take(1, 0).is_none() && !slots.has_room(1, 0));
    }

    #[test]
    fn large_plans_and_urgent_runs_are_counted() {
        let slots = Slots::default();
        slots.open(false);
        slots.set_waiting(false);
        let large = slots.take(10 * ACTIVE_NODES, 0);
        assert!(large.is_some(), "one is always begun");
        let urgent = slots.take(5, 1);
        assert!(urgent.is_some(), "an urgent run does not wait for a large one");
        assert!(slots.take(1, 0).is_none());
        drop((large, urgent));
        assert!(slots.has_room(10 * ACTIVE_NODES, 0));
    }
}
