//! Who may call what: one row for each method of each route.
//!
//! The guard asks these tables before a handler runs, and refuses what is in neither. A test
//! compares [`ROUTES`] with the routes that `openapi.json` describes; [`PAGES`] are for browsers
//! alone and are described nowhere.

use axum::http::Method;

/// What a caller must be allowed to do. Each is a scope of its own; `admin` includes them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing: open on every address (liveness, logging in, what other servers must read).
    Public,
    /// Reading: open on loopback, or with `--public-read`.
    Read,
    /// Running, uploading, naming: open on loopback.
    Run,
    /// Publishing: what may run may do it, and always with a token or a session.
    Publish,
    /// Deleting, re-pointing names: always a token or a session.
    Delete,
    /// Importing, the queue: always a token or a session.
    Admin,
}

/// What kinds of body a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// None; one that comes is not read.
    Nothing,
    /// JSON: form types are refused with 415.
    Json,
    /// Bytes: multipart or raw.
    Bytes,
    /// The same, held whole until it is read.
    Config,
    /// A form, of the pages.
    Form,
}

/// One method of one route.
#[derive(Debug, Clone)]
pub struct Route {
    /// The method. `HEAD` follows `GET`.
    pub method: Method,
    /// The path as the router has it, with `{name}` for a part.
    pub path: &'static str,
    /// What it needs.
    pub need: Need,
    /// What it takes.
    pub takes: Takes,
}

const fn get(path: &'static str, need: Need) -> Route {
    Route { method: Method::GET, path, need, takes: Takes::Nothing }
}

const fn post(path: &'static str, need: Need, takes: Takes) -> Route {
    Route { method: Method::POST, path, need, takes }
}

const fn put(path: &'static str, need: Need) -> Route {
    Route { method: Method::PUT, path, need, takes: Takes::Json }
}

const fn delete(path: &'static str, need: Need) -> Route {
    Route { method: Method::DELETE, path, need, takes: Takes::Nothing }
}

/// Every route that programs call.
pub static ROUTES: &[Route] = &[
    get("/", Need::Read),
    get("/healthz", Need::Public),
    get("/readyz", Need::Public),
    get("/version", Need::Public),
    get("/metrics", Need::Read),
    get("/openapi.json", Need::Read),
    get("/docs", Need::Read),
    get("/docs/{file}", Need::Read),
    get("/download/client", Need::Read),
    get("/auth", Need::Public),
    post("/auth", Need::Public, Takes::Form),
    get("/logout", Need::Public),
    post("/logout", Need::Public, Takes::Form),
    post("/runs", Need::Run, Takes::Json),
    get("/runs", Need::Read),
    get("/runs/{run_id}", Need::Read),
    delete("/runs/{run_id}", Need::Delete),
    get("/runs/{run_id}/plan", Need::Read),
    get("/runs/{run_id}/events", Need::Read),
    get("/runs/{run_id}/provenance", Need::Read),
    get("/runs/{run_id}/why", Need::Read),
    post("/runs/{run_id}/verify", Need::Run, Takes::Nothing),
    post("/runs/{run_id}/hold", Need::Run, Takes::Nothing),
    post("/runs/{run_id}/release", Need::Run, Takes::Nothing),
    post("/runs/{run_id}/cancel", Need::Run, Takes::Nothing),
    post("/runs/{run_id}/publish", Need::Publish, Takes::Nothing),
    get("/publications", Need::Read),
    get("/.well-known/webfinger", Need::Public),
    get("/users/{name}", Need::Public),
    get("/users/{name}/outbox", Need::Public),
    get("/users/{name}/inbox", Need::Public),
    post("/users/{name}/inbox", Need::Public, Takes::Nothing),
    get("/activities/{id}", Need::Public),
    get("/objects/{hash}", Need::Public),
    get("/events", Need::Read),
    post("/queue/pause", Need::Admin, Takes::Nothing),
    post("/queue/resume", Need::Admin, Takes::Nothing),
    get("/cache", Need::Read),
    post("/cache/upload", Need::Run, Takes::Bytes),
    post("/cache/import", Need::Admin, Takes::Nothing),
    post("/cache/verify", Need::Run, Takes::Nothing),
    post("/cache/gc", Need::Admin, Takes::Nothing),
    get("/cache/{hash}", Need::Read),
    delete("/cache/{hash}", Need::Delete),
    get("/cache/{hash}/info", Need::Read),
    Route { method: Method::OPTIONS, path: "/uploads", need: Need::Public, takes: Takes::Nothing },
    post("/uploads", Need::Run, Takes::Nothing),
    get("/uploads/{id}", Need::Run),
    Route { method: Method::PATCH, path: "/uploads/{id}", need: Need::Run, takes: Takes::Bytes },
    Route { method: Method::DELETE, path: "/uploads/{id}", need: Need::Run, takes: Takes::Nothing },
    get("/assets", Need::Read),
    put("/assets/{name}", Need::Run),
    delete("/assets/{name}", Need::Delete),
    post("/configs/upload", Need::Run, Takes::Config),
    get("/configs", Need::Read),
    get("/configs/{id}", Need::Read),
    delete("/configs/{id}", Need::Delete),
    post("/configs/{id}/run", Need::Run, Takes::Json),
    post("/configs/{id}/plan", Need::Read, Takes::Json),
    post("/configs/{id}/why", Need::Read, Takes::Json),
    get("/effects", Need::Read),
    get("/node-types", Need::Read),
];

