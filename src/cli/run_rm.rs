//! `artdag run-rm RUN`

use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::output;
use crate::cli::table::bytes;

/// Arguments of `run-rm`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run's id, the beginning of one, or `latest`
    run: String,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

/// Deletes a run that has ended, with what only it used.
pub fn run(args: &Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    let run = ctx.backend.find_run(&args.run)?;
    let freed = ctx.backend.remove_run(run, args.dry_run)?;
    let value = serde_json::json!({
        "deleted": !args.dry_run, "run_id": run, "freed_bytes": freed.freed_bytes, "kept": freed.kept,
    });
    let text = |_: &_| {
        let verb = if args.dry_run { "would delete" } else { "deleted" };
        let mut lines = vec![format!("{verb} run {run}, {} freed", bytes(freed.freed_bytes))];
        lines.extend(freed.kept.iter().map(|kept| format!("kept  {}: {}", kept.content_hash, kept.because)));
        lines.join("\n")
    };
    output::one(ctx.io, ctx.format, ctx.quiet, &value, &run.to_string(), text);
    Ok(Exit::Done)
}
