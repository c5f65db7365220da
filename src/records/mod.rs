//! What is stored in the database: row types, tables, and their codecs.
//!
//! Each row is bincode behind a version byte ([`crate::db::encode`]); a golden file holds each
//! type's bytes. The module knows tables and rows, not when or why they change.

mod blob;
mod codec;
mod published;
mod rows;
pub mod tables;
mod trace;

pub use blob::{BlobRow, Origin};
pub use codec::Record;
pub use published::{DeliveryRow, DeliveryState, PublicationRow};
pub use rows::{
    AssetRow, ConfigRow, Holder, IdempotencyRow, InfraRow, KeyRow, MemoRow, ProbeRow, RunOptions, RunRow, RunStats,
    RunStatus, SealRow, SessionOf, SessionRow, TaskRow, TokenRow, Verdict,
};
pub use trace::{CommandTrace, CommandsRow, FileTrace, Held, NodeTrace, StageTrace, TraceRow};
