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
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::engine::{Counts, Engine};
use crate::http::auth::Auth;
use crate::link::redis::Links;

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
    pub fn new(engine: Engine, auth: Auth, redis: Links) -> Self {
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
        registry.register_collector(Box::new(Figures { engine, auth, redis }));
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
    redis: Links,
}

impl std::fmt::Debug for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Figures")
    }
}

impl Collector for Figures {
    /// What cannot be read at the moment is left out: a scrape shows what there is.
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let engine = &self.engine;
        let mut told = Told(&mut encoder);
        told.counter("failed_logins", "Tokens and sessions that did not hold", self.auth.failed_logins())?;
        told.counter("commits", "Commits of the database", engine.commits())?;
        let work = engine.work_done();
        told.counter("stages", "Stages run", work.stages)?;
        told.counter("nodes_computed", "Nodes computed", work.computed)?;
        told.counter("nodes_cached", "Nodes whose results were known", work.known)?;
        told.gauge("degraded", "1 while the database takes no writes", u64::from(engine.degraded().is_some()))?;
        if let Ok(paused) = engine.queue_paused() {
            told.gauge("queue_paused", "1 while no run is begun", u64::from(paused))?;
        }
        if let Ok(waiting) = engine.queue_len() {
            told.gauge("queue_depth", "Runs that wait to be begun", waiting)?;
        }
        if let Ok((published, waiting)) = engine.publication_counts() {
            told.gauge("publications", "Outputs that are published", published)?;
            told.gauge("publications_undelivered", "Publications that L2 does not have", waiting)?;
        }
        if let Ok(storage) = engine.storage() {
            told.gauge("cache_blobs", "Files in the cache", storage.blobs)?;
            told.gauge("cache_bytes", "Their bytes", storage.bytes)?;
            told.gauge("cache_derived_bytes", "Bytes of these that can be made again", storage.derived_bytes)?;
            told.gauge("cache_derived_cap_bytes", "How many of those there may be", storage.derived_cap)?;
            told.gauge("free_bytes", "Bytes that the disk has left", storage.free_bytes)?;
        }
        told.redis(engine, &self.redis)?;
        match engine.run_counts() {
            Ok(counts) => told.runs(&counts),
            Err(_) => Ok(()),
        }
    }
}

/// The way to write figures.
struct Told<'a, 'b>(&'a mut DescriptorEncoder<'b>);

impl Told<'_, '_> {
    fn counter(&mut self, name: &str, help: &str, value: u64) -> Result<(), std::fmt::Error> {
        ConstCounter::new(value).encode(self.0.encode_descriptor(name, help, None, MetricType::Counter)?)
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) -> Result<(), std::fmt::Error> {
        ConstGauge::new(value).encode(self.0.encode_descriptor(name, help, None, MetricType::Gauge)?)
    }

    /// Of what the settings do not want nothing is told.
    fn redis(&mut self, engine: &Engine, links: &Links) -> Result<(), std::fmt::Error> {
        if let Some(mirror) = links.mirror.figures() {
            self.gauge("redis_mirror_connected", "1 while the mirror is reached", u64::from(mirror.connected))?;
            self.counter("redis_mirror_written", "Runs and contents written to the mirror", mirror.done)?;
            self.counter("redis_mirror_rebuilt", "Times that all of it was written anew", mirror.anew)?;
            if let Ok(last) = engine.last_change() {
                let behind = last.saturating_sub(mirror.place);
                self.gauge("redis_mirror_behind", "Changes that the mirror has yet to be told", behind)?;
            }
        }
        if let Some(intake) = links.intake.figures() {
            self.gauge("redis_intake_connected", "1 while the broker is reached", u64::from(intake.connected))?;
            self.counter("redis_jobs_taken", "Jobs taken from the broker", intake.done)?;
            self.counter("redis_jobs_refused", "Messages that were no jobs", intake.refused)?;
        }
        if let Some(results) = links.results.figures() {
            self.gauge(
                "redis_results_connected",
                "1 while the result backend is reached",
                u64::from(results.connected),
            )?;
            self.counter("redis_results", "Results written for callers", results.done)?;
        }
        Ok(())
    }

    fn runs(&mut self, counts: &Counts) -> Result<(), std::fmt::Error> {
        let mut figures = self.0.encode_descriptor("runs", "Runs by status", None, MetricType::Gauge)?;
        for (status, count) in [
            ("pending", counts.pending),
            ("running", counts.running),
            ("completed", counts.completed),
            ("failed", counts.failed),
            ("cancelled", counts.cancelled),
        ] {
            ConstGauge::new(count).encode(figures.encode_family(&[("status", status)])?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::testing::TestApp;

    #[test]
    fn figures_of_the_server_and_of_the_engine_are_told() {
        let test = TestApp::new(true, &[]);
        test.app.metrics.answered("GET", "/runs/{run_id}", 200, Duration::from_millis(3));
        let text = test.app.metrics.text();
        for line in [
            "artdag_http_request_seconds_count{method=\"GET\",route=\"/runs/{run_id}\",status=\"200\"} 1",
            "artdag_runs{status=\"pending\"} 0",
            "artdag_cache_blobs 1",
            "artdag_queue_depth 0",
            "artdag_failed_logins_total 0",
            "# TYPE artdag_commits_total counter",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        let class =
            |line: &str| line.contains("seconds_bucket{") && line.contains("le=\"0.005\"") && line.ends_with(" 1");
        assert!(text.lines().any(class), "{text}");
    }
}
