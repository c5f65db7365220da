//! `artdag configs add|ls|show|rm`

use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::table::Table;
use crate::cli::{inputs, output};
use crate::engine::views::ConfigView;

/// Arguments of `configs`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Check a config and register it; prints its id
    Add {
        /// A YAML or JSON file
        file: String,
        /// Only check it
        #[arg(long)]
        check: bool,
    },
    /// List configs, newest first
    Ls,
    /// Describe a config
    Show {
        /// A config's id or name
        config: String,
        /// Print the file itself
        #[arg(long)]
        yaml: bool,
    },
    /// Take a config out of the register; runs keep what they need of it
    Rm {
        /// A config's id or name
        config: String,
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
    },
}

/// Carries out a `configs` command.
pub fn run(args: Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    match args.command {
        Command::Add { file, check } => add(ctx, &file, check),
        Command::Ls => ls(ctx),
        Command::Show { config, yaml } => show(ctx, &config, yaml),
        Command::Rm { config, dry_run } => {
            let found = ctx.backend.find_config(&config)?;
            let id = found.config_id;
            ctx.backend.remove_config(id, dry_run)?;
            let value = serde_json::json!({"deleted": !dry_run, "config_id": id});
            let verb = if dry_run { "would take" } else { "took" };
            let text = format!("{verb} {} ({}) out of the register", found.name, id.short());
            output::one(ctx.io, ctx.format, ctx.quiet, &value, &id.to_string(), |_| text);
            Ok(Exit::Done)
        }
    }
}

fn add(ctx: &mut Ctx<'_>, file: &str, check: bool) -> Result<Exit, CliError> {
    let bytes = inputs::config_bytes(&ctx.io.cwd.join(file))?;
    let (view, new) = ctx.backend.add_config(bytes, check).map_err(CliError::of_config(file))?;
    for warning in &view.warnings {
        ctx.io.say(format_args!("warning: {file}:{warning}"));
    }
    let id = view.config_id.to_string();
    output::one(ctx.io, ctx.format, ctx.quiet, &view, &id, |_| id.clone());
    if !ctx.quiet {
        let state = match (check, new) {
            (true, _) => "valid, not registered",
            (false, true) => "registered",
            (false, false) => "already registered",
        };
        ctx.io.say(format_args!("{} {}: {state}", view.name, view.version.as_deref().unwrap_or_default()));
    }
    Ok(Exit::Done)
}

fn ls(ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    let views = ctx.backend.configs()?;
    let table = |views: &[ConfigView]| {
        let mut table = Table::new(&["config", "name", "version", "nodes", "inputs"]);
        for view in views {
            let inputs: Vec<&str> = view.variable_inputs.iter().map(|input| input.id.as_str()).collect();
            table.row(&[
                view.config_id.to_string(),
                view.name.clone(),
                view.version.clone().unwrap_or_default(),
                view.nodes.to_string(),
                inputs.join(", "),
            ]);
        }
        table
    };
    output::list(ctx.io, ctx.format, ctx.quiet, &views, |view| view.config_id.to_string(), table);
    Ok(Exit::Done)
}

fn show(ctx: &mut Ctx<'_>, word: &str, yaml: bool) -> Result<Exit, CliError> {
    let view = ctx.backend.find_config(word)?;
    if yaml {
        let bytes = ctx.backend.config_bytes(&view.config_id)?;
        ctx.io.bytes(&bytes)?;
        return Ok(Exit::Done);
    }
    output::one(ctx.io, ctx.format, ctx.quiet, &view, &view.config_id.to_string(), text);
    Ok(Exit::Done)
}

fn text(view: &ConfigView) -> String {
    let mut lines = vec![format!("config   {}", view.config_id), format!("name     {}", view.name)];
    if let Some(version) = &view.version {
        lines.push(format!("version  {version}"));
    }
    if let Some(description) = &view.description {
        lines.push(format!("about    {}", crate::cli::table::printable(description)));
    }
    lines.push(format!("nodes    {}", view.nodes));
    for input in &view.variable_inputs {
        let name = input.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        lines.push(format!("input    {}{name}", input.id));
    }
    for input in &view.fixed_inputs {
        let what = input.asset.clone().or_else(|| input.content_hash.map(|hash| hash.to_string()));
        lines.push(format!("fixed    {} = {}", input.id, what.unwrap_or_default()));
    }
    lines.push(format!("output   {}", view.output));
    lines.join("\n")
}
