//! Being the client of a worker or server that holds the home: the words of the command go over its
//! Unix socket, what it prints comes back.
//!
//! To the worker: a 32-bit little-endian length and a JSON [`Call`]; later a byte for each
//! Ctrl-C. Back: frames of a tag, a 32-bit little-endian length and that many bytes. A call
//! that was never begun (the worker was about to leave) may be made again elsewhere.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cli::ctx::{Interrupt, Io, Out};
use crate::cli::error::{CliError, Exit};
use crate::cli::screen::Size;
use crate::engine::lock::{Holder, Role};

/// Bytes of a call: what an operating system lets a command line have is less.
const CALL_BYTES: u32 = 4 << 20;

/// A command for the worker.
#[derive(Serialize, Deserialize)]
pub struct Call {
    /// The words of the command line, with the program's name.
    pub words: Vec<String>,
    /// Where relative paths start.
    pub cwd: PathBuf,
    /// Colours?
    pub colour: bool,
    /// No command: a server wants the home, and the worker shall leave it.
    #[serde(default)]
    pub leave: bool,
    /// The size of its terminal, if it has one.
    pub terminal: Option<Size>,
}

/// What a frame is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    Exit = 0,
    Out = 1,
    Err = 2,
    Begun = 3,
}

/// Has the command carried out by the worker that holds the home. `None` if there is none
/// (any more), so that the home may be free now.
pub fn forward(
    home: &Path,
    holder: Option<&Holder>,
    words: &[OsString],
    io: &mut Io,
    interrupt: &Interrupt,
) -> Result<Option<Exit>, CliError> {
    let Some(holder) = holder.filter(|holder| holder.role != Role::Command) else { return Ok(None) };
    if holder.version != env!("CARGO_PKG_VERSION") {
        return Ok(None);
    }
    let Ok(mut stream) = within(home, |path| UnixStream::connect(path)) else { return Ok(None) };
    let words = words.iter().map(|word| word.clone().into_string());
    let words = words.collect::<Result<_, _>>().map_err(|word| {
        CliError::usage(format!(
            "{} is not UTF-8, which a command for a worker must be; wait until it has ended",
            word.display()
        ))
    })?;
    let call = Call { words, cwd: io.cwd.clone(), colour: io.colour, leave: false, terminal: io.terminal };
    if send(&mut stream, &call).is_err() {
        return Ok(None);
    }
    let ended = Arc::new(AtomicBool::new(false));
    pass_interrupts(&stream, interrupt.clone(), ended.clone())?;
    let exit = copy_frames(&mut stream, io);
    ended.store(true, Ordering::Relaxed);
    exit
}

/// Asks the worker that holds the home to leave it. One that cannot be asked is just leaving.
pub fn ask_to_leave(home: &Path) {
    let call = Call { words: Vec::new(), cwd: PathBuf::new(), colour: false, leave: true, terminal: None };
    let asked = within(home, |path| UnixStream::connect(path)).and_then(|mut stream| {
        send(&mut stream, &call)?;
        while read_frame(&mut stream)?.0 != Tag::Exit {}
        Ok(())
    });
    if let Err(error) = asked {
        tracing::debug!(%error, "the worker could not be asked to leave");
    }
}

fn send(stream: &mut UnixStream, call: &Call) -> std::io::Result<()> {
    let text = serde_json::to_vec(call)?;
    stream.write_all(&(text.len() as u32).to_le_bytes())?;
    stream.write_all(&text)
}

fn copy_frames(stream: &mut UnixStream, io: &mut Io) -> Result<Option<Exit>, CliError> {
    let mut begun = false;
    loop {
        let Ok((tag, bytes)) = read_frame(stream) else {
            return if begun {
                Err(CliError::machine("whoever holds the home ended while it carried out the command; try again"))
            } else {
                Ok(None)
            };
        };
        begun = true;
        match tag {
            Tag::Exit => return Ok(Some(Exit::of_code(bytes.first().copied().unwrap_or(1)))),
            // A reader of ours that went away does not stop the worker.
            Tag::Out => drop(io.out.write_all(&bytes)),
            Tag::Err => drop(io.out.flush().and_then(|()| io.err.write_all(&bytes))),
            Tag::Begun => {}
        }
    }
}

