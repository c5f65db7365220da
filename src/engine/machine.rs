//! The scheduler's state and its one transition function. Pure: no I/O, no clock, no threads.
//!
//! `next(state, event)` says what to do; the loop in `scheduler` does it and reports back as
//! further events. What a stage computes is unknown here: a stage is its needs (stages before
//! it, memory, the keys whose values it keeps).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::base::{NodeKey, RunId};

/// What the machine knows of a stage.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Need {
    /// Stages that must be done before.
    pub after: Vec<usize>,
    /// Estimated bytes of memory.
    pub memory: u64,
    /// Estimated seconds from its start to the run's end: the longest path goes first.
    pub remaining: f64,
    /// The keys of the values it keeps; empty when it may not share them with other runs.
    pub keys: Vec<NodeKey>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A run was planned and wants its stages run.
    Submitted {
        /// The run.
        run: RunId,
        /// Higher first.
        priority: i32,
        /// Its stages.
        stages: Vec<Need>,
    },
    /// A stage has made its values.
    Done {
        /// The run.
        run: RunId,
        /// The stage.
        stage: usize,
    },
    /// A stage could not.
    Failed {
        /// The run.
        run: RunId,
        /// The stage.
        stage: usize,
    },
    /// Somebody wants the run to end.
    Cancel {
        /// The run.
        run: RunId,
    },
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Run the stage; answer `Done` or `Failed`.
    Start(RunId, usize),
    /// The stage waits for a value that another run is making.
    Waits {
        /// The run that waits.
        run: RunId,
        /// Its stage.
        stage: usize,
        /// The run that makes the value.
        on: RunId,
    },
    /// The stage will not run, as one before it failed.
    Skip(RunId, usize),
    /// Ask the run's running stages to stop; they still answer.
    Stop(RunId),
    /// Nothing of the run is left.
    End(RunId, Outcome),
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every stage is done.
    Completed,
    /// A stage failed.
    Failed,
    /// It was cancelled.
    Cancelled,
}

/// Stages that may run at once, and the memory that they may take together.
#[derive(Debug, Clone, Copy)]
pub struct Capacity {
    /// Stages at once, at least 1.
    pub workers: usize,
    /// Bytes. A stage that needs more runs alone.
    pub memory: u64,
}

/// The scheduler's state.
pub struct State {
    capacity: Capacity,
    runs: HashMap<RunId, Run>,
    /// Stages that could start, best first.
    ready: BTreeSet<Ready>,
    running: usize,
    memory: u64,
    /// Keys being made, and by which stage.
    making: HashMap<NodeKey, (RunId, usize)>,
    /// Stages that wait for a stage of another run.
    parked: BTreeMap<(RunId, usize), Vec<(RunId, usize)>>,
    sequence: u64,
}

struct Run {
    priority: i32,
    /// Order of submission.
    sequence: u64,
    stages: Vec<Stage>,
    left: usize,
    outcome: Outcome,
}

struct Stage {
    need: Need,
    /// Stages before it that are not done.
    missing: usize,
    /// Stages after it.
    then: Vec<usize>,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Blocked,
    Ready,
    Parked,
    Running,
    Ended,
}

/// Ordered: higher priority, earlier run, longer remaining path, lower stage.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
struct Ready {
    priority: std::cmp::Reverse<i32>,
    sequence: u64,
    remaining: std::cmp::Reverse<u64>,
    stage: usize,
    run: RunId,
}

impl State {
    /// Nothing to do yet.
    pub fn new(capacity: Capacity) -> Self {
        Self {
            capacity,
            runs: HashMap::new(),
            ready: BTreeSet::new(),
            running: 0,
            memory: 0,
            making: HashMap::new(),
            parked: BTreeMap::new(),
            sequence: 0,
        }
    }