/// Every route of the pages, but for those that programs have too.
pub static PAGES: &[Route] = &[
    get("/static/{set}/{file}", Need::Public),
    get("/run/{run_id}", Need::Read),
    get("/run/{run_id}/delete", Need::Delete),
    post("/run/{run_id}/delete", Need::Delete, Takes::Form),
    post("/run/{run_id}/publish", Need::Publish, Takes::Form),
    post("/run/{run_id}/{action}", Need::Run, Takes::Form),
    post("/runs/act", Need::Run, Takes::Form),
    get("/recipes", Need::Read),
    get("/recipes/new", Need::Read),
    post("/recipes/new", Need::Run, Takes::Form),
    post("/recipes/check", Need::Read, Takes::Form),
    post("/recipes/try", Need::Run, Takes::Form),
    get("/recipe/{id}", Need::Read),
    post("/recipe/{id}/run", Need::Run, Takes::Form),
    post("/recipe/{id}/try", Need::Run, Takes::Form),
    post("/recipe/{id}/plan", Need::Read, Takes::Form),
    get("/recipe/{id}/delete", Need::Delete),
    post("/recipe/{id}/delete", Need::Delete, Takes::Form),
    get("/media", Need::Read),
    post("/media/upload", Need::Run, Takes::Bytes),
    get("/media/{hash}", Need::Read),
    post("/media/{hash}/name", Need::Run, Takes::Form),
    post("/media/{hash}/unname", Need::Delete, Takes::Form),
    get("/media/{hash}/delete", Need::Delete),
    post("/media/{hash}/delete", Need::Delete, Takes::Form),
    post("/effects/draw", Need::Run, Takes::Form),
    get("/client", Need::Read),
    get("/storage", Need::Read),
    post("/storage/gc", Need::Admin, Takes::Form),
    post("/queue/act", Need::Admin, Takes::Form),
    get("/thumb/{hash}", Need::Read),
];

/// Every row of both tables.
pub fn all() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().chain(PAGES)
}

/// The row of a method on a path as the router has it. `HEAD` is `GET`.
pub fn find(method: &Method, path: &str) -> Option<&'static Route> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    all().find(|route| route.path == path && route.method == *method)
}

/// Is it a row of the pages' table?
pub fn is_page(row: &Route) -> bool {
    PAGES.iter().any(|page| std::ptr::eq(page, row))
}
