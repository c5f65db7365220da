//! Carrying out commands that come over the home's socket, in the process that holds the home.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use clap::{CommandFactory as _, FromArgMatches as _};

use crate::base::limits::SOCKET_CLIENTS;
use crate::cli::backend::home::Home;
use crate::cli::ctx::Interrupt;
use crate::cli::error::{CliError, Exit};
use crate::cli::forward::{Answer, Socket};
use crate::cli::{Cli, execute};
use crate::engine::EngineError;
use crate::link::Publisher;

/// Those who call over the socket.
#[derive(Clone, Default)]
pub struct Clients(Arc<Counts>);

#[derive(Default)]
struct Counts {
    present: AtomicUsize,
    wants_home: AtomicBool,
}

impl Clients {
    /// Is anybody there?
    pub fn any(&self) -> bool {
        self.0.present.load(Ordering::Acquire) > 0
    }

    /// Has a server asked for the home?
    pub fn one_wants_the_home(&self) -> bool {
        self.0.wants_home.load(Ordering::Acquire)
    }

    /// Carries out a client's command on a thread of its own.
    pub fn serve(&self, publisher: &Publisher, stream: UnixStream) {
        if self.0.present.fetch_add(1, Ordering::AcqRel) >= SOCKET_CLIENTS {
            // A command that is not begun is tried again by its client.
            self.0.present.fetch_sub(1, Ordering::AcqRel);
            return;
        }
        let (publisher, clients) = (publisher.clone(), self.clone());
        let answer = move || {
            if let Err(error) = stream.set_nonblocking(false).and_then(|()| clients.carry_out(&publisher, stream)) {
                tracing::debug!(%error, "a client went away");
            }
            clients.0.present.fetch_sub(1, Ordering::AcqRel);
        };
        if let Err(error) = std::thread::Builder::new().name("command".to_owned()).spawn(answer) {
            self.0.present.fetch_sub(1, Ordering::AcqRel);
            tracing::error!(%error, "no thread can be started for a client");
        }
    }

    fn carry_out(&self, publisher: &Publisher, stream: UnixStream) -> std::io::Result<()> {
        let interrupt = Interrupt::default();
        let (call, answer) = Answer::begin(stream, &interrupt)?;
        if call.leave {
            self.0.wants_home.store(true, Ordering::Release);
            return answer.exit(Exit::Done);
        }
        let mut io = answer.io(&call);
        // The client has parsed the same words before it sent them.
        let parsed = Cli::command().try_get_matches_from(&call.words).and_then(|found| Cli::from_arg_matches(&found));
        let exit = match parsed {
            Ok(cli) => {
                let home = Home::of_holder(publisher);
                execute(cli, &home, &mut io, &interrupt).unwrap_or_else(|error| error.tell(&mut io))
            }
            Err(error) => {
                io.say(error);
                Exit::Usage
            }
        };
        drop(io);
        answer.exit(exit)
    }
}

/// A thread that answers the home's socket until it is dropped.
pub struct Commands {
    socket: Option<Socket>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Commands {
    /// Binds the socket and answers it.
    pub fn answer(publisher: &Publisher) -> Result<Self, CliError> {
        let engine = publisher.engine();
        let socket = Socket::bind(engine.home()).map_err(|error| EngineError::file(engine.home(), &error))?;
        let listener = socket.listener().try_clone().map_err(|error| EngineError::file(socket.path(), &error))?;
        let (publisher, ends, clients) = (publisher.clone(), Arc::new(AtomicBool::new(false)), Clients::default());
        let ending = ends.clone();
        let answer = move || {
            while let Ok((stream, _)) = listener.accept() {
                if ending.load(Ordering::Acquire) {
                    break;
                }
                clients.serve(&publisher, stream);
            }
        };
        let thread = std::thread::Builder::new()
            .name("commands".to_owned())
            .spawn(answer)
            .map_err(|error| CliError::machine(format!("no thread can be started: {error}")))?;
        Ok(Self { socket: Some(socket), ends, thread: Some(thread) })
    }
}

impl Drop for Commands {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Release);
        let woken = self.socket.take().is_some_and(|socket| socket.wake().is_ok());
        // A thread that could not be woken ends with the process.
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            let _ = thread.join();
        }
    }
}
