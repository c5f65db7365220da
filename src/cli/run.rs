//! `artdag run CONFIG -i NODE=FILE…`

use std::path::{Path, PathBuf};

use crate::base::RunId;
use crate::cli::args::{Format, RunArgs};
use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::{inputs, output, place, progress, table};
use crate::engine::Request;
use crate::engine::views::run_view;
use crate::records::{RunRow, RunStatus};

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A config file; or an effect, a config's id, or a config's name
    config: String,
    /// A variable input: NODE=FILE, NODE=HASH or NODE=ASSET; several with commas for a list
    #[arg(short, long = "input", value_name = "NODE=FILE")]
    input: Vec<String>,
    /// Do not wait: print the run's id
    #[arg(long)]
    detach: bool,
    /// Where the copy of the output goes [default: <home>/out/<name>-<8 digits>.<ext>]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How it is run.
    #[command(flatten)]
    run: RunArgs,
}

/// Runs a config.
pub fn run(args: &Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    let (recipe, name) = inputs::recipe(ctx, &args.config, true)?;
    let given = inputs::named(ctx, &args.input)?;
    let request = inputs::request(recipe, given, &args.run)?;
    submit(ctx, &request, &name, !args.detach, args.out.as_deref())
}

/// Submits a request; waits and copies the output, or prints the run's id.
pub fn submit(
    ctx: &mut Ctx<'_>,
    request: &Request,
    name: &str,
    wait: bool,
    out: Option<&Path>,
) -> Result<Exit, CliError> {
    if !wait && out.is_some() {
        return Err(CliError::usage("--out needs the output: wait for it (render --sync, run without --detach)"));
    }
    let mut events = ctx.engine.subscribe();
    // Without waiting the work goes on in a worker: this one, or the one that starts after us.
    let start = wait || ctx.in_worker;
    let run = ctx
        .engine
        .submit(request, start, &|prepared| place::check(prepared, out))
        .map_err(CliError::of_config(name))?;
    if !wait {
        return detached(ctx, run);
    }
    let row = progress::wait(ctx, run, &mut events)?;
    for warning in &row.warnings {
        ctx.io.say(format_args!("warning: {name}:{warning}"));
    }
    ended(ctx, run, &row, out)
}

fn detached(ctx: &mut Ctx<'_>, run: RunId) -> Result<Exit, CliError> {
    let row = ctx.engine.run_row(run)?;
    output::one(ctx.io, ctx.format, true, &run_view(run, &row), &run.to_string(), |_| run.to_string());
    if !ctx.quiet {
        ctx.io.say(format_args!("submitted; `artdag run-show {run}` tells how it goes"));
    }
    Ok(Exit::Done)
}

/// Tells how a run ended; prints the path of a copy of its output.
fn ended(ctx: &mut Ctx<'_>, run: RunId, row: &RunRow, out: Option<&Path>) -> Result<Exit, CliError> {
    let Some(hash) = row.output.filter(|_| row.status == RunStatus::Completed) else {
        return Ok(not_completed(ctx, run, row));
    };
    if !ctx.quiet {
        let took = row.completed_at.map_or(0.0, |end| end.seconds_since(row.created_at));
        let stats = row.stats;
        let how = if stats.misses == 0 {
            "cached: the result was known, nothing was rendered".to_owned()
        } else {
            format!(
                "{} stages, {} nodes computed, {} cached, {} blobs written",
                stats.stages, stats.misses, stats.hits, stats.blobs_written
            )
        };
        ctx.io.say(format_args!("run {run} completed in {} ({how})", table::seconds(took)));
    }
    let media_type = row.output_media_type.as_deref().unwrap_or_default();
    let path = place::copy(ctx.engine, &ctx.io.cwd, out, &row.output_name, &hash, media_type)?;
    match ctx.format {
        Format::Table => ctx.io.data(path.display()),
        _ => {
            let mut value = serde_json::to_value(run_view(run, row)).unwrap_or_default();
            value["path"] = path.to_string_lossy().into_owned().into();
            output::one(ctx.io, ctx.format, ctx.quiet, &value, "", |_| String::new());
        }
    }
    Ok(Exit::Done)
}

fn not_completed(ctx: &mut Ctx<'_>, run: RunId, row: &RunRow) -> Exit {
    let error = row.error.as_deref().unwrap_or("it has no output");
    if ctx.format != Format::Table {
        output::one(ctx.io, ctx.format, ctx.quiet, &run_view(run, row), "", |_| String::new());
    }
    if row.status == RunStatus::Cancelled {
        ctx.io.say(format_args!("run {run} was cancelled; what it had finished is kept"));
        return Exit::Interrupted;
    }
    ctx.io.say(format_args!("error: run {run} failed: {error}"));
    if let Some(detail) = &row.error_detail {
        ctx.io.say(format_args!("  {detail}"));
    }
    if row.storage_full { Exit::Full } else { Exit::RunFailed }
}
