//! `artdag cache add|get|ls|rm|info|verify|gc`

use std::path::PathBuf;

use crate::base::ContentHash;
use crate::cli::add;
use crate::cli::args::Format;
use crate::cli::backend::BlobView;
use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::output;
use crate::cli::table::{Table, bytes};
use crate::engine::EngineError;
use crate::engine::views::BlobInfo;
use crate::records::Origin;

/// Arguments of `cache`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Add files, and all files below directories; prints their hashes. `-` reads standard input
    ///
    /// Files whose names begin with a dot are left out, and links below a directory are not followed.
    Add {
        /// Files or directories
        #[arg(required = true)]
        files: Vec<String>,
        /// Name the file, as an asset
        #[arg(long)]
        name: Option<String>,
    },
    /// Print a file's bytes, or copy them to a file
    Get {
        /// A hash or an asset
        blob: String,
        /// Where to
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// List files
    Ls {
        /// Only types that begin like this, e.g. image/
        #[arg(long, value_name = "PREFIX")]
        media_type: Option<String>,
    },
    /// Remove files that nothing uses
    Rm {
        /// Hashes
        #[arg(required = true)]
        hashes: Vec<String>,
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
    },
    /// Describe a file: what it is, who made it, who uses it
    Info {
        /// A hash or an asset
        blob: String,
    },
    /// Hash every file again; exit code 8 if one is not what its name says
    Verify {
        /// Only these hashes
        hashes: Vec<String>,
    },
    /// Make room: remove results that can be made again, oldest use first
    Gc {
        /// Leave at most this many bytes of such results [default: the cap]
        #[arg(long, value_name = "N")]
        max_bytes: Option<u64>,
        /// Remove files that no record names, even where the database may have been lost
        #[arg(long)]
        orphans: bool,
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
    },
}

/// Carries out a `cache` command.
pub fn run(args: Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    match args.command {
        Command::Add { files, name } => add::add(ctx, &files, name.as_deref()),
        Command::Get { blob, out } => get(ctx, &blob, out.as_deref()),
        Command::Ls { media_type } => ls(ctx, media_type.as_deref().unwrap_or_default()),
        Command::Rm { hashes, dry_run } => rm(ctx, &hashes, dry_run),
        Command::Info { blob } => info(ctx, &blob),
        Command::Verify { hashes } => verify(ctx, &hashes),
        Command::Gc { max_bytes, orphans, dry_run } => gc(ctx, max_bytes, orphans, dry_run),
    }
}

fn get(ctx: &mut Ctx<'_>, word: &str, out: Option<&std::path::Path>) -> Result<Exit, CliError> {
    let hash = known(ctx, word)?;
    if let Some(out) = out {
        let path = ctx.io.cwd.join(out);
        ctx.backend.export(&hash, &path)?;
        ctx.io.data(path.display());
        return Ok(Exit::Done);
    }
    ctx.backend.read(&hash, &mut ctx.io.out)?;
    Ok(Exit::Done)
}

/// The hash that a word names: an asset or a hash that is here.
fn known(ctx: &Ctx<'_>, word: &str) -> Result<ContentHash, CliError> {
    match word.parse::<ContentHash>() {
        Ok(hash) => Ok(hash),
        Err(_) => match ctx.backend.find_asset(word)? {
            Some(hash) => Ok(hash),
            None => {
                let assets = ctx.backend.assets()?;
                Err(EngineError::not_found("asset", word, assets.keys().map(String::as_str)).into())
            }
        },
    }
}

fn ls(ctx: &mut Ctx<'_>, prefix: &str) -> Result<Exit, CliError> {
    let listed = ctx.backend.blobs(prefix)?;
    let table = |listed: &[BlobView]| {
        let mut table = Table::new(&["hash", "type", "size", "origin", "names"]);
        for blob in listed {
            table.row(&[
                blob.content_hash.to_string(),
                blob.media_type.clone(),
                bytes(blob.size),
                format!("{:?}", blob.origin).to_lowercase(),
                blob.names.join(", "),
            ]);
        }
        table
    };
    output::list(ctx.io, ctx.format, ctx.quiet, &listed, |blob| blob.content_hash.to_string(), table);
    Ok(Exit::Done)
}

