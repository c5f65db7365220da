//! What every handler is given.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;

use crate::config::Settings;
use crate::engine::{Engine, EngineError};
use crate::http::auth::Auth;
use crate::http::error::ApiError;
use crate::http::metrics::Metrics;
use crate::http::stop::Stop;

/// The server's state. Cloning shares it.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// What it is made of.
pub struct Inner {
    /// The home.
    pub engine: Engine,
    /// Settings, checked.
    pub settings: Settings,
    /// Who may do what.
    pub auth: Auth,
    /// When the server started, by the monotonic clock.
    pub started: Instant,
    /// What is counted.
    pub metrics: Metrics,
    /// Whether the server is about to end.
    pub stop: Stop,
    /// Room for uploads.
    pub uploads: Semaphore,
}

impl App {
    /// A server over an open home.
    pub fn new(engine: Engine, settings: Settings, auth: Auth) -> Self {
        let metrics = Metrics::new(engine.clone(), auth.clone());
        let uploads = Semaphore::new(settings.server.max_uploads);
        Self(Arc::new(Inner { engine, settings, auth, started: Instant::now(), metrics, stop: Stop::new(), uploads }))
    }

    /// Does something that waits for the disk or the processor on a thread that may wait.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let app = self.clone();
        let span = tracing::Span::current();
        match tokio::task::spawn_blocking(move || span.in_scope(|| work(&app.engine))).await {
            Ok(done) => done.map_err(ApiError::from),
            Err(panic) => Err(ApiError::bug(&panic)),
        }
    }
}

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
