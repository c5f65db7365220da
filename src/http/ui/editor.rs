//! Writing a recipe: its text, with its problems and its graph as it is written, and what it
//! makes of a picture.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde_json::json;

use crate::base::ContentHash;
use crate::base::limits::FORM_BYTES;
use crate::engine::{EngineError, Inputs, RecipeRef, Request, Submission};
use crate::http::App;
use crate::http::error::{ApiError, ApiResult};
use crate::http::query::QueryWords;
use crate::http::ui::form::PageForm;
use crate::http::ui::icons::icon;
use crate::http::ui::recipe::{graph_of_text, text};
use crate::http::ui::shell::{self, Page};
use crate::http::ui::visitor::Visitor;
use crate::recipe::{Problem, Recipe};
use crate::records::RunOptions;

/// What a new recipe begins with.
const FIRST: &str = "\
name: my-recipe
version: \"1\"
description: \"What it is for\"

dag:
  nodes:
    - id: photo
      type: SOURCE
      config: {input: true, name: photo, description: \"Any picture\", media: image}

    - id: lines
      type: EFFECT
      config: {effect: dog, params: {sigma: 1.4}}
      inputs: [photo]

  output: lines
";

/// `GET /recipes/new`
pub async fn page(State(app): State<App>, visitor: Visitor, mut query: QueryWords) -> ApiResult<Response> {
    let from: Option<ContentHash> = query.parsed("from", "the id of a recipe");
    query.finish()?;
    let yaml = match from {
        Some(id) => {
            let bytes = app.blocking(move |engine| {
                engine.find_config(&id.to_string())?;
                engine.read_checked(&id)
            });
            let bytes = bytes.await?;
            // A form of this length would be refused, in vain.
            if bytes.len() > FORM_BYTES / 2 {
                let detail = "this recipe is too long to be edited in a page; save its text, change it, and upload it";
                return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
            }
            String::from_utf8_lossy(&bytes).into_owned()
        }
        None => FIRST.to_owned(),
    };
    let _turn = app.turn().await;
    app.on_thread(move |_| Ok(edit(&visitor, &yaml, &Recipe::parse(yaml.as_bytes()), StatusCode::OK))).await
}

/// `POST /recipes/new`: takes it into the list, or shows what is wrong with it.
pub async fn add(State(app): State<App>, visitor: Visitor, form: PageForm) -> ApiResult<Response> {
    let yaml = written(&form);
    let _turn = app.turn().await;
    let added = app.on_thread(move |app| match app.engine.add_config(yaml.clone().into_bytes()) {
        Ok((id, ..)) => Ok(shell::see(&format!("/recipe/{id}"))),
        Err(EngineError::Problems(problems)) => {
            Ok(edit(&visitor, &yaml, &Err(problems), StatusCode::UNPROCESSABLE_ENTITY))
        }
        Err(error) => Err(ApiError::from(error)),
    });
    added.await
}

/// `POST /recipes/check`: the part beside the text, for the script of the page.
pub async fn check(State(app): State<App>, form: PageForm) -> ApiResult<Response> {
    let yaml = written(&form);
    let _turn = app.turn().await;
    app.on_thread(move |_| Ok(beside(&Recipe::parse(yaml.as_bytes())).into_string().into_response())).await
}

/// `POST /recipes/try`: runs the text as it is on one picture; the run's id, for the script.
pub async fn try_out(State(app): State<App>, visitor: Visitor, form: PageForm) -> ApiResult<Response> {
    let yaml = written(&form);
    let word = form.filled("on").unwrap_or("cat").to_owned();
    let _turn = app.turn().await;
    let accepted = app.blocking(move |engine| {
        let recipe = Recipe::parse(yaml.as_bytes()).map_err(EngineError::Problems)?;
        let picture = match word.parse::<ContentHash>() {
            Ok(hash) => engine.describe(&hash).map(|_| hash)?,
            Err(_) => engine.asset(&word)?,
        };
        let inputs = recipe.variable_inputs().map(|(_, node)| (node.id.to_string(), vec![picture])).collect();
        let request = Request {
            recipe: RecipeRef::Bytes(yaml.into_bytes()),
            inputs: Inputs::Named(inputs),
            params: serde_json::Map::new(),
            output_name: None,
            format: None,
            options: RunOptions::default(),
            priority: 0,
            username: visitor.principal.username,
            fixed: Vec::new(),
        };
        engine.accept(&request, &Submission { held: false, idempotency: None })
    });
    Ok(Json(json!({"run_id": accepted.await?.run})).into_response())
}

/// The text of the form; browsers send line ends of their own.
fn written(form: &PageForm) -> String {
    form.text("yaml").unwrap_or_default().replace("\r\n", "\n")
}

fn edit(visitor: &Visitor, yaml: &str, read: &Result<Recipe, Vec<Problem>>, status: StatusCode) -> Response {
    let problems = read.as_ref().err().map(Vec::as_slice).unwrap_or_default();
    let body = html! {
        div.head { h1 { "New recipe" } a href="/recipes" { "All recipes" } }
        form.editor method="post" action="/recipes/new" data-editor="" {
            (shell::token(visitor))
            div.editor-text {
                label for="yaml" { "The text " span.muted { "YAML; " kbd { "Ctrl" } " " kbd { "Space" } " tells what fits, " kbd { "Ctrl" } " " kbd { "Enter" } " runs it" } }
                textarea id="yaml" name="yaml" rows="30" spellcheck="false" autocomplete="off" autocapitalize="off" wrap="off" { "\n" (yaml) }
                div.actions {
                    @if visitor.runs { button.button.main { "Keep it" } } @else { a.button href="/auth" { (icon("lock")) span { "Log in to keep it" } } }
                    label.button.quiet.file hidden data-open="" { (icon("upload")) span { "Open a file" } input type="file" accept=".yaml,.yml,.json"; }
                }
            }
            div.editor-side {
                div id="beside" role="status" { (beside(read)) }
                @if visitor.runs {
                    section data-try="" hidden {
                        div.head {
                            h2 { "On a picture" }
                            span.actions { input type="text" name="on" value="cat" aria-label="The picture: a name or a hash" size="10"; button.button type="button" data-try-it="" { (icon("play")) span { "Try it" } } }
                        }
                        div.stage.none data-result="" { p.muted { "What comes out is shown here." } }
                    }
                }
            }
        }
        @if !problems.is_empty() { section { h2 { "The text, line by line" } (text(yaml, problems)) } }
    };
    let page = Page::new("/recipes", "New recipe").script("editor.js").api("POST /configs/upload?check=true");
    page.status(status).command("artdag configs add FILE").show(visitor, &body)
}

/// Problems with their lines, or the graph.
fn beside(read: &Result<Recipe, Vec<Problem>>) -> Markup {
    html! {
        @match read {
            Ok(recipe) => {
                p.fine { (icon("completed")) " " (recipe.name) " is valid: " (recipe.nodes.len()) " nodes" }
                @for warning in &recipe.warnings { p.note { (warning) } }
                (graph_of_text(recipe))
            }
            Err(problems) => {
                p.wrong { (icon("failed")) " " (crate::http::ui::words::count(problems.len() as u64, "problem", "problems")) }
                ul.problems {
                    @for problem in problems {
                        li data-line=(problem.line) {
                            @if problem.line > 0 { button.link type="button" data-to-line=(problem.line) { "line " (problem.line) } " " }
                            (problem.message)
                        }
                    }
                }
            }
        }
    }
}
