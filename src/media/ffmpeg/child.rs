//! One process: started, watched, and ended for certain.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::base::limits::{TOOL_PROCESSES, TOOL_SECONDS};
use crate::media::ffmpeg::confine::{Confined, Limits};

/// This program, where it is one that can be a launcher.
static LAUNCHER: OnceLock<PathBuf> = OnceLock::new();

/// Confines every process from now on, by this program as the launcher (see [`confine`]).
///
/// [`confine`]: crate::media::ffmpeg::confine
pub fn confine_by(launcher: PathBuf) {
    // It is the same one whoever says so.
    let _ = LAUNCHER.set(launcher);
}

/// How long a launcher has to end what it has started.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Process {
    /// The program.
    pub program: PathBuf,
    /// Its arguments; file names are relative to the directory.
    pub args: Vec<OsString>,
    /// The directory that it works in, its own.
    pub dir: PathBuf,
    /// Files outside of the directory that it reads.
    pub reads: Vec<PathBuf>,
    /// Bytes of memory that it may have.
    pub memory: u64,
    /// Bytes that one of its files may have.
    pub file_bytes: u64,
}

/// A process that runs. Dropping it kills it and all that it has started.
pub struct Child {
    process: std::process::Child,
    said: Option<JoinHandle<String>>,
    written: Arc<Written>,
    ended: bool,
}

/// How much a process has written, as it says itself (`-progress pipe:2`).
#[derive(Debug, Default)]
pub struct Written(AtomicU64);

impl Written {
    /// Microseconds of its longest output.
    pub fn microseconds(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    /// Its status.
    pub status: ExitStatus,
    /// The last lines that it said.
    pub said: String,
}

/// Lines of what a process says that are kept.
const SAID_LINES: usize = 20;
/// Bytes of a line of these.
const SAID_BYTES: u64 = 2000;
/// How often a process is looked at.
pub(super) const LOOK: Duration = Duration::from_millis(5);

impl Process {
    /// Starts it. Its standard error is kept, its standard input and output are as said.
    pub fn start(&self, stdin: Stdio, stdout: Stdio) -> std::io::Result<Child> {
        let mut command = self.command();
        let mut child = command.stdin(stdin).stdout(stdout).stderr(Stdio::piped()).spawn()?;
        let stderr = child.stderr.take();
        let written = Arc::new(Written::default());
        let noted = written.clone();
        let read = move || stderr.map_or_else(String::new, |stderr| last_lines(stderr, &noted));
        let mut started = Child { process: child, said: None, written, ended: false };
        // If nobody can listen to it, it is ended with what it started.
        started.said = Some(std::thread::Builder::new().name("tool-says".to_owned()).spawn(read)?);
        Ok(started)
    }

    fn command(&self) -> Command {
        use std::os::unix::process::CommandExt as _;
        let Some(launcher) = LAUNCHER.get() else {
            let mut command = Command::new(&self.program);
            command.args(&self.args).current_dir(&self.dir).process_group(0);
            return command;
        };
        let confined = Confined {
            program: self.program.clone(),
            args: self.args.clone(),
            dir: self.dir.clone(),
            reads: self.reads.clone(),
            limits: Limits {
                memory: self.memory,
                cpu_seconds: TOOL_SECONDS,
                file_bytes: self.file_bytes,
                wall_seconds: TOOL_SECONDS,
                processes: TOOL_PROCESSES,
            },
        };
        confined.command(launcher)
    }
}

impl Child {
    /// Its standard output, once.
    pub fn stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.process.stdout.take()
    }

    /// Its standard input, once.
    pub fn stdin(&mut self) -> Option<std::process::ChildStdin> {
        self.process.stdin.take()
    }

    /// How much it has written so far.
    pub fn written(&self) -> Arc<Written> {
        self.written.clone()
    }

    /// Its end, if it has ended.
    pub fn poll(&mut self) -> std::io::Result<Option<Ended>> {
        let Some(status) = self.process.try_wait()? else { return Ok(None) };
        self.ended = true;
        // What it may have left behind.
        self.kill_group();
        let said = self.said.take().and_then(|said| said.join().ok()).unwrap_or_default();
        Ok(Some(Ended { status, said }))
    }

