//! Printing data in the format asked for.

use serde::Serialize;

use crate::cli::args::Format;
use crate::cli::ctx::Io;
use crate::cli::table::Table;

/// Prints a list: a table, one JSON array, or a line each; with `quiet` only the ids.
pub fn list<T: Serialize>(
    io: &mut Io,
    format: Format,
    quiet: bool,
    items: &[T],
    id: impl Fn(&T) -> String,
    table: impl Fn(&[T]) -> Table,
) {
    match format {
        Format::Json => io.data(json(&items)),
        Format::Ndjson => items.iter().for_each(|item| io.data(line(item))),
        Format::Table if quiet => items.iter().for_each(|item| io.data(id(item))),
        Format::Table => io.data(table(items)),
    }
}

/// Prints one thing: text for people, or JSON; with `quiet` only its id.
pub fn one<T: Serialize>(
    io: &mut Io,
    format: Format,
    quiet: bool,
    item: &T,
    id: &str,
    text: impl FnOnce(&T) -> String,
) {
    match format {
        Format::Json => io.data(json(item)),
        Format::Ndjson => io.data(line(item)),
        Format::Table if quiet => io.data(id),
        Format::Table => io.data(text(item)),
    }
}

/// JSON for people and programs.
pub fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|error| panic!("BUG: what is printed is always JSON: {error}"))
}

/// JSON in one line.
pub fn line<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| panic!("BUG: what is printed is always JSON: {error}"))
}
