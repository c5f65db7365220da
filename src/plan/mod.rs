//! From a graph to what must be done: keys, hits, stages, order, estimates.
//!
//! Pure: what is already known comes in as a function from key to content hash, and nothing
//! here reads a file, a clock or the machine. The engine carries plans out and knows nothing
//! of how they were made.

pub mod cost;
pub mod explain;
pub mod key;
pub mod stage;

mod build;
mod fuse;
mod order;

pub use build::{Checkpoint, Options, PlanError, Toolbox, plan};
pub use fuse::hands_on_bytes;
pub use stage::{Plan, PlanNode, Stage, State, Step, Work};
