//! The launcher: starts the program, watches it, and ends all of it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::parent_id;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitStatus};
use rustix::stdio::{dup2_stdin, dup2_stdout};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use super::family::{Family, Reaped};
use super::itself::{AHEAD, again, shift_priority};
use super::{Confined, EXIT_LAUNCHER, EXIT_PROCESSES, EXIT_STOPPED, EXIT_WALL, Limits, program, report, spec};

/// How often the descendants are counted and the parent is looked for.
const LOOK: Duration = Duration::from_millis(20);
/// Of the launcher's time, one part in so many goes into counting.
const SHARE: u32 = 10;
/// Threads that all descendants together may have.
const THREADS: usize = 4096;

/// Why all of it ends.
enum End {
    /// The program did, with this exit code.
    Program(u8),
    /// The launcher was told to, or its parent is gone.
    Stopped,
    /// The time is over.
    Wall,
    /// There are too many processes.
    Processes,
    /// There are too many threads.
    Threads,
}

/// The launcher's `main`, with the arguments after [`FLAG`](super::FLAG); to be called before any thread is started.
pub fn launcher_main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut args = args.into_iter();
    let stage = args.next().unwrap_or_default();
    if stage == spec::CHECK {
        return report::print();
    } else if stage == spec::IDLE {
        return ExitCode::SUCCESS;
    }
    let Some((parent, confined)) = spec::parse(args) else {
        return fail(EXIT_LAUNCHER, "the arguments cannot be understood");
    };
    if stage == spec::RUN {
        run(parent, &confined).unwrap_or_else(|e| fail(EXIT_LAUNCHER, &e.to_string()))
    } else if stage == spec::EXEC {
        program::become_program(parent, &confined)
    } else {
        fail(EXIT_LAUNCHER, "the stage cannot be understood")
    }
}

/// Says why, if anybody listens, and exits so.
pub(super) fn fail(code: u8, why: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "confine: {why}");
    ExitCode::from(code)
}

fn run(parent: u32, confined: &Confined) -> io::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    if parent_id() != parent {
        return Ok(ExitCode::from(EXIT_STOPPED));
    }
    let family = Family::found();
    shift_priority(-AHEAD);
    let child = start(confined)?;
    let_go_of_pipes();
    let end = watch(&family, child, parent, &confined.limits, &mut signals);
    // First the end, then the words: they may have to wait for a reader.
    family.end();
    Ok(match end {
        End::Program(code) => ExitCode::from(code),
        End::Stopped => ExitCode::from(EXIT_STOPPED),
        End::Wall => fail(EXIT_WALL, &format!("killed after {} s", confined.limits.wall_seconds)),
        End::Processes => fail(EXIT_PROCESSES, &format!("killed: more than {} processes", confined.limits.processes)),
        End::Threads => fail(EXIT_PROCESSES, &format!("killed: more than {THREADS} threads")),
    })
}

/// Leaves the ends of pipes to the program, whose closing them the server is to notice.
fn let_go_of_pipes() {
    if let Ok(null) = File::options().read(true).write(true).open("/dev/null") {
        let _ = dup2_stdin(&null);
        let _ = dup2_stdout(&null);
    }
}

fn start(confined: &Confined) -> io::Result<Pid> {
    let words = spec::words(spec::EXEC, std::process::id(), confined);
    let child = again(|command| command.args(&words).spawn())?;
    Ok(Pid::from_child(&child))
}

/// Waits for a reason to end.
fn watch(family: &Family, child: Pid, parent: u32, limits: &Limits, signals: &mut Signals) -> End {
    let deadline = Instant::now().checked_add(Duration::from_secs(limits.wall_seconds));
    let mut look = Instant::now() + LOOK;
    loop {
        if let Some(code) = reap(child) {
            return End::Program(code);
        }
        let now = Instant::now();
        if signals.stop() || parent_id() != parent {
            return End::Stopped;
        }
        if deadline.is_some_and(|deadline| now >= deadline) {
            return End::Wall;
        }
        if now >= look {
            if let Some(end) = too_many(family, limits) {
                return end;
            }
            look = Instant::now() + LOOK.max(now.elapsed() * SHARE);
        }
        let next = deadline.map_or(look, |deadline| deadline.min(look));
        signals.wait(next.saturating_duration_since(Instant::now()));
    }
}

/// The exit code for how the child has ended, if it has.
fn reap(child: Pid) -> Option<u8> {
    let mut code = None;
    let left = Family::reap(|pid, status| {
        if pid == child {
            code = Some(code_of(status));
        }
    });
    match left {
        Reaped::Living => code,
        Reaped::Nobody => code.or(Some(EXIT_LAUNCHER)),
    }
}

fn code_of(status: WaitStatus) -> u8 {
    let signal = || status.terminating_signal().map(|signal| signal + 128);
    status.exit_status().or_else(signal).and_then(|code| u8::try_from(code).ok()).unwrap_or(EXIT_LAUNCHER)
}

fn too_many(family: &Family, limits: &Limits) -> Option<End> {
    let most = limits.processes as usize;
    let census = family.census(most);
    if census.processes > most {
        return Some(End::Processes);
    }
    (census.threads > THREADS).then_some(End::Threads)
}

/// The signals that the launcher hears.
struct Signals {
    stop: Arc<AtomicBool>,
    heard: UnixStream,
}

impl Signals {
    fn listen() -> io::Result<Signals> {
        let stop = Arc::new(AtomicBool::new(false));
        let (heard, tell) = UnixStream::pair()?;
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] {
            signal_hook::flag::register(signal, stop.clone())?;
            signal_hook::low_level::pipe::register(signal, tell.try_clone()?)?;
        }
        signal_hook::low_level::pipe::register(SIGCHLD, tell)?;
        Ok(Signals { stop, heard })
    }

    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Returns when a signal has come, or after so long.
    fn wait(&mut self, most: Duration) {
        if !most.is_zero() && self.heard.set_read_timeout(Some(most)).is_ok() {
            let _ = self.heard.read(&mut [0; 64]);
        }
    }
}
