//! What is shared with callers and readers of the original, through a real Redis.

mod intake;
mod mirror;
mod moving;
