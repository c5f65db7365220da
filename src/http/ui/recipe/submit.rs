//! Running a recipe by its form, and telling before what that would do.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{fields, word_of};
use crate::base::RunId;
use crate::engine::{Engine, EngineError, Inputs, Request, Submission};
use crate::http::App;
use crate::http::error::ApiResult;
use crate::http::extract::PathWord;
use crate::http::ui::form::PageForm;
use crate::http::ui::shell;
use crate::http::ui::visitor::Visitor;
use crate::http::ui::words;
use crate::records::RunOptions;

/// What the form asks for.
fn request(engine: &Engine, word: &str, form: &PageForm, username: Option<String>) -> Result<Request, EngineError> {
    let found = engine.find_recipe(word)?;
    let (recipe, _) = engine.read_recipe(&found, &serde_json::Map::new())?;
    Ok(Request {
        inputs: Inputs::Named(fields::inputs(engine, &recipe, form)?),
        params: fields::changed(&recipe, form),
        recipe: found,
        output_name: form.filled("output_name").map(str::to_owned),
        format: None,
        options: RunOptions::default(),
        priority: 0,
        username,
        fixed: Vec::new(),
    })
}

/// Submits a run of what a form says.
async fn submit(app: App, visitor: Visitor, word: String, form: PageForm) -> ApiResult<RunId> {
    let username = visitor.principal.username;
    let _turn = app.turn().await;
    let accepted = app.blocking(move |engine| {
        let request = request(engine, &word, &form, username)?;
        engine.accept(&request, &Submission { held: false, idempotency: None })
    });
    Ok(accepted.await?.run)
}

/// `POST /recipe/{id}/run`
pub async fn run(
    State(app): State<App>,
    visitor: Visitor,
    PathWord(word): PathWord,
    form: PageForm,
) -> ApiResult<Response> {
    Ok(shell::see(&format!("/run/{}", submit(app, visitor, word, form).await?)))
}

/// `POST /recipe/{id}/try`: the same for the script of the page, which shows what comes out.
pub async fn try_out(
    State(app): State<App>,
    visitor: Visitor,
    PathWord(word): PathWord,
    form: PageForm,
) -> ApiResult<Response> {
    Ok(Json(json!({"run_id": submit(app, visitor, word, form).await?})).into_response())
}

/// `POST /recipe/{id}/plan`: what a run of the form as it is would do, for the script of the page.
pub async fn plan(State(app): State<App>, PathWord(word): PathWord, form: PageForm) -> ApiResult<Response> {
    let _turn = app.turn().await;
    let planned = app.blocking(move |engine| {
        let request = request(engine, &word, &form, None)?;
        let (plan, _) = engine.plan_request(&request)?;
        let inputs: serde_json::Map<String, Value> = match &request.inputs {
            Inputs::Named(named) => named
                .iter()
                .map(|(node, hashes)| {
                    (node.clone(), if let [one] = hashes.as_slice() { json!(one) } else { json!(hashes) })
                })
                .collect(),
            Inputs::Listed(_) => serde_json::Map::new(),
        };
        let body = json!({"recipe": word_of(&request.recipe), "inputs": inputs, "params": request.params});
        Ok((plan, body))
    });
    let (plan, body) = planned.await?;
    let known = plan.nodes.iter().filter(|node| node.state == "cached").count();
    let words = format!("{known} of {} known, about {}", plan.nodes.len(), words::duration(plan.estimated_seconds));
    let nodes: serde_json::Map<String, Value> =
        plan.nodes.iter().map(|node| (node.id.to_string(), json!(node.state))).collect();
    let warnings = plan.warnings;
    let curl = format!(
        "curl -X POST \"$ARTDAG/runs\" -H 'Content-Type: application/json' -d {}",
        words::shell(&body.to_string())
    );
    Ok(Json(json!({"words": words, "nodes": nodes, "warnings": warnings, "curl": curl})).into_response())
}
