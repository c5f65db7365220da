//! How a run ended, told to a person, and the exit code that goes with it.

use std::path::Path;

use crate::cli::args::Format;
use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::{output, place, table};
use crate::engine::views::RunView;
use crate::records::{RunStatus, Verdict};

/// Tells how a run ended; prints the path of a copy of its output.
pub fn with_output(ctx: &mut Ctx<'_>, run: &RunView, out: Option<&Path>) -> Result<Exit, CliError> {
    if run.status != RunStatus::Completed || run.output_hash.is_none() {
        return Ok(not_completed(ctx, run));
    }
    completed(ctx, run);
    let path = place::copy(ctx.backend, &ctx.io.cwd, out, run)?;
    match ctx.format {
        Format::Table => ctx.io.data(path.display()),
        _ => {
            let mut value = serde_json::to_value(run).unwrap_or_default();
            value["path"] = path.to_string_lossy().into_owned().into();
            output::one(ctx.io, ctx.format, ctx.quiet, &value, "", |_| String::new());
        }
    }
    Ok(Exit::Done)
}

/// Says what a completed run did.
pub fn completed(ctx: &mut Ctx<'_>, run: &RunView) {
    if ctx.quiet {
        return;
    }
    let took = run.completed_at.map_or(0.0, |end| end.seconds_since(run.created_at));
    let stats = run.stats;
    let how = if stats.misses == 0 {
        "cached: the result was known, nothing was rendered".to_owned()
    } else {
        format!(
            "{} stages, {} nodes computed, {} cached, {} blobs written",
            stats.stages, stats.misses, stats.hits, stats.blobs_written
        )
    };
    ctx.io.say(format_args!("run {} completed in {} ({how})", run.run_id, table::seconds(took)));
}

fn not_completed(ctx: &mut Ctx<'_>, run: &RunView) -> Exit {
    if ctx.format != Format::Table {
        output::one(ctx.io, ctx.format, ctx.quiet, run, "", |_| String::new());
    }
    say_why(ctx, run);
    exit(run)
}

/// Says why a run has no output.
pub fn say_why(ctx: &mut Ctx<'_>, run: &RunView) {
    if run.status == RunStatus::Cancelled {
        ctx.io.say(format_args!("run {} was cancelled; what it had finished is kept", run.run_id));
        return;
    }
    let error = run.error.as_deref().unwrap_or("it has no output");
    ctx.io.say(format_args!("error: run {} failed: {error}", run.run_id));
    if let Some(detail) = &run.error_detail {
        ctx.io.say(format_args!("  {detail}"));
    }
}

/// The exit code of a command whose run ended so.
pub fn exit(run: &RunView) -> Exit {
    match run.status {
        RunStatus::Completed if run.verdict == Some(Verdict::Different) => Exit::Different,
        RunStatus::Completed => Exit::Done,
        RunStatus::Cancelled => Exit::Interrupted,
        _ if run.storage_full => Exit::Full,
        _ if run.verifies.is_some() && run.error.as_deref().is_some_and(is_nondeterministic) => Exit::Different,
        _ => Exit::RunFailed,
    }
}

/// Did a run fail because a known key gave other bytes?
fn is_nondeterministic(error: &str) -> bool {
    error.starts_with("nondeterministic")
}
