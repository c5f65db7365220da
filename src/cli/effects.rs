//! `artdag effects [NAME]`

use serde::{Deserialize, Serialize};

use crate::base::Fingerprint;
use crate::cli::args::Format;
use crate::cli::ctx::Io;
use crate::cli::error::{CliError, Exit};
use crate::cli::output;
use crate::cli::param_view::{self, ParamView};
use crate::cli::table::Table;
use crate::engine::EngineError;
use crate::http::api::catalogue;

/// Arguments of `effects`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Describe this one
    name: Option<String>,
}

/// An effect as clients see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EffectView {
    name: String,
    version: String,
    hash: Fingerprint,
    description: String,
    params: Vec<ParamView>,
    kinds_in: Vec<String>,
    kinds_out: Vec<String>,
    determinism: String,
}

impl EffectView {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Lists effects, or describes one.
pub fn run(args: &Args, all: &[EffectView], io: &mut Io, format: Format, quiet: bool) -> Result<Exit, CliError> {
    if let Some(name) = &args.name {
        let found = all.iter().find(|effect| effect.name == *name);
        let effect = found.ok_or_else(|| EngineError::not_found("effect", name, all.iter().map(EffectView::name)))?;
        output::one(io, format, quiet, effect, &effect.name, |effect| {
            format!(
                "{} (version {}): {}\n{}\n{}",
                effect.name,
                effect.version,
                effect.description,
                effect.hash,
                param_view::table(&effect.params)
            )
        });
        return Ok(Exit::Done);
    }
    output::list(
        io,
        format,
        quiet,
        all,
        |effect| effect.name.clone(),
        |all| {
            let mut table = Table::new(&["effect", "version", "hash", "description"]);
            for effect in all {
                table.row(&[
                    effect.name.clone(),
                    effect.version.clone(),
                    effect.hash.short(),
                    effect.description.clone(),
                ]);
            }
            table
        },
    );
    Ok(Exit::Done)
}

/// The effects of this program.
pub fn installed() -> Vec<EffectView> {
    param_view::read_back(&catalogue::all_effects())
}
