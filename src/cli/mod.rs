//! The command line: one file a command.
//!
//! A command is its arguments and a `run` that is given somebody who carries it out
//! ([`backend`]) and a way to speak ([`Ctx`]); it does not know whether that is the process that
//! was called, a worker or server that holds the home ([`worker`], [`forward`]), or a server
//! elsewhere. To add a command, write its file and add its lines to [`args::Command`].

mod add;
mod args;
mod backend;
mod board;
mod commands;
mod ctx;
mod error;
mod flags;
mod forward;
mod gather;
mod inputs;
mod man;
mod outcome;
mod output;
mod param_view;
mod place;
mod screen;
mod static_names;
mod table;
mod wait;
mod worker;

mod assets;
mod bundle;
mod cache;
mod cancel;
mod completions;
mod configs;
mod effects;
mod hold;
mod import_home;
mod keys;
mod node_types;
mod plan;
mod provenance;
mod publish;
mod queue;
mod render;
mod run;
mod run_rm;
mod run_show;
mod runs;
mod serve;
mod settings;
mod token;
mod verify;
mod watch;
mod why;

pub use args::Cli;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use crate::config::{From, LogFormat, Settings};
use crate::engine::home::Opening;
use crate::engine::lock::Role;
use crate::engine::{Engine, Opened};
use crate::http::outside;
use crate::link::{Keys, Publisher};
use crate::media::ffmpeg::{self, confine};
use args::Command;
use backend::Backend;
use backend::home::Home;
use backend::remote::Remote;
use ctx::{Ctx, Interrupt, Io};
use error::{CliError, Exit};

/// Runs the program; what `main` does.
pub fn main() -> ExitCode {
    let words: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if words.get(1).is_some_and(|word| word == confine::FLAG) {
        return confine::launcher_main(words.into_iter().skip(2));
    }
    static_names::settle();
    ffmpeg::confine_by(crate::engine::infra::THIS_PROGRAM.into());
    let cli = match Cli::command().try_get_matches_from(&words).and_then(|found| Cli::from_arg_matches(&found)) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output and are no errors.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            let _ = error.print();
            return exit.into();
        }
    };
    let mut io = Io::of_process();
    let exit = match dispatch(cli, &words, &mut io) {
        Ok(exit) => exit,
        Err(error) => error.tell(&mut io),
    };
    // Data that did not arrive is no success, unless whoever read has had enough.
    let exit = match io.finish() {
        Err(error) if exit == Exit::Done => error.tell(&mut io),
        _ => exit,
    };
    exit.into()
}

