//! What every handler is given.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::base::limits::{BODIES_BYTES, EVENT_STREAMS, PLANS_AT_ONCE, VERIFICATIONS};
use crate::config::Settings;
use crate::engine::{Engine, EngineError};
use crate::http::auth::Auth;
use crate::http::error::ApiError;
use crate::http::metrics::Metrics;
use crate::http::stop::Stop;
use crate::link::redis::Links;
use crate::link::{L2, Outside, Publisher};

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
    /// What is published, and how others see this server.
    pub publisher: Publisher,
    /// When the server started, by the monotonic clock.
    pub started: Instant,
    /// What is counted.
    pub metrics: Metrics,
    /// Whether the server is about to end.
    pub stop: Stop,
    /// How it goes with Redis.
    pub redis: Links,
    /// Room for uploads.
    pub uploads: Semaphore,
    /// Room for event streams.
    pub streams: Arc<Semaphore>,
    /// Room for checks of all blobs.
    pub verifications: Arc<Semaphore>,
    /// Room for bodies that are held whole, in KiB.
    pub bodies: Arc<Semaphore>,
    /// Turns to read and plan recipes.
    turns: Semaphore,
    /// Where it listens, once it does.
    address: OnceLock<String>,
}

impl App {
    /// A server over an open home.
    pub fn new(engine: Engine, settings: Settings, auth: Auth) -> Self {
        let publisher = Publisher::new(engine.clone(), outside(&settings));
        let redis = Links::default();
        let metrics = Metrics::new(engine.clone(), auth.clone(), redis.clone());
        let uploads = Semaphore::new(settings.server.max_uploads);
        Self(Arc::new(Inner {
            engine,
            settings,
            auth,
            publisher,
            started: Instant::now(),
            metrics,
            stop: Stop::new(),
            redis,
            uploads,
            streams: Arc::new(Semaphore::new(EVENT_STREAMS)),
            verifications: Arc::new(Semaphore::new(VERIFICATIONS)),
            bodies: Arc::new(Semaphore::new(BODIES_BYTES >> 10)),
            turns: Semaphore::new(PLANS_AT_ONCE),
            address: OnceLock::new(),
        }))
    }

    /// Waits for a turn to read or plan a recipe, or to show what came of that: with the largest ones
    /// each takes hundreds of megabytes. No thread is held meanwhile.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.acquire().await.ok()
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
        let span = tracing::Span::current();
        match tokio::task::spawn_blocking(move || span.in_scope(|| work(&app))).await {
            Ok(done) => done,
            Err(panic) => Err(ApiError::bug(&panic)),
        }
    }

    /// Says once where the server listens.
    pub fn listens_at(&self, url: String) {
        self.publisher.listens_at(&url);
        // There is one listener: its address stays.
        let _ = self.address.set(url);
    }

    /// Where the server listens, once it does: `http://address:port`.
    pub fn address(&self) -> Option<&str> {
        self.address.get().map(String::as_str)
    }
}

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// What the settings say of the world outside.
pub fn outside(settings: &Settings) -> Outside {
    let publishing = settings.server.publishing.clone();
    let (token_file, certificates) = (publishing.l2_token_file, publishing.l2_cacert);
    Outside {
        public_url: publishing.public_url,
        actor: publishing.actor,
        l2: publishing.l2_url.map(|url| L2 { url, token_file, certificates }),
    }
}
