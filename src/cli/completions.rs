//! `artdag completions SHELL`

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::cli::ctx::Io;
use crate::cli::error::{CliError, Exit};

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// bash, zsh, fish, elvish or powershell
    shell: clap_complete::Shell,
}

/// Prints a completion script.
pub fn run(args: &Args, io: &mut Io) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "artdag", &mut script);
    io.data(String::from_utf8_lossy(&script).trim_end());
    Ok(Exit::Done)
}
