//! What a command is given: somebody who carries it out, and a way to speak.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cli::args::Format;
use crate::cli::backend::Backend;
use crate::cli::error::CliError;
use crate::cli::screen::Size;

/// What a command is given.
pub struct Ctx<'a> {
    /// Who carries out what it asks for.
    pub backend: &'a dyn Backend,
    /// Where it speaks.
    pub io: &'a mut Io,
    /// Tells whether somebody pressed Ctrl-C.
    pub interrupt: &'a Interrupt,
    /// How data is printed.
    pub format: Format,
    /// Print ids and paths only?
    pub quiet: bool,
}

/// Where a command speaks: data to `out`, talk and progress to `err`.
pub struct Io {
    /// Data.
    pub out: Out,
    /// Talk.
    pub err: Box<dyn Write + Send>,
    /// Is `err` a terminal? How large, if so.
    pub terminal: Option<Size>,
    /// Relative paths start here.
    pub cwd: PathBuf,
    /// May talk have colours?
    pub colour: bool,
}

impl Io {
    /// This process's streams.
    pub fn of_process() -> Self {
        let terminal = Size::of_terminal();
        Self {
            out: Out::new(std::io::BufWriter::new(std::io::stdout())),
            err: Box::new(std::io::stderr()),
            terminal,
            cwd: std::env::current_dir().unwrap_or_default(),
            colour: terminal.is_some() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    /// A line of data. What goes wrong is told at the end.
    pub fn data(&mut self, text: impl std::fmt::Display) {
        let _ = writeln!(self.out, "{text}");
    }

    /// Bytes as they are, of a file.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        self.out.write_all(bytes).and_then(|()| self.out.flush()).map_err(CliError::Out)
    }

    /// All data is where it was to go, or the first reason why it is not.
    pub fn finish(&mut self) -> Result<(), CliError> {
        let flushed = self.out.flush();
        self.out.failed.take().map_or(flushed, Err).map_err(CliError::Out)
    }

    /// A line of talk.
    pub fn say(&mut self, text: impl std::fmt::Display) {
        let _ = self.out.flush();
        let _ = writeln!(self.err, "{text}");
    }
}

/// A stream of data that remembers what first went wrong with it.
pub struct Out {
    inner: Box<dyn Write + Send>,
    failed: Option<std::io::Error>,
}

impl Out {
    /// The same stream.
    pub fn new(inner: impl Write + Send + 'static) -> Self {
        Self { inner: Box::new(inner), failed: None }
    }

    fn noted<T>(&mut self, done: std::io::Result<T>) -> std::io::Result<T> {
        done.inspect_err(|error| {
            let again = error.raw_os_error().map_or_else(|| error.kind().into(), std::io::Error::from_raw_os_error);
            self.failed.get_or_insert(again);
        })
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(bytes);
        self.noted(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let flushed = self.inner.flush();
        self.noted(flushed)
    }
}

impl Drop for Io {
    fn drop(&mut self) {
        let _ = self.out.flush();
    }
}

/// Counts how often Ctrl-C was pressed.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    /// Counts this process's SIGINT and SIGTERM. The third ends it at once.
    pub fn of_process() -> Result<Self, CliError> {
        let interrupt = Self::default();
        let counter = interrupt.0.clone();
        let mut signals = signal_hook::iterator::Signals::new([
            signal_hook::consts::SIGINT,
            signal_hook::consts::SIGTERM,
            signal_hook::consts::SIGHUP,
        ])
        .map_err(|error| CliError::machine(format!("signals cannot be caught: {error}")))?;
        let watch = move || {
            for _ in signals.forever() {
                if counter.fetch_add(1, Ordering::Relaxed) >= 2 {
                    std::process::exit(130);
                }
            }
        };
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(watch)
            .map_err(|error| CliError::machine(format!("no thread can be started: {error}")))?;
        Ok(interrupt)
    }

    /// Was it pressed?
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    /// How often was it pressed?
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Somebody elsewhere pressed it.
    pub fn press(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
