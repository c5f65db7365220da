//! `artdag settings`

use serde::Serialize;

use crate::cli::args::Format;
use crate::cli::ctx::Io;
use crate::cli::error::{CliError, Exit};
use crate::cli::output;
use crate::cli::table::Table;
use crate::config::{From, SETTINGS, Settings};

/// Arguments of `settings`.
#[derive(Debug, clap::Args)]
pub struct Args {}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    value: String,
    from: &'static str,
    variable: &'static str,
    description: &'static str,
}

/// Prints every setting.
pub fn run(_args: &Args, io: &mut Io, format: Format, settings: &Settings) -> Result<Exit, CliError> {
    let rows: Vec<Row> = SETTINGS
        .iter()
        .map(|setting| {
            let (value, from) = &settings.origins[setting.name];
            Row {
                name: setting.name,
                value: value.clone(),
                from: match from {
                    From::Flag => "flag",
                    From::Environment => "environment",
                    From::File => "artdag.toml",
                    From::Default => "default",
                },
                variable: setting.variable,
                description: setting.doc,
            }
        })
        .collect();
    output::list(
        io,
        format,
        false,
        &rows,
        |row| row.name.to_owned(),
        |rows| {
            let mut table = Table::new(&["setting", "value", "from", "variable", "about"]);
            for row in rows {
                let cells = [row.name, &row.value, row.from, row.variable, row.description];
                table.row(&cells.map(str::to_owned));
            }
            table
        },
    );
    Ok(Exit::Done)
}
