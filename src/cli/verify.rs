//! `artdag verify RUN`

use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::wait::{self, Waited};
use crate::cli::{outcome, output};
use crate::records::{RunStatus, Verdict};

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run's id, the beginning of one, or `latest`
    run: String,
}

/// Renders a run again without the cache and compares.
pub fn run(args: &Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    let run = ctx.backend.find_run(&args.run)?;
    let again = ctx.backend.verify(run)?;
    let Waited::Ended(view) = wait::wait(ctx, again)? else { return Ok(Exit::Interrupted) };
    let first = ctx.backend.run(run)?.output_hash;
    let name =
        |hash: Option<crate::base::ContentHash>| hash.map_or_else(|| "nothing".to_owned(), |hash| hash.to_string());
    let line = match (view.status, view.verdict) {
        (RunStatus::Completed, Some(Verdict::Same)) => format!("same: {}", name(view.output_hash)),
        (RunStatus::Completed, _) => format!("different: {} then, {} now", name(first), name(view.output_hash)),
        (RunStatus::Cancelled, _) => "cancelled".to_owned(),
        _ => format!("the second rendering failed: {}", view.error.as_deref().unwrap_or_default()),
    };
    output::one(ctx.io, ctx.format, ctx.quiet, &view, &again.to_string(), |_| line);
    Ok(outcome::exit(&view))
}
