//! `artdag man`

use std::path::PathBuf;

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::cli::ctx::Io;
use crate::cli::error::{CliError, Exit};
use crate::engine::EngineError;

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write a page for each command into this directory
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints the manual page, or writes all of them.
pub fn run(args: &Args, io: &mut Io) -> Result<Exit, CliError> {
    let command = Cli::command();
    let Some(directory) = &args.dir else {
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(command).render(&mut page);
        rendered.map_err(|error| CliError::machine(format!("the page cannot be written: {error}")))?;
        io.data(String::from_utf8_lossy(&page).trim_end());
        return Ok(Exit::Done);
    };
    let directory = io.cwd.join(directory);
    std::fs::create_dir_all(&directory)
        .and_then(|()| clap_mangen::generate_to(command, &directory))
        .map_err(|error| EngineError::file(&directory, &error))?;
    io.data(directory.display());
    Ok(Exit::Done)
}
