//! What every handler is given.

use std::sync::Arc;
use std::time::Instant;

use crate::config::Settings;
use crate::engine::{Engine, EngineError};
use crate::http::auth::Auth;
use crate::http::error::ApiError;

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
}

impl App {
    /// A server over an open home.
    pub fn new(engine: Engine, settings: Settings, auth: Auth) -> Self {
        Self(Arc::new(Inner { engine, settings, auth, started: Instant::now() }))
    }

    /// Does something that waits for the disk or the processor on a thread that may wait.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let app = self.clone();
        match tokio::task::spawn_blocking(move || work(&app.engine)).await {
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
