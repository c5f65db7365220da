//! Waiting for a run: its progress on a terminal, what there is to say elsewhere, and Ctrl-C.
//!
//! The first Ctrl-C leaves the run, which goes on without the command; a second one that comes
//! soon after cancels it.

use std::time::{Duration, Instant};

use crate::base::RunId;
use crate::base::limits::LEAVE_SECONDS;
use crate::cli::backend::Place;
use crate::cli::backend::follow::{Advance, Happened, NodeChange};
use crate::cli::ctx::Ctx;
use crate::cli::error::CliError;
use crate::cli::screen::Screen;
use crate::engine::views::RunView;

/// How long one look for something new takes: what Ctrl-C waits for at most.
pub const LOOK: Duration = Duration::from_millis(50);

/// What came of waiting.
pub enum Waited {
    /// The run has ended.
    Ended(Box<RunView>),
    /// Somebody pressed Ctrl-C; the run goes on.
    Left,
}

/// Waits until the run has ended, or until Ctrl-C.
pub fn wait(ctx: &mut Ctx<'_>, run: RunId) -> Result<Waited, CliError> {
    let backend = ctx.backend;
    let mut follow = backend.follow(run)?;
    let mut shown = Shown::default();
    let mut leaving = Leaving::default();
    let waited = loop {
        match leaving.look(ctx, run, &mut shown.screen)? {
            Pressed::Leave => {
                backend.leave(run)?;
                break Waited::Left;
            }
            Pressed::Nothing => {}
        }
        match follow.next(LOOK)? {
            Some(Happened::Run(view)) if view.status.is_final() => break Waited::Ended(view),
            Some(happened) => shown.take(ctx, &happened),
            None => {}
        }
    };
    shown.screen.clear(ctx.io);
    Ok(waited)
}

/// Waits until a run that was told to stop has ended.
pub fn end(ctx: &mut Ctx<'_>, run: RunId) -> Result<RunView, CliError> {
    let mut follow = ctx.backend.follow(run)?;
    loop {
        match follow.next(LOOK)? {
            Some(Happened::Run(view)) if view.status.is_final() => return Ok(*view),
            _ if ctx.interrupt.is_set() => return ctx.backend.run(run),
            _ => {}
        }
    }
}

/// What presses of Ctrl-C ask for.
#[derive(Default)]
struct Leaving {
    seen: usize,
    /// When the command leaves, if nobody presses again.
    at: Option<Instant>,
}

enum Pressed {
    Nothing,
    Leave,
}

impl Leaving {
    fn look(&mut self, ctx: &mut Ctx<'_>, run: RunId, screen: &mut Screen) -> Result<Pressed, CliError> {
        let count = ctx.interrupt.count();
        if count > self.seen {
            let first = self.seen == 0;
            self.seen = count;
            screen.clear(ctx.io);
            if first && count == 1 {
                self.at = Some(Instant::now() + Duration::from_secs(LEAVE_SECONDS));
                ctx.io.say(left(ctx.backend.place(), run));
            } else {
                self.at = None;
                // It may have ended meanwhile: then there is nothing to cancel.
                match ctx.backend.cancel(run) {
                    Ok(()) => ctx.io.say(format_args!("cancelling run {run}")),
                    Err(error) if error.exit() == crate::cli::error::Exit::Refused => {}
                    Err(error) => return Err(error),
                }
            }
        }
        let leaves = self.at.is_some_and(|at| Instant::now() >= at);
        Ok(if leaves { Pressed::Leave } else { Pressed::Nothing })
    }
}

/// How to come back to a run that is left.
pub fn left(place: Place<'_>, run: RunId) -> String {
    let (goes_on, words) = match place {
        Place::Here => ("in a worker", String::new()),
        Place::Holder => ("without you", String::new()),
        Place::Server(url) => ("at the server", format!(" --server {url}")),
    };
    format!(
        "leaving run {run}, which goes on {goes_on}: `artdag{words} watch {run}` comes back to it, \
         Ctrl-C within {LEAVE_SECONDS} s cancels it"
    )
}

/// The progress that is shown: on a terminal a bar, elsewhere a line where there is something
/// to say.
#[derive(Default)]
struct Shown {
    screen: Screen,
    done: u64,
    nodes: u64,
    fraction: f64,
    node: String,
    /// How far that node is.
    words: String,
    /// The run whose value was last waited for.
    waits: Option<RunId>,
}

impl Shown {
    fn take(&mut self, ctx: &mut Ctx<'_>, happened: &Happened) {
        match happened {
            Happened::Run(view) => {
                (self.done, self.nodes, self.fraction) =
                    (view.progress.done, view.progress.nodes, view.progress.fraction);
            }
            Happened::Progress(advance @ Advance { done, nodes, fraction, node, .. }) => {
                (self.done, self.nodes, self.fraction) = (*done, *nodes, *fraction);
                self.words = advance.words().unwrap_or_default();
                if let Some(node) = node {
                    self.node.clone_from(node);
                }
            }
            Happened::Node(NodeChange { waits_for: Some(on), .. }) if !ctx.quiet && self.waits != Some(*on) => {
                self.waits = Some(*on);
                self.screen.clear(ctx.io);
                ctx.io.say(format_args!("waiting for a value that run {on} is making"));
            }
            Happened::Node(NodeChange { node, state, .. }) if state == "running" => {
                self.node.clone_from(node);
            }
            Happened::Reconnecting if !ctx.quiet => {
                self.screen.clear(ctx.io);
                ctx.io.say("the way to the server is lost; trying again");
            }
            _ => {}
        }
        if !ctx.quiet && self.nodes > 0 && self.screen.is_due() {
            let bar = bar((self.fraction * 1000.0) as u64, 1000);
            let line = format!("{bar} {}/{} nodes  {}  {}", self.done, self.nodes, self.node, self.words);
            let line = line.trim_end().to_owned();
            self.screen.draw(ctx.io, &[line]);
        }
    }
}

/// `[=====>     ]`
pub fn bar(done: u64, of: u64) -> String {
    const WIDTH: u64 = 30;
    let filled = (done.min(of) * WIDTH).checked_div(of).unwrap_or(0) as usize;
    let head = if filled < WIDTH as usize { ">" } else { "" };
    format!("[{:WIDTH$}]", "=".repeat(filled) + head, WIDTH = WIDTH as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_grows_from_nothing_to_full() {
        assert_eq!(bar(0, 0), format!("[>{}]", " ".repeat(29)));
        assert_eq!(bar(1, 2), format!("[{}>{}]", "=".repeat(15), " ".repeat(14)));
        assert_eq!(bar(7, 7), format!("[{}]", "=".repeat(30)));
    }

    #[test]
    fn whoever_leaves_is_told_how_to_come_back() {
        let run = RunId::new();
        assert!(left(Place::Here, run).contains(&format!("`artdag watch {run}`")));
        let away = left(Place::Server("http://host:1"), run);
        assert!(away.contains(&format!("`artdag --server http://host:1 watch {run}`")), "{away}");
    }
}
