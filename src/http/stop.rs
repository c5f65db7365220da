//! Whether the server is about to end.

use tokio::sync::watch;

/// Tells everybody that the server is about to end. Cloning shares it.
#[derive(Clone)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// A server that goes on.
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// From now on it is about to end.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Is it about to end?
    pub fn begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when it is about to end; streams that have no end of their own wait for this.
    pub async fn wait(&self) {
        // The sender lives in `self`: it cannot be gone.
        let _ = self.0.subscribe().wait_for(|begun| *begun).await;
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}
