//! Child processes that can reach nothing but what they were given, and that leave nothing behind.
//!
//! The server starts its own binary as the launcher (`--confine run …`). The launcher watches, is restricted in
//! nothing, and starts the same binary once more (`--confine exec …`): that process restricts itself for good and then
//! becomes the program. No code runs between a fork and an exec.

mod calls;
mod family;
mod files;
mod itself;
mod launcher;
mod program;
mod report;
mod spec;

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

pub use launcher::launcher_main;
pub use report::protections;

/// The first argument of the binary that makes it the launcher.
pub const FLAG: &str = "--confine";

/// The launcher's exit code: it was told to end, or its parent is gone.
pub const EXIT_STOPPED: u8 = 143;
/// The launcher's exit code: the wall time was over.
pub const EXIT_WALL: u8 = 124;
/// The launcher's exit code: too many processes or threads.
pub const EXIT_PROCESSES: u8 = 125;
/// The launcher's exit code: it could not do its work.
pub const EXIT_LAUNCHER: u8 = 126;
/// The launcher's exit code: the program could not be started.
pub const EXIT_PROGRAM: u8 = 127;

/// A program, and all that it may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confined {
    /// The program: a path, or a name below `/usr/bin` or `/bin`.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// The directory that it works in and alone may write to.
    pub dir: PathBuf,
    /// Files outside of the directory that it may read.
    pub reads: Vec<PathBuf>,
    /// How much it may use.
    pub limits: Limits,
}

/// How much a program may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of address space, of each process.
    pub memory: u64,
    /// Seconds of processor time, of each process.
    pub cpu_seconds: u64,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Seconds until all of it is killed.
    pub wall_seconds: u64,
    /// Processes at the same time.
    pub processes: u32,
}

impl Confined {
    /// The command that runs it, in a process group of its own, with the caller as the parent that it must not outlive.
    ///
    /// Exits with the program's code, with 128 and the number of the signal that ended it, or with one of `EXIT_…`.
    pub fn command(&self, launcher: &Path) -> Command {
        let mut command = Command::new(launcher);
        command.arg(FLAG).args(spec::words(spec::RUN, std::process::id(), self)).env_clear().process_group(0);
        command
    }
}
