//! `artdag cancel RUN`

use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::{output, wait};

/// Arguments of `cancel`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run's id, the beginning of one, or `latest`
    run: String,
}

/// Stops a run and waits until it has ended.
pub fn run(args: &Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    let run = ctx.backend.find_run(&args.run)?;
    ctx.backend.cancel(run)?;
    let view = wait::end(ctx, run)?;
    output::one(ctx.io, ctx.format, ctx.quiet, &view, &run.to_string(), |view| format!("run {run} is {}", view.status));
    Ok(Exit::Done)
}
