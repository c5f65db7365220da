//! The server as its clients and its operator have it: the real program on a free port.

mod auth;
mod client;
mod disk;
mod mixed;
mod order;
mod paths;
mod queue;
mod shell;
mod stops;
mod strangers;
