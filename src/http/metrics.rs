//! What Prometheus reads at `/metrics`.
//!
//! What happens here is counted as it happens; what the engine knows is asked when somebody
//! looks, and costs nothing before.

use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _, prometheus_text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::engine::Engine;
use crate::http::auth::Auth;

/// Upper ends of the classes of latency, in seconds: a known result takes milliseconds, an
/// upload minutes.
const LATENCIES: [f64; 14] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0, 120.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: &'static str,
    status: u16,
}

/// Counters, and the way to everything else that is told.
pub struct Metrics {
    registry: Registry,
    latency: Family<Labels, Histogram>,
    /// Connections that were taken.
    pub connections: Counter,
    /// Connections that were refused because there were too many.
    pub connections_refused: Counter,
    /// Uploads that were taken in.
    pub uploads: Counter,
    /// Their bytes.
    pub upload_bytes: Counter,
}

impl Metrics {
    /// Nothing has happened yet.
    pub fn new(engine: Engine, auth: Auth) -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("artdag"),
            latency: Family::new_with_constructor(|| Histogram::new(LATENCIES)),
            connections: Counter::default(),
            connections_refused: Counter::default(),
            uploads: Counter::default(),
            upload_bytes: Counter::default(),
        };
        let registry = &mut metrics.registry;
        let latency = metrics.latency.clone();
        registry.register("http_request_seconds", "Time until an answer's head, by method, route and status", latency);
        for (name, help, counter) in [
            ("http_connections", "Connections taken", &metrics.connections),
            ("http_connections_refused", "Connections refused for want of room", &metrics.connections_refused),
            ("uploads", "Files taken in", &metrics.uploads),
            ("upload_bytes", "Bytes of files taken in", &metrics.upload_bytes),
        ] {
            registry.register(name, help, counter.clone());
        }
        registry.register_collector(Box::new(Figures { engine, auth }));
        metrics
    }

    /// Counts an answer.
    pub fn answered(&self, method: &'static str, route: &'static str, status: u16, took: Duration) {
        self.latency.get_or_create(&Labels { method, route, status }).observe(took.as_secs_f64());
    }

    /// Everything as text. Asks the engine, which may read the disk.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if let Err(error) = prometheus_text::encode(&mut text, &self.registry) {
            tracing::error!(%error, "BUG: figures cannot be written");
        }
        text
    }
}

/// What others know.
struct Figures {
    engine: Engine,
    auth: Auth,
}

impl std::fmt::Debug for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Figures")
    }
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let failed = ConstCounter::new(self.auth.failed_logins());
        let help = "Tokens and sessions that did not hold";
        failed.encode(encoder.encode_descriptor("failed_logins", help, None, MetricType::Counter)?)?;
        let _ = &self.engine;
        Ok(())
    }
}
