//! `artdag run-show RUN`

use crate::cli::args::Format;
use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::table::{printable, seconds};
use crate::cli::{output, plan, publish};
use crate::engine::views::RunView;

/// Arguments of `run-show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run's id, the beginning of one, or `latest`
    run: String,
    /// Show the plan: each node and its state
    #[arg(long)]
    plan: bool,
}

/// Shows a run.
pub fn run(args: &Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    let run = ctx.backend.find_run(&args.run)?;
    let view = ctx.backend.run(run)?;
    if args.plan {
        let nodes = ctx.backend.run_plan(run)?;
        output::one(ctx.io, ctx.format, ctx.quiet, &nodes, &run.to_string(), plan::text);
        return Ok(Exit::Done);
    }
    output::one(ctx.io, ctx.format, ctx.quiet, &view, &run.to_string(), text);
    if ctx.format == Format::Table && !ctx.quiet {
        ctx.io.say(format_args!("`artdag run-show {run} --plan` shows its nodes"));
    }
    Ok(Exit::Done)
}

fn text(run: &RunView) -> String {
    let mut lines = vec![format!("run       {}", run.run_id), format!("status    {}", run.status)];
    let mut line = |label: &str, value: Option<String>| {
        if let Some(value) = value {
            lines.push(format!("{label:10}{}", printable(&value)));
        }
    };
    line("recipe", Some(run.recipe.clone()));
    line("config", run.config_id.map(|hash| hash.to_string()));
    for (node, hashes) in &run.bindings {
        line("input", Some(format!("{node} = {}", serde_json::to_string(hashes).unwrap_or_default().replace('"', ""))));
    }
    line("name", Some(run.output_name.clone()));
    line("output", run.output_hash.map(|hash| hash.to_string()));
    line("type", run.output_media_type.clone());
    line("created", Some(run.created_at.to_string()));
    line("took", run.completed_at.map(|end| seconds(end.seconds_since(run.created_at))));
    line(
        "nodes",
        Some(format!("{} of {} done, {} cached", run.progress.done, run.progress.nodes, run.progress.cached)),
    );
    let stats = run.stats;
    line(
        "counts",
        Some(format!(
            "{} stages, {} hits, {} misses, {} blobs written",
            stats.stages, stats.hits, stats.misses, stats.blobs_written
        )),
    );
    line("provenance", run.provenance_hash.map(|hash| format!(" {hash}")));
    line("published", run.publication.as_ref().map(|publication| format!(" {}", publish::told(publication))));
    line("verifies", run.verifies.map(|id| id.to_string()));
    line("verdict", run.verdict.map(|verdict| format!("{verdict:?}").to_lowercase()));
    line("error", run.error.clone());
    line("", run.error_detail.clone());
    for warning in &run.warnings {
        line("warning", Some(warning.clone()));
    }
    lines.join("\n")
}
