//! Waiting for a run, with its progress: a bar on a terminal, a line where there is something
//! to say elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::base::RunId;
use crate::cli::ctx::Ctx;
use crate::cli::error::CliError;
use crate::engine::events::{NodeState, RunEvent, Subscription, What};
use crate::records::RunRow;

/// Waits until the run has ended; Ctrl-C cancels it.
pub fn wait(ctx: &mut Ctx<'_>, run: RunId, events: &mut Subscription) -> Result<RunRow, CliError> {
    let bar = (ctx.io.terminal.is_some() && !ctx.quiet).then(bar);
    let mut cancelled = false;
    loop {
        if ctx.interrupt.is_set() && !cancelled {
            cancelled = true;
            // It may have ended meanwhile: then there is nothing to cancel.
            if ctx.engine.cancel(run).is_ok() {
                ctx.io.say(format_args!("cancelling run {run}"));
            }
        }
        match events.next_within(Duration::from_millis(50)) {
            Some(event) if event.run != run => {}
            Some(RunEvent { what: What::Status(status), .. }) if status.is_final() => break,
            Some(event) => show(ctx, bar.as_ref(), &event),
            None if ctx.engine.run_row(run)?.status.is_final() => break,
            None => {}
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    Ok(ctx.engine.wait(run)?)
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{spinner} [{bar:30}] {pos}/{len} nodes  {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn show(ctx: &mut Ctx<'_>, bar: Option<&ProgressBar>, event: &RunEvent) {
    match &event.what {
        What::Progress { done, nodes } => {
            if let Some(bar) = bar {
                bar.set_length(*nodes);
                bar.set_position(*done);
            }
        }
        What::Node { node, state: NodeState::Running } => {
            if let Some(bar) = bar {
                bar.set_message(crate::cli::table::printable(node.as_str()));
            }
        }
        What::Waits { on } if !ctx.quiet => ctx.io.say(format_args!("waiting for a value that run {on} is making")),
        _ => {}
    }
}
