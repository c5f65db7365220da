//! The routes: one file for each group. Handlers read a request, ask the engine, and give its
//! answer a status; who may call them was asked before by the guard.

mod assets;
mod body;
mod cache;
mod cache_list;
pub mod catalogue;
mod configs;
mod docs;
mod download;
mod events;
mod fediverse;
mod feed;
mod info;
mod publications;
mod queue;
mod run_parts;
mod runs;
mod submit;
#[cfg(test)]
mod tests;
mod tus;
mod uploads;

use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::openapi::{self, Document};
use crate::http::{App, auth};
pub use tus::override_method;

/// All routes, and what describes them.
pub fn router(app: App) -> (Router, OpenApi) {
    let (router, document) = described().split_for_parts();
    let document = openapi::complete(document);
    let router = router.layer(axum::Extension(Document::of(&document))).with_state(app);
    (router, document)
}

fn described() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(info::server))
        .routes(routes!(info::healthz))
        .routes(routes!(info::readyz))
        .routes(routes!(info::version))
        .routes(routes!(info::metrics))
        .merge(auth::routes())
        .routes(routes!(docs::openapi_json))
        .routes(routes!(docs::page))
        .routes(routes!(docs::file))
        .routes(routes!(download::client))
        .routes(routes!(submit::submit, runs::list))
        .routes(routes!(runs::one, runs::delete))
        .routes(routes!(runs::cancel))
        .routes(routes!(runs::hold))
        .routes(routes!(runs::release))
        .routes(routes!(run_parts::plan))
        .routes(routes!(run_parts::provenance))
        .routes(routes!(run_parts::why))
        .routes(routes!(run_parts::verify))
        .routes(routes!(publications::publish))
        .routes(routes!(publications::list))
        .routes(routes!(fediverse::webfinger))
        .routes(routes!(fediverse::actor))
        .routes(routes!(fediverse::outbox))
        .routes(routes!(fediverse::look_into_inbox, fediverse::post_to_inbox))
        .routes(routes!(fediverse::activity))
        .routes(routes!(fediverse::object))
        .routes(routes!(events::of_run))
        .routes(routes!(events::of_all))
        .routes(routes!(queue::pause))
        .routes(routes!(queue::resume))
        .routes(routes!(cache_list::list))
        .routes(routes!(uploads::upload))
        .routes(routes!(uploads::import))
        .merge(tus::routes())
        .routes(routes!(cache_list::verify))
        .routes(routes!(cache_list::gc))
        .routes(routes!(cache::bytes, cache::delete))
        .routes(routes!(cache::info))
        .routes(routes!(assets::list))
        .routes(routes!(assets::put, assets::delete))
        .routes(routes!(configs::upload))
        .routes(routes!(configs::list))
        .routes(routes!(configs::one, configs::delete))
        .routes(routes!(submit::run_config))
        .routes(routes!(submit::plan_config))
        .routes(routes!(submit::explain_config))
        .routes(routes!(catalogue::effects))
        .routes(routes!(catalogue::node_types))
}
