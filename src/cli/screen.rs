//! Lines at the bottom of a terminal that are drawn over again.
//!
//! Written as text to whoever holds the terminal, so that a worker or server can draw for the
//! command that asked it. Knows nothing of what the lines say.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::cli::ctx::Io;
use crate::cli::table::printable;

/// What the eye can follow.
const EVERY: Duration = Duration::from_millis(100);

/// A terminal's size in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Characters in a line.
    pub columns: u16,
    /// Lines.
    pub rows: u16,
}

impl Size {
    /// The size of the terminal that standard error is, if it is one that can be drawn on.
    pub fn of_terminal() -> Option<Self> {
        let plain = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if plain || !std::io::stderr().is_terminal() {
            return None;
        }
        let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok();
        let size = size.filter(|size| size.ws_col > 0 && size.ws_row > 0);
        Some(size.map_or(Self { columns: 80, rows: 24 }, |size| Self { columns: size.ws_col, rows: size.ws_row }))
    }
}

/// Lines that are drawn over again.
#[derive(Default)]
pub struct Screen {
    drawn: usize,
    at: Option<Instant>,
}

impl Screen {
    /// Is it time to draw again?
    pub fn is_due(&self) -> bool {
        self.at.is_none_or(|at| at.elapsed() >= EVERY)
    }

    /// Draws these lines in the place of the last ones, cut to the terminal's size. Where there
    /// is no terminal nothing is drawn.
    pub fn draw(&mut self, io: &mut Io, lines: &[String]) {
        let Some(size) = io.terminal else { return };
        let mut text = self.back();
        let shown = &lines[..lines.len().min(usize::from(size.rows.saturating_sub(1)))];
        for line in shown {
            let line: String = printable(line).chars().take(usize::from(size.columns.saturating_sub(1))).collect();
            text.push_str(&format!("\u{1b}[2K{line}\n"));
        }
        text.push_str("\u{1b}[J");
        self.drawn = shown.len();
        self.at = Some(Instant::now());
        write(io, &text);
    }

    /// Takes the lines away, so that something else can be said.
    pub fn clear(&mut self, io: &mut Io) {
        if self.drawn > 0 {
            let text = self.back() + "\u{1b}[J";
            write(io, &text);
        }
        self.drawn = 0;
        self.at = None;
    }

    /// The way back to the first line.
    fn back(&self) -> String {
        if self.drawn > 0 { format!("\r\u{1b}[{}A", self.drawn) } else { String::new() }
    }
}

fn write(io: &mut Io, text: &str) {
    // A terminal that has gone away is no error of ours.
    let _ = io.err.write_all(text.as_bytes()).and_then(|()| io.err.flush());
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::cli::ctx::Out;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn io(written: &Written, terminal: Option<Size>) -> Io {
        Io {
            out: Out::new(std::io::sink()),
            err: Box::new(written.clone()),
            terminal,
            cwd: std::path::PathBuf::new(),
            colour: false,
        }
    }

    #[test]
    fn lines_are_drawn_over_and_cut_to_the_terminal() {
        let written = Written::default();
        let mut io = io(&written, Some(Size { columns: 6, rows: 3 }));
        let mut screen = Screen::default();
        screen.draw(&mut io, &["a longer line".to_owned(), "b".to_owned(), "c".to_owned()]);
        screen.draw(&mut io, &["x\u{1b}".to_owned()]);
        screen.clear(&mut io);
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let first = "\u{1b}[2Ka lon\n\u{1b}[2Kb\n\u{1b}[J";
        let second = "\r\u{1b}[2A\u{1b}[2Kx\\u{1\n\u{1b}[J";
        assert_eq!(text, format!("{first}{second}\r\u{1b}[1A\u{1b}[J"));
    }

    #[test]
    fn nothing_is_drawn_where_there_is_no_terminal() {
        let written = Written::default();
        let mut screen = Screen::default();
        screen.draw(&mut io(&written, None), &["a".to_owned()]);
        screen.clear(&mut io(&written, None));
        assert!(written.0.lock().unwrap().is_empty());
    }
}
