//! What can be done with a run, each by a form; deleting after it was said what goes.

use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};

use crate::base::RunId;
use crate::engine::views::{OneOrMany, RunView};
use crate::engine::{Engine, EngineError, Inputs, RecipeRef, Request, Submission};
use crate::http::App;
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::PathRun;
use crate::http::ui::form::PageForm;
use crate::http::ui::icons::{icon, state};
use crate::http::ui::runs::recipe_word;
use crate::http::ui::shell::{self, Page};
use crate::http::ui::visitor::Visitor;
use crate::http::ui::words;
use crate::media::encode::Format;
use crate::records::{DeliveryState, RunOptions, RunStatus};

/// The run's name, its state, and the buttons.
pub fn head(visitor: &Visitor, run: &RunView) -> Markup {
    let id = run.run_id;
    let to = |action: &str| format!("/run/{id}/{action}");
    let button =
        |action: &str, class: &str, sign: &str, words: &str| shell::button(visitor, &to(action), class, sign, words);
    let (waits, ended) = (run.status == RunStatus::Pending, run.status.is_final());
    // One that is on its way may be sent again now.
    let sent = run.publication.as_ref().is_some_and(|publication| publication.state == DeliveryState::Delivered);
    let publishable = visitor.publishes() && run.status == RunStatus::Completed && !sent;
    html! {
        div.head.run-head id="run-head" data-live="" {
            div {
                p.crumbs { a href="/runs" { "Runs" } " / " (words::copied(&id.to_string())) }
                h1 { (run.output_name) }
                p.line {
                    (state(if run.held { "held" } else { run.status.word() }))
                    " of " a href={ "/recipe/" (recipe_word(run)) } { (run.recipe) }
                    @if let Some(of) = run.verifies { ", renders " a href={ "/run/" (of) } { (words::run_short(of)) } " again" }
                    @if let Some(verdict) = run.verdict { ": " strong.badge { (format!("{verdict:?}").to_lowercase()) } }
                }
                div.far {
                    progress id="progress" max=(run.progress.nodes.max(1)) value=(run.progress.done) aria-label="Nodes done" {}
                    span.muted id="count" { (run.progress.done) " of " (run.progress.nodes) " nodes" @if run.progress.cached > 0 { ", " (run.progress.cached) " known before" } }
                }
            }
            @if visitor.runs {
                div.actions {
                    @if !ended { (button("cancel", "button", "cancelled", "Cancel")) }
                    @if waits && !run.held { (button("hold", "button quiet", "held", "Hold")) }
                    @if waits && run.held { (button("release", "button", "play", "Release")) }
                    @if ended { (button("rerun", "button", "again", "Run again")) }
                    @if run.status == RunStatus::Completed { (button("verify", "button", "verify", "Verify")) }
                    @if publishable { (button("publish", "button", "upload", "Publish")) }
                    @if let Some(hash) = run.output_hash {
                        a.button href={ "/cache/" (hash) "?download=" (crate::http::query::path_part(&file_name(run))) } { (icon("download")) span { "Download" } }
                    }
                    @if ended && visitor.deletes { a.button.quiet href=(to("delete")) { (icon("trash")) span { "Delete…" } } }
                }
            }
        }
        @if let Some(error) = &run.error {
            section.failure role="alert" id="run-error" {
                h2 { (icon("failed")) "It failed" }
                p { (error) }
                @if let Some(detail) = &run.error_detail { pre tabindex="0" { (detail) } }
            }
        }
        @for warning in &run.warnings { p.note { (icon("waiting")) " " (warning) } }
    }
}

/// What the output is saved as.
fn file_name(run: &RunView) -> String {
    let media_type = run.output_media_type.as_deref().and_then(crate::media::MediaType::from_mime);
    format!("{}.{}", run.output_name, media_type.map_or("bin", crate::media::MediaType::extension))
}

/// `POST /run/{run_id}/{action}`
pub async fn act(
    State(app): State<App>,
    visitor: Visitor,
    Path((run, action)): Path<(String, String)>,
    _form: PageForm,
) -> ApiResult<Response> {
    let run: RunId = run.parse().map_err(|_| ApiError::not_found("run", &run))?;
    let username = visitor.principal.username.clone();
    let shown = app.on_thread(move |app| {
        let engine = &app.engine;
        Ok(match action.as_str() {
            "cancel" => engine.cancel(run).map(|()| run)?,
            "hold" => engine.hold(run).map(|_| run)?,
            "release" => engine.release(run).map(|_| run)?,
            "verify" => engine.verify(run)?,
            "rerun" => again(engine, run, username)?,
            _ => return Err(ApiError::not_found("action", &action)),
        })
    });
    Ok(shell::see(&format!("/run/{}", shown.await?)))
}

/// `POST /run/{run_id}/publish`
pub async fn publish(State(app): State<App>, PathRun(run): PathRun, _form: PageForm) -> ApiResult<Response> {
    app.on_thread(move |app| Ok(app.publisher.publish(run)?)).await?;
    Ok(shell::see(&format!("/run/{run}")))
}

/// Asks for the same once more.
fn again(engine: &Engine, run: RunId, username: Option<String>) -> Result<RunId, EngineError> {
    let row = engine.run_row(run)?;
    let view = engine.view_of(run, &row)?;
    let bound = |bound: &OneOrMany| super::facts::hashes(bound).to_vec();
    let request = Request {
        recipe: view.config_id.map_or(RecipeRef::Effect(view.recipe), RecipeRef::Config),
        inputs: Inputs::Named(view.bindings.iter().map(|(node, hashes)| (node.clone(), bound(hashes))).collect()),
        params: view.params.as_object().cloned().unwrap_or_default(),
        output_name: Some(view.output_name),
        format: row.format.as_deref().and_then(Format::parse).map(|format| (format, row.quality)),
        options: RunOptions::default(),
        priority: view.priority,
        username,
        fixed: Vec::new(),
    };
    Ok(engine.accept(&request, &Submission { held: false, idempotency: None })?.run)
}

/// `GET /run/{run_id}/delete`: what deleting would do, and a button that does it.
pub async fn ask_delete(State(app): State<App>, visitor: Visitor, PathRun(run): PathRun) -> ApiResult<Response> {
    let looked = app.blocking(move |engine| Ok((engine.run_view(run)?, engine.delete_run(run, true)?)));
    let (view, freed) = looked.await?;
    let body = html! {
        section.card.narrow {
            h1 { "Delete this run?" }
            p { strong { (view.output_name) } " of " (view.recipe) ", " (words::ago(view.created_at)) }
            p { "This frees " strong { (words::bytes(freed.freed_bytes)) } ". Uploads stay, and so does what others use:" }
            @if freed.kept.is_empty() { p.muted { "Nothing else of it stays." } }
            ul.plain { @for kept in &freed.kept { li { a href={ "/media/" (kept.content_hash) } { (kept.content_hash.short()) } " stays: " (kept.because) } } }
            (shell::button(&visitor, &format!("/run/{run}/delete"), "button danger", "trash", "Delete"))
            " " a.button href={ "/run/" (run) } { "Keep it" }
        }
    };
    let page = Page::new("/runs", "Delete a run").api(format!("DELETE /runs/{run}?dry_run=true"));
    Ok(page.command(format!("artdag run-rm {run} --dry-run")).show(&visitor, &body))
}

/// `POST /run/{run_id}/delete`
pub async fn delete(State(app): State<App>, PathRun(run): PathRun, _form: PageForm) -> ApiResult<Response> {
    app.blocking(move |engine| engine.delete_run(run, false)).await?;
    Ok(shell::see("/runs"))
}
