//! The one composer: what people and clients ask for, carried out on a home.
//!
//! [`Engine`] is a cheap handle on an open home. A request is checked and planned
//! ([`request`]), recorded, and handed to the scheduler, a thread that feeds events to the pure
//! state machine in [`machine`] and acts on its answers; stages run on a rayon pool ([`work`]).
//! What a run has achieved is what the memo holds: going on after a crash is planning again.
//! Nothing here knows of HTTP or of terminals.

pub mod carry;
pub mod error;
pub mod events;
pub mod gc;
pub mod infra;
pub mod lock;
pub mod machine;
pub mod partial;
pub mod provenance;
pub mod request;
pub mod seal;
pub mod views;
pub mod work;

mod accepting;
pub mod aliases;
mod assets;
mod blob_list;
mod blobs;
pub mod by_recipe;
pub mod changes;
mod configs;
mod earlier;
mod film;
mod finish;
mod finishers;
mod first_start;
mod fresh;
pub mod home;
mod housekeeper;
mod idempotency;
mod import;
mod inflight;
mod job;
mod lately;
mod memory;
mod moved_runs;
pub mod moving;
mod notes;
mod opened;
mod publications;
mod publish;
mod queue;
mod recovery;
mod references;
mod runs;
mod scheduler;
mod scopes;
mod sessions;
mod slots;
mod stage_blobs;
mod stage_threads;
mod tables;
pub mod tasks;
#[cfg(test)]
mod testing;
mod tokens;
mod tools;
mod totals;
mod trace;
mod uploads;
mod verify;
mod why;

pub use crate::records::{DeliveryRow, DeliveryState};
pub use accepting::{Accepted, Accepting, Submission};
pub use blob_list::BlobFilter;
pub use blobs::{Bytes, Storage, VerifyReport};
pub use configs::Config;
pub use error::{Class, EngineError};
pub use home::{Engine, Opened};
pub use idempotency::Idempotency;
pub use publications::{Publication, Signed};
pub use references::{Freed, Kept};
pub use request::{Inputs, RecipeRef, Request};
pub use runs::{Counts, RunFilter};
pub use scopes::Scopes;
pub use seal::{KeyView, Signer, SignerOf};
pub use sessions::Session;
pub use tokens::Token;
pub use uploads::{Upload, Uploader};
pub use views::Page;
