//! `artdag import-home PATH [--redis URL] [--dry-run]`

// The comments are the help that people read: no backticks, no brackets.
#![allow(clippy::doc_markdown, rustdoc::bare_urls)]

use std::path::PathBuf;

use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::output;
use crate::cli::table::{bytes, printable};
use crate::engine::moving::{Left, Moved};
use crate::link::redis;

/// Arguments of `import-home`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The original's cache directory, or the directory that has it as `cache`
    path: PathBuf,
    /// The Redis database with its runs, such as redis://localhost:6379/5; one with a password is better given by
    /// the variable, which other users of this machine cannot read
    #[arg(long, value_name = "URL", env = "ARTDAG_IMPORT_REDIS", hide_env_values = true)]
    redis: Option<String>,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

/// Takes over a home of the original.
pub fn run(args: &Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    let runs = match &args.redis {
        Some(url) => redis::runs_of_the_original(url).map_err(|error| CliError::machine(error.to_string()))?,
        None => Vec::new(),
    };
    let path = ctx.io.cwd.join(&args.path);
    let interrupt = ctx.interrupt;
    let moved = ctx.backend.move_in(&path, &runs, args.dry_run, &|| interrupt.count() > 0)?;
    output::one(ctx.io, ctx.format, ctx.quiet, &moved, &moved.files.to_string(), text);
    if interrupt.count() > 0 {
        ctx.io.say("interrupted: the same command again goes on from here");
        return Ok(Exit::Interrupted);
    }
    let left = moved.left_files.len() + moved.left_runs.len();
    Ok(if left == 0 { Exit::Done } else { Exit::Different })
}

fn text(moved: &Moved) -> String {
    let verb = if moved.dry_run { "would be taken" } else { "taken" };
    let mut lines = vec![
        format!("{} files {verb}, {}; {} were here already", moved.files, bytes(moved.bytes), moved.known_files),
        format!("{} runs {verb}; {} were here already", moved.runs, moved.known_runs),
    ];
    let left = |what: &str, all: &[Left]| -> Vec<String> {
        all.iter().map(|left| format!("left  {what} {}: {}", printable(&left.id), printable(&left.because))).collect()
    };
    lines.extend(left("file", &moved.left_files));
    lines.extend(left("run", &moved.left_runs));
    lines.join("\n")
}
