//! One run: what came out, how it came about, and what can be done with it.

mod actions;
mod commands;
mod facts;
mod nodes;
mod panel;
mod proof;
mod same;
mod timeline;

pub use actions::{act, ask_delete, delete, publish};
pub use facts::player;

use axum::extract::State;
use axum::response::Response;
use maud::html;

use crate::engine::views::{BlobInfo, PlanView, RunView};
use crate::engine::{Engine, EngineError};
use crate::http::App;
use crate::http::error::ApiResult;
use crate::http::extract::PathRun;
use crate::http::query::QueryWords;
use crate::http::ui::icons;
use crate::http::ui::shell::Page;
use crate::http::ui::visitor::Visitor;
use crate::records::RunRow;

/// What the page is about.
struct Seen {
    run: RunView,
    /// What was asked for.
    row: RunRow,
    /// Its plan, or why there is none now.
    plan: Result<PlanView, String>,
    /// What is known of the output.
    output: Option<BlobInfo>,
    /// What is known of the first picture that it read.
    before: Option<BlobInfo>,
    /// The provenance record.
    record: Option<serde_json::Value>,
}

impl Seen {
    fn of(engine: &Engine, run: crate::base::RunId) -> Result<Self, EngineError> {
        let row = engine.run_row(run)?;
        let view = engine.view_of(run, &row)?;
        let mut plan = engine.run_plan(run).map_err(|error| error.to_string());
        if let (Ok(plan), false) = (&mut plan, view.status.is_final()) {
            // A value that was just made may not be recorded yet: nobody can look at it before.
            let unrecorded = |hash: &crate::base::ContentHash| engine.describe(hash).is_err();
            for node in plan.nodes.iter_mut().filter(|node| node.output_hash.as_ref().is_some_and(unrecorded)) {
                node.output_hash = None;
            }
        }
        // What is gone is shown as gone, not as an error of the page.
        let output = view.output_hash.and_then(|hash| engine.blob_info(&hash).ok());
        let first = view.bindings.values().find_map(|bound| facts::hashes(bound).first().copied());
        let before = first.and_then(|hash| engine.blob_info(&hash).ok());
        let record = view.provenance_hash.and_then(|_| engine.provenance(&run.to_string()).ok());
        let record = record.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(Self { run: view, row, plan, output, before, record })
    }
}

/// `/run/{run_id}`
pub async fn page(
    State(app): State<App>,
    visitor: Visitor,
    PathRun(run): PathRun,
    mut query: QueryWords,
) -> ApiResult<Response> {
    let sight = nodes::Sight::new(query.text("node"), query.texts("open"), query.text("find"));
    query.finish()?;
    let node = sight.node.clone();
    let _turn = app.turn().await;
    let (seen, panel) = app
        .blocking(move |engine| {
            let seen = Seen::of(engine, run)?;
            let panel = node.and_then(|node| panel::Panel::of(engine, &seen, &node));
            Ok((seen, panel))
        })
        .await?;
    let view = &seen.run;
    let body = html! {
        (icons::of_states())
        article data-run-page=(view.run_id) data-final=[view.status.is_final().then_some("")] {
            (actions::head(&visitor, view))
            div.split {
                (facts::output(&seen))
                (facts::facts(&seen))
            }
            @match &seen.plan {
                Ok(plan) => {
                    @let nodes = nodes::Nodes::new(view, plan, &sight);
                    (nodes.graph())
                    div id="node" data-live="" { @if let Some(panel) = &panel { (panel.show(view, &sight)) } }
                    (nodes.table())
                    (timeline::timeline(view, plan))
                }
                Err(why) => section { h2 { "Nodes" } p.note { "Its plan cannot be made now: " (why) } },
            }
            (proof::proof(view, seen.record.as_ref()))
        }
    };
    let page = Page::new("/runs", view.output_name.clone()).script("live.js").script("run.js");
    let page = page.script("graph.js").script("compare.js");
    let page = page.api(format!("GET /runs/{run}")).command(format!("artdag run-show {run}"));
    Ok(page.show(&visitor, &body))
}
