//! A connection that is made when it is needed, gives up in time, and is made anew after errors,
//! each time a little later.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use redis::{Client, Connection, RedisError};

use crate::base::limits::{REDIS_ANSWER_SECONDS, REDIS_CONNECT_SECONDS, REDIS_RETRY_SECONDS};
use crate::engine::EngineError;
use crate::link::redis::BadAddress;
use crate::link::redis::state::Link;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Redis, or the way to it.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// This home.
    #[error(transparent)]
    Home(#[from] EngineError),
}

/// Says when to end.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// It is time.
    pub fn begin(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    /// Is it time?
    pub fn begun(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits this long, or until it is time.
    pub fn wait(&self, most: Duration) {
        let stopped = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.0.1.wait_timeout_while(stopped, most, |stopped| !*stopped));
    }
}

/// The way to a database.
pub struct Wire {
    client: Client,
    connection: Option<Connection>,
    link: Link,
    stop: Stop,
    failures: u32,
}

impl Wire {
    /// The way to the database of this address.
    pub fn new(url: &str, link: Link, stop: Stop) -> Result<Self, BadAddress> {
        let client = Client::open(url).map_err(|error| BadAddress(error.to_string()))?;
        Ok(Self { client, connection: None, link, stop, failures: 0 })
    }

    /// Does something with the connection. After an error it is closed, and this waits a little,
    /// longer each time.
    pub fn with<T>(&mut self, work: impl FnOnce(&mut Connection) -> Result<T, Trouble>) -> Option<T> {
        match self.connection().map_err(Trouble::from).and_then(work) {
            Ok(done) => {
                self.failures = 0;
                if self.link.set_connected(true) {
                    tracing::info!("Redis is reached");
                }
                Some(done)
            }
            Err(Trouble::Home(error)) => {
                tracing::warn!(%error, "what Redis is to be told cannot be read or written here; it is tried again");
                self.stop.wait(Duration::from_secs(REDIS_RETRY_SECONDS));
                None
            }
            Err(trouble) => {
                self.connection = None;
                if self.link.set_connected(false) || self.failures == 0 {
                    tracing::warn!(error = %trouble, "Redis is not reached; it is tried again");
                }
                self.failures = self.failures.saturating_add(1);
                let pause = Duration::from_millis(50 << self.failures.min(10));
                self.stop.wait(pause.min(Duration::from_secs(REDIS_RETRY_SECONDS)));
                None
            }
        }
    }

    fn connection(&mut self) -> Result<&mut Connection, RedisError> {
        let connection = match self.connection.take() {
            Some(open) => open,
            None => {
                let open = self.client.get_connection_with_timeout(Duration::from_secs(REDIS_CONNECT_SECONDS))?;
                let patience = Some(Duration::from_secs(REDIS_ANSWER_SECONDS));
                open.set_read_timeout(patience)?;
                open.set_write_timeout(patience)?;
                open
            }
        };
        Ok(self.connection.insert(connection))
    }
}