fn rm(ctx: &mut Ctx<'_>, words: &[String], dry_run: bool) -> Result<Exit, CliError> {
    let hashes: Vec<ContentHash> = words
        .iter()
        .map(|word| {
            let hint = "; a name is taken away with `artdag assets rm`";
            word.parse().map_err(|error| CliError::usage(format!("{word}: {error}{hint}")))
        })
        .collect::<Result<_, _>>()?;
    for hash in hashes {
        let freed = ctx.backend.remove_blob(&hash, dry_run)?;
        let verb = if dry_run { "would remove" } else { "removed" };
        let text = |_: &_| format!("{verb} {hash}, {}", bytes(freed.freed_bytes));
        output::one(ctx.io, ctx.format, ctx.quiet, &freed, &hash.to_string(), text);
    }
    Ok(Exit::Done)
}

fn info(ctx: &mut Ctx<'_>, word: &str) -> Result<Exit, CliError> {
    let hash = known(ctx, word)?;
    let info = ctx.backend.blob(&hash)?;
    output::one(ctx.io, ctx.format, ctx.quiet, &info, &hash.to_string(), info_text);
    Ok(Exit::Done)
}

fn info_text(info: &BlobInfo) -> String {
    let mut lines = vec![
        format!("hash       {}", info.content_hash),
        format!("type       {}", info.media_type),
        format!("size       {} ({} bytes)", bytes(info.size), info.size),
    ];
    if let (Some(width), Some(height)) = (info.width, info.height) {
        lines.push(format!("picture    {width}x{height}"));
    }
    if let Some(damage) = &info.damage {
        lines.push(format!("damage     {damage}"));
    }
    lines.push(format!("created    {}", info.created_at));
    if !info.names.is_empty() {
        lines.push(format!("names      {}", info.names.join(", ")));
    }
    if let Some(made) = &info.made_by {
        lines.push(format!("made by    run {}, node {}", made.run, made.node.as_deref().unwrap_or("?")));
    }
    for holder in &info.used_by {
        lines.push(format!("used by    {holder}"));
    }
    lines.push(format!("deletable  {}", if info.deletable { "yes" } else { "no" }));
    lines.join("\n")
}

fn verify(ctx: &mut Ctx<'_>, words: &[String]) -> Result<Exit, CliError> {
    let only: Vec<ContentHash> = words.iter().map(|word| known(ctx, word)).collect::<Result<_, _>>()?;
    let interrupt = ctx.interrupt;
    let report = ctx.backend.verify_blobs(&only, &|| interrupt.is_set())?;
    output::one(ctx.io, ctx.format, ctx.quiet, &report, &report.damaged.len().to_string(), |report| {
        let mut lines: Vec<String> = report
            .damaged
            .iter()
            .map(|damage| {
                let remedy =
                    if damage.origin == Origin::Derived { "it can be made again" } else { "add the file again" };
                format!("damaged: {}: {} ({remedy})", damage.content_hash, damage.what)
            })
            .collect();
        lines.push(format!(
            "{} blobs checked, {}, {} damaged",
            report.checked,
            bytes(report.bytes),
            report.damaged.len()
        ));
        if report.orphans > 0 {
            lines.push(format!("{} files belong to nothing; `artdag cache gc` removes them", report.orphans));
        }
        lines.join("\n")
    });
    if ctx.interrupt.is_set() {
        return Ok(Exit::Interrupted);
    }
    Ok(if report.damaged.is_empty() { Exit::Done } else { Exit::Different })
}

fn gc(ctx: &mut Ctx<'_>, max_bytes: Option<u64>, orphans: bool, dry_run: bool) -> Result<Exit, CliError> {
    let collected = ctx.backend.gc(max_bytes, orphans, dry_run)?;
    let text = |_: &_| {
        let verb = if dry_run { "would remove" } else { "removed" };
        format!(
            "{verb} {} results, {}; {} of results stay, {} allowed{}",
            collected.evicted.len(),
            bytes(collected.freed_bytes),
            bytes(collected.derived_bytes),
            bytes(collected.cap_bytes),
            if collected.orphans > 0 {
                format!("; {} files that belonged to nothing", collected.orphans)
            } else {
                String::new()
            }
        )
    };
    if ctx.quiet && ctx.format == Format::Table {
        collected.evicted.iter().for_each(|hash| ctx.io.data(hash));
    } else {
        output::one(ctx.io, ctx.format, ctx.quiet, &collected, "", text);
    }
    Ok(Exit::Done)
}
