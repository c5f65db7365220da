//! `artdag plan CONFIG -i NODE=FILE…`

use crate::cli::args::RunArgs;
use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::table::{Table, seconds};
use crate::cli::{inputs, output};
use crate::engine::views::PlanView;

/// Arguments of `plan`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A config file; or an effect, a config's id, or a config's name
    config: String,
    /// A variable input: NODE=FILE, NODE=HASH or NODE=ASSET
    #[arg(short, long = "input", value_name = "NODE=FILE")]
    input: Vec<String>,
    /// How it would be run.
    #[command(flatten)]
    run: RunArgs,
}

/// Shows what a run would do.
pub fn run(args: &Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    let (recipe, name) = inputs::recipe(ctx, &args.config, true)?;
    let given = inputs::named(ctx, &args.input)?;
    let request = inputs::request(recipe, given, &args.run)?;
    let view = ctx.backend.plan(&request).map_err(CliError::of_config(&name))?;
    output::one(ctx.io, ctx.format, ctx.quiet, &view, &view.misses.to_string(), text);
    for warning in &view.warnings {
        ctx.io.say(format_args!("warning: {name}:{warning}"));
    }
    Ok(Exit::Done)
}

/// The plan as a table.
pub fn text(view: &PlanView) -> String {
    let mut table = Table::new(&["node", "type", "state", "stage", "estimate", "size", "key"]);
    for node in &view.nodes {
        let runs = node.known == "miss";
        table.row(&[
            node.id.to_string(),
            node.node_type.to_string(),
            node.known.to_string(),
            node.stage.map_or_else(|| "-".to_owned(), |stage| stage.to_string()),
            if runs { seconds(node.estimated_seconds) } else { "-".to_owned() },
            node.size.map_or_else(|| "-".to_owned(), |(width, height)| format!("{width}x{height}")),
            node.key.map_or_else(|| "-".to_owned(), |key| key.short()),
        ]);
    }
    format!(
        "{table}\n{} nodes: {} known, {} to compute in {} stages, about {}",
        view.nodes.len(),
        view.hits,
        view.misses,
        view.stages.len(),
        seconds(view.estimated_seconds)
    )
}
