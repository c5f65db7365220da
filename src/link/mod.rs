//! The outside: what is shared with other systems.

pub mod redis;
