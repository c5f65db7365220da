//! The shape of the sources: who may import whom, what pure modules must not touch, how long
//! files may be, that no file is forgotten, and words that do not belong here.
//!
//! Everything is read from the files as text; nothing of the crate is run.

mod edges;
mod files;
mod product;
mod source;
mod words;
