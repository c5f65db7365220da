//! The first page: how the server is, in one word and five numbers, and what it did last.

use axum::response::Response;
use maud::{Markup, html};

use crate::engine::views::RunView;
use crate::engine::{Counts, Engine, EngineError, RunFilter, Storage};
use crate::http::App;
use crate::http::error::ApiResult;
use crate::http::query::QueryWords;
use crate::http::ui::icons::icon;
use crate::http::ui::runs::row;
use crate::http::ui::shell::{self, Page};
use crate::http::ui::visitor::Visitor;
use crate::http::ui::words;
use crate::records::RunStatus;

/// Runs on the first page.
const LAST: usize = 8;

/// What the page is about.
struct Facts {
    counts: Counts,
    storage: Storage,
    paused: bool,
    trouble: bool,
    ffmpeg: bool,
    last: Vec<RunView>,
    failed: Vec<RunView>,
}

fn facts(engine: &Engine) -> Result<Facts, EngineError> {
    let last = |status: Option<RunStatus>, most: usize| {
        let filter = RunFilter { status, ..RunFilter::default() };
        let page = engine.runs_page(&filter, None, most)?;
        engine.views_of(&page.items)
    };
    Ok(Facts {
        counts: engine.run_counts()?,
        storage: engine.storage()?,
        paused: engine.queue_paused()?,
        trouble: engine.degraded().is_some(),
        ffmpeg: engine.has_ffmpeg(),
        last: last(None, LAST)?,
        failed: last(Some(RunStatus::Failed), 3)?,
    })
}

/// `/`
pub async fn page(app: App, visitor: Visitor, query: QueryWords) -> ApiResult<Response> {
    query.finish()?;
    let facts = app.blocking(facts).await?;
    let (word, about) = word(&facts);
    let body = html! {
        div.hero id="now" data-live="" {
            div {
                h1 class={ "word w-" (word) } { (word) }
                p.muted { (about) }
            }
            (numbers(&facts))
        }
        @if facts.paused { (paused(&visitor)) }
        @if !facts.ffmpeg {
            p.note { (icon("failed")) " No ffmpeg was found: pictures work, films and sounds do not. " code { "apt install ffmpeg" } }
        }
        @if facts.last.is_empty() { (first_run(&visitor)) } @else {
            section id="last" data-live="" {
                div.head { h2 { "Last runs" } a href="/runs" { "All runs" } }
                ul.rows { @for run in &facts.last { (row(run, false)) } }
            }
            @if !facts.failed.is_empty() && facts.last.iter().all(|run| run.status != RunStatus::Failed) {
                section id="failures" data-live="" {
                    div.head { h2 { "Last failures" } a href="/runs?status=failed" { "All of them" } }
                    ul.rows { @for run in &facts.failed { (row(run, false)) } }
                }
            }
            section {
                div.head { h2 { "Go on" } }
                p.ways {
                    a.button href="/effects" { "Try an effect" } " "
                    a.button href="/recipes" { "Run a recipe" } " "
                    a.button href="/media#upload" { "Add media" }
                }
            }
        }
    };
    let page = Page::new("/", "Now").script("live.js").api("GET /").command("artdag runs");
    Ok(page.show(&visitor, &body))
}

/// How the server is, in one word, and in a sentence.
fn word(facts: &Facts) -> (&'static str, String) {
    let Counts { pending, running, .. } = facts.counts;
    if facts.trouble {
        ("troubled", "The storage takes no writes; the server tries again by itself.".to_owned())
    } else if running > 0 {
        let waiting = if pending > 0 { format!(", {} waiting", words::number(pending)) } else { String::new() };
        ("rendering", format!("{} under way{waiting}.", words::count(running, "run", "runs")))
    } else if facts.paused {
        ("paused", format!("The queue is stopped; {} waiting.", words::count(pending, "run is", "runs are")))
    } else if pending > 0 {
        ("waiting", format!("{} to be begun or released.", words::count(pending, "run is", "runs are")))
    } else {
        ("idle", "Nothing is waiting. Ready for the next run.".to_owned())
    }
}

fn numbers(facts: &Facts) -> Markup {
    let (counts, storage) = (&facts.counts, &facts.storage);
    let one = |name: &str, value: String, address: &str, more: String| {
        html! {
            a.number href=(address) {
                span.value { (value) } " " span.name { (name) } " " span.more { (more) }
            }
        }
    };
    html! {
        div.numbers {
            (one("running", words::number(counts.running), "/runs?status=running", format!("{} waiting", words::number(counts.pending))))
            (one("completed", words::number(counts.completed), "/runs?status=completed", format!("{} in all", words::number(counts.all()))))
            (one("failed", words::number(counts.failed), "/runs?status=failed", format!("{} cancelled", words::number(counts.cancelled))))
            (one("media", words::number(storage.blobs), "/media", words::bytes(storage.bytes)))
            (one("free", words::bytes(storage.free_bytes), "/storage", format!("{} can be made again", words::bytes(storage.derived_bytes))))
        }
    }
}

fn paused(visitor: &Visitor) -> Markup {
    html! {
        div.note {
            (icon("held")) " The queue is paused: no waiting run is begun. "
            @if visitor.administers { (shell::button(visitor, "/queue/act", "button", "play", "Go on")) }
        }
    }
}

/// What a new home can do at once.
fn first_run(visitor: &Visitor) -> Markup {
    html! {
        section.first.card {
            a.stage href="/cache/cat" { img src="/cache/cat" alt="The cat that every home has" width="320" height="320"; }
            div {
                h2 { "Render something" }
                p { "Every home begins with a cat. Give it to an effect; what comes out can be traced back to its last byte." }
                @if visitor.runs {
                    form.inline method="post" action="/recipe/dog/run" {
                        (shell::token(visitor))
                        input type="hidden" name="input.input" value="cat";
                        button.button.main { (icon("play")) span { "Draw the cat in ink" } }
                    }
                }
                p.muted { "The same from a shell: " code { "artdag render dog cat --sync" } }
                p { a href="/effects" { "All effects" } " · " a href="/recipes" { "Write a recipe" } " · " a href="/media#upload" { "Bring your own media" } }
            }
        }
    }
}
