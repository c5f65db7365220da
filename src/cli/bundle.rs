//! `artdag bundle export|import|inspect`

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use crate::base::limits::BUNDLE_MANIFEST_BYTES;
use crate::base::{ContentHash, RunId};
use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::output;
use crate::cli::provenance::public_key;
use crate::cli::table::{Table, bytes};
use crate::engine::EngineError;
use crate::link::bundle::{self, Bundle, BundleError, Export, Imported, Manifest, With};
use crate::link::keys;
use crate::records::{RunStatus, Verdict};

/// Arguments of `bundle`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Write runs, configs or files into one signed file, with all they stand on
    Export {
        /// Runs, configs by id or name, or hashes: an output's stands for the run that made it
        #[arg(required = true, value_name = "RUN|CONFIG|HASH")]
        words: Vec<String>,
        /// The file to write
        #[arg(short, long = "out", value_name = "FILE")]
        out: PathBuf,
        /// What goes with runs beside recipe, inputs and provenance
        #[arg(long, value_enum, value_delimiter = ',')]
        with: Vec<Part>,
        /// Leave out files that the other side has: a bundle, a manifest, or hashes, one a line
        #[arg(long, value_name = "MANIFEST")]
        missing_from: Option<PathBuf>,
    },
    /// Check a bundle, and take in what is in it
    Import {
        /// The file
        file: PathBuf,
        /// Render each of its runs again without the cache, and compare
        #[arg(long)]
        verify: bool,
        /// Check all of it, and say what would be taken in
        #[arg(long)]
        dry_run: bool,
        /// The key that must have signed: did:key:z6Mk…, or a PEM file
        #[arg(long, value_name = "KEY")]
        signed_by: Option<String>,
    },
    /// Tell who signed a bundle and what is in it; nothing is taken
    Inspect {
        /// The file
        file: PathBuf,
        /// Print its manifest as it is, for --missing-from
        #[arg(long)]
        manifest: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// The outputs
    Outputs,
    /// Values between nodes, as far as they are kept
    Intermediates,
}

impl From<BundleError> for CliError {
    fn from(error: BundleError) -> Self {
        let exit = match &error {
            BundleError::Invalid { .. } | BundleError::TooLarge(_) => Exit::Invalid,
            BundleError::Changed { .. } => Exit::Different,
            BundleError::Elsewhere { .. } => Exit::NotFound,
            BundleError::Key(_) | BundleError::Engine(_) => Exit::Done,
        };
        match error {
            BundleError::Key(error) => error.into(),
            BundleError::Engine(error) => error.into(),
            other => Self::Own { message: other.to_string(), exit },
        }
    }
}

/// Carries out a `bundle` command.
pub fn run(args: Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    match args.command {
        Command::Export { words, out, with, missing_from } => {
            let with =
                With { outputs: with.contains(&Part::Outputs), intermediates: with.contains(&Part::Intermediates) };
            export(ctx, words, &out, with, missing_from.as_deref())
        }
        Command::Import { file, verify, dry_run, signed_by } => {
            import(ctx, &file, verify, dry_run, signed_by.as_deref())
        }
        Command::Inspect { file, manifest } => inspect(ctx, &file, manifest),
    }
}

/// What an export answers.
#[derive(Serialize)]
struct Exported<'a> {
    path: &'a Path,
    size: u64,
    signed_by: String,
    manifest: &'a Manifest,
}

fn export(
    ctx: &mut Ctx<'_>,
    words: Vec<String>,
    out: &Path,
    with: With,
    missing_from: Option<&Path>,
) -> Result<Exit, CliError> {
    let path = ctx.io.cwd.join(out);
    let elsewhere = missing_from.map(|file| hashes_of(&ctx.io.cwd.join(file))).transpose()?.unwrap_or_default();
    let (engine, keys) = (ctx.backend.engine()?, ctx.backend.keys()?);
    let (manifest, size) = bundle::export(engine, &keys, &Export { words, with, elsewhere }, &path)?;
    let signed_by = keys::did_of(&keys.ed25519()?.verifying_key());
    let exported = Exported { path: &path, size, signed_by, manifest: &manifest };
    let name = path.display().to_string();
    output::one(ctx.io, ctx.format, ctx.quiet, &exported, &name, |_| name.clone());
    if !ctx.quiet {
        let (runs, entries, left) = (manifest.runs.len(), manifest.entries.len(), manifest.elsewhere.len());
        ctx.io.say(format_args!("{runs} runs, {entries} entries, {left} left out; {}", bytes(size)));
    }
    Ok(Exit::Done)
}

