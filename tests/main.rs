//! Everything that is tested from outside of a module, in one binary: it links once.
//!
//! A new file is listed here (a test tells if it is not). What can be shown by a unit test
//! beside the code belongs there: starting the program costs a hundred times as much.

mod bundles;
mod cli;
mod configs;
mod crash;
mod docs;
mod film;
mod gc;
mod images;
mod imports;
mod keys;
mod property;
mod provenance;
mod publish;
mod records;
mod redis;
mod release;
mod scale;
mod seals;
mod server;
mod support;
mod tokens;
mod ui;
mod watch;
mod worker;
