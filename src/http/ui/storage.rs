//! The storage: what takes room, what can be made again, what is protected; and making room.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use crate::base::limits::RECIPE_RUNS;
use crate::engine::by_recipe::{ByRecipe, RecipeSum};
use crate::engine::gc::Collected;
use crate::engine::{Engine, EngineError, Storage};
use crate::http::App;
use crate::http::error::{ApiError, ApiResult};
use crate::http::query::{QueryWords, path_part};
use crate::http::ui::form::PageForm;
use crate::http::ui::icons::{icon, of_media};
use crate::http::ui::shell::{self, Page};
use crate::http::ui::visitor::Visitor;
use crate::http::ui::words;
use crate::records::Origin;

/// Recipes that stand in a row of their own.
const RECIPES: usize = 20;

/// Files and their bytes.
#[derive(Default, Clone, Copy)]
struct Sum {
    files: u64,
    bytes: u64,
}

impl Sum {
    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

/// What the page is about.
struct Facts {
    storage: Storage,
    kinds: BTreeMap<&'static str, Sum>,
    recipes: ByRecipe,
    uploads: Sum,
    derived: Sum,
    records: Sum,
    /// What would go if all went that can be made again; or why that cannot be said.
    again: Result<Collected, String>,
    paused: bool,
    /// Publications, and those of them that L2 does not have.
    published: (u64, u64),
}

fn facts(engine: &Engine) -> Result<Facts, EngineError> {
    let mut kinds: BTreeMap<&'static str, Sum> = BTreeMap::new();
    let (mut uploads, mut derived, mut records) = (Sum::default(), Sum::default(), Sum::default());
    for (_, row) in engine.blobs()? {
        kinds.entry(of_media(&row.media_type)).or_default().add(row.size);
        match row.origin {
            Origin::Upload => uploads.add(row.size),
            Origin::Derived => derived.add(row.size),
            Origin::Record => records.add(row.size),
        }
    }
    Ok(Facts {
        storage: engine.storage()?,
        kinds,
        recipes: engine.by_recipe(RECIPE_RUNS)?,
        uploads,
        derived,
        records,
        again: engine.gc(Some(0), false, true).map_err(|error| error.to_string()),
        paused: engine.queue_paused()?,
        published: engine.publication_counts()?,
    })
}

/// `/storage`
pub async fn page(State(app): State<App>, visitor: Visitor, query: QueryWords) -> ApiResult<Response> {
    query.finish()?;
    let facts = app.blocking(facts).await?;
    let body = html! {
        div.head { h1 { "Storage" } span.muted { (words::bytes(facts.storage.bytes)) " in " (words::count(facts.storage.blobs, "file", "files")) ", " (words::bytes(facts.storage.free_bytes)) " free" } }
        (shares(&facts))
        div.split.even {
            section {
                h2 { "By kind" }
                table {
                    thead { tr { th scope="col" { "Kind" } th.num scope="col" { "Files" } th.num scope="col" { "Size" } } }
                    tbody { @for (kind, sum) in &facts.kinds { tr { th scope="row" { (icon(kind)) " " (plural(kind)) } td.num { (words::number(sum.files)) } td.num { (words::bytes(sum.bytes)) } } } }
                }
            }
            section {
                h2 { "Making room" }
                p { "Results that can be made again here and now go first, those not used for longest before others. Uploads, and what a run or a recipe holds, never go by themselves." }
                dl {
                    dt { "Results" } dd { (words::bytes(facts.storage.derived_bytes)) " of at most " (words::bytes(facts.storage.derived_cap)) }
                    @match &facts.again {
                        Ok(again) => { dt { "Could go" } dd { (words::bytes(again.freed_bytes)) " in " (words::count(again.evicted.len() as u64, "file", "files")) } }
                        Err(why) => { dt { "Could go" } dd { (why) } }
                    }
                }
                @if visitor.administers {
                    form.find method="post" action="/storage/gc" {
                        (shell::token(&visitor))
                        button.button name="down_to" value="cap" { "Down to the limit…" }
                        button.button name="down_to" value="0" { "All that can be made again…" }
                    }
                } @else { p.muted { a href="/auth?next=/storage" { "Log in" } " as an administrator to make room." } }
            }
        }
        (by_recipe(&facts.recipes))
        @let (published, waiting) = facts.published;
        @if published > 0 {
            section {
                h2 { "Published" }
                p {
                    (words::count(published, "output", "outputs")) " with all that they were made of, for good"
                    @if waiting > 0 { "; " (words::number(waiting)) " not yet at L2" } ". "
                    a href="/publications" { "How far each is" }
                }
            }
        }
        section {
            h2 { "The queue" }
            div.line {
                @if facts.paused { "It is paused: no waiting run is begun. " } @else { "Waiting runs are begun as there is room. " }
                @if visitor.administers {
                    @if facts.paused { (shell::button(&visitor, "/queue/act", "button", "play", "Go on")) } @else { (shell::button(&visitor, "/queue/act", "button", "held", "Pause it")) }
                }
            }
        }
    };
    let page = Page::new("/storage", "Storage").api("POST /cache/gc?dry_run=true").command("artdag cache gc --dry-run");
    Ok(page.show(&visitor, &body))
}

/// The outputs of runs, by what was run.
fn by_recipe(found: &ByRecipe) -> Markup {
    let (shown, rest) = found.recipes.split_at(found.recipes.len().min(RECIPES));
    let of_rest = |of: fn(&RecipeSum) -> u64| rest.iter().map(of).sum::<u64>();
    let row = |name: &Markup, [runs, files, bytes]: [u64; 3]| {
        html! { tr { th scope="row" { (name) } td.num { (words::number(runs)) } td.num { (words::number(files)) } td.num { (words::bytes(bytes)) } } }
    };
    html! {
        @if !found.recipes.is_empty() {
            section id="by-recipe" {
                h2 { "By recipe" }
                p.muted {
                    "What runs of each gave, as far as it is here; what several gave is counted for each of them."
                    @if found.more { " Of the newest " (words::number(found.looked_at as u64)) " runs alone: older ones are not counted." }
                }
                table {
                    thead { tr { th scope="col" { "Recipe" } th.num scope="col" { "Runs" } th.num scope="col" { "Files" } th.num scope="col" { "Size" } } }
                    tbody {
                        @for sum in shown {
                            @let address = sum.config.map_or_else(|| path_part(&sum.recipe), |id| id.to_string());
                            (row(&html! { a href={ "/recipe/" (address) } { (sum.recipe) } }, [sum.runs, sum.files, sum.bytes]))
                        }
                        @if !rest.is_empty() {
                            @let name = html! { (words::count(rest.len() as u64, "other", "others")) };
                            (row(&name, [of_rest(|sum| sum.runs), of_rest(|sum| sum.files), of_rest(|sum| sum.bytes)]))
                        }
                    }
                }
            }
        }
    }
}

fn plural(kind: &str) -> &'static str {
    match kind {
        "image" => "Pictures",
        "video" => "Films",
        "audio" => "Sounds",
        "data" => "Data",
        _ => "Other files",
    }
}

