//! `artdag why NODE [RUN|CONFIG]`

use crate::base::RunId;
use crate::cli::args::RunArgs;
use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::{inputs, output};
use crate::plan::explain::Why;

/// Arguments of `why`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The node
    node: String,
    /// A run's id, or a config file with its inputs [default: the latest run]
    of: Option<String>,
    /// A variable input of the config: NODE=FILE, NODE=HASH or NODE=ASSET
    #[arg(short, long = "input", value_name = "NODE=FILE")]
    input: Vec<String>,
    /// How it would be run.
    #[command(flatten)]
    run: RunArgs,
}

/// Explains a node.
pub fn run(args: &Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    let of = args.of.as_deref().unwrap_or("latest");
    let is_run =
        of == "latest" || of.parse::<RunId>().is_ok() || (args.input.is_empty() && ctx.backend.find_run(of).is_ok());
    let why = if is_run {
        let run = ctx.backend.find_run(of)?;
        ctx.backend.why_of_run(run, &args.node)?
    } else {
        let (recipe, name) = inputs::recipe(ctx, of, true)?;
        let given = inputs::named(ctx, &args.input)?;
        let request = inputs::request(recipe, given, &args.run)?;
        ctx.backend.why(&request, &args.node).map_err(CliError::of_config(&name))?
    };
    output::one(ctx.io, ctx.format, ctx.quiet, &why, &why.state, text);
    Ok(Exit::Done)
}

fn text(why: &Why) -> String {
    let mut lines = vec![format!("{}: {} (key {})", why.node, why.state, why.key.short())];
    for (label, value) in &why.parts {
        lines.push(format!("  {label}: {value}"));
    }
    match (&why.nearest, why.state.as_str()) {
        (Some(nearest), _) => {
            lines.push(format!("nearest known: key {}; what differs:", nearest.short()));
            lines.extend(causes(why, 1));
        }
        (None, "miss") => lines.push("nothing of this node type is known yet".to_owned()),
        _ => {}
    }
    lines.join("\n")
}

fn causes(why: &Why, depth: usize) -> Vec<String> {
    let indent = "  ".repeat(depth.min(20));
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "absent".to_owned());
    let mut lines: Vec<String> = why
        .differences
        .iter()
        .map(|difference| {
            format!(
                "{indent}{}: {}: {} here, {} there",
                why.node,
                difference.part,
                shown(&difference.here),
                shown(&difference.known)
            )
        })
        .collect();
    if why.state == "source" {
        lines.push(format!("{indent}{}: another source", why.node));
    }
    for cause in &why.causes {
        lines.extend(causes(cause, depth + 1));
    }
    lines
}
