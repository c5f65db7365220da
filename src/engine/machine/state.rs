//! The state, and its one transition function.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::base::limits::{PASSED_BY, STAGE_ATTEMPTS};
use crate::base::{NodeKey, RunId};
use crate::engine::machine::{Action, Attempt, Capacity, Event, Need, Outcome};

/// Runs, and stages of each, that are looked at for one that fits.
const LOOKED_AT: usize = 32;

/// The scheduler's state.
pub struct State {
    capacity: Capacity,
    runs: HashMap<RunId, Run>,
    /// Runs with stages that could start, whose turn is next first.
    turns: BTreeSet<Turn>,
    running: usize,
    memory: u64,
    /// Does a suspect run? Then nothing else starts.
    alone: bool,
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
    /// Stages that could start: longest remaining path first, in microseconds.
    ready: BTreeSet<(bool, Reverse<u64>, usize)>,
    /// Its entry among the turns.
    turn: Option<Turn>,
    running: usize,
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
    /// Tries so far.
    attempts: u32,
    /// Has another run just made its values?
    known: bool,
    /// Stages that started in its place because it did not fit.
    passed: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Blocked,
    Ready,
    Parked,
    Running,
    Ended,
}

/// Ordered: suspects, higher priority, fewer running stages, earlier run.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
struct Turn {
    calm: bool,
    priority: Reverse<i32>,
    running: usize,
    sequence: u64,
    run: RunId,
}

/// What comes of looking for a stage to start.
enum Found {
    Start(RunId, usize),
    Park(RunId, usize, (RunId, usize)),
    Nothing,
}

impl State {
    /// Nothing to do yet.
    pub fn new(capacity: Capacity) -> Self {
        Self {
            capacity,
            runs: HashMap::new(),
            turns: BTreeSet::new(),
            running: 0,
            memory: 0,
            alone: false,
            making: HashMap::new(),
            parked: BTreeMap::new(),
            sequence: 0,
        }
    }

    /// Runs that have not ended.
    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Takes an event and says what to do. Events about runs or tries that are not waited
    /// for (a late answer, a second cancel) do nothing.
    pub fn next(&mut self, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Submitted { run, priority, stages } => self.submit(run, priority, stages, &mut actions),
            Event::Done(attempt) => self.done(attempt, &mut actions),
            Event::Failed(attempt) => self.failed(attempt, &mut actions),
            Event::TimedOut(attempt) => self.timed_out(attempt, &mut actions),
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
            .map(|(need, then)| Stage {
                missing: need.after.len(),
                need,
                then,
                phase: Phase::Blocked,
                attempts: 0,
                known: false,
                passed: 0,
            })
            .collect();
        let left = stages.len();
        let startable: Vec<usize> = (0..left).filter(|stage| stages[*stage].missing == 0).collect();
        let sequence = self.sequence;
        let ready = BTreeSet::new();
        let outcome = Outcome::Completed;
        self.runs.insert(run, Run { priority, sequence, stages, ready, turn: None, running: 0, left, outcome });
        self.make_ready(run, &startable, actions);
        self.end_if_nothing_is_left(run, actions);
    }

    fn done(&mut self, attempt: Attempt, actions: &mut Vec<Action>) {
        if !self.stop_running(attempt, true, actions) {
            return;
        }
        let Attempt { run, stage, .. } = attempt;
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
        self.make_ready(run, &freed, actions);
        self.end_if_nothing_is_left(run, actions);
    }

