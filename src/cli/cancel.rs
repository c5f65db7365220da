//! `artdag cancel RUN`

use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::output;

/// Arguments of `cancel`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run's id, the beginning of one, or `latest`
    run: String,
}

/// Stops a run and waits until it has ended.
pub fn run(args: &Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    let run = ctx.engine.find_run(&args.run)?;
    ctx.engine.cancel(run)?;
    ctx.engine.wait(run)?;
    let view = ctx.engine.run_view(run)?;
    output::one(ctx.io, ctx.format, ctx.quiet, &view, &run.to_string(), |view| format!("run {run} is {}", view.status));
    Ok(Exit::Done)
}
