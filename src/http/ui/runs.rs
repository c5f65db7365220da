//! The list of runs: found by filters that live in the address, and dealt with many at a time.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use crate::base::RunId;
use crate::base::limits::BULK_RUNS;
use crate::engine::views::RunView;
use crate::engine::{Counts, Freed, RunFilter};
use crate::http::App;
use crate::http::auth::Principal;
use crate::http::error::{ApiError, ApiResult};
use crate::http::paging::{List, Next, Paging};
use crate::http::query::{QueryWords, path_part};
use crate::http::route::Need;
use crate::http::ui::form::PageForm;
use crate::http::ui::icons::{icon, state};
use crate::http::ui::shell::{self, Page};
use crate::http::ui::thumb::thumb;
use crate::http::ui::visitor::Visitor;
use crate::http::ui::words;
use crate::records::RunStatus;

/// Runs that the page shows at once: each is a dozen elements and a picture.
const SHOWN: usize = 50;

/// `/runs`
pub async fn page(app: App, visitor: Visitor, mut query: QueryWords) -> ApiResult<Response> {
    let paging = Paging::of_page(List::Runs, SHOWN, &mut query);
    let word = query.text("status").filter(|word| !word.is_empty());
    let status = word.as_deref().and_then(RunStatus::parse);
    if word.is_some() && status.is_none() {
        query.problem("status", "enum", "\"status\" is pending, running, completed, failed or cancelled");
    }
    // An empty field of the form asks for nothing.
    let recipe = query.text("recipe").filter(|text| !text.is_empty());
    let hash = |text: Option<String>| text.filter(|text| !text.is_empty()).map(|text| text.parse());
    let (input, output) = (hash(query.text("input")), hash(query.text("output")));
    if matches!(input, Some(Err(_))) || matches!(output, Some(Err(_))) {
        query.problem("input", "value_error", "\"input\" and \"output\" are content hashes");
    }
    let here = query.finish()?;
    let (input, output) = (input.and_then(Result::ok), output.and_then(Result::ok));
    let filter = RunFilter { status, recipe: recipe.clone(), input, output };
    let (before, limit) = (paging.after_run(), paging.limit);
    let looked = app.blocking(move |engine| {
        let page = engine.runs_page(&filter, before, limit)?;
        Ok((engine.views_of(&page.items)?, page.next, engine.run_counts()?))
    });
    let (runs, next, counts) = looked.await?;
    let narrowed = recipe.is_some() || input.is_some() || output.is_some();
    let body = html! {
        div.head { h1 { "Runs" } }
        (filters(status, recipe.as_deref(), &counts))
        @if let Some(hash) = input { p.note { "Only runs that read " (words::hash(&hash)) ". " a href="/runs" { "All runs" } } }
        @if let Some(hash) = output { p.note { "Only runs that gave " (words::hash(&hash)) ". " a href="/runs" { "All runs" } } }
        form method="post" action="/runs/act" data-select="" {
            (shell::token(&visitor))
            @if !runs.is_empty() && visitor.runs { (bulk(&visitor)) }
            div id="list" data-live="" {
                @if runs.is_empty() {
                    @let words = if narrowed || status.is_some() { "No run is like that." } else { "Nothing has been run yet." };
                    (shell::empty(words, &html! { p { a.button href="/effects" { "Try an effect" } " " a.button href="/runs" { "All runs" } } }))
                } @else {
                    ul.rows { @for run in &runs { (row(run, visitor.runs)) } }
                }
            }
        }
        @if let Some(next) = next {
            p.more { a.button rel="next" href=(paging.link(&here, Next::from(next))) { "Older runs" } }
        }
    };
    let asked = status.map(|status| format!("?status={status}")).unwrap_or_default();
    let page = Page::new("/runs", "Runs").script("live.js").script("select.js");
    let page = page.api(format!("GET /runs{asked}")).command("artdag runs");
    Ok(page.show(&visitor, &body))
}

