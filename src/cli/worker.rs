//! `artdag worker`: finishes the runs that wait in a home, then exits. Started by a command
//! that does not wait for its run; meanwhile it carries out other commands for that home.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::cli::commands::Clients;
use crate::cli::ctx::{Interrupt, Io};
use crate::cli::error::{CliError, Exit};
use crate::cli::forward::Socket;
use crate::cli::opening;
use crate::config::Settings;
use crate::engine::lock::{Holder, Role};
use crate::engine::{Engine, EngineError, Opened};
use crate::http::outside;
use crate::link::Publisher;

/// Arguments of `worker`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Started by another command: leave its terminal
    #[arg(long, hide = true)]
    detached: bool,
}

/// Works until nothing waits.
pub fn run(settings: &Settings, io: &mut Io) -> Result<Exit, CliError> {
    // Fails only where it leads a session already.
    let _ = rustix::process::setsid();
    let interrupt = Interrupt::of_process()?;
    let engine = match Engine::open(&opening(settings, Role::Worker))? {
        Opened::Ours(engine) => engine,
        // Whoever holds the home finishes what waits in it.
        Opened::Theirs(Some(holder)) if holder.role != Role::Command => {
            io.say(format_args!("{holder} works on this home"));
            return Ok(Exit::Done);
        }
        Opened::Theirs(holder) => {
            return Err(EngineError::Held { home: settings.home.display().to_string(), holder }.into());
        }
    };
    let socket = Socket::bind(engine.home()).map_err(|error| EngineError::file(engine.home(), &error))?;
    engine.name_holder(&Holder {
        pid: std::process::id(),
        role: Role::Worker,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        address: Some(socket.path().display().to_string()),
    })?;
    let clients = Clients::default();
    let listener = socket.listener().try_clone().map_err(|error| EngineError::file(socket.path(), &error))?;
    listener.set_nonblocking(true).map_err(|error| EngineError::file(socket.path(), &error))?;
    let publisher = Publisher::new(engine.clone(), outside(settings));
    engine.work_on_queue()?;
    while !interrupt.is_set() && !clients.one_wants_the_home() {
        match listener.accept() {
            Ok((stream, _)) => clients.serve(&publisher, stream),
            Err(_) if !clients.any() && engine.is_idle()? => break,
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
    drop(socket);
    engine.close()?;
    Ok(if interrupt.is_set() { Exit::Interrupted } else { Exit::Done })
}

/// Starts a worker for the home, which goes on after this process.
pub fn spawn(settings: &Settings) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::machine(format!("no worker can be started: {error}"));
    let program = std::env::current_exe().map_err(failed)?;
    let log =
        std::fs::OpenOptions::new().create(true).append(true).open(settings.home.join("worker.log")).map_err(failed)?;
    Command::new(program)
        .args(["worker", "--detached", "--threads", &settings.threads.to_string()])
        .args(["--workers", &settings.workers.to_string()])
        .arg("--home")
        .arg(&settings.home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .map_err(failed)?;
    Ok(())
}
