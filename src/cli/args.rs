//! The words that the command line takes.

// The comments are the help that people read: no backticks.
#![allow(clippy::doc_markdown)]

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cli;

/// Media through a YAML DAG: every output byte can be traced back and made again.
#[derive(Debug, Parser)]
#[command(
    name = "artdag",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done, 1 the run failed, 2 usage, 3 invalid config or input, 4 not found, \
5 refused, 6 not allowed, 7 server unreachable, 8 verification found a difference, 9 storage full, 130 interrupted.\n\n\
Begin with: artdag render dog cat --sync"
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Directory of everything artdag keeps [env: ARTDAG_HOME] [default: ~/.artdag]
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Threads that render [env: ARTDAG_THREADS] [default: the number of processors]
    #[arg(long, global = true, value_name = "N", hide_short_help = true)]
    threads: Option<String>,
    /// Stages that run at once [env: ARTDAG_WORKERS] [default: the number of processors]
    #[arg(long, global = true, value_name = "N", hide_short_help = true)]
    workers: Option<String>,
    /// Most bytes of results that can be made again [env: ARTDAG_CACHE_MAX_BYTES]
    #[arg(long, global = true, value_name = "BYTES", hide_short_help = true)]
    cache_max_bytes: Option<String>,
    /// The ffmpeg for films and sounds [env: ARTDAG_FFMPEG] [default: the first on the path]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    ffmpeg: Option<String>,
    /// Log lines on standard error: off, error, warn, info, debug, trace [env: ARTDAG_LOG]
    #[arg(long, global = true, value_name = "LEVEL", hide_short_help = true)]
    log: Option<String>,
    /// Ask this server instead of opening the home, e.g. http://127.0.0.1:8100
    #[arg(long, global = true, value_name = "URL", env = "ARTDAG_SERVER", hide_env_values = true)]
    server: Option<String>,
    /// Trust this certificate, a PEM file, for --server https://…
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "ARTDAG_CACERT",
        hide_env_values = true,
        hide_short_help = true
    )]
    cacert: Option<PathBuf>,
    /// How data is printed
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value = "table")]
    output: Format,
    /// Print ids and paths only
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// A server to ask.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its address.
    pub url: String,
    /// A PEM file with the certificates to trust.
    pub certificate: Option<PathBuf>,
}

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for people
    Table,
    /// One JSON value
    Json,
    /// A JSON value on each line
    Ndjson,
}

impl Global {
    /// How data is printed.
    pub fn format(&self) -> Format {
        self.output
    }

    /// Is a server asked?
    pub fn has_server(&self) -> bool {
        self.server().is_some()
    }

    /// The server to ask. An empty variable is as good as none.
    pub fn server(&self) -> Option<Server> {
        let url = self.server.clone().filter(|url| !url.is_empty())?;
        let certificate = self.cacert.clone().filter(|path| !path.as_os_str().is_empty());
        Some(Server { url, certificate })
    }

    /// The text given for a setting.
    pub fn setting(&self, name: &str) -> Option<String> {
        match name {
            "home" => self.home.as_ref().map(|path| path.to_string_lossy().into_owned()),
            "threads" => self.threads.clone(),
            "workers" => self.workers.clone(),
            "cache-max-bytes" => self.cache_max_bytes.clone(),
            "ffmpeg" => self.ffmpeg.clone(),
            "log" => self.log.clone(),
            _ => None,
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Answer over HTTP for this home, until a signal ends it
    Serve(cli::serve::Args),
    /// Render an asset, file or hash through an effect or config
    Render(cli::render::Args),
    /// Run a config
    Run(cli::run::Args),
    /// Show what running a config would do; nothing is run
    Plan(cli::plan::Args),
    /// Tell why a node is known or not: which part of its key differs
    Why(cli::why::Args),
    /// List runs, newest first
    Runs(cli::runs::Args),
    /// Show a run
    RunShow(cli::run_show::Args),
    /// Keep a run that waits from being begun
    Hold(cli::hold::Args),
    /// Let a held run be begun
    Release(cli::hold::Args),
    /// All runs that wait: begin none of them, or go on
    Queue(cli::queue::Args),
    /// Delete a run that has ended, with what only it used
    RunRm(cli::run_rm::Args),
    /// Stop a run
    Cancel(cli::cancel::Args),
    /// Files in the cache: add, get, list, remove, describe, check, make room
    Cache(cli::cache::Args),
    /// Names of files in the cache
    Assets(cli::assets::Args),
    /// Registered configs
    Configs(cli::configs::Args),
    /// List effects, or describe one
    Effects(cli::effects::Args),
    /// List node types, or describe one
    NodeTypes(cli::node_types::Args),
    /// Publish a run's output for good: sign it, keep it, send it to L2
    Publish(cli::publish::Args),
    /// Print the provenance record of a run or a file
    Provenance(cli::provenance::Args),
    /// Runs with all they stand on, in one signed file: export, import, inspect
    Bundle(cli::bundle::Args),
    /// Render a run again without the cache and compare
    Verify(cli::verify::Args),
    /// Keys that this home signs with: their public parts
    Keys(cli::keys::Args),
    /// Tokens for the server: make, list, revoke
    Token(cli::token::Args),
    /// Take over the cache and the runs of a home of the original
    ImportHome(cli::import_home::Args),
    /// Follow a run to its end; the exit code is the run's
    Watch(cli::watch::Args),
    /// Show every setting and where its value comes from
    Settings(cli::settings::Args),
    /// Finish the runs that wait in this home, then exit
    Worker(cli::worker::Args),
    /// Print a completion script for a shell
    Completions(cli::completions::Args),
    /// Print or write the manual pages
    Man(cli::man::Args),
}

/// How a recipe's run is asked for; shared by `render`, `run` and `plan`.
#[derive(Debug, Clone, Default, Args)]
pub struct RunArgs {
    /// A parameter: NODE.name=value, or name=value for a bare effect
    #[arg(long = "param", value_name = "NODE.K=V")]
    pub params: Vec<String>,
    /// Nodes whose values are kept
    #[arg(long, value_name = "NODE", num_args = 1.., value_delimiter = ',')]
    pub keep: Vec<String>,
    /// Nodes that run again although known, with all that depends on them
    #[arg(long, value_name = "NODE", num_args = 1.., value_delimiter = ',')]
    pub force: Vec<String>,
    /// Take no known results
    #[arg(long)]
    pub no_cache: bool,
    /// Write every node's value and read it back: slower, and the same output
    #[arg(long)]
    pub no_fuse: bool,
    /// Where a value inside a stage is kept: auto, never, or a node
    #[arg(long, value_name = "auto|never|NODE", default_value = "auto")]
    pub checkpoint: String,
    /// The output's format: png, jpeg, webp, gif, tiff, bmp
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// The output's quality, 1 to 100 (with --format)
    #[arg(long, value_name = "Q", requires = "format", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub quality: Option<u8>,
    /// The output's name [default: the recipe's]
    #[arg(long = "name", value_name = "NAME")]
    pub output_name: Option<String>,
    /// Higher runs first
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub priority: i32,
}
