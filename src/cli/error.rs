//! Exit codes, and how errors are told.

use std::process::ExitCode;

use crate::cli::ctx::Io;
use crate::engine::{Class, EngineError};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what it was asked.
    Done = 0,
    /// The run failed.
    RunFailed = 1,
    /// The words make no sense.
    Usage = 2,
    /// A config or an input is invalid.
    Invalid = 3,
    /// Something is not there.
    NotFound = 4,
    /// Its state forbids it.
    Refused = 5,
    /// A token is missing, or does not allow it.
    NotAllowed = 6,
    /// The server does not answer.
    Unreachable = 7,
    /// Verification found a difference.
    Different = 8,
    /// No space is left.
    Full = 9,
    /// Ctrl-C.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

impl Exit {
    /// The exit of this code, as a worker tells it.
    pub fn of_code(code: u8) -> Self {
        [
            Self::Done,
            Self::Usage,
            Self::Invalid,
            Self::NotFound,
            Self::Refused,
            Self::NotAllowed,
            Self::Unreachable,
            Self::Different,
            Self::Full,
            Self::Interrupted,
        ]
        .into_iter()
        .find(|exit| *exit as u8 == code)
        .unwrap_or(Self::RunFailed)
    }
}

/// Why a command could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The engine says no.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] crate::config::ConfigError),
    /// Something of the command's own.
    #[error("{message}")]
    Own {
        /// What is wrong and what to do.
        message: String,
        /// The exit code.
        exit: Exit,
    },
    /// Standard output cannot be written.
    #[error("standard output cannot be written: {0}")]
    Out(std::io::Error),
    /// Problems of a config, with the name it was given by.
    #[error("{name}")]
    Config {
        /// The config's path or name.
        name: String,
        /// All its problems.
        problems: Vec<crate::recipe::Problem>,
    },
}

impl CliError {
    /// The words make no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Own { message: message.into(), exit: Exit::Usage }
    }

    /// An input is invalid.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Own { message: message.into(), exit: Exit::Invalid }
    }

    /// Something is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::Own { message: message.into(), exit: Exit::NotFound }
    }

    /// The machine failed.
    pub fn machine(message: impl Into<String>) -> Self {
        Self::Own { message: message.into(), exit: Exit::RunFailed }
    }

    /// Puts the config's name before its problems.
    pub fn of_config(name: &str) -> impl FnOnce(Self) -> Self {
        move |error| match error {
            Self::Engine(EngineError::Problems(problems)) => Self::Config { name: name.to_owned(), problems },
            other => other,
        }
    }

    /// Its exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Engine(error) => match error.class() {
                Class::Machine => Exit::RunFailed,
                Class::Usage => Exit::Usage,
                Class::Invalid => Exit::Invalid,
                Class::NotFound => Exit::NotFound,
                Class::Refused | Class::Busy => Exit::Refused,
                Class::NotAllowed => Exit::NotAllowed,
                Class::Full => Exit::Full,
            },
            Self::Settings(_) => Exit::Usage,
            Self::Own { exit, .. } => *exit,
            // Whoever read has had enough.
            Self::Out(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Out(error) if error.kind() == std::io::ErrorKind::StorageFull => Exit::Full,
            Self::Out(_) => Exit::RunFailed,
            Self::Config { .. } => Exit::Invalid,
        }
    }

    /// Tells it on standard error.
    pub fn tell(&self, io: &mut Io) -> Exit {
        let label = if io.colour { "\u{1b}[1;31merror\u{1b}[0m" } else { "error" };
        match self {
            Self::Config { name, problems } => {
                for problem in problems {
                    // A problem without a place has no line to stand before it.
                    let gap = if problem.line == 0 { " " } else { "" };
                    io.say(format_args!("{label}: {name}:{gap}{problem}"));
                }
            }
            Self::Out(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
            Self::Engine(EngineError::Problems(problems)) => {
                for problem in problems {
                    io.say(format_args!("{label}: {problem}"));
                }
            }
            other => io.say(format_args!("{label}: {other}")),
        }
        self.exit()
    }
}
