//! `artdag run CONFIG -i NODE=FILE…`

use std::path::{Path, PathBuf};

use crate::base::RunId;
use crate::cli::args::{Format, RunArgs};
use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::wait::{self, Waited};
use crate::cli::{inputs, outcome, output};
use crate::engine::Request;

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
    let run = ctx.backend.submit(request, wait, out).map_err(CliError::of_config(name))?;
    if !wait {
        return detached(ctx, run);
    }
    let view = match wait::wait(ctx, run)? {
        Waited::Ended(view) => view,
        Waited::Left => {
            if ctx.format == Format::Table {
                ctx.io.data(run);
            } else {
                let view = ctx.backend.run(run)?;
                output::one(ctx.io, ctx.format, ctx.quiet, &view, "", |_| String::new());
            }
            return Ok(Exit::Interrupted);
        }
    };
    for warning in &view.warnings {
        ctx.io.say(format_args!("warning: {name}:{warning}"));
    }
    outcome::with_output(ctx, &view, out)
}

fn detached(ctx: &mut Ctx<'_>, run: RunId) -> Result<Exit, CliError> {
    let view = ctx.backend.run(run)?;
    output::one(ctx.io, ctx.format, true, &view, &run.to_string(), |_| run.to_string());
    if !ctx.quiet {
        ctx.io.say(format_args!("submitted; `artdag run-show {run}` tells how it goes"));
    }
    Ok(Exit::Done)
}