fn filters(status: Option<RunStatus>, recipe: Option<&str>, counts: &Counts) -> Markup {
    let more = recipe.map(|recipe| format!("&recipe={}", path_part(recipe))).unwrap_or_default();
    let tab = |of: Option<RunStatus>, count: u64| {
        let address = match of {
            Some(of) => format!("/runs?status={of}{more}"),
            None => format!("/runs{}", more.replacen('&', "?", 1)),
        };
        let current = (of == status).then_some("page");
        html! {
            a href=(address) aria-current=[current] {
                @if let Some(of) = of { (icon(of.word())) (of.word()) } @else { "all" }
                span.count { (words::number(count)) }
            }
        }
    };
    html! {
        div.filters {
            nav.tabs aria-label="By status" id="tabs" data-live="" {
                (tab(None, counts.all()))
                @for of in [RunStatus::Running, RunStatus::Pending, RunStatus::Completed, RunStatus::Failed, RunStatus::Cancelled] {
                    (tab(Some(of), counts.of(of)))
                }
            }
            form.find method="get" action="/runs" role="search" {
                @if let Some(status) = status { input type="hidden" name="status" value=(status); }
                input type="search" name="recipe" value=[recipe] placeholder="Recipe or effect" aria-label="Recipe or effect";
                button.button { "Find" }
            }
        }
    }
}

fn bulk(visitor: &Visitor) -> Markup {
    html! {
        div.bulk {
            label.check { input type="checkbox" data-all="" hidden; span data-chosen="" { "With those chosen:" } }
            button.button.quiet name="action" value="cancel" { (icon("cancelled")) span { "Cancel" } }
            @if visitor.deletes {
                button.button.quiet name="action" value="delete" { (icon("trash")) span { "Delete…" } }
            }
        }
    }
}

/// A run in a list.
pub fn row(run: &RunView, chosen: bool) -> Markup {
    let id = run.run_id.to_string();
    let took = run.started_at.zip(run.completed_at).map(|(start, end)| end.seconds_since(start));
    let word = if run.held { "held" } else { run.status.word() };
    html! {
        li.run data-run=(id) {
            @if chosen { input.pick type="checkbox" name="run" value=(id) aria-label={ "Choose " (run.output_name) }; }
            a.pic href={ "/run/" (id) } tabindex="-1" aria-hidden="true" { (thumb(run.output_hash.as_ref(), run.output_media_type.as_deref())) }
            div.what {
                a.name href={ "/run/" (id) } { (run.output_name) }
                p.muted {
                    a href={ "/recipe/" (recipe_word(run)) } { (run.recipe) }
                    " · " span.id { (words::run_short(run.run_id)) }
                    @if let Some(name) = &run.username { " · " (name) }
                    @if run.verifies.is_some() { " · verifies" }
                }
                @if let Some(error) = &run.error { p.error { (error) } }
            }
            div.how {
                (state(word))
                @if let Some(verdict) = run.verdict { " " span.badge { (format!("{verdict:?}").to_lowercase()) } }
            }
            div.far {
                progress max=(run.progress.nodes.max(1)) value=(run.progress.done) aria-label={ (run.progress.done) " of " (run.progress.nodes) " nodes" } {}
                span.muted data-count="" {
                    (run.progress.done) "/" (run.progress.nodes)
                    @if run.progress.cached > 0 { " · " (run.progress.cached) " known" }
                }
            }
            div.when.muted {
                (words::ago(run.created_at))
                @if let Some(took) = took { br; span title="from its start to its end" { (words::duration(took)) } }
            }
        }
    }
}

/// What a run's recipe is found by: the config's id, or the effect's name.
pub fn recipe_word(run: &RunView) -> String {
    run.config_id.map_or_else(|| path_part(&run.recipe), |id| id.to_string())
}