    /// Waits for its end; `None` if `stopped` said so before, and it was killed.
    pub fn wait(&mut self, stopped: &dyn Fn() -> bool) -> std::io::Result<Option<Ended>> {
        loop {
            if let Some(ended) = self.poll()? {
                return Ok(Some(ended));
            }
            if stopped() {
                self.kill();
                return Ok(None);
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Kills it and all of its group, and waits until it is gone.
    pub fn kill(&mut self) {
        if self.ended {
            return;
        }
        self.killer().kill();
        // A launcher ends all of its descendants one by one, and then itself.
        let asked = Instant::now();
        while asked.elapsed() < PATIENCE && matches!(self.process.try_wait(), Ok(None)) {
            std::thread::sleep(LOOK);
        }
        self.kill_group();
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.ended = true;
    }

    /// What ends it from another thread.
    pub fn killer(&self) -> Killer {
        Killer(i32::try_from(self.process.id()).ok().and_then(Pid::from_raw))
    }

    fn kill_group(&self) {
        if let Some(group) = self.killer().0 {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Ends a process and all that it has started. It is only used while the process is not waited for.
#[derive(Debug, Clone, Copy)]
pub struct Killer(Option<Pid>);

impl Killer {
    /// Kills them, or has the launcher do it.
    pub fn kill(self) {
        let Some(pid) = self.0 else { return };
        let _ = if LAUNCHER.get().is_some() {
            kill_process(pid, Signal::TERM)
        } else {
            kill_process_group(pid, Signal::KILL)
        };
    }
}

/// Does work that waits for what processes write, and ends them as soon as `stopped` says so: a
/// process that hangs must not keep whoever reads from it.
pub fn watched<T>(killers: &[Killer], stopped: &(dyn Fn() -> bool + Sync), work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = std::thread::Builder::new().name("tool-watch".to_owned());
        let watch = || {
            while !done.load(Ordering::Relaxed) {
                if stopped() {
                    for killer in killers {
                        killer.kill();
                    }
                    return;
                }
                std::thread::park_timeout(LOOK);
            }
        };
        let watching = watcher.spawn_scoped(scope, watch);
        let result = work();
        done.store(true, Ordering::Relaxed);
        if let Ok(watching) = watching {
            watching.thread().unpark();
        }
        result
    })
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The keys of the lines that tell how far ffmpeg is.
const PROGRESS: &[&str] = &[
    "frame",
    "fps",
    "bitrate",
    "total_size",
    "out_time_us",
    "out_time_ms",
    "out_time",
    "dup_frames",
    "drop_frames",
    "speed",
    "progress",
];

/// Takes note of a line that tells how far ffmpeg is; false for every other line.
fn is_progress(line: &str, written: &Written) -> bool {
    let Some((key, value)) = line.split_once('=') else { return false };
    if key == "out_time_us"
        && let Ok(microseconds) = value.trim().parse()
    {
        written.0.store(microseconds, Ordering::Relaxed);
    }
    PROGRESS.contains(&key) || key.starts_with("stream_")
}

fn last_lines(stderr: impl Read, written: &Written) -> String {
    let mut reader = BufReader::new(stderr);
    let mut lines = VecDeque::new();
    loop {
        let mut line = Vec::new();
        match reader.by_ref().take(SAID_BYTES).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if line.is_empty() || is_progress(&line, written) {
            continue;
        }
        if lines.len() == SAID_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }
    Vec::from(lines).join("\n")
}

/// Links a file into a process's directory under a name of ours.
pub(super) fn link(dir: &Path, name: &str, file: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(file, dir.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ffmpeg_says_of_its_progress_is_no_complaint() {
        let written = Written::default();
        let text = "frame=12\nstream_0_0_q=-1.0\nout_time_us=N/A\nout_time_us=480000\nx.mkv: broken=1\nprogress=end\n";
        assert_eq!(last_lines(text.as_bytes(), &written), "x.mkv: broken=1");
        assert_eq!(written.microseconds(), 480_000);
    }
}
