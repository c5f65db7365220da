//! `artdag node-types [NAME]`

use serde::Serialize;

use crate::base::schema::Param;
use crate::cli::args::Format;
use crate::cli::ctx::Io;
use crate::cli::error::{CliError, Exit};
use crate::cli::table::Table;
use crate::cli::{effects, output};
use crate::nodes::{self, Determinism, NodeType};

/// Arguments of `node-types`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Describe this one
    name: Option<String>,
}

#[derive(Serialize)]
struct Described {
    name: &'static str,
    version: String,
    description: &'static str,
    params: &'static [Param],
    inputs: Inputs,
    kinds_in: Vec<&'static str>,
    kinds_out: Vec<&'static str>,
    determinism: Determinism,
}

#[derive(Serialize)]
struct Inputs {
    min: usize,
    max: usize,
    names: &'static [&'static str],
}

/// Lists node types, or describes one.
pub fn run(args: &Args, io: &mut Io, format: Format, quiet: bool) -> Result<Exit, CliError> {
    if let Some(name) = &args.name {
        let node_type = nodes::find(&name.to_uppercase())
            .ok_or_else(|| crate::engine::EngineError::not_found("node type", name, nodes::names()))?;
        let described = described(node_type);
        output::one(io, format, quiet, &described, described.name, |node_type| {
            format!(
                "{} (version {}): {}\n{}",
                node_type.name,
                node_type.version,
                node_type.description,
                effects::params(node_type.params)
            )
        });
        return Ok(Exit::Done);
    }
    let all: Vec<Described> = nodes::NODE_TYPES.iter().map(|node_type| described(*node_type)).collect();
    output::list(
        io,
        format,
        quiet,
        &all,
        |node_type| node_type.name.to_owned(),
        |all| {
            let mut table = Table::new(&["type", "version", "inputs", "description"]);
            for node_type in all {
                let Inputs { min, max, .. } = node_type.inputs;
                let inputs = if min == max { min.to_string() } else { format!("{min} to {max}") };
                table.row(&[
                    node_type.name.to_owned(),
                    node_type.version.clone(),
                    inputs,
                    node_type.description.to_owned(),
                ]);
            }
            table
        },
    );
    Ok(Exit::Done)
}

fn described(node_type: &'static dyn NodeType) -> Described {
    let ports = node_type.ports();
    let kinds_in = ports.kinds.iter().map(|kind| kind.word()).collect::<Vec<_>>();
    Described {
        name: node_type.name(),
        version: node_type.version().to_string(),
        description: node_type.description(),
        params: node_type.params(),
        inputs: Inputs { min: ports.min, max: ports.max, names: ports.names },
        kinds_in: if kinds_in.is_empty() && ports.max > 0 { vec!["any"] } else { kinds_in },
        kinds_out: vec![node_type.output().map_or("any", crate::media::Kind::word)],
        determinism: node_type.determinism(),
    }
}
