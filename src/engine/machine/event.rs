//! What the machine is told, and what it answers.

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
    /// Was it running when the process died? Then it runs before all others, and alone.
    pub suspect: bool,
    /// Does it only hand on bytes? Then it takes nobody's place, and waits for none.
    pub light: bool,
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
    Done(Attempt),
    /// A stage could not.
    Failed(Attempt),
    /// A stage takes too long.
    TimedOut(Attempt),
    /// Somebody wants the run to end.
    Cancel {
        /// The run.
        run: RunId,
    },
}

/// One try at a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// The run.
    pub run: RunId,
    /// The stage.
    pub stage: usize,
    /// Which try, from 1.
    pub number: u32,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Run the stage; answer `Done` or `Failed`.
    Start(Attempt),
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
    /// Stop this try at a stage and take nothing from it any more; was it the last?
    GiveUp(Attempt, bool),
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
