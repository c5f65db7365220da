//! One recipe, an effect or a config: its graph, its text, and a form that runs it.

mod diff;
mod fields;
mod form;
mod look;
mod submit;

pub use submit::{plan, run, try_out};

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use crate::base::ContentHash;
use crate::engine::views::RunView;
use crate::engine::{Engine, EngineError, RecipeRef, RunFilter};
use crate::http::App;
use crate::http::error::ApiResult;
use crate::http::extract::PathWord;
use crate::http::query::{QueryWords, path_part};
use crate::http::ui::icons::icon;
use crate::http::ui::runs::row;
use crate::http::ui::shell::Page;
use crate::http::ui::visitor::Visitor;
use crate::http::ui::words;
use crate::recipe::Recipe;

pub use look::{graph_of_text, text};

/// Runs of the recipe that the page shows.
const LAST: usize = 5;

/// What the page is about.
pub struct Seen {
    /// The word that finds it: an effect's name, or a config's id.
    pub word: String,
    /// What it says.
    pub recipe: Recipe,
    /// A config's id and text.
    pub config: Option<(ContentHash, String)>,
    /// Other configs of the same name: id, version, and whether it is this one.
    pub versions: Vec<(ContentHash, Option<String>, bool)>,
    /// Its last runs.
    pub runs: Vec<RunView>,
    /// Media that inputs can be chosen from.
    pub media: fields::Offered,
}

impl Seen {
    fn of(engine: &Engine, word: &str) -> Result<Self, EngineError> {
        let found = engine.find_recipe(word)?;
        let (recipe, config) = engine.read_recipe(&found, &serde_json::Map::new())?;
        let word = word_of(&found);
        let filter = RunFilter { recipe: Some(word.clone()), ..RunFilter::default() };
        let runs = engine.runs_page(&filter, None, LAST)?.items;
        let mut versions = Vec::new();
        if let Some((id, _)) = &config {
            for other in engine.configs()?.into_iter().filter(|other| other.row.name == recipe.name) {
                let version = engine.config_view(other.id).ok().and_then(|view| view.version);
                versions.push((other.id, version, other.id == *id));
            }
        }
        Ok(Self {
            word,
            recipe,
            config: config.map(|(id, bytes)| (id, String::from_utf8_lossy(&bytes).into_owned())),
            versions,
            runs: engine.views_of(&runs)?,
            media: fields::Offered::of(engine)?,
        })
    }
}

/// The word by which a recipe is found again.
pub fn word_of(found: &RecipeRef) -> String {
    match found {
        RecipeRef::Effect(name) => name.clone(),
        RecipeRef::Config(id) => id.to_string(),
        RecipeRef::Bytes(bytes) => ContentHash::of(bytes).to_string(),
    }
}

/// `/recipe/{id}`
pub async fn page(
    State(app): State<App>,
    visitor: Visitor,
    PathWord(word): PathWord,
    mut query: QueryWords,
) -> ApiResult<Response> {
    // An input that a link from a medium has chosen already.
    let given = query.text("input").unwrap_or_default();
    let with: Option<ContentHash> = query.parsed("with", "the id of another version");
    let opened = query.texts("open");
    query.finish()?;
    let _turn = app.turn().await;
    let (seen, other) = app
        .blocking(move |engine| {
            let other = with.map(|with| engine.find_config(&with.to_string()).and_then(|_| engine.read_checked(&with)));
            let other = other.transpose()?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            Ok((Seen::of(engine, &word)?, other))
        })
        .await?;
    let recipe = &seen.recipe;
    let body = html! {
        article {
            div.head {
                div {
                    p.crumbs { @if recipe.bare { a href="/effects" { "Effects" } } @else { a href="/recipes" { "Recipes" } } " /" }
                    h1 { (recipe.name) @if let Some(version) = &recipe.version { " " span.muted { (version) } } }
                }
                @if let Some((id, _)) = &seen.config {
                    div.actions {
                        a.button href={ "/recipes/new?from=" (id) } { "Edit a copy" }
                        @if visitor.deletes { a.button.quiet href={ "/recipe/" (id) "/delete" } { (icon("trash")) span { "Delete…" } } }
                    }
                }
            }
            @if let Some(about) = about(recipe) { p.lead { (about) } }
            @for warning in &recipe.warnings { p.note { (icon("waiting")) " " (warning) } }
            (form::form(&visitor, &seen, &given))
            @if !recipe.bare { section { h2 { "Graph" } (look::graph(&seen, &opened)) } }
            (versions(&seen))
            @if let (Some(other), Some((_, yaml))) = (&other, &seen.config) {
                section { div.head { h2 id="difference" { "What differs" } span.muted { "from the other version to this" } } (diff::diff(other, yaml)) }
            }
            @if let Some((id, yaml)) = &seen.config {
                section {
                    div.head { h2 { "Text" } span { (words::hash(id)) " " a href={ "/cache/" (id) "?download=" (path_part(&recipe.name)) ".yaml" } { "Save" } } }
                    (look::text(yaml, &[]))
                }
            }
            @if !seen.runs.is_empty() {
                section {
                    div.head { h2 { "Last runs" } a href={ "/runs?recipe=" (path_part(&seen.word)) } { "All of them" } }
                    ul.rows { @for run in &seen.runs { (row(run, false)) } }
                }
            }
        }
    };
    let (part, api) = match &seen.config {
        Some((id, _)) => ("/recipes", format!("GET /configs/{id}")),
        None => ("/effects", "GET /effects".to_owned()),
    };
    let page = Page::new(part, recipe.name.clone()).script("recipe.js").script("graph.js").api(api);
    let command = if recipe.bare {
        format!("artdag effects {}", recipe.name)
    } else {
        format!("artdag configs show {}", seen.word)
    };
    Ok(page.command(command).show(&visitor, &body))
}

fn about(recipe: &Recipe) -> Option<&str> {
    if recipe.bare {
        return crate::effects::find(&recipe.name).map(crate::effects::Effect::description);
    }
    recipe.description.as_deref()
}

fn versions(seen: &Seen) -> Markup {
    html! {
        @if seen.versions.len() > 1 {
            section {
                h2 { "Versions" }
                ul.tabs {
                    @for (id, version, here) in &seen.versions {
                        li { a href={ "/recipe/" (id) } aria-current=[here.then_some("page")] { (version.as_deref().unwrap_or("no version")) " " code { (id.short()) } }
                            @if !here { " " a href={ "/recipe/" (seen.word) "?with=" (id) "#difference" } { "Compare" } }
                        }
                    }
                }
            }
        }
    }
}
