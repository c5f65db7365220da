//! `artdag render RECIPE INPUT…`

use std::path::PathBuf;

use crate::cli::args::RunArgs;
use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::{inputs, run};
use crate::engine::Inputs;

/// Arguments of `render`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An effect, a config's id, or a config's name
    recipe: String,
    /// Assets, hashes or files (./x is always a file), in the order of the recipe's inputs
    #[arg(required = true)]
    inputs: Vec<String>,
    /// Wait, and print the path of a copy of the output
    #[arg(long)]
    sync: bool,
    /// Where the copy goes [default: <home>/out/<name>-<8 digits>.<ext>]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How it is run.
    #[command(flatten)]
    run: RunArgs,
}

/// Renders.
pub fn run(args: &Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    let (recipe, name) = inputs::recipe(ctx, &args.recipe, false)?;
    let blobs = args.inputs.iter().map(|word| inputs::blob(ctx, word)).collect::<Result<_, _>>()?;
    let request = inputs::request(recipe, Inputs::Listed(blobs), &args.run)?;
    run::submit(ctx, &request, &name, args.sync, args.out.as_deref())
}
