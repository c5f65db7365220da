//! `artdag queue pause|resume`

use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::output;

/// Arguments of `queue`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Begin no waiting run from now on; those under way go on
    Pause,
    /// Begin waiting runs again
    Resume,
}

/// Carries out a `queue` command.
pub fn run(args: &Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    let paused = matches!(args.command, Command::Pause);
    ctx.backend.pause_queue(paused)?;
    let word = if paused { "paused" } else { "open" };
    let value = serde_json::json!({"paused": paused});
    output::one(ctx.io, ctx.format, ctx.quiet, &value, word, |_| format!("the queue is {word}"));
    Ok(Exit::Done)
}