fn dispatch(cli: Cli, words: &[std::ffi::OsString], io: &mut Io) -> Result<Exit, CliError> {
    // What needs no home.
    match &cli.command {
        Command::Completions(args) => return completions::run(args, io),
        Command::Man(args) => return man::run(args, io),
        Command::Effects(args) if !cli.global.has_server() => {
            return effects::run(args, &effects::installed(), io, cli.global.format(), cli.global.quiet);
        }
        Command::NodeTypes(args) if !cli.global.has_server() => {
            return node_types::run(args, &node_types::installed(), io, cli.global.format(), cli.global.quiet);
        }
        _ => {}
    }
    let settings = resolve(&cli)?;
    let serves = matches!(cli.command, Command::Serve(_));
    let chosen = settings.origins["log"].1 != From::Default;
    // A server tells what it does, unless somebody has chosen otherwise.
    let filter = if serves && !chosen { "info" } else { settings.log.as_str() };
    crate::telemetry::start(filter, settings.log_format == LogFormat::Json);
    match &cli.command {
        Command::Serve(_) => return serve::run(&settings, io),
        Command::Settings(args) => return settings::run(args, io, cli.global.format(), &settings),
        Command::Worker(_) => return worker::run(&settings, io),
        _ => {}
    }
    let interrupt = Interrupt::of_process()?;
    if let Some(server) = cli.global.server() {
        let remote = Remote::new(&server, &settings.home)?;
        return match &cli.command {
            Command::Effects(args) => effects::run(args, &remote.effects()?, io, cli.global.format(), cli.global.quiet),
            Command::NodeTypes(args) => {
                node_types::run(args, &remote.node_types()?, io, cli.global.format(), cli.global.quiet)
            }
            _ => execute(cli, &remote, io, &interrupt),
        };
    }
    let opening = opening(&settings, Role::Command);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(crate::base::limits::LOCK_WAIT_SECONDS);
    let mut spawned = false;
    loop {
        match Engine::open(&opening)? {
            // A run that is watched is carried out by a worker, as it would be without.
            Opened::Ours(engine) if wants_worker(&cli, &engine) && std::time::Instant::now() < deadline => {
                engine.close()?;
                if !std::mem::replace(&mut spawned, true) {
                    worker::spawn(&settings)?;
                }
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            Opened::Ours(engine) => {
                let publisher = Publisher::new(engine.clone(), outside(&settings));
                let home = Home::of_command(&publisher);
                let exit = execute(cli, &home, io, &interrupt);
                let left = home.has_left_work();
                engine.close()?;
                if left {
                    worker::spawn(&settings)?;
                }
                return exit;
            }
            // The holder may be about to leave: its socket is gone before its lock.
            Opened::Theirs(holder) => match forward::forward(&settings.home, holder.as_ref(), words, io, &interrupt)? {
                Some(exit) => return Ok(exit),
                None if std::time::Instant::now() < deadline => {
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
                None => {
                    let home = settings.home.display().to_string();
                    return Err(crate::engine::EngineError::Held { home, holder }.into());
                }
            },
        }
    }
}

/// Does the command watch a run that nobody carries out?
fn wants_worker(cli: &Cli, engine: &Engine) -> bool {
    let Command::Watch(args) = &cli.command else { return false };
    let row = engine.find_run(&args.run).and_then(|run| engine.run_row(run));
    row.is_ok_and(|row| !row.held && !row.status.is_final())
}

/// Carries out a command.
fn execute(cli: Cli, backend: &dyn Backend, io: &mut Io, interrupt: &Interrupt) -> Result<Exit, CliError> {
    let (format, quiet) = (cli.global.format(), cli.global.quiet);
    let mut ctx = Ctx { backend, io, interrupt, format, quiet };
    match cli.command {
        Command::Render(args) => render::run(&args, &mut ctx),
        Command::Run(args) => run::run(&args, &mut ctx),
        Command::Plan(args) => plan::run(&args, &mut ctx),
        Command::Why(args) => why::run(&args, &mut ctx),
        Command::Runs(args) => runs::run(&args, &mut ctx),
        Command::RunShow(args) => run_show::run(&args, &mut ctx),
        Command::Hold(args) => hold::run(&args, true, &mut ctx),
        Command::Release(args) => hold::run(&args, false, &mut ctx),
        Command::Queue(args) => queue::run(&args, &mut ctx),
        Command::RunRm(args) => run_rm::run(&args, &mut ctx),
        Command::Cancel(args) => cancel::run(&args, &mut ctx),
        Command::Cache(args) => cache::run(args, &mut ctx),
        Command::Assets(args) => assets::run(args, &mut ctx),
        Command::Configs(args) => configs::run(args, &mut ctx),
        Command::Publish(args) => publish::run(&args, &mut ctx),
        Command::Provenance(args) => provenance::run(&args, &mut ctx),
        Command::Bundle(args) => bundle::run(args, &mut ctx),
        Command::Verify(args) => verify::run(&args, &mut ctx),
        Command::Keys(args) => keys::run(&args, &mut ctx),
        Command::Token(args) => token::run(args, &mut ctx),
        Command::ImportHome(args) => import_home::run(&args, &mut ctx),
        Command::Watch(args) => watch::run(&args, &mut ctx),
        Command::Effects(args) => effects::run(&args, &effects::installed(), ctx.io, format, quiet),
        Command::NodeTypes(args) => node_types::run(&args, &node_types::installed(), ctx.io, format, quiet),
        Command::Completions(_) | Command::Man(_) | Command::Serve(_) | Command::Settings(_) | Command::Worker(_) => {
            unreachable!("BUG: a command that needs no home was given one")
        }
    }
}

fn resolve(cli: &Cli) -> Result<Settings, CliError> {
    let flag = |name: &str| match &cli.command {
        Command::Serve(args) => cli.global.setting(name).or_else(|| args.flags.setting(name)),
        _ => cli.global.setting(name),
    };
    let variable = |name: &str| std::env::var(name).ok();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Ok(Settings::resolve(&flag, &variable, cores)?)
}

fn opening(settings: &Settings, role: Role) -> Opening {
    Opening {
        home: settings.home.clone(),
        threads: settings.threads,
        workers: settings.workers,
        cache_max_bytes: settings.cache_max_bytes,
        ffmpeg: settings.ffmpeg.clone(),
        stage_timeout: settings.server.stage_timeout.map_or(0, |time| time.as_secs()),
        role,
        signer: Some(std::sync::Arc::new(Keys::open(&settings.home))),
    }
}
