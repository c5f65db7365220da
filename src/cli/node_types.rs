//! `artdag node-types [NAME]`

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

/// Arguments of `node-types`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Describe this one
    name: Option<String>,
}

/// A node type as clients see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeTypeView {
    name: String,
    version: String,
    hash: Fingerprint,
    description: String,
    params: Vec<ParamView>,
    inputs: Inputs,
    kinds_in: Vec<String>,
    kinds_out: Vec<String>,
    determinism: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Inputs {
    min: usize,
    max: usize,
    names: Vec<String>,
}

/// Lists node types, or describes one.
pub fn run(args: &Args, all: &[NodeTypeView], io: &mut Io, format: Format, quiet: bool) -> Result<Exit, CliError> {
    if let Some(name) = &args.name {
        let found = all.iter().find(|node_type| node_type.name.eq_ignore_ascii_case(name));
        let names = all.iter().map(|node_type| node_type.name.as_str());
        let node_type = found.ok_or_else(|| EngineError::not_found("node type", name, names))?;
        output::one(io, format, quiet, node_type, &node_type.name, |node_type| {
            format!(
                "{} (version {}): {}\n{}",
                node_type.name,
                node_type.version,
                node_type.description,
                param_view::table(&node_type.params)
            )
        });
        return Ok(Exit::Done);
    }
    output::list(
        io,
        format,
        quiet,
        all,
        |node_type| node_type.name.clone(),
        |all| {
            let mut table = Table::new(&["type", "version", "inputs", "description"]);
            for node_type in all {
                let Inputs { min, max, .. } = node_type.inputs;
                let inputs = if min == max { min.to_string() } else { format!("{min} to {max}") };
                table.row(&[node_type.name.clone(), node_type.version.clone(), inputs, node_type.description.clone()]);
            }
            table
        },
    );
    Ok(Exit::Done)
}

/// The node types of this program.
pub fn installed() -> Vec<NodeTypeView> {
    param_view::read_back(&catalogue::all_node_types())
}
