//! When the nodes of a run were at work: one bar each, cut into wait, work and store.

use maud::{Markup, html};

use crate::engine::views::{PlanNodeView, PlanView, RunView};
use crate::http::ui::words;

/// Bars; of more nodes the longest are shown.
const BARS: usize = 60;
/// Height of a bar's row.
const ROW: usize = 22;
/// Width of the picture; it is stretched to the page's.
const WIDTH: f64 = 1000.0;

/// A node's times, in seconds since the run was asked for.
#[derive(Debug, PartialEq)]
struct Bar<'a> {
    id: &'a str,
    state: &'a str,
    /// When all that it reads was there.
    ready: f64,
    /// When its stage was begun.
    start: f64,
    /// When its value was there, and began to be stored.
    made: f64,
    /// When it was stored.
    end: f64,
}

impl<'a> Bar<'a> {
    fn of(run: &RunView, node: &'a PlanNodeView) -> Option<Self> {
        let since = |time: crate::base::Timestamp| time.seconds_since(run.created_at);
        let start = since(node.started_at?);
        let end = node.completed_at.map_or(start, since).max(start);
        Some(Self {
            id: node.id.as_str(),
            state: node.state.as_ref(),
            ready: node.ready_at.map_or(start, since).min(start),
            start,
            made: (end - node.store_seconds.unwrap_or_default()).max(start),
            end,
        })
    }

    fn wait(&self) -> f64 {
        self.start - self.ready
    }

    fn work(&self) -> f64 {
        self.made - self.start
    }

    fn store(&self) -> f64 {
        self.end - self.made
    }
}

/// The picture, and a table that says the same, once something has begun.
pub fn timeline(run: &RunView, plan: &PlanView) -> Markup {
    let mut bars: Vec<Bar<'_>> = plan.nodes.iter().filter_map(|node| Bar::of(run, node)).collect();
    let all = bars.len();
    bars.sort_by(|a, b| (b.end - b.ready).total_cmp(&(a.end - a.ready)));
    bars.truncate(BARS);
    bars.sort_by(|a, b| a.start.total_cmp(&b.start));
    let ended = run.completed_at.map_or(0.0, |end| end.seconds_since(run.created_at));
    let total = bars.iter().map(|bar| bar.end).fold(ended, f64::max).max(1e-6);
    html! {
        section id="timeline" data-live="" {
            @if !bars.is_empty() {
                div.head { h2 { "Time" } span.muted { (words::duration(total)) " from the request to the end" } }
                (key())
                div.time-chart {
                    ol.time-names aria-hidden="true" { @for bar in &bars { li { (words::within(bar.id, 22)) } } }
                    (picture(run, &bars, total))
                    ol.time-took aria-hidden="true" { @for bar in &bars { li { (words::duration(bar.end - bar.start)) } } }
                }
                (table(&bars))
                @if all > BARS { p.muted { "The " (BARS) " longest of " (all) "." } }
            }
        }
    }
}

fn key() -> Markup {
    let part = |class: &str, name: &str, about: &str| {
        html! { li title=(about) { svg.swatch viewBox="0 0 10 10" width="10" height="10" aria-hidden="true" { rect class=(class) width="10" height="10" rx="2" {} } (name) } }
    };
    html! {
        ul.time-key {
            (part("idle", "wait", "All that it reads was there, and it had no turn yet"))
            (part("bar", "work", "From the start of its stage to its value"))
            (part("store", "store", "Its value was written to the cache, to the disk"))
        }
    }
}

fn picture(run: &RunView, bars: &[Bar<'_>], total: f64) -> Markup {
    let x = |seconds: f64| format!("{:.2}", seconds / total * WIDTH);
    // What took any time at all is to be seen.
    let wide = |seconds: f64, least: f64| format!("{:.2}", (seconds / total * WIDTH).max(least));
    let began = run.started_at.map(|start| start.seconds_since(run.created_at));
    html! {
        svg viewBox={ "0 0 " (WIDTH) " " (bars.len() * ROW) } width=(WIDTH) height=(bars.len() * ROW) preserveAspectRatio="none" role="img"
            aria-label="When each node waited, worked and stored its value; the table below has the times" {
            @if let Some(began) = began { rect.wait x="0" y="0" width=(x(began)) height=(bars.len() * ROW) {} }
            @for (at, bar) in bars.iter().enumerate() {
                g {
                    title { (bar.id) ": waited " (words::duration(bar.wait())) ", worked " (words::duration(bar.work())) ", stored " (words::duration(bar.store())) }
                    @if bar.wait() > 0.0 { rect.idle x=(x(bar.ready)) y=(at * ROW + 8) width=(wide(bar.wait(), 0.0)) height=(ROW - 16) {} }
                    rect class={ "bar s-" (bar.state) } x=(x(bar.start)) y=(at * ROW + 4) width=(wide(bar.work(), 2.0)) height=(ROW - 8) {}
                    @if bar.store() > 0.0 { rect.store x=(x(bar.made)) y=(at * ROW + 4) width=(wide(bar.store(), 1.0)) height=(ROW - 8) {} }
                }
            }
        }
    }
}

fn table(bars: &[Bar<'_>]) -> Markup {
    html! {
        details.twin {
            summary { "Times as a table" }
            div.scroll tabindex="0" role="group" aria-label="Times" {
                table {
                    thead { tr { th scope="col" { "Node" } th.num scope="col" { "Began after" } th.num scope="col" { "Waited" } th.num scope="col" { "Worked" } th.num scope="col" { "Stored" } } }
                    tbody {
                        @for bar in bars {
                            tr {
                                th scope="row" { (bar.id) }
                                td.num { (words::duration(bar.start)) }
                                td.num { (words::duration(bar.wait())) }
                                td.num { (words::duration(bar.work())) }
                                td.num { (words::duration(bar.store())) }
                            }
                        }
                    }
                }
            }
        }
    }
}
