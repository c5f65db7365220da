//! What every handler is given.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use tokio::sync::Semaphore;

use crate::base::limits::{EVENT_STREAMS, VERIFICATIONS};
use crate::config::Settings;
use crate::engine::{Engine, EngineError};
use crate::http::auth::Auth;
use crate::http::error::ApiError;
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
    /// Event streams that may still be opened.
    pub streams: Arc<Semaphore>,
    /// Checks of all blobs that may still be begun.
    pub verifications: Arc<Semaphore>,
    /// Whether the server is about to end.
    pub stop: Stop,
    /// `http://host:port`, once it listens.
    address: OnceLock<String>,
}

impl App {
    /// A server over an open home.
    pub fn new(engine: Engine, settings: Settings, auth: Auth) -> Self {
        Self(Arc::new(Inner {
            engine,
            settings,
            auth,
            started: Instant::now(),
            streams: Arc::new(Semaphore::new(EVENT_STREAMS)),
            verifications: Arc::new(Semaphore::new(VERIFICATIONS)),
            stop: Stop::new(),
            address: OnceLock::new(),
        }))
    }

    /// Does something that waits for the disk or the processor on a thread that may wait.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.on_thread(move |app| work(&app.engine).map_err(ApiError::from)).await
    }

    /// The same for what says itself how its errors are answered.
    pub async fn on_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let app = self.clone();
        match tokio::task::spawn_blocking(move || work(&app)).await {
            Ok(done) => done,
            Err(panic) => Err(ApiError::bug(&panic)),
        }
    }

    /// Says once where the server listens.
    pub fn listens_at(&self, address: String) {
        // The first address stays: there is one listener.
        let _ = self.address.set(address);
    }

    /// Where the server listens, once it does.
    pub fn address(&self) -> Option<String> {
        self.address.get().cloned()
    }
}

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