/// `POST /runs/act`: something with many runs. What deletes is asked about first.
pub async fn act(State(app): State<App>, visitor: Visitor, form: PageForm) -> ApiResult<Response> {
    let runs: Vec<RunId> = form.all("run").take(BULK_RUNS).filter_map(|word| word.parse().ok()).collect();
    let action = form.text("action").unwrap_or_default();
    if runs.is_empty() {
        return Ok(shell::see("/runs"));
    }
    match action {
        "cancel" => {
            let refused = each(&app, runs, |app, run| app.engine.cancel(run).map(|()| 0)).await?.1;
            Ok(done(&visitor, "Cancelled", 0, &refused))
        }
        "delete" => {
            may_delete(&app, &visitor.principal)?;
            if form.text("sure") == Some("yes") {
                let (freed, refused) =
                    each(&app, runs, |app, run| app.engine.delete_run(run, false).map(|freed| freed.freed_bytes))
                        .await?;
                return Ok(done(&visitor, "Deleted", freed, &refused));
            }
            let asked = runs.clone();
            let looked = app.on_thread(move |app| {
                Ok(asked
                    .into_iter()
                    .map(|run| (run, app.engine.delete_run(run, true).map_err(|error| error.to_string())))
                    .collect::<Vec<_>>())
            });
            Ok(ask(&visitor, &looked.await?))
        }
        _ => Err(ApiError::invalid(&["body", "action"], "enum", "\"action\" is cancel or delete")),
    }
}

fn may_delete(app: &App, who: &Principal) -> ApiResult<()> {
    app.auth.allows(who, Need::Delete)
}

/// Does something to each run; the sum of what it answers, and refusals.
async fn each(
    app: &App,
    runs: Vec<RunId>,
    change: fn(&App, RunId) -> Result<u64, crate::engine::EngineError>,
) -> ApiResult<(u64, Vec<(RunId, String)>)> {
    let done = app.on_thread(move |app| {
        let (mut sum, mut refused) = (0, Vec::new());
        for run in runs {
            match change(app, run) {
                Ok(part) => sum += part,
                Err(error) => refused.push((run, error.to_string())),
            }
        }
        Ok((sum, refused))
    });
    done.await
}

fn done(visitor: &Visitor, what: &str, freed: u64, refused: &[(RunId, String)]) -> Response {
    if refused.is_empty() {
        return shell::see("/runs");
    }
    let body = html! {
        section.card.narrow {
            h1 { (what) ", but not all" }
            @if freed > 0 { p { (words::bytes(freed)) " freed." } }
            ul.plain { @for (run, why) in refused { li { a href={ "/run/" (run) } { (words::run_short(*run)) } ": " (why) } } }
            p { a.button href="/runs" { "Back to the runs" } }
        }
    };
    Page::new("/runs", what).show(visitor, &body)
}

/// Says what deleting would do, and asks.
fn ask(visitor: &Visitor, looked: &[(RunId, Result<Freed, String>)]) -> Response {
    let freed: u64 = looked.iter().filter_map(|(_, freed)| freed.as_ref().ok()).map(|freed| freed.freed_bytes).sum();
    let fine = looked.iter().filter(|(_, freed)| freed.is_ok()).count() as u64;
    let body = html! {
        section.card.narrow {
            h1 { "Delete " (words::count(fine, "run", "runs")) "?" }
            p { "This frees about " strong { (words::bytes(freed)) } ". Uploads stay." }
            ul.plain {
                @for (run, freed) in looked {
                    li {
                        a href={ "/run/" (run) } { (words::run_short(*run)) } ": "
                        @match freed {
                            Ok(freed) => {
                                (words::bytes(freed.freed_bytes))
                                @for kept in &freed.kept { br; span.muted { (words::hash(&kept.content_hash)) " stays: " (kept.because) } }
                            }
                            Err(why) => span.error { (why) },
                        }
                    }
                }
            }
            @if fine > 0 {
                form.inline method="post" action="/runs/act" {
                    (shell::token(visitor))
                    input type="hidden" name="action" value="delete";
                    input type="hidden" name="sure" value="yes";
                    @for (run, _) in looked.iter().filter(|(_, freed)| freed.is_ok()) { input type="hidden" name="run" value=(run); }
                    button.button.danger { (icon("trash")) span { "Delete" } }
                }
            }
            " " a.button href="/runs" { "Keep them" }
        }
    };
    Page::new("/runs", "Delete runs").show(visitor, &body)
}
