//! `artdag assets ls|add|rm`

use std::collections::BTreeMap;

use crate::base::AssetName;
use crate::cli::args::Format;
use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::table::Table;
use crate::cli::{inputs, output};

/// Arguments of `assets`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List names and what they stand for
    Ls,
    /// Name a file, or point a name elsewhere
    Add {
        /// The name
        name: String,
        /// An asset, a hash or a file
        blob: String,
    },
    /// Take a name away; the file stays
    Rm {
        /// The name
        name: String,
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
    },
}

/// Carries out an `assets` command.
pub fn run(args: Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    match args.command {
        Command::Ls => ls(ctx),
        Command::Add { name, blob } => {
            let parsed: AssetName = name.parse().map_err(|error| CliError::usage(format!("{name:?}: {error}")))?;
            let hash = inputs::blob(ctx, &blob)?;
            ctx.backend.set_asset(parsed, hash)?;
            let value = serde_json::json!({"name": name, "content_hash": hash});
            output::one(ctx.io, ctx.format, ctx.quiet, &value, &hash.to_string(), |_| hash.to_string());
            Ok(Exit::Done)
        }
        Command::Rm { name, dry_run } => {
            let hash = ctx.backend.remove_asset(&name, dry_run)?;
            let value = serde_json::json!({"deleted": !dry_run, "name": name, "content_hash": hash});
            let verb = if dry_run { "would take away" } else { "took away" };
            let text =
                format!("{verb} the name {}; the file {} stays", crate::cli::table::printable(&name), hash.short());
            output::one(ctx.io, ctx.format, ctx.quiet, &value, &name, |_| text);
            Ok(Exit::Done)
        }
    }
}

fn ls(ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    let assets: BTreeMap<String, String> =
        ctx.backend.assets()?.into_iter().map(|(name, hash)| (name, hash.to_string())).collect();
    if ctx.format == Format::Json {
        ctx.io.data(output::json(&assets));
        return Ok(Exit::Done);
    }
    let rows: Vec<serde_json::Value> =
        assets.iter().map(|(name, hash)| serde_json::json!({"name": name, "content_hash": hash})).collect();
    let table = |_: &[serde_json::Value]| {
        let mut table = Table::new(&["name", "hash"]);
        for (name, hash) in &assets {
            table.row(&[name.clone(), hash.clone()]);
        }
        table
    };
    let name = |row: &serde_json::Value| row["name"].as_str().unwrap_or_default().to_owned();
    output::list(ctx.io, ctx.format, ctx.quiet, &rows, name, table);
    Ok(Exit::Done)
}
