//! `artdag verify RUN`

use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::{output, progress};
use crate::engine::views::run_view;
use crate::records::{RunStatus, Verdict};

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run's id, the beginning of one, or `latest`
    run: String,
}

/// Renders a run again without the cache and compares.
pub fn run(args: &Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    let run = ctx.engine.find_run(&args.run)?;
    let mut events = ctx.engine.subscribe();
    let again = ctx.engine.verify(run)?;
    let row = progress::wait(ctx, again, &mut events)?;
    let first = ctx.engine.run_row(run)?.output;
    let name =
        |hash: Option<crate::base::ContentHash>| hash.map_or_else(|| "nothing".to_owned(), |hash| hash.to_string());
    let view = run_view(again, &row);
    let (exit, line) = match (row.status, row.verdict) {
        (RunStatus::Completed, Some(Verdict::Same)) => (Exit::Done, format!("same: {}", name(row.output))),
        (RunStatus::Completed, _) => {
            (Exit::Different, format!("different: {} then, {} now", name(first), name(row.output)))
        }
        (RunStatus::Cancelled, _) => (Exit::Interrupted, "cancelled".to_owned()),
        _ => {
            let error = row.error.clone().unwrap_or_default();
            let exit = if error.starts_with("nondeterministic") { Exit::Different } else { Exit::RunFailed };
            (exit, format!("the second rendering failed: {error}"))
        }
    };
    output::one(ctx.io, ctx.format, ctx.quiet, &view, &again.to_string(), |_| line);
    Ok(exit)
}
