//! `artdag keys [export]`

use serde::Serialize;

use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::output;
use crate::cli::table::Table;
use crate::link::{KeyError, Keys, keys};

/// Arguments of `keys`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print what somebody needs to check what this home signs: a key as PEM, or the actor's document
    Export {
        /// Which key
        #[arg(value_enum, default_value = "ed25519")]
        key: Which,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Which {
    /// Signs provenance and bundles
    Ed25519,
    /// Signs what other servers read
    Rsa,
    /// Both, with what this home is called, as other servers read it: JSON
    Actor,
}

#[derive(Serialize)]
struct Row {
    key: &'static str,
    signs: &'static str,
    id: Option<String>,
    fingerprint: Option<String>,
    pem: String,
}

impl From<KeyError> for CliError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Open { .. } => Self::Own { message: error.to_string(), exit: Exit::NotAllowed },
            KeyError::NotPublic(_) => Self::usage(error.to_string()),
            KeyError::Unreadable { .. } => Self::invalid(error.to_string()),
            KeyError::File { .. } | KeyError::Making(_) => Self::machine(error.to_string()),
        }
    }
}

/// Carries out a `keys` command.
pub fn run(args: &Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    let keys = ctx.backend.keys()?;
    if let Some(Command::Export { key: Which::Actor }) = args.command {
        let actor = ctx.backend.actor()?;
        output::one(ctx.io, ctx.format, false, &actor, "", output::json);
        return Ok(Exit::Done);
    }
    let rows = match args.command {
        Some(Command::Export { key: Which::Ed25519 }) => vec![ed25519(&keys)?],
        Some(Command::Export { key: Which::Rsa }) => vec![rsa(&keys)?],
        _ => vec![ed25519(&keys)?, rsa(&keys)?],
    };
    if args.command.is_some() {
        output::one(ctx.io, ctx.format, false, &rows[0], "", |row| row.pem.trim_end().to_owned());
        return Ok(Exit::Done);
    }
    let id = |row: &Row| row.id.clone().unwrap_or_else(|| row.key.to_owned());
    output::list(ctx.io, ctx.format, ctx.quiet, &rows, id, |rows| {
        let mut table = Table::new(&["key", "signs", "fingerprint", "id"]);
        for row in rows {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            table.row(&[row.key.to_owned(), row.signs.to_owned(), text(&row.fingerprint), text(&row.id)]);
        }
        table
    });
    if ctx.io.terminal.is_some() && !ctx.quiet {
        ctx.io.say("`artdag keys export` and `artdag keys export rsa` print them as PEM");
    }
    Ok(Exit::Done)
}

fn ed25519(keys: &Keys) -> Result<Row, CliError> {
    let key = keys.ed25519()?.verifying_key();
    Ok(Row {
        key: "ed25519",
        signs: "provenance, bundles, proofs",
        id: Some(keys::did_of(&key)),
        fingerprint: Some(keys::fingerprint(&key)),
        pem: keys::ed25519_pem(&key),
    })
}

fn rsa(keys: &Keys) -> Result<Row, CliError> {
    let pem = keys::rsa_pem(&keys.rsa()?.to_public_key());
    Ok(Row { key: "rsa", signs: "what other servers read", id: None, fingerprint: None, pem })
}
