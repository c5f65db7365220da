//! The scheduler's state and its one transition function. Pure: no I/O, no clock, no threads.
//!
//! `next(state, event)` says what to do; the loop in `scheduler` does it and reports back as
//! further events. What a stage computes is unknown here: a stage is its needs (stages before
//! it, memory, the keys whose values it keeps). Turns are fair: among runs of one priority the
//! one with the fewest running stages is next, so that a large run does not starve a small one.

mod event;
mod state;

pub use event::{Action, Attempt, Capacity, Event, Need, Outcome};
pub use state::State;
