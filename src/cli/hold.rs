//! `artdag hold RUN` and `artdag release RUN`

use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::output;

/// Arguments of `hold` and `release`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run's id, the beginning of one, or `latest`
    run: String,
}

/// Keeps a run that waits from being begun, or lets it be.
pub fn run(args: &Args, held: bool, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    let run = ctx.backend.find_run(&args.run)?;
    let view = ctx.backend.hold(run, held)?;
    let text = |_: &_| format!("run {run} {}", if held { "is held" } else { "may begin" });
    output::one(ctx.io, ctx.format, ctx.quiet, &view, &run.to_string(), text);
    Ok(Exit::Done)
}
