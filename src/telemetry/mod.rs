//! Log lines on standard error.

use tracing_subscriber::EnvFilter;

/// Starts logging with this filter; a filter that cannot be read counts as `warn`.
/// A second call in one process does nothing.
pub fn start(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("warn"));
    let started = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
}
