//! Publishing: what L2 is sent, what other servers read, what stays.

mod delivery;
mod fediverse;
mod kept;
mod l2;
mod scheme;
mod stops;