/// How the bytes are shared out, as a bar and in words.
fn shares(facts: &Facts) -> Markup {
    let free = facts.again.as_ref().map_or(0, |again| again.freed_bytes);
    let held = facts.derived.bytes.saturating_sub(free);
    let parts = [
        ("uploads", "Uploads", facts.uploads.bytes, "cannot be made again"),
        ("held", "Results in use", held, "protected by runs"),
        ("again", "Results not in use", free, "can be made again"),
        ("records", "Records", facts.records.bytes, "recipes and provenance"),
    ];
    let all: u64 = parts.iter().map(|part| part.2).sum::<u64>().max(1);
    let share = |bytes: u64| bytes as f64 / all as f64 * 1000.0;
    let mut at = 0.0;
    let places: Vec<(&str, f64, f64)> = parts
        .iter()
        .map(|(class, _, bytes, _)| {
            at += share(*bytes);
            (*class, at - share(*bytes), share(*bytes))
        })
        .collect();
    html! {
        section.shares {
            svg viewBox="0 0 1000 28" preserveAspectRatio="none" width="1000" height="28" role="img" aria-label="How the bytes are shared out; the words below say the same" {
                @for (class, at, width) in &places {
                    rect class={ "share " (class) } x=(format!("{at:.1}")) y="0" width=(format!("{width:.1}")) height="28" {}
                }
            }
            ul.legend {
                @for (class, name, bytes, about) in &parts {
                    li { span class={ "key " (class) } {} span { strong { (words::bytes(*bytes)) } " " (name) br; span.muted { (about) } } }
                }
            }
        }
    }
}

/// `POST /storage/gc`: says what would go, and takes it away once that was seen.
pub async fn gc(State(app): State<App>, visitor: Visitor, form: PageForm) -> ApiResult<Response> {
    let word = form.text("down_to").unwrap_or_default().to_owned();
    let max_bytes = match word.as_str() {
        "cap" => None,
        "0" => Some(0),
        _ => return Err(ApiError::invalid(&["body", "down_to"], "enum", "\"down_to\" is cap or 0")),
    };
    let sure = form.text("sure") == Some("yes");
    let collected = app.blocking(move |engine| engine.gc(max_bytes, false, !sure)).await?;
    if sure {
        return Ok(shell::see("/storage"));
    }
    let nothing = collected.evicted.is_empty() && collected.orphans == 0;
    let body = html! {
        section.card.narrow {
            h1 { "Make room?" }
            @if nothing { p { "There is nothing to take away." } } @else {
                p { "This takes away " strong { (words::count(collected.evicted.len() as u64, "result", "results")) } " and frees " strong { (words::bytes(collected.freed_bytes)) } ". Each can be made again." }
                @if collected.orphans > 0 { p { (words::count(collected.orphans, "file", "files")) " that no record names go too." } }
                form.inline method="post" action="/storage/gc" {
                    (shell::token(&visitor))
                    input type="hidden" name="down_to" value=(word);
                    input type="hidden" name="sure" value="yes";
                    button.button.danger { (icon("trash")) span { "Take them away" } }
                }
            }
            " " a.button href="/storage" { "Back" }
        }
    };
    Ok(Page::new("/storage", "Make room").show(&visitor, &body))
}

/// `POST /queue/act`: pauses the queue, or lets it go on.
pub async fn queue(State(app): State<App>, _form: PageForm) -> ApiResult<Response> {
    app.blocking(|engine| engine.pause_queue(!engine.queue_paused()?)).await?;
    Ok(shell::see("/storage"))
}