    fn failed(&mut self, attempt: Attempt, actions: &mut Vec<Action>) {
        if !self.stop_running(attempt, false, actions) {
            return;
        }
        let Attempt { run, stage, .. } = attempt;
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

    /// A first try is given up and made again; a last one fails the stage.
    fn timed_out(&mut self, attempt: Attempt, actions: &mut Vec<Action>) {
        if !self.is_running(attempt) {
            return;
        }
        let last = attempt.number >= STAGE_ATTEMPTS;
        actions.push(Action::GiveUp(attempt, last));
        if last {
            self.failed(attempt, actions);
        } else if self.stop_running(attempt, false, actions)
            && let Some(of_run) = self.runs.get_mut(&attempt.run)
        {
            of_run.left += 1;
            if of_run.outcome == Outcome::Cancelled {
                of_run.stages[attempt.stage].phase = Phase::Ended;
                of_run.left -= 1;
                self.end_if_nothing_is_left(attempt.run, actions);
            } else {
                self.make_ready(attempt.run, &[attempt.stage], actions);
            }
        }
    }

    fn cancel(&mut self, run: RunId, actions: &mut Vec<Action>) {
        let Some(of_run) = self.runs.get_mut(&run) else { return };
        of_run.outcome = Outcome::Cancelled;
        for (index, stage) in of_run.stages.iter_mut().enumerate() {
            if matches!(stage.phase, Phase::Blocked | Phase::Ready | Phase::Parked) {
                stage.phase = Phase::Ended;
                of_run.left -= 1;
                actions.push(Action::Skip(run, index));
            }
        }
        of_run.ready.clear();
        let running = of_run.running > 0;
        self.take_turn(run);
        for waiting in self.parked.values_mut() {
            waiting.retain(|(waits, _)| *waits != run);
        }
        if running {
            actions.push(Action::Stop(run));
        }
        self.end_if_nothing_is_left(run, actions);
    }

    /// Stages that may begin; those that are light do.
    fn make_ready(&mut self, run: RunId, stages: &[usize], actions: &mut Vec<Action>) {
        let Some(of_run) = self.runs.get_mut(&run) else { return };
        for index in stages {
            let stage = &mut of_run.stages[*index];
            if stage.need.light {
                stage.phase = Phase::Running;
                stage.attempts += 1;
                actions.push(Action::Start(Attempt { run, stage: *index, number: stage.attempts }));
            } else {
                stage.phase = Phase::Ready;
                of_run.ready.insert(ready_entry(*index, &stage.need));
            }
        }
        self.take_turn(run);
    }

    /// Puts the run where it belongs among the turns, after anything of it has changed.
    fn take_turn(&mut self, run: RunId) {
        let Some(of_run) = self.runs.get_mut(&run) else { return };
        let turn = of_run.ready.first().map(|(calm, ..)| Turn {
            calm: *calm,
            priority: Reverse(of_run.priority),
            running: of_run.running,
            sequence: of_run.sequence,
            run,
        });
        if of_run.turn != turn {
            if let Some(old) = std::mem::replace(&mut of_run.turn, turn) {
                self.turns.remove(&old);
            }
            self.turns.extend(turn);
        }
    }

    fn is_running(&self, attempt: Attempt) -> bool {
        let stage = self.runs.get(&attempt.run).and_then(|run| run.stages.get(attempt.stage));
        stage.is_some_and(|stage| stage.phase == Phase::Running && stage.attempts == attempt.number)
    }

    /// Takes a running stage out of the books; false if this try was not running. Stages parked
    /// on it become ready: they find its values known if it `made` them, or make them themselves.
    fn stop_running(&mut self, attempt: Attempt, made: bool, actions: &mut Vec<Action>) -> bool {
        if !self.is_running(attempt) {
            return false;
        }
        let Attempt { run, stage, .. } = attempt;
        let Some(of_run) = self.runs.get_mut(&run) else { return false };
        let ended = &mut of_run.stages[stage];
        ended.phase = Phase::Ended;
        of_run.left -= 1;
        if ended.need.light {
            return true;
        }
        of_run.running -= 1;
        self.running -= 1;
        self.memory -= ended.need.memory;
        self.alone &= !ended.need.suspect;
        for key in &ended.need.keys {
            if self.making.get(key) == Some(&(run, stage)) {
                self.making.remove(key);
            }
        }
        self.take_turn(run);
        for (waits, parked) in self.parked.remove(&(run, stage)).unwrap_or_default() {
            if let Some(of_run) = self.runs.get_mut(&waits) {
                of_run.stages[parked].known = made;
            }
            self.make_ready(waits, &[parked], actions);
        }
        true
    }

    fn start_what_fits(&mut self, actions: &mut Vec<Action>) {
        let mut passed = Vec::new();
        while self.running < self.capacity.workers && !self.alone {
            match self.find(&mut passed) {
                Found::Start(run, stage) => {
                    self.start(run, stage, actions);
                    for (run, stage) in passed.drain(..) {
                        if let Some(of_run) = self.runs.get_mut(&run) {
                            of_run.stages[stage].passed += 1;
                        }
                    }
                }
                Found::Park(run, stage, maker) => {
                    let Some(of_run) = self.runs.get_mut(&run) else { return };
                    of_run.ready.remove(&ready_entry(stage, &of_run.stages[stage].need));
                    of_run.stages[stage].phase = Phase::Parked;
                    self.take_turn(run);
                    actions.push(Action::Waits { run, stage, on: maker.0 });
                    self.parked.entry(maker).or_default().push((run, stage));
                }
                Found::Nothing => return,
            }
        }
    }

    /// The next stage to start; `passed` is told of those before it that do not fit.
    fn find(&self, passed: &mut Vec<(RunId, usize)>) -> Found {
        passed.clear();
        for turn in self.turns.iter().take(LOOKED_AT) {
            let Some(of_run) = self.runs.get(&turn.run) else { continue };
            for (calm, _, index) in of_run.ready.iter().take(LOOKED_AT) {
                let stage = &of_run.stages[*index];
                let maker = stage.need.keys.iter().find_map(|key| self.making.get(key));
                if let Some(maker) = maker.filter(|_| !stage.known) {
                    return Found::Park(turn.run, *index, *maker);
                }
                // A suspect waits until it is alone, and all wait for it.
                let fits = self.running == 0 || (*calm && self.memory + stage.need.memory <= self.capacity.memory);
                if fits {
                    return Found::Start(turn.run, *index);
                }
                if !calm || stage.passed >= PASSED_BY {
                    return Found::Nothing;
                }
                passed.push((turn.run, *index));
            }
        }
        Found::Nothing
    }

    fn start(&mut self, run: RunId, index: usize, actions: &mut Vec<Action>) {
        let Some(of_run) = self.runs.get_mut(&run) else { return };
        let stage = &mut of_run.stages[index];
        of_run.ready.remove(&ready_entry(index, &stage.need));
        stage.phase = Phase::Running;
        stage.attempts += 1;
        of_run.running += 1;
        self.running += 1;
        self.memory += stage.need.memory;
        self.alone = stage.need.suspect;
        if !stage.known {
            for key in &stage.need.keys {
                self.making.insert(*key, (run, index));
            }
        }
        actions.push(Action::Start(Attempt { run, stage: index, number: stage.attempts }));
        self.take_turn(run);
    }

    fn end_if_nothing_is_left(&mut self, run: RunId, actions: &mut Vec<Action>) {
        if self.runs.get(&run).is_some_and(|of_run| of_run.left == 0)
            && let Some(ended) = self.runs.remove(&run)
        {
            if let Some(turn) = ended.turn {
                self.turns.remove(&turn);
            }
            actions.push(Action::End(run, ended.outcome));
        }
    }
}

fn ready_entry(stage: usize, need: &Need) -> (bool, Reverse<u64>, usize) {
    // Microseconds: ordered as an integer.
    (!need.suspect, Reverse((need.remaining.max(0.0) * 1e6) as u64), stage)
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

    fn try_of(of_run: u8, stage: usize) -> Attempt {
        Attempt { run: run(of_run), stage, number: 1 }
    }

    fn submit(run: RunId, stages: Vec<Need>) -> Event {
        Event::Submitted { run, priority: 0, stages }
    }

    #[test]
    fn stages_run_in_order_and_the_run_ends() {
        let mut state = machine(4);
        assert_eq!(state.next(submit(run(1), vec![need(&[]), need(&[0])])), [Action::Start(try_of(1, 0))]);
        assert_eq!(state.next(Event::Done(try_of(1, 0))), [Action::Start(try_of(1, 1))]);
        let end = state.next(Event::Done(try_of(1, 1)));
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
        let actions = state.next(Event::Failed(try_of(1, 0)));
        assert_eq!(actions, [Action::Skip(run(1), 2), Action::Skip(run(1), 3)]);
        let end = state.next(Event::Done(try_of(1, 1)));
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
            let event = if failed { Event::Failed(try_of(1, 0)) } else { Event::Done(try_of(1, 0)) };
            assert!(state.next(event).contains(&Action::Start(try_of(2, 0))));
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
        let actions = state.next(Event::Failed(try_of(1, 0)));
        assert_eq!(actions, [Action::End(run(1), Outcome::Cancelled), Action::Start(try_of(2, 0))]);
    }

    #[test]
    fn workers_priority_and_memory_are_kept_to() {
        let mut state = machine(2);
        let large = Need { memory: 99, ..need(&[]) };
        assert_eq!(state.next(submit(run(1), vec![large.clone()])), [Action::Start(try_of(1, 0))]);
        assert_eq!(state.next(submit(run(2), vec![large])), []);
        // A small one of a later run passes the large one that does not fit.
        assert_eq!(state.next(submit(run(3), vec![need(&[])])), [Action::Start(try_of(3, 0))]);
        assert_eq!(state.next(submit(run(4), vec![need(&[])])), []);
        let urgent = Event::Submitted { run: run(5), priority: 1, stages: vec![need(&[])] };
        assert_eq!(state.next(urgent), []);
        let actions = state.next(Event::Done(try_of(3, 0)));
        assert_eq!(actions, [Action::End(run(3), Outcome::Completed), Action::Start(try_of(5, 0))]);
    }

    #[test]
    fn late_and_unknown_answers_do_nothing() {
        let mut state = machine(1);
        state.next(submit(run(1), vec![need(&[]), need(&[0])]));
        assert_eq!(state.next(Event::Done(try_of(1, 1))), []);
        assert_eq!(state.next(Event::Done(try_of(2, 0))), []);
        assert_eq!(state.next(Event::Cancel { run: run(2) }), []);
        assert_eq!(state.next(Event::Done(try_of(1, 0))), [Action::Start(try_of(1, 1))]);
        assert_eq!(state.next(Event::Done(try_of(1, 0))), []);
    }

    #[test]
    fn r9_a_stage_that_takes_too_long_is_tried_once_more_and_its_late_answer_is_refused() {
        let mut state = machine(4);
        state.next(submit(run(1), vec![need(&[]), need(&[0])]));
        let second = Attempt { number: 2, ..try_of(1, 0) };
        let actions = state.next(Event::TimedOut(try_of(1, 0)));
        assert_eq!(actions, [Action::GiveUp(try_of(1, 0), false), Action::Start(second)]);
        assert_eq!(state.next(Event::Done(try_of(1, 0))), [], "late");
        assert_eq!(state.next(Event::TimedOut(try_of(1, 0))), [], "twice");
        let actions = state.next(Event::TimedOut(second));
        let end = Action::End(run(1), Outcome::Failed);
        assert_eq!(actions, [Action::GiveUp(second, true), Action::Skip(run(1), 1), end]);
        assert_eq!(state.next(Event::Done(second)), []);
    }

    #[test]
    fn a_stage_given_up_in_a_cancelled_run_is_not_tried_again() {
        let mut state = machine(4);
        state.next(submit(run(1), vec![need(&[])]));
        state.next(Event::Cancel { run: run(1) });
        let actions = state.next(Event::TimedOut(try_of(1, 0)));
        assert_eq!(actions, [Action::GiveUp(try_of(1, 0), false), Action::End(run(1), Outcome::Cancelled)]);
    }

    #[test]
    fn suspects_run_first_and_one_at_a_time() {
        let suspect = || Need { suspect: true, ..need(&[]) };
        let mut state = machine(4);
        state.next(submit(run(1), vec![need(&[]), need(&[])]));
        assert_eq!(state.next(submit(run(2), vec![suspect(), need(&[])])), [], "others still run");
        assert_eq!(state.next(submit(run(3), vec![suspect()])), []);
        assert_eq!(state.next(Event::Done(try_of(1, 0))), []);
        let actions = state.next(Event::Done(try_of(1, 1)));
        assert_eq!(actions, [Action::End(run(1), Outcome::Completed), Action::Start(try_of(2, 0))]);
        assert_eq!(state.next(submit(run(4), vec![need(&[])])), [], "nothing beside a suspect");
        assert_eq!(state.next(Event::Done(try_of(2, 0))), [Action::Start(try_of(3, 0))]);
        let actions = state.next(Event::Done(try_of(3, 0)));
        let rest = [Action::Start(try_of(2, 1)), Action::Start(try_of(4, 0))];
        assert_eq!(actions[1..], rest);
    }

    #[test]
    fn a_small_run_has_its_turn_beside_a_large_one() {
        let mut state = machine(2);
        state.next(submit(run(1), vec![need(&[]); 1000]));
        assert_eq!(state.next(submit(run(2), vec![need(&[])])), []);
        // The next free place is the small run's, though the large one came first.
        assert_eq!(state.next(Event::Done(try_of(1, 0))), [Action::Start(try_of(2, 0))]);
    }

    #[test]
    fn a_stage_that_needs_much_is_not_passed_by_for_ever() {
        let large = || vec![Need { memory: 60, ..need(&[]) }];
        let mut state = machine(2);
        state.next(submit(run(3), large()));
        // A second of 60 does not fit into 100, and small ones pass it.
        assert_eq!(state.next(submit(run(1), large())), []);
        state.next(submit(run(2), vec![need(&[]); 200]));
        let passes = (0..200).take_while(|stage| !state.next(Event::Done(try_of(2, *stage))).is_empty()).count();
        assert_eq!(passes, PASSED_BY as usize - 1, "the first passed it when it was submitted");
        let actions = state.next(Event::Done(try_of(3, 0)));
        assert_eq!(actions[1], Action::Start(try_of(1, 0)), "{actions:?}");
    }

    #[test]
    fn of_many_who_wait_for_a_value_each_waits_once() {
        let key = NodeKey::from_bytes([9; 32]);
        let shared = || vec![Need { keys: vec![key], ..need(&[]) }];
        let mut state = machine(2);
        state.next(submit(run(0), shared()));
        for n in 1..=100 {
            assert_eq!(state.next(submit(run(n), shared())), [Action::Waits { run: run(n), stage: 0, on: run(0) }]);
        }
        let mut actions = state.next(Event::Done(try_of(0, 0)));
        let mut started = 0;
        while !actions.is_empty() {
            let starts: Vec<Attempt> = actions
                .iter()
                .filter_map(|action| if let Action::Start(attempt) = action { Some(*attempt) } else { None })
                .collect();
            assert!(!actions.iter().any(|action| matches!(action, Action::Waits { .. })));
            started += starts.len();
            actions = starts.into_iter().flat_map(|attempt| state.next(Event::Done(attempt))).collect();
        }
        assert_eq!((started, state.runs()), (100, 0));
    }

    #[test]
    fn what_only_hands_on_bytes_waits_for_nobody() {
        let light = || Need { light: true, ..need(&[]) };
        let mut state = machine(1);
        state.next(submit(run(1), vec![need(&[])]));
        let two = vec![light(), Need { after: vec![0], ..light() }];
        assert_eq!(state.next(submit(run(2), two)), [Action::Start(try_of(2, 0))]);
        assert_eq!(state.next(Event::Done(try_of(2, 0))), [Action::Start(try_of(2, 1))]);
        assert_eq!(state.next(Event::Done(try_of(2, 1))), [Action::End(run(2), Outcome::Completed)]);
        assert_eq!(state.next(Event::Done(try_of(1, 0))), [Action::End(run(1), Outcome::Completed)]);
    }
}
