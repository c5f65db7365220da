//! The pages: rendered here, alive by scripts, of use without them where a form suffices.
//!
//! One file a page, one script a behaviour. A page reads what the API's handlers read, from the
//! engine, and never asks the API itself. Everything that people wrote is escaped by the
//! templates; styles and scripts are files of ours ([`statics`]), so that the policy can forbid
//! all others. Addresses that programs have too answer a page only to who names and prefers one.

mod blob;
mod client;
mod csrf;
mod editor;
mod effects;
mod form;
mod graph;
mod home;
mod icons;
mod media;
mod recipe;
mod recipes;
mod refusal;
mod run;
mod runs;
mod shell;
mod statics;
mod storage;
#[cfg(test)]
mod tests;
mod thumb;
mod visitor;
mod words;

pub use refusal::{Browser, log_in};
pub use shell::Page;

use axum::Router;
use axum::extract::{FromRequestParts as _, MatchedPath, Path, Request, State};
use axum::http::Method;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

use crate::http::App;
use crate::http::accept::{varied, wants_page};
use crate::http::error::{ApiError, ApiResult};
use crate::http::query::{QueryWords, path_part};
use crate::http::ui::visitor::Visitor;

/// Routes of the API that show or lead to a page when a browser asks.
pub const NEGOTIATED: [&str; 7] = ["/", "/runs", "/effects", "/runs/{run_id}", "/cache", "/assets", "/configs"];

/// The API's router with the pages beside it.
pub fn with_pages(router: Router, app: &App) -> Router {
    let pages = Router::new()
        .route("/static/{set}/{file}", get(statics::file))
        .route("/run/{run_id}", get(run::page))
        .route("/run/{run_id}/delete", get(run::ask_delete).post(run::delete))
        .route("/run/{run_id}/publish", post(run::publish))
        .route("/run/{run_id}/{action}", post(run::act))
        .route("/runs/act", post(runs::act))
        .route("/recipes", get(recipes::page))
        .route("/recipes/new", get(editor::page).post(editor::add))
        .route("/recipes/check", post(editor::check))
        .route("/recipes/try", post(editor::try_out))
        .route("/recipe/{id}", get(recipe::page))
        .route("/recipe/{id}/run", post(recipe::run))
        .route("/recipe/{id}/try", post(recipe::try_out))
        .route("/recipe/{id}/plan", post(recipe::plan))
        .route("/recipe/{id}/delete", get(recipes::ask_delete).post(recipes::delete))
        .route("/media", get(media::page))
        .route("/media/upload", post(media::upload))
        .route("/media/{hash}", get(blob::page))
        .route("/media/{hash}/name", post(blob::name))
        .route("/media/{hash}/unname", post(blob::unname))
        .route("/media/{hash}/delete", get(blob::ask_delete).post(blob::delete))
        .route("/effects/draw", post(effects::draw))
        .route("/client", get(client::page))
        .route("/storage", get(storage::page))
        .route("/storage/gc", post(storage::gc))
        .route("/queue/act", post(storage::queue))
        .route("/thumb/{hash}", get(thumb::picture))
        .with_state(app.clone());
    router.layer(from_fn_with_state(app.clone(), negotiate)).merge(pages)
}

/// Shows a page, or leads to one, where a browser asks for what programs have here.
async fn negotiate(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let page = NEGOTIATED.iter().find(|known| path.as_deref() == Some(**known));
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    match page {
        Some(page) if reads && wants_page(request.headers()) => {
            page_at(app, page, request).await.unwrap_or_else(ApiError::into_response)
        }
        _ => next.run(request).await,
    }
}

async fn page_at(app: App, page: &str, request: Request) -> ApiResult<Response> {
    let (mut parts, _) = request.into_parts();
    match page {
        "/cache" | "/assets" => return Ok(varied(shell::see("/media"))),
        "/configs" => return Ok(varied(shell::see("/recipes"))),
        "/runs/{run_id}" => {
            let Path(word) = Path::<String>::from_request_parts(&mut parts, &app)
                .await
                .map_err(|_| ApiError::not_found("run", parts.uri.path()))?;
            return Ok(varied(shell::see(&format!("/run/{}", path_part(&word)))));
        }
        _ => {}
    }
    let visitor = Visitor::from_request_parts(&mut parts, &app).await?;
    let query = QueryWords::from_request_parts(&mut parts, &app).await?;
    match page {
        "/runs" => runs::page(app, visitor, query).await,
        "/effects" => effects::page(app, visitor, query).await,
        _ => home::page(app, visitor, query).await,
    }
}