/// The hashes that a bundle, a manifest or a list names.
fn hashes_of(path: &Path) -> Result<HashSet<ContentHash>, CliError> {
    let failed = |error: &std::io::Error| CliError::from(EngineError::file(path, error));
    if let Ok(bundle) = Bundle::open(path, None) {
        return Ok(listed(&bundle.manifest));
    }
    let size = path.metadata().map_err(|error| failed(&error))?.len();
    let other = || {
        CliError::invalid(format!(
            "{}: no bundle, no manifest of one, and no list of hashes, one a line",
            path.display()
        ))
    };
    if size > BUNDLE_MANIFEST_BYTES {
        return Err(other());
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    if text.starts_with('{') {
        return Manifest::parse(text.trim_end().as_bytes()).map(|manifest| listed(&manifest)).map_err(|_| other());
    }
    text.split_whitespace().map(|word| word.parse().map_err(|_| other())).collect()
}

fn listed(manifest: &Manifest) -> HashSet<ContentHash> {
    manifest.entries.iter().chain(&manifest.elsewhere).map(|entry| entry.blake3).collect()
}

/// What an import answers.
#[derive(Serialize)]
struct Answer {
    signed_by: String,
    #[serde(flatten)]
    imported: Imported,
    verified: Vec<Verified>,
}

/// A run that was rendered again.
#[derive(Serialize)]
struct Verified {
    run: RunId,
    same: bool,
    output: Option<ContentHash>,
    error: Option<String>,
}

fn import(
    ctx: &mut Ctx<'_>,
    file: &Path,
    verify: bool,
    dry_run: bool,
    signed_by: Option<&str>,
) -> Result<Exit, CliError> {
    let signed_by = signed_by.map(|word| public_key(ctx, word)).transpose()?;
    let engine = ctx.backend.engine()?;
    let bundle = Bundle::open(&ctx.io.cwd.join(file), signed_by.as_ref())?;
    let imported = bundle::import(engine, &bundle, dry_run)?;
    let mut verified = Vec::new();
    for run in bundle.manifest.runs.iter().filter(|_| verify && !dry_run) {
        let row = engine.wait(engine.verify(*run)?)?;
        let same = row.status == RunStatus::Completed && row.verdict == Some(Verdict::Same);
        verified.push(Verified { run: *run, same, output: row.output, error: row.error });
    }
    let differs = verified.iter().any(|run| !run.same);
    let answer = Answer { signed_by: keys::did_of(&bundle.seal.signer), imported, verified };
    if !ctx.quiet {
        let who = keys::fingerprint(&bundle.seal.signer);
        ctx.io.say(format_args!("signed by {} (fingerprint {who})", answer.signed_by));
    }
    output::one(ctx.io, ctx.format, ctx.quiet, &answer, "", |answer| text_of(answer, dry_run));
    Ok(if differs { Exit::Different } else { Exit::Done })
}

fn text_of(answer: &Answer, dry_run: bool) -> String {
    let Imported { blobs, bytes: size, known_blobs, configs, runs, known_runs, activities } = &answer.imported;
    let would = if dry_run { "would take in" } else { "took in" };
    let mut text = format!(
        "{would} {blobs} files ({}), {configs} configs, {} runs; {known_blobs} files and {} runs were here",
        bytes(*size),
        runs.len(),
        known_runs.len()
    );
    if *activities > 0 {
        text += &format!("; {activities} activities stay in the bundle");
    }
    for run in &answer.verified {
        let said = match (&run.output, run.same, &run.error) {
            (Some(output), true, _) => format!("same: {output}"),
            (Some(output), false, _) => format!("different: {output} now"),
            (None, ..) => format!("failed: {}", run.error.as_deref().unwrap_or_default()),
        };
        text += &format!("\nrun {} rendered again: {said}", run.run);
    }
    text
}

fn inspect(ctx: &mut Ctx<'_>, file: &Path, manifest: bool) -> Result<Exit, CliError> {
    let bundle = Bundle::open(&ctx.io.cwd.join(file), None)?;
    // Every header and hash, though nothing is taken.
    bundle.read(&mut |_, _| Ok(()))?;
    if manifest {
        ctx.io.bytes(bundle.manifest.text().as_bytes())?;
        return Ok(Exit::Done);
    }
    let signed_by = keys::did_of(&bundle.seal.signer);
    let mut value = serde_json::to_value(&bundle.manifest).unwrap_or_default();
    value["signed_by"] = Value::from(signed_by.as_str());
    value["fingerprint"] = keys::fingerprint(&bundle.seal.signer).into();
    value["size"] = bundle.size.into();
    output::one(ctx.io, ctx.format, ctx.quiet, &value, &signed_by, |_| {
        let mut table = Table::new(&["kind", "size", "hash"]);
        for entry in &bundle.manifest.entries {
            table.row(&[entry.kind.word().to_owned(), bytes(entry.size), entry.blake3.to_string()]);
        }
        for entry in &bundle.manifest.elsewhere {
            table.row(&[format!("{} (left out)", entry.kind.word()), bytes(entry.size), entry.blake3.to_string()]);
        }
        for effect in &bundle.manifest.effects {
            let named = format!("{} {}, {}", effect.name, effect.version, effect.content_hash);
            table.row(&["effect".to_owned(), String::new(), named]);
        }
        for run in &bundle.manifest.runs {
            table.row(&["run".to_owned(), String::new(), run.to_string()]);
        }
        let who = keys::fingerprint(&bundle.seal.signer);
        format!("signed by {signed_by}\nfingerprint {who}\n{table}")
    });
    Ok(Exit::Done)
}
