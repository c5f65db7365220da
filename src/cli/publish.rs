//! `artdag publish RUN` and `artdag publish --list`

use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::output;
use crate::cli::table::{Table, printable};
use crate::engine::views::{PublicationView, RunView};

/// Arguments of `publish`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run's id, the beginning of one, or `latest`
    #[arg(required_unless_present = "list")]
    run: Option<String>,
    /// List what is published, newest first, and how far its delivery is
    #[arg(long, conflicts_with = "run")]
    list: bool,
    /// Most publications to list
    #[arg(long, value_name = "N", default_value_t = 100, requires = "list")]
    limit: usize,
}

/// Publishes a run's output, or lists what is published.
pub fn run(args: &Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    let Some(word) = &args.run else {
        let publications = ctx.backend.publications(args.limit)?;
        output::list(ctx.io, ctx.format, ctx.quiet, &publications, |publication| publication.run_id.to_string(), table);
        return Ok(Exit::Done);
    };
    let run = ctx.backend.find_run(word)?;
    let view = ctx.backend.publish(run)?;
    output::one(ctx.io, ctx.format, ctx.quiet, &view, &run.to_string(), text);
    Ok(Exit::Done)
}

fn text(run: &RunView) -> String {
    let Some(publication) = &run.publication else { return format!("run {} is published", run.run_id) };
    let mut lines = vec![
        format!("published {}", publication.run_id),
        format!("sha3-256  {}", publication.sha3_256),
        format!("state     {}", told(publication)),
    ];
    if publication.run_id != run.run_id {
        lines.push(format!("the output of run {} was published before, by run {}", run.run_id, publication.run_id));
    }
    lines.join("\n")
}

/// The state of a publication, and why it is that.
pub fn told(publication: &PublicationView) -> String {
    match &publication.error {
        Some(error) => format!("{}: {}", publication.state, printable(error)),
        None => publication.state.to_string(),
    }
}

fn table(publications: &[PublicationView]) -> Table {
    let mut table = Table::new(&["run", "published", "state", "tries", "sha3-256"]);
    for publication in publications {
        table.row(&[
            publication.run_id.to_string(),
            publication.published_at.to_string(),
            told(publication),
            publication.attempts.to_string(),
            publication.sha3_256.clone(),
        ]);
    }
    table
}
