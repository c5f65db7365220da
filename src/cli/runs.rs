//! `artdag runs`

use crate::cli::args::Format;
use crate::cli::backend::{Place, RunsOf};
use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::output;
use crate::cli::table::{Table, seconds};
use crate::engine::views::RunView;
use crate::records::RunStatus;

/// Arguments of `runs`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only runs of this status: pending, running, completed, failed, cancelled
    #[arg(long)]
    status: Option<String>,
    /// Only runs of this recipe
    #[arg(long)]
    recipe: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

/// Lists runs.
pub fn run(args: &Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    let status = args.status.as_deref().map(status).transpose()?;
    let runs = ctx.backend.runs(&RunsOf { status, recipe: args.recipe.as_deref() }, args.limit)?;
    output::list(ctx.io, ctx.format, ctx.quiet, &runs, |run| run.run_id.to_string(), table);
    let waiting = runs.iter().filter(|run| run.status == RunStatus::Pending && !run.held).count();
    if waiting > 0 && ctx.backend.place() == Place::Here && !ctx.quiet && ctx.format == Format::Table {
        ctx.io.say(format_args!("{waiting} wait; `artdag worker` finishes them"));
    }
    Ok(Exit::Done)
}

fn status(word: &str) -> Result<RunStatus, CliError> {
    let all = [RunStatus::Pending, RunStatus::Running, RunStatus::Completed, RunStatus::Failed, RunStatus::Cancelled];
    all.into_iter().find(|status| status.word() == word).ok_or_else(|| {
        let hint = crate::base::suggest::did_you_mean(word, all.iter().map(|status| status.word()));
        CliError::usage(format!("--status {word}: no such status{hint}"))
    })
}

fn table(runs: &[RunView]) -> Table {
    let mut table = Table::new(&["run", "status", "recipe", "nodes", "cached", "took", "output", "created"]);
    for run in runs {
        let took = run.completed_at.map_or_else(|| "-".to_owned(), |end| seconds(end.seconds_since(run.created_at)));
        table.row(&[
            run.run_id.to_string(),
            run.status.to_string(),
            run.recipe.clone(),
            format!("{}/{}", run.progress.done, run.progress.nodes),
            run.progress.cached.to_string(),
            took,
            run.output_hash.map_or_else(|| "-".to_owned(), |hash| hash.short()),
            run.created_at.to_string(),
        ]);
    }
    table
}
