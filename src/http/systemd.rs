//! What a service manager is told: that we serve, that we live, that we end.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Tells the service manager, if there is one.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

/// Requests are answered from now on.
pub fn ready(url: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(&format!("serving {url}"))]);
}

/// The server is about to end.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("finishing what is under way")]);
}

/// The beats by which the service manager knows that the accept loop goes round. A loop that
/// stands still misses them, and the service is started again.
pub struct Watchdog(Option<Interval>);

impl Watchdog {
    /// As often as the service manager wants it; never, if it does not.
    pub fn of_environment() -> Self {
        Self::every(sd_notify::watchdog_enabled().map(|within| within / 3))
    }

    fn every(period: Option<Duration>) -> Self {
        Self(period.filter(|period| !period.is_zero()).map(|period| {
            let mut beats = interval(period);
            beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
            beats
        }))
    }

    /// Waits for the next beat and gives it.
    pub async fn beat(&mut self) {
        match &mut self.0 {
            Some(beats) => {
                beats.tick().await;
                tell(&[NotifyState::Watchdog]);
            }
            None => std::future::pending().await,
        }
    }
}
