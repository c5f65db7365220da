//! The list of recipes, and taking one out of it.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use crate::base::ContentHash;
use crate::engine::views::{ConfigView, RunView};
use crate::engine::{Engine, EngineError, RunFilter};
use crate::http::App;
use crate::http::error::ApiResult;
use crate::http::extract::PathHash;
use crate::http::paging::{List, Next, Paging};
use crate::http::query::QueryWords;
use crate::http::ui::form::PageForm;
use crate::http::ui::icons::state;
use crate::http::ui::shell::{self, Page};
use crate::http::ui::thumb::thumb;
use crate::http::ui::visitor::Visitor;
use crate::http::ui::words;
use crate::records::RunStatus;

/// Runs that are looked through for what recipes gave last.
const LOOKED_AT: usize = 500;
/// Recipes of a page: each is read.
const SHOWN: usize = 50;

/// What is known of a config's runs.
struct Past {
    runs: u64,
    completed: u64,
    last: RunView,
    output: Option<(ContentHash, Option<String>)>,
}

fn past(engine: &Engine) -> Result<HashMap<ContentHash, Past>, EngineError> {
    let mut past: HashMap<ContentHash, Past> = HashMap::new();
    for (run, row) in engine.runs_page(&RunFilter::default(), None, LOOKED_AT)?.items {
        let Some(config) = row.config else { continue };
        let view = engine.view_of(run, &row)?;
        let of = past.entry(config).or_insert_with(|| Past { runs: 0, completed: 0, last: view.clone(), output: None });
        of.runs += 1;
        of.completed += u64::from(view.status == RunStatus::Completed);
        if of.output.is_none() {
            of.output = view.output_hash.map(|hash| (hash, view.output_media_type));
        }
    }
    Ok(past)
}

/// `/recipes`
pub async fn page(State(app): State<App>, visitor: Visitor, mut query: QueryWords) -> ApiResult<Response> {
    let paging = Paging::of(List::Configs, &mut query);
    let here = query.finish()?;
    let (before, limit) = (paging.after_number(), paging.limit.min(SHOWN));
    let (views, past, next) = app
        .blocking(move |engine| {
            let configs = engine.configs()?;
            let mut after =
                configs.into_iter().filter(|config| before.is_none_or(|before| config.row.sequence < before));
            let page: Vec<_> = after.by_ref().take(limit).collect();
            let next = page.last().map(|config| Next::from(config.row.sequence)).filter(|_| after.next().is_some());
            let views: Vec<_> = page
                .iter()
                .map(|config| (config.id, config.row.name.clone(), engine.config_view(config.id).ok()))
                .collect();
            Ok((views, past(engine)?, next))
        })
        .await?;
    let body = html! {
        div.head {
            h1 { "Recipes" }
            @if visitor.runs { a.button.main href="/recipes/new" { "New recipe" } }
        }
        @if views.is_empty() {
            (shell::empty("No recipe is here yet. One is a YAML text: a graph of nodes, each an effect or a step.", &html! {
                p { a.button.main href="/recipes/new" { "Write one" } " " a.button href="/effects" { "Or try an effect" } }
            }))
        } @else {
            ul.cards {
                @for (id, name, view) in &views { (card(*id, name, view.as_ref(), past.get(id))) }
            }
        }
        @if let Some(next) = next { p.more { a.button rel="next" href=(paging.link(&here, next)) { "Older recipes" } } }
    };
    Ok(Page::new("/recipes", "Recipes").api("GET /configs").command("artdag configs list").show(&visitor, &body))
}

fn card(id: ContentHash, name: &str, view: Option<&ConfigView>, past: Option<&Past>) -> Markup {
    let output = past.and_then(|past| past.output.as_ref());
    let takes: Vec<&str> = view
        .map(|view| view.variable_inputs.iter().map(|input| input.name.as_deref().unwrap_or(&input.id)).collect())
        .unwrap_or_default();
    html! {
        li.item {
            a.item-pic href={ "/recipe/" (id) } tabindex="-1" aria-hidden="true" { (thumb(output.map(|(hash, _)| hash), output.and_then(|(_, kind)| kind.as_deref()))) }
            div.item-text {
                h2 { a href={ "/recipe/" (id) } { (name) } @if let Some(version) = view.and_then(|view| view.version.as_ref()) { " " span.muted { (version) } } }
                @if let Some(about) = view.and_then(|view| view.description.as_ref()) { p { (words::within(about, 160)) } }
                p.muted {
                    @if let Some(view) = view {
                        (words::count(view.nodes as u64, "node", "nodes"))
                        @if !takes.is_empty() { " · takes " (takes.join(", ")) }
                    } @else { "It cannot be read any more." }
                }
                @if let Some(past) = past {
                    p.muted.line {
                        (state(past.last.status.word())) " " (words::ago(past.last.created_at)) " · " (past.completed) " of " (words::count(past.runs, "run", "runs")) " completed"
                    }
                }
            }
        }
    }
}

/// `GET /recipe/{id}/delete`
pub async fn ask_delete(State(app): State<App>, visitor: Visitor, PathHash(id): PathHash) -> ApiResult<Response> {
    let (view, holders) = app.blocking(move |engine| Ok((engine.config_view(id)?, engine.holders(&id)?))).await?;
    let uses = holders.len() as u64;
    let body = html! {
        section.card.narrow {
            h1 { "Delete this recipe?" }
            p { strong { (view.name) } @if let Some(version) = &view.version { " " (version) } }
            p { "It goes from the list, and what it names itself may then be deleted. Its runs keep what they need of it." }
            @if uses > 1 { p.muted { "Its text stays: " (words::count(uses - 1, "run has", "runs have")) " it." } }
            (shell::button(&visitor, &format!("/recipe/{id}/delete"), "button danger", "trash", "Delete"))
            " " a.button href={ "/recipe/" (id) } { "Keep it" }
        }
    };
    let page = Page::new("/recipes", "Delete a recipe").api(format!("DELETE /configs/{id}?dry_run=true"));
    Ok(page.show(&visitor, &body))
}

/// `POST /recipe/{id}/delete`
pub async fn delete(State(app): State<App>, PathHash(id): PathHash, _form: PageForm) -> ApiResult<Response> {
    app.blocking(move |engine| {
        engine.find_config(&id.to_string())?;
        engine.remove_config(id, false)
    })
    .await?;
    Ok(shell::see("/recipes"))
}