fn pass_interrupts(stream: &UnixStream, interrupt: Interrupt, ended: Arc<AtomicBool>) -> Result<(), CliError> {
    let mut stream = stream.try_clone().map_err(|error| CliError::machine(error.to_string()))?;
    let watch = move || {
        let mut passed = 0;
        while !ended.load(Ordering::Relaxed) {
            while passed < interrupt.count() {
                passed += 1;
                if stream.write_all(b"c").is_err() {
                    return;
                }
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let spawned = std::thread::Builder::new().name("interrupts".to_owned()).spawn(watch);
    spawned.map(drop).map_err(|error| CliError::machine(error.to_string()))
}

fn read_frame(stream: &mut UnixStream) -> std::io::Result<(Tag, Vec<u8>)> {
    let mut head = [0_u8; 5];
    stream.read_exact(&mut head)?;
    let tag = [Tag::Exit, Tag::Out, Tag::Err, Tag::Begun].into_iter().find(|tag| *tag as u8 == head[0]);
    let tag = tag.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::InvalidData))?;
    let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
    let mut bytes = Vec::new();
    stream.take(u64::from(length)).read_to_end(&mut bytes)?;
    if bytes.len() == length as usize { Ok((tag, bytes)) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) }
}

/// The worker's side of a connection.
#[derive(Clone)]
pub struct Answer(Arc<Mutex<UnixStream>>);

impl Answer {
    /// Reads the call of a new connection and says that it is begun. Bytes that come later are
    /// presses of Ctrl-C.
    pub fn begin(mut stream: UnixStream, interrupt: &Interrupt) -> std::io::Result<(Call, Self)> {
        // A client that connects and says nothing would keep the worker alive.
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut length = [0_u8; 4];
        stream.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length);
        if length > CALL_BYTES {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        let mut text = vec![0; length as usize];
        stream.read_exact(&mut text)?;
        let call = serde_json::from_slice(&text)?;
        stream.set_read_timeout(None)?;
        let mut presses = stream.try_clone()?;
        let interrupt = interrupt.clone();
        let watch = move || {
            let mut byte = [0_u8; 1];
            while presses.read_exact(&mut byte).is_ok() {
                interrupt.press();
            }
        };
        std::thread::Builder::new().name("client".to_owned()).spawn(watch)?;
        let answer = Self(Arc::new(Mutex::new(stream)));
        answer.frame(Tag::Begun, &[])?;
        Ok((call, answer))
    }

    /// Where the command speaks.
    pub fn io(&self, call: &Call) -> Io {
        Io {
            out: Out::new(std::io::BufWriter::new(Frames(self.clone(), Tag::Out))),
            err: Box::new(Frames(self.clone(), Tag::Err)),
            terminal: call.terminal,
            cwd: call.cwd.clone(),
            colour: call.colour,
        }
    }

    /// Ends the call.
    pub fn exit(&self, exit: Exit) -> std::io::Result<()> {
        self.frame(Tag::Exit, &[exit as u8])?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).shutdown(std::net::Shutdown::Both)
    }

    fn frame(&self, tag: Tag, bytes: &[u8]) -> std::io::Result<()> {
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut head = [tag as u8; 5];
        head[1..].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
        stream.write_all(&head)?;
        stream.write_all(bytes)
    }
}

struct Frames(Answer, Tag);

impl Write for Frames {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let piece = &bytes[..bytes.len().min(1 << 20)];
        self.0.frame(self.1, piece)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The worker's socket; its name goes when it is dropped.
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Binds the socket of a home that this process holds.
    pub fn bind(home: &Path) -> std::io::Result<Self> {
        let path = home.join("worker.sock");
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = within(home, |path| UnixListener::bind(path))?;
        Ok(Self { listener, path })
    }

    /// The listener.
    pub fn listener(&self) -> &UnixListener {
        &self.listener
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Connects once, so that a thread that waits for a connection looks round.
    pub fn wake(&self) -> std::io::Result<()> {
        let home = self.path.parent().unwrap_or(&self.path);
        within(home, |path| UnixStream::connect(path)).map(drop)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Calls `f` with a path of the home's socket that is short enough for the kernel, however long
/// the home's path is.
fn within<T>(home: &Path, f: impl FnOnce(&Path) -> std::io::Result<T>) -> std::io::Result<T> {
    let directory = std::fs::File::open(home)?;
    f(Path::new(&format!("/proc/self/fd/{}/worker.sock", directory.as_raw_fd())))
}