    /// Runs that have not ended.
    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Takes an event and says what to do. Events about runs or stages that are not waited
    /// for (a late answer, a second cancel) do nothing.
    pub fn next(&mut self, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Submitted { run, priority, stages } => self.submit(run, priority, stages, &mut actions),
            Event::Done { run, stage } => self.done(run, stage, &mut actions),
            Event::Failed { run, stage } => self.failed(run, stage, &mut actions),
            Event::Cancel { run } => self.cancel(run, &mut actions),
        }
        self.start_what_fits(&mut actions);
        actions
    }

    fn submit(&mut self, run: RunId, priority: i32, needs: Vec<Need>, actions: &mut Vec<Action>) {
        if self.runs.contains_key(&run) {
            return;
        }
        self.sequence += 1;
        let mut then: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
        for (stage, need) in needs.iter().enumerate() {
            for before in &need.after {
                then[*before].push(stage);
            }
        }
        let stages: Vec<Stage> = needs
            .into_iter()
            .zip(then)
            .map(|(need, then)| Stage { missing: need.after.len(), need, then, phase: Phase::Blocked })
            .collect();
        let left = stages.len();
        let startable: Vec<usize> = (0..left).filter(|stage| stages[*stage].missing == 0).collect();
        self.runs.insert(run, Run { priority, sequence: self.sequence, stages, left, outcome: Outcome::Completed });
        for stage in startable {
            self.make_ready(run, stage);
        }
        self.end_if_nothing_is_left(run, actions);
    }

    fn done(&mut self, run: RunId, stage: usize, actions: &mut Vec<Action>) {
        if !self.stop_running(run, stage) {
            return;
        }
        let Some(of_run) = self.runs.get_mut(&run) else { return };
        let then = of_run.stages[stage].then.clone();
        let mut freed = Vec::new();
        for after in then {
            let next = &mut of_run.stages[after];
            next.missing -= 1;
            if next.missing == 0 && next.phase == Phase::Blocked {
                freed.push(after);
            }
        }
        for after in freed {
            self.make_ready(run, after);
        }
        self.end_if_nothing_is_left(run, actions);
    }

    fn failed(&mut self, run: RunId, stage: usize, actions: &mut Vec<Action>) {
        if !self.stop_running(run, stage) {
            return;
        }
        let Some(of_run) = self.runs.get_mut(&run) else { return };
        if of_run.outcome == Outcome::Completed {
            of_run.outcome = Outcome::Failed;
        }
        // What depends on it is skipped; everything else goes on.
        let mut after = of_run.stages[stage].then.clone();
        while let Some(next) = after.pop() {
            if of_run.stages[next].phase == Phase::Blocked {
                of_run.stages[next].phase = Phase::Ended;
                of_run.left -= 1;
                actions.push(Action::Skip(run, next));
                after.extend(of_run.stages[next].then.iter().copied());
            }
        }
        self.end_if_nothing_is_left(run, actions);
    }

    fn cancel(&mut self, run: RunId, actions: &mut Vec<Action>) {
        let Some(of_run) = self.runs.get_mut(&run) else { return };
        of_run.outcome = Outcome::Cancelled;
        let mut running = false;
        for (index, stage) in of_run.stages.iter_mut().enumerate() {
            match stage.phase {
                Phase::Running => running = true,
                Phase::Ended => {}
                Phase::Blocked | Phase::Ready | Phase::Parked => {
                    if stage.phase == Phase::Ready {
                        let entry = ready_entry(run, of_run.priority, of_run.sequence, index, &stage.need);
                        self.ready.remove(&entry);
                    }
                    stage.phase = Phase::Ended;
                    of_run.left -= 1;
                    actions.push(Action::Skip(run, index));
                }
            }
        }
        for waiting in self.parked.values_mut() {
            waiting.retain(|(waits, _)| *waits != run);
        }
        if running {
            actions.push(Action::Stop(run));
        }
        self.end_if_nothing_is_left(run, actions);
    }

    fn make_ready(&mut self, run: RunId, stage: usize) {
        let Some(of_run) = self.runs.get_mut(&run) else { return };
        of_run.stages[stage].phase = Phase::Ready;
        let entry = ready_entry(run, of_run.priority, of_run.sequence, stage, &of_run.stages[stage].need);
        self.ready.insert(entry);
    }

    /// Takes a running stage out of the books; false if it was not running. Stages parked on
    /// it become ready: they find its values known, or make them themselves.
    fn stop_running(&mut self, run: RunId, stage: usize) -> bool {
        let Some(of_run) = self.runs.get_mut(&run) else { return false };
        let Some(ended) = of_run.stages.get_mut(stage).filter(|stage| stage.phase == Phase::Running) else {
            return false;
        };
        ended.phase = Phase::Ended;
        of_run.left -= 1;
        self.running -= 1;
        self.memory -= ended.need.memory;
        for key in &ended.need.keys {
            self.making.remove(key);
        }
        for (waits, parked) in self.parked.remove(&(run, stage)).unwrap_or_default() {
            self.make_ready(waits, parked);
        }
        true
    }

    fn start_what_fits(&mut self, actions: &mut Vec<Action>) {
        let mut passed_over = Vec::new();
        while self.running < self.capacity.workers {
            let Some(best) = self.ready.pop_first() else { break };
            let Some(of_run) = self.runs.get_mut(&best.run) else { continue };
            let stage = &mut of_run.stages[best.stage];
            if let Some(maker) = stage.need.keys.iter().find_map(|key| self.making.get(key)) {
                stage.phase = Phase::Parked;
                actions.push(Action::Waits { run: best.run, stage: best.stage, on: maker.0 });
                self.parked.entry(*maker).or_default().push((best.run, best.stage));
                continue;
            }
            let fits = self.running == 0 || self.memory + stage.need.memory <= self.capacity.memory;
            if !fits {
                // A smaller one behind it may go first, but it keeps its place.
                passed_over.push(best);
                continue;
            }
            stage.phase = Phase::Running;
            self.running += 1;
            self.memory += stage.need.memory;
            for key in &stage.need.keys {
                self.making.insert(*key, (best.run, best.stage));
            }
            actions.push(Action::Start(best.run, best.stage));
        }
        self.ready.extend(passed_over);
    }

    fn end_if_nothing_is_left(&mut self, run: RunId, actions: &mut Vec<Action>) {
        if self.runs.get(&run).is_some_and(|of_run| of_run.left == 0)
            && let Some(ended) = self.runs.remove(&run)
        {
            actions.push(Action::End(run, ended.outcome));
        }
    }
}

