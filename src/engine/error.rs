//! What can go wrong, for people: each error says what, where and what to do.

use crate::base::ContentHash;
use crate::cas::StoreError;
use crate::db::DbError;
use crate::engine::lock::Holder;
use crate::plan::PlanError;
use crate::recipe::Problem;

/// Why the engine could not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// A config, its parameters or its inputs have problems; all of them.
    #[error("{}", list(.0))]
    Problems(Vec<Problem>),
    /// An input that cannot be taken.
    #[error("{0}")]
    Input(String),
    /// A request that contradicts itself.
    #[error("{0}")]
    Usage(String),
    /// Something that is not there.
    #[error("no {what} {name:?}{hint}")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// A suggestion, or nothing.
        hint: String,
    },
    /// Something that its state forbids; who or what holds it.
    #[error("{0}")]
    Refused(String),
    /// A name that stands for another blob, and may not be moved by whoever asks.
    #[error("the name {name:?} stands for {hash} already; take another name, or point this one elsewhere on purpose")]
    NameTaken {
        /// The name.
        name: String,
        /// What it stands for.
        hash: ContentHash,
    },
    /// Something that the settings do not allow.
    #[error("{0}")]
    NotAllowed(String),
    /// Too much is waiting or under way; nothing was done.
    #[error("{0}")]
    Busy(String),
    /// What is to be stored does not fit.
    #[error("{0}")]
    NoRoom(String),
    /// No plan can be made.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Another process holds the home.
    #[error("the home {home} is held by {}; try again when it is done", holder_text(.holder.as_ref()))]
    Held {
        /// The home.
        home: String,
        /// Who holds it, as far as known.
        holder: Option<Holder>,
    },
    /// The home cannot be used.
    #[error("the home {home} cannot be used: {reason}")]
    Home {
        /// The home.
        home: String,
        /// Why.
        reason: String,
    },
    /// A blob whose bytes are not what its name says.
    #[error("blob {hash} is damaged on disk: {what}")]
    Damaged {
        /// The blob.
        hash: ContentHash,
        /// What is wrong, and what to do.
        what: String,
    },
    /// A run that must be rendered again under other tools than it was made with.
    #[error("the tools differ from the record's, so no comparison can judge: {}", .0.join("; "))]
    OtherTools(Vec<String>),
    /// A user's file that cannot be read or written.
    #[error("{path}: {reason}{}", if *.full { " (the disk is full)" } else { "" })]
    File {
        /// The file.
        path: String,
        /// Why.
        reason: String,
        /// Is it for want of space?
        full: bool,
    },
    /// The store of blobs.
    #[error(transparent)]
    Store(std::sync::Arc<StoreError>),
    /// The database.
    #[error(transparent)]
    Db(std::sync::Arc<DbError>),
}

/// What kind of error it is, for exit codes and HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The machine failed.
    Machine,
    /// The request makes no sense.
    Usage,
    /// A config or input is invalid.
    Invalid,
    /// It is not there.
    NotFound,
    /// Its state forbids it.
    Refused,
    /// No space is left.
    Full,
    /// The settings do not allow it.
    NotAllowed,
    /// Too much at once: the same may be done later.
    Busy,
}

impl EngineError {
    /// The kind of error.
    pub fn class(&self) -> Class {
        match self {
            Self::Problems(_) | Self::Input(_) => Class::Invalid,
            Self::Plan(PlanError::NotEncodable { .. } | PlanError::NotWritable { .. } | PlanError::NoFfmpeg { .. }) => {
                Class::Invalid
            }
            Self::Usage(_) => Class::Usage,
            Self::NotFound { .. } | Self::Plan(PlanError::UnknownNode { .. }) => Class::NotFound,
            Self::Refused(_) | Self::Held { .. } | Self::OtherTools(_) | Self::NameTaken { .. } => Class::Refused,
            Self::Busy(_) => Class::Busy,
            Self::NotAllowed(_) => Class::NotAllowed,
            Self::NoRoom(_) => Class::Full,
            Self::Home { .. } | Self::Damaged { .. } => Class::Machine,
            Self::File { full: true, .. } => Class::Full,
            Self::File { .. } => Class::NotFound,
            Self::Store(error) if error.is_full() => Class::Full,
            Self::Db(error) if error.is_full() => Class::Full,
            Self::Store(_) | Self::Db(_) => Class::Machine,
        }
    }

    /// Nothing of this kind has this name; suggests a near one.
    pub fn not_found<'a>(what: &'static str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        Self::NotFound { what, name: name.to_owned(), hint: crate::base::suggest::did_you_mean(name, known) }
    }

    /// A file of the user's that cannot be used.
    pub fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        let full = matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded);
        Self::File { path: path.display().to_string(), reason: error.to_string(), full }
    }
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        Self::Store(std::sync::Arc::new(error))
    }
}

impl From<DbError> for EngineError {
    fn from(error: DbError) -> Self {
        Self::Db(std::sync::Arc::new(error))
    }
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn holder_text(holder: Option<&Holder>) -> String {
    holder.map_or_else(|| "another process".to_owned(), ToString::to_string)
}
