//! `artdag effects [NAME]`

use serde::Serialize;

use crate::base::Fingerprint;
use crate::base::schema::Param;
use crate::cli::args::Format;
use crate::cli::ctx::Io;
use crate::cli::error::{CliError, Exit};
use crate::cli::output;
use crate::cli::table::Table;
use crate::effects::{self, Effect};

/// Arguments of `effects`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Describe this one
    name: Option<String>,
}

#[derive(Serialize)]
struct Described {
    name: &'static str,
    version: String,
    hash: Fingerprint,
    description: &'static str,
    params: &'static [Param],
    kinds_in: Vec<&'static str>,
    kinds_out: Vec<&'static str>,
    determinism: &'static str,
}

/// Lists effects, or describes one.
pub fn run(args: &Args, io: &mut Io, format: Format, quiet: bool) -> Result<Exit, CliError> {
    if let Some(name) = &args.name {
        let effect = effects::find(name)
            .ok_or_else(|| crate::engine::EngineError::not_found("effect", name, effects::names()))?;
        let described = described(effect);
        output::one(io, format, quiet, &described, described.name, |effect| {
            format!(
                "{} (version {}): {}\n{}\n{}",
                effect.name,
                effect.version,
                effect.description,
                effect.hash,
                params(effect.params)
            )
        });
        return Ok(Exit::Done);
    }
    let all: Vec<Described> = effects::EFFECTS.iter().map(|effect| described(*effect)).collect();
    output::list(
        io,
        format,
        quiet,
        &all,
        |effect| effect.name.to_owned(),
        |all| {
            let mut table = Table::new(&["effect", "version", "hash", "description"]);
            for effect in all {
                table.row(&[
                    effect.name.to_owned(),
                    effect.version.clone(),
                    effect.hash.short(),
                    effect.description.to_owned(),
                ]);
            }
            table
        },
    );
    Ok(Exit::Done)
}

fn described(effect: &'static dyn Effect) -> Described {
    let kind = if effect.takes_bytes() { "any" } else { "image" };
    Described {
        name: effect.name(),
        version: effect.version().to_string(),
        hash: effects::hash(effect),
        description: effect.description(),
        params: effect.params(),
        kinds_in: vec![kind],
        kinds_out: vec![kind],
        determinism: "everywhere",
    }
}

/// Parameters as a table.
pub fn params(params: &[Param]) -> Table {
    use crate::base::schema::Kind;
    let mut table = Table::new(&["parameter", "type", "default", "about"]);
    for param in params {
        let kind = match param.kind {
            Kind::Number { min, max } => format!("number {min} to {max} {}", param.unit),
            Kind::Integer { min, max } => format!("integer {min} to {max} {}", param.unit),
            Kind::Choice(words) => words.join("|"),
            kind => kind.word().to_owned(),
        };
        let default = match param.default_value() {
            Some(serde_json::Value::String(text)) => text,
            Some(value) => value.to_string(),
            None if param.default == crate::base::schema::Default::Required => "required".to_owned(),
            None => "-".to_owned(),
        };
        table.row(&[param.name.to_owned(), kind.trim_end().to_owned(), default, param.doc.to_owned()]);
    }
    table
}