fn ready_entry(run: RunId, priority: i32, sequence: u64, stage: usize, need: &Need) -> Ready {
    // Microseconds: ordered as an integer.
    let remaining = std::cmp::Reverse((need.remaining.max(0.0) * 1e6) as u64);
    Ready { priority: std::cmp::Reverse(priority), sequence, remaining, stage, run }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(n: u8) -> RunId {
        RunId::from_bytes([n; 16])
    }

    fn need(after: &[usize]) -> Need {
        Need { after: after.to_vec(), memory: 1, ..Need::default() }
    }

    fn machine(workers: usize) -> State {
        State::new(Capacity { workers, memory: 100 })
    }

    fn submit(run: RunId, stages: Vec<Need>) -> Event {
        Event::Submitted { run, priority: 0, stages }
    }

    #[test]
    fn stages_run_in_order_and_the_run_ends() {
        let mut state = machine(4);
        assert_eq!(state.next(submit(run(1), vec![need(&[]), need(&[0])])), [Action::Start(run(1), 0)]);
        assert_eq!(state.next(Event::Done { run: run(1), stage: 0 }), [Action::Start(run(1), 1)]);
        let end = state.next(Event::Done { run: run(1), stage: 1 });
        assert_eq!(end, [Action::End(run(1), Outcome::Completed)]);
        assert_eq!(state.runs(), 0);
    }

    #[test]
    fn a_run_without_stages_ends_at_once() {
        let end = machine(1).next(submit(run(1), Vec::new()));
        assert_eq!(end, [Action::End(run(1), Outcome::Completed)]);
    }

    #[test]
    fn a_failure_skips_what_depends_on_it_and_the_rest_finishes() {
        let mut state = machine(4);
        // 0 -> 2 -> 3, and 1 on its own.
        state.next(submit(run(1), vec![need(&[]), need(&[]), need(&[0]), need(&[2])]));
        let actions = state.next(Event::Failed { run: run(1), stage: 0 });
        assert_eq!(actions, [Action::Skip(run(1), 2), Action::Skip(run(1), 3)]);
        let end = state.next(Event::Done { run: run(1), stage: 1 });
        assert_eq!(end, [Action::End(run(1), Outcome::Failed)]);
    }

    #[test]
    fn one_value_is_made_once_and_the_waiting_run_goes_on_whatever_comes_of_it() {
        let key = NodeKey::from_bytes([9; 32]);
        let shared = || vec![Need { keys: vec![key], ..need(&[]) }];
        for failed in [false, true] {
            let mut state = machine(4);
            state.next(submit(run(1), shared()));
            let waits = state.next(submit(run(2), shared()));
            assert_eq!(waits, [Action::Waits { run: run(2), stage: 0, on: run(1) }]);
            let (run1, stage) = (run(1), 0);
            let event = if failed { Event::Failed { run: run1, stage } } else { Event::Done { run: run1, stage } };
            assert!(state.next(event).contains(&Action::Start(run(2), 0)));
        }
    }

    #[test]
    fn cancelling_the_maker_hands_over() {
        let key = NodeKey::from_bytes([9; 32]);
        let shared = || vec![Need { keys: vec![key], ..need(&[]) }];
        let mut state = machine(4);
        state.next(submit(run(1), shared()));
        state.next(submit(run(2), shared()));
        assert_eq!(state.next(Event::Cancel { run: run(1) }), [Action::Stop(run(1))]);
        let actions = state.next(Event::Failed { run: run(1), stage: 0 });
        assert_eq!(actions, [Action::End(run(1), Outcome::Cancelled), Action::Start(run(2), 0)]);
    }

    #[test]
    fn workers_priority_and_memory_are_kept_to() {
        let mut state = machine(2);
        let large = Need { memory: 99, ..need(&[]) };
        assert_eq!(state.next(submit(run(1), vec![large.clone()])), [Action::Start(run(1), 0)]);
        assert_eq!(state.next(submit(run(2), vec![large])), []);
        // A small one of a later run passes the large one that does not fit.
        assert_eq!(state.next(submit(run(3), vec![need(&[])])), [Action::Start(run(3), 0)]);
        assert_eq!(state.next(submit(run(4), vec![need(&[])])), []);
        let urgent = Event::Submitted { run: run(5), priority: 1, stages: vec![need(&[])] };
        assert_eq!(state.next(urgent), []);
        let actions = state.next(Event::Done { run: run(3), stage: 0 });
        assert_eq!(actions, [Action::End(run(3), Outcome::Completed), Action::Start(run(5), 0)]);
    }

    #[test]
    fn late_and_unknown_answers_do_nothing() {
        let mut state = machine(1);
        state.next(submit(run(1), vec![need(&[]), need(&[0])]));
        assert_eq!(state.next(Event::Done { run: run(1), stage: 1 }), []);
        assert_eq!(state.next(Event::Done { run: run(2), stage: 0 }), []);
        assert_eq!(state.next(Event::Cancel { run: run(2) }), []);
        assert_eq!(state.next(Event::Done { run: run(1), stage: 0 }), [Action::Start(run(1), 1)]);
        assert_eq!(state.next(Event::Done { run: run(1), stage: 0 }), []);
    }
}
