//! `artdag provenance RUN|HASH`, `provenance verify`, `provenance export`

use std::io::Write;
use std::path::PathBuf;

use crate::base::{ContentHash, NodeKey, RunId};
use crate::cli::args::Format;
use crate::cli::backend::{Backend, Place};
use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::output;
use crate::cli::table::Table;
use crate::engine::{EngineError, KeyView};
use crate::link::check::{self, Evidence, Finding, Outcome};
use crate::link::{dsse, keys, prov};

/// Arguments of `provenance`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub struct Args {
    /// A run's id, the beginning of one, `latest`, or the hash of an output or record
    of: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Check signature, hashes and the chain back to the sources, offline; exit code 8 if
    /// something is not as it should be, 4 if something is not here
    Verify {
        /// An output or an envelope, as a file; the hash of an output or record; or a run
        #[arg(value_name = "FILE|HASH|RUN")]
        of: String,
        /// The key that must have signed: did:key:z6Mk…, or a PEM file
        #[arg(long, value_name = "KEY")]
        signed_by: Option<String>,
    },
    /// Print the record in a form that other tools read
    Export {
        /// A run's id, the beginning of one, `latest`, or the hash of an output or record
        run: String,
        /// The form
        #[arg(long, value_enum, default_value = "dsse")]
        format: Form,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Form {
    /// The signed envelope: an in-toto statement in DSSE
    Dsse,
    /// W3C PROV-JSON
    Prov,
}

/// Prints a record: the very bytes that its hash names. Or checks or exports one.
pub fn run(args: &Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    match &args.command {
        None => {
            let word = args.of.as_deref().unwrap_or("latest");
            let record = ctx.backend.provenance(word)?;
            print(ctx, &record)?;
            tell_of_others(ctx, word, &record)
        }
        Some(Command::Export { run, format: Form::Dsse }) => {
            let envelope = ctx.backend.envelope(run)?;
            print(ctx, &envelope)?;
            let record = dsse::open(&envelope).map(|sealed| sealed.record.into_bytes()).unwrap_or_default();
            tell_of_others(ctx, run, &record)
        }
        Some(Command::Export { run, format: Form::Prov }) => {
            let record = ctx.backend.provenance(run)?;
            let document = prov::document(&record);
            let document = document.ok_or_else(|| CliError::invalid(format!("{run} has no provenance record")))?;
            print(ctx, output::json(&document).as_bytes())?;
            tell_of_others(ctx, run, &record)
        }
        Some(Command::Verify { of, signed_by }) => verify(ctx, of, signed_by.as_deref()),
    }
}

fn print(ctx: &mut Ctx<'_>, bytes: &[u8]) -> Result<Exit, CliError> {
    ctx.io.bytes(bytes)?;
    // For the eye, and outside of the data.
    if ctx.io.terminal.is_some() {
        ctx.io.say("");
    }
    Ok(Exit::Done)
}

/// The runs that have an output too, beside the one whose record this is.
fn others(ctx: &Ctx<'_>, output: &ContentHash, record: &[u8]) -> Result<Vec<RunId>, CliError> {
    let record: serde_json::Value = serde_json::from_slice(record).unwrap_or_default();
    let shown = record["run_id"].as_str().unwrap_or_default();
    let mut runs = ctx.backend.runs_that_gave(output)?;
    runs.retain(|run| run.to_string() != shown);
    Ok(runs)
}

/// Who asks by an output's hash is shown one record of it, and told of others.
fn tell_of_others(ctx: &mut Ctx<'_>, word: &str, record: &[u8]) -> Result<Exit, CliError> {
    if let Ok(output) = word.parse::<ContentHash>() {
        let others = others(ctx, &output, record)?;
        say_others(ctx, &others);
    }
    Ok(Exit::Done)
}

fn say_others(ctx: &mut Ctx<'_>, others: &[RunId]) {
    if ctx.quiet || others.is_empty() {
        return;
    }
    let listed: Vec<String> = others.iter().take(3).map(RunId::to_string).collect();
    let more = if others.len() > listed.len() { ", …" } else { "" };
    let (count, runs) = (others.len(), if others.len() == 1 { "run" } else { "runs" });
    ctx.io.say(format_args!(
        "{count} other {runs} gave this output too, with a record each: {}{more}",
        listed.join(", ")
    ));
}

/// The public key that a word names: the key itself, or a file with it.
pub fn public_key(ctx: &Ctx<'_>, word: &str) -> Result<ed25519_dalek::VerifyingKey, CliError> {
    let path = ctx.io.cwd.join(word);
    let text = match keys::parse_public(word) {
        Ok(key) => return Ok(key),
        Err(_) if path.is_file() => std::fs::read_to_string(&path).map_err(|error| EngineError::file(&path, &error))?,
        Err(error) => return Err(error.into()),
    };
    Ok(keys::parse_public(&text)?)
}

fn verify(ctx: &mut Ctx<'_>, of: &str, signed_by: Option<&str>) -> Result<Exit, CliError> {
    let signed_by = signed_by.map(|word| public_key(ctx, word)).transpose()?;
    let (envelope, about) = envelope_of(ctx, of).map_err(damage_is_a_difference)?;
    let report = check::check(&envelope, about, signed_by.as_ref(), &Home(ctx.backend));
    let mut report = report.map_err(damage_is_a_difference)?;
    if let (Some(about), Ok(sealed)) = (about, dsse::open(&envelope)) {
        report.others = others(ctx, &about, sealed.record.as_bytes())?;
    }
    say_others(ctx, &report.others);
    match ctx.format {
        Format::Json => ctx.io.data(output::json(&report)),
        Format::Ndjson => report.findings.iter().for_each(|finding| ctx.io.data(output::line(finding))),
        Format::Table if ctx.quiet => {}
        Format::Table => ctx.io.data(table(&report.findings)),
    }
    Ok(match report.outcome() {
        Outcome::Right => Exit::Done,
        Outcome::Wrong => Exit::Different,
        Outcome::Missing => Exit::NotFound,
    })
}

/// A record that is damaged is no failure of the machine: it is what was looked for.
fn damage_is_a_difference(error: CliError) -> CliError {
    match error {
        CliError::Engine(EngineError::Damaged { .. }) => {
            CliError::Own { message: error.to_string(), exit: Exit::Different }
        }
        other => other,
    }
}

fn table(findings: &[Finding]) -> Table {
    let mut table = Table::new(&["", "what", "of", "note"]);
    for finding in findings {
        let mark = match finding.outcome {
            Outcome::Right => "ok",
            Outcome::Missing => "not here",
            Outcome::Wrong => "WRONG",
        };
        table.row(&[mark.to_owned(), finding.what.clone(), finding.of.clone(), finding.note.clone()]);
    }
    table
}

/// The envelope that a word leads to: a file that is one, or a file, hash or run that has one. And
/// the content that it must be about, as nobody is believed who only says so.
fn envelope_of(ctx: &Ctx<'_>, word: &str) -> Result<(Vec<u8>, Option<ContentHash>), CliError> {
    let path: PathBuf = ctx.io.cwd.join(word);
    if let Ok(hash) = word.parse::<ContentHash>() {
        // It may be what the original called it.
        let about = match ctx.backend.place() {
            Place::Here => ctx.backend.blob(&hash).map_or(hash, |blob| blob.content_hash),
            _ => hash,
        };
        return Ok((ctx.backend.envelope(word)?, Some(about)));
    }
    if !path.is_file() {
        return Ok((ctx.backend.envelope(word)?, None));
    }
    let failed = |error: &std::io::Error| CliError::from(EngineError::file(&path, error));
    let mut hasher = blake3::Hasher::new();
    let size = path.metadata().map_err(|error| failed(&error))?.len();
    if size <= crate::base::limits::ENVELOPE_BYTES {
        let bytes = std::fs::read(&path).map_err(|error| failed(&error))?;
        if dsse::is_envelope(&bytes) {
            return Ok((bytes, None));
        }
        hasher.update(&bytes);
    } else {
        hasher.update_mmap(&path).map_err(|error| failed(&error))?;
    }
    let hash = ContentHash::from(hasher.finalize());
    let envelope = ctx.backend.envelope(&hash.to_string()).map_err(|error| match error.exit() {
        Exit::NotFound => CliError::not_found(format!("{word} (blob {hash}) is no output that is known here")),
        _ => error,
    })?;
    Ok((envelope, Some(hash)))
}

/// What whoever carries out commands can look up.
struct Home<'a>(&'a dyn Backend);

/// What is not there is no error.
fn there<T>(answer: Result<T, CliError>) -> Result<Option<T>, CliError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.exit() == Exit::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Evidence for Home<'_> {
    type Error = CliError;

    fn envelope(&self, hash: &ContentHash) -> Result<Option<Vec<u8>>, CliError> {
        there(self.0.envelope(&hash.to_string()))
    }

    fn bytes(&self, hash: &ContentHash, to: &mut dyn Write) -> Result<bool, CliError> {
        match self.0.read(hash, to) {
            // Hashing what there is gives another hash than the name.
            Err(CliError::Engine(EngineError::Damaged { .. })) => Ok(true),
            other => there(other).map(|read| read.is_some()),
        }
    }

    fn key(&self, key: &NodeKey) -> Result<Option<KeyView>, CliError> {
        self.0.key_view(key)
    }
}
