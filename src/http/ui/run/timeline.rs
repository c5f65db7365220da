//! When the nodes of a run were at work: one bar each, and its wait before.

use maud::{Markup, html};

use crate::engine::views::{PlanView, RunView};
use crate::http::ui::words;

/// Bars; of more nodes the longest are shown.
const BARS: usize = 60;
/// Height of a bar's row.
const ROW: usize = 22;
/// Width of the picture; it is stretched to the page's.
const WIDTH: f64 = 1000.0;

/// The picture, once something has begun. The table of nodes says the same in numbers.
pub fn timeline(run: &RunView, plan: &PlanView) -> Markup {
    let mut bars: Vec<(&str, &str, f64, f64)> = plan
        .nodes
        .iter()
        .filter_map(|node| {
            let start = node.started_at?.seconds_since(run.created_at);
            let end = node.completed_at.map_or(start, |end| end.seconds_since(run.created_at));
            Some((node.id.as_str(), node.state.as_ref(), start, end))
        })
        .collect();
    let all = bars.len();
    bars.sort_by(|a, b| (b.3 - b.2).total_cmp(&(a.3 - a.2)));
    bars.truncate(BARS);
    bars.sort_by(|a, b| a.2.total_cmp(&b.2));
    let ended = run.completed_at.map_or(0.0, |end| end.seconds_since(run.created_at));
    let total = bars.iter().map(|bar| bar.3).fold(ended, f64::max).max(1e-6);
    let x = |seconds: f64| format!("{:.2}", seconds / total * WIDTH);
    let wide = |from: f64, to: f64| format!("{:.2}", ((to - from) / total * WIDTH).max(2.0));
    let began = run.started_at.map(|start| start.seconds_since(run.created_at));
    html! {
        section id="timeline" data-live="" {
            @if !bars.is_empty() {
                div.head { h2 { "Time" } span.muted { (words::duration(total)) " from the request to the end" } }
                div.time-chart {
                    ol.time-names aria-hidden="true" { @for bar in &bars { li { (words::within(bar.0, 22)) } } }
                    svg viewBox={ "0 0 " (WIDTH) " " (bars.len() * ROW) } width=(WIDTH) height=(bars.len() * ROW) preserveAspectRatio="none" role="img"
                        aria-label="When each node was at work; the table of nodes has the times" {
                        @if let Some(began) = began { rect.wait x="0" y="0" width=(x(began)) height=(bars.len() * ROW) {} }
                        @for (at, (id, state, start, end)) in bars.iter().enumerate() {
                            rect class={ "bar s-" (state) } x=(x(*start)) y=(at * ROW + 4) width=(wide(*start, *end)) height=(ROW - 8) rx="2" {
                                title { (id) ": " (words::duration(end - start)) }
                            }
                        }
                    }
                    ol.time-took { @for (_, _, start, end) in &bars { li { (words::duration(end - start)) } } }
                }
                @if all > BARS { p.muted { "The " (BARS) " longest of " (all) "." } }
            }
        }
    }
}
