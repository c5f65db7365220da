//! `artdag provenance RUN|HASH`

use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};

/// Arguments of `provenance`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run's id, the beginning of one, `latest`, or the hash of an output or record
    of: String,
}

/// Prints a record: the very bytes that its hash names.
pub fn run(args: &Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    let record = ctx.backend.provenance(&args.of)?;
    ctx.io.bytes(&record)?;
    // For the eye, and outside of the data.
    if ctx.io.terminal.is_some() {
        ctx.io.say("");
    }
    Ok(Exit::Done)
}
