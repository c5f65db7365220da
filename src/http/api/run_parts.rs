//! Parts of a run: its plan, its provenance, why a node ran, and rendering it again.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::base::{ContentHash, RunId};
use crate::engine::EngineError;
use crate::engine::views::{PlanView, RunView};
use crate::http::App;
use crate::http::error::ApiResult;
use crate::http::extract::PathRun;
use crate::http::query::{NoQuery, QueryWords};
use crate::link::prov;
use crate::plan::explain::Why;
use crate::records::{CommandTrace, FileTrace, Held};

/// The nodes and stages of a run: states, times, and why each ran or need not.
#[utoipa::path(
    get, path = "/runs/{run_id}/plan", operation_id = "get_run_plan", tag = "runs",
    params(("run_id" = RunId, Path, description = "The run")),
    responses((status = 200, body = PlanView), (status = 404))
)]
pub async fn plan(State(app): State<App>, PathRun(run): PathRun) -> ApiResult<Json<PlanView>> {
    let _turn = app.turn().await;
    app.blocking(move |engine| engine.run_plan(run)).await.map(Json)
}

/// The form of a provenance record.
#[derive(Clone, Copy, PartialEq, Eq, utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum ProvenanceForm {
    /// The record: canonical JSON, as it is stored.
    Record,
    /// Its signed envelope: an in-toto statement in DSSE.
    Dsse,
    /// W3C PROV-JSON.
    Prov,
}

impl std::str::FromStr for ProvenanceForm {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "record" => Ok(Self::Record),
            "dsse" => Ok(Self::Dsse),
            "prov" => Ok(Self::Prov),
            _ => Err(()),
        }
    }
}

/// The provenance record of a completed run: canonical JSON, as it is stored; signed, or as PROV-JSON.
#[utoipa::path(
    get, path = "/runs/{run_id}/provenance", operation_id = "get_run_provenance", tag = "runs",
    params(
        ("run_id" = RunId, Path, description = "The run"),
        ("format" = inline(Option<ProvenanceForm>), Query, description = "The form; the record itself if it is not given"),
    ),
    responses(
        (status = 200, body = Object, description = "What made the output, of what, with what."),
        (status = 404, description = "There is no such run, or it has no output yet."),
        (status = 409, description = "Its record cannot be signed, or lacks what PROV needs."),
    )
)]
pub async fn provenance(State(app): State<App>, PathRun(run): PathRun, mut query: QueryWords) -> ApiResult<Response> {
    let form = query.parsed("format", "record, dsse or prov").unwrap_or(ProvenanceForm::Record);
    query.finish()?;
    let word = run.to_string();
    let body = match form {
        ProvenanceForm::Record => app.blocking(move |engine| engine.provenance(&word)).await?,
        ProvenanceForm::Dsse => app.blocking(move |engine| engine.envelope(&word)).await?,
        ProvenanceForm::Prov => {
            let document = app.blocking(move |engine| {
                let document = prov::document(&engine.provenance(&word)?);
                document.ok_or_else(|| EngineError::Refused(format!("the record of run {word} lacks what PROV needs")))
            });
            document.await?.to_string().into_bytes()
        }
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// A node of a run: its key against the nearest known one, and what was run to make its value.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub struct ExplainedNode {
    #[serde(flatten)]
    why: Why,
    /// The commands that made the nodes that were computed together with this one, as they were started;
    /// empty where no tool was needed, and where the value was known.
    commands: Vec<RanCommand>,
}

/// A command that was run, in a directory of its own.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub struct RanCommand {
    /// The program's file name, and its arguments. Files are named as they lay in the directory.
    argv: Vec<String>,
    /// What lay in the directory for it.
    files: Vec<RanFile>,
}

/// A file that lay in a command's directory.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub struct RanFile {
    /// Its name there.
    name: String,
    /// The content that it was.
    content_hash: Option<ContentHash>,
    /// The text that it was: the filters of a graph. A file that is neither had the pixels of a picture.
    text: Option<String>,
}

impl From<CommandTrace> for RanCommand {
    fn from(command: CommandTrace) -> Self {
        let file = |file: FileTrace| {
            let (content_hash, text) = match file.holds {
                Held::Blob(hash) => (Some(hash), None),
                Held::Text(text) => (None, Some(text)),
                Held::Pixels => (None, None),
            };
            RanFile { name: file.name, content_hash, text }
        };
        Self {
            argv: std::iter::once(command.program).chain(command.args).collect(),
            files: command.files.into_iter().map(file).collect(),
        }
    }
}

/// Which part of a node's key differs from the nearest known key, and the commands that made its value.
#[utoipa::path(
    get, path = "/runs/{run_id}/why", operation_id = "explain_node", tag = "runs",
    params(
        ("run_id" = RunId, Path, description = "The run"),
        ("node" = String, Query, description = "The node's id"),
    ),
    responses((status = 200, body = ExplainedNode), (status = 404, description = "There is no such run or node."))
)]
pub async fn why(
    State(app): State<App>,
    PathRun(run): PathRun,
    mut query: QueryWords,
) -> ApiResult<Json<ExplainedNode>> {
    let node = query.required("node");
    query.finish()?;
    let node = node.unwrap_or_default();
    let _turn = app.turn().await;
    let explained = app.blocking(move |engine| {
        let why = engine.why_of_run(run, &node)?;
        let commands = engine.commands_of(run, &engine.run_plan(run)?, &node)?;
        Ok(ExplainedNode { why, commands: commands.into_iter().map(RanCommand::from).collect() })
    });
    explained.await.map(Json)
}

/// Starts a run that renders this one again without the cache, and compares.
#[utoipa::path(
    post, path = "/runs/{run_id}/verify", operation_id = "verify_run", tag = "runs",
    params(("run_id" = RunId, Path, description = "The run")),
    responses(
        (status = 201, body = RunView, description = "The new run; its `verdict` says what came of it.",
         headers(("Location" = String, description = "The new run"))),
        (status = 404),
        (status = 409, description = "It is not completed, or the tools are not those of its record: they are named."),
    )
)]
pub async fn verify(State(app): State<App>, PathRun(run): PathRun, _: NoQuery) -> ApiResult<Response> {
    let view = app.blocking(move |engine| {
        let verifying = engine.verify(run)?;
        engine.run_view(verifying)
    });
    Ok(created(view.await?))
}

/// A run that was made: 201 and where it is.
pub fn created(view: RunView) -> Response {
    let location = format!("/runs/{}", view.run_id);
    (StatusCode::CREATED, [(header::LOCATION, location)], Json(view)).into_response()
}
