//! `artdag token new|list|revoke`

use serde::Serialize;

use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::output;
use crate::cli::table::{Table, printable};
use crate::engine::{Scopes, Token};

/// Arguments of `token`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a token and print it, once
    New {
        /// What it is for
        #[arg(default_value = "unnamed")]
        name: String,
        /// What it allows; run and delete include read, admin includes all
        #[arg(long, visible_alias = "scope", value_name = "SCOPE", value_enum, num_args = 1.., value_delimiter = ',',
              default_value = "run")]
        scopes: Vec<Scope>,
    },
    /// List tokens, newest first; the tokens themselves are not kept
    #[command(visible_alias = "ls")]
    List,
    /// Take a token back: it opens nothing from then on
    #[command(visible_alias = "rm")]
    Revoke {
        /// The token's id, or its name
        token: String,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Scope {
    /// Look at runs and files
    Read,
    /// Run, upload, name
    Run,
    /// Delete, and point names elsewhere
    Delete,
    /// Everything
    Admin,
}

impl Scope {
    const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Run => "run",
            Self::Delete => "delete",
            Self::Admin => "admin",
        }
    }
}

/// A token that was just made, with itself.
#[derive(Serialize)]
struct New<'a> {
    #[serde(flatten)]
    about: &'a Token,
    token: &'a str,
}

/// Carries out a `token` command.
pub fn run(args: Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    match args.command {
        Command::New { name, scopes } => new(ctx, &name, Scopes::of(scopes.into_iter().map(Scope::word))),
        Command::List => list(ctx),
        Command::Revoke { token } => {
            let token = ctx.backend.tokens()?.revoke(&token)?;
            let value = serde_json::json!({"revoked": true, "id": token.id, "name": token.name});
            let text = format!("revoked {} ({})", token.id, printable(&token.name));
            output::one(ctx.io, ctx.format, ctx.quiet, &value, &token.id, |_| text);
            Ok(Exit::Done)
        }
    }
}

fn new(ctx: &mut Ctx<'_>, name: &str, scopes: Scopes) -> Result<Exit, CliError> {
    let (about, token) = ctx.backend.tokens()?.add(name, scopes)?;
    let new = New { about: &about, token: &token };
    output::one(ctx.io, ctx.format, ctx.quiet, &new, &token, |_| token.clone());
    if !ctx.quiet {
        let (id, name) = (&about.id, printable(&about.name));
        ctx.io.say(format_args!("token {id} ({name}) may {}; it is not shown again", about.scopes));
    }
    Ok(Exit::Done)
}

fn list(ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    let tokens = ctx.backend.tokens()?.list()?;
    let table = |tokens: &[Token]| {
        let mut table = Table::new(&["token", "name", "scopes", "created"]);
        for token in tokens {
            let created = token.created_at.to_string();
            table.row(&[token.id.clone(), token.name.clone(), token.scopes.to_string(), created]);
        }
        table
    };
    output::list(ctx.io, ctx.format, ctx.quiet, &tokens, |token| token.id.clone(), table);
    Ok(Exit::Done)
}
