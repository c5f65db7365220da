//! `artdag watch RUN`

use std::io::Write as _;
use std::time::Instant;

use crate::cli::args::Format;
use crate::cli::backend::follow::Happened;
use crate::cli::board::Board;
use crate::cli::ctx::Ctx;
use crate::cli::error::{CliError, Exit};
use crate::cli::screen::Screen;
use crate::cli::{outcome, output, wait};
use crate::engine::views::RunView;

/// Arguments of `watch`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run's id, the beginning of one, or `latest`
    pub run: String,
}

/// Follows a run to its end; the exit code is the run's.
pub fn run(args: &Args, ctx: &mut Ctx<'_>) -> Result<Exit, CliError> {
    let run = ctx.backend.find_run(&args.run)?;
    let backend = ctx.backend;
    let mut follow = backend.follow(run)?;
    let mut shown = Shown { board: None, screen: Screen::default() };
    loop {
        if ctx.interrupt.is_set() {
            shown.screen.clear(ctx.io);
            backend.leave(run)?;
            ctx.io.say(format_args!("run {run} goes on; `artdag watch {run}` comes back to it"));
            return Ok(Exit::Interrupted);
        }
        let happened = follow.next(wait::LOOK)?;
        if let Some(happened) = &happened {
            shown.take(ctx, happened)?;
        }
        match happened {
            Some(Happened::Run(view)) if view.status.is_final() => {
                shown.draw(ctx, true);
                return Ok(ended(ctx, &view));
            }
            _ => shown.draw(ctx, false),
        }
    }
}

struct Shown {
    /// Made with the first news of a run that has not ended.
    board: Option<Board>,
    screen: Screen,
}

impl Shown {
    fn take(&mut self, ctx: &mut Ctx<'_>, happened: &Happened) -> Result<(), CliError> {
        match ctx.format {
            Format::Ndjson => {
                ctx.io.data(output::line(happened));
                let _ = ctx.io.out.flush();
                return Ok(());
            }
            Format::Json => return Ok(()),
            Format::Table if ctx.quiet => return Ok(()),
            Format::Table => {}
        }
        if self.board.is_none()
            && let Happened::Run(run) = happened
            && !run.status.is_final()
        {
            let plan = ctx.backend.run_plan(run.run_id)?;
            self.board = Some(Board::new((**run).clone(), plan, Instant::now()));
        }
        let Some(board) = &mut self.board else { return Ok(()) };
        if board.is_lost()
            && let Happened::Run(run) = happened
        {
            board.catch_up(&ctx.backend.run_plan(run.run_id)?, Instant::now());
        }
        board.take(happened, Instant::now());
        if ctx.io.terminal.is_some() {
            return Ok(());
        }
        match happened {
            Happened::Run(run) if !run.status.is_final() => {
                let progress = run.progress;
                ctx.io.data(format_args!("{}, {} of {} nodes done", run.status, progress.done, progress.nodes));
            }
            Happened::Node(change) => ctx.io.data(crate::cli::table::printable(&board.line(change))),
            Happened::Reconnecting => ctx.io.say("the way to the server is lost; trying again"),
            Happened::Run(_) | Happened::Progress(_) => {}
        }
        // Whoever reads wants it now.
        let _ = ctx.io.out.flush();
        Ok(())
    }

    fn draw(&mut self, ctx: &mut Ctx<'_>, last: bool) {
        if let (Some(board), Some(size)) = (&self.board, ctx.io.terminal)
            && (last || self.screen.is_due())
        {
            self.screen.draw(ctx.io, &board.lines(usize::from(size.rows).saturating_sub(1), Instant::now()));
        }
    }
}

fn ended(ctx: &mut Ctx<'_>, run: &RunView) -> Exit {
    match ctx.format {
        Format::Ndjson => return outcome::exit(run),
        Format::Json => output::one(ctx.io, ctx.format, ctx.quiet, run, "", |_| String::new()),
        Format::Table => {
            let output = run.output_hash.map(|hash| hash.to_string()).unwrap_or_default();
            if !ctx.quiet {
                ctx.io.data(format_args!("{}  {output}", run.status));
            } else if !output.is_empty() {
                ctx.io.data(output);
            }
        }
    }
    if run.output_hash.is_some() {
        outcome::completed(ctx, run);
    } else {
        outcome::say_why(ctx, run);
    }
    outcome::exit(run)
}
