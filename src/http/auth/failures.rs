//! How often an address has shown a wrong token lately.
//!
//! Whoever shows wrong ones again and again is told to wait. A right one is never refused for
//! the mistakes of others behind the same address: who guesses 256 bits gains nothing by
//! guessing fast. The table is bounded, and knows no tokens.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use crate::base::limits::{FAILED_LOGIN_PEERS, FAILED_LOGIN_SECONDS, FAILED_LOGINS};

/// Failures of the last [`FAILED_LOGIN_SECONDS`], by address.
#[derive(Default)]
pub struct Failures(HashMap<IpAddr, VecDeque<Instant>>);

impl Failures {
    /// Counts a failure. If there were too many, how long the caller shall wait.
    pub fn count(&mut self, peer: IpAddr, now: Instant) -> Option<Duration> {
        let window = Duration::from_secs(FAILED_LOGIN_SECONDS);
        let peer = network(peer);
        if !self.0.contains_key(&peer) && self.0.len() >= FAILED_LOGIN_PEERS {
            self.make_room(now, window);
        }
        let times = self.0.entry(peer).or_default();
        while times.front().is_some_and(|first| now.duration_since(*first) >= window) {
            times.pop_front();
        }
        match times.front() {
            // It is not counted again, so that waiting helps.
            Some(first) if times.len() >= FAILED_LOGINS => Some(window.saturating_sub(now.duration_since(*first))),
            _ => {
                times.push_back(now);
                None
            }
        }
    }

    fn make_room(&mut self, now: Instant, window: Duration) {
        self.0.retain(|_, times| times.back().is_some_and(|last| now.duration_since(*last) < window));
        if self.0.len() >= FAILED_LOGIN_PEERS {
            let oldest = self.0.iter().min_by_key(|(_, times)| times.back().copied()).map(|(peer, _)| *peer);
            oldest.map(|peer| self.0.remove(&peer));
        }
    }
}

/// The address as far as it stands for one caller: of IPv6 the network, which has 2^64 addresses.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn too_many_failures_are_told_to_wait_until_the_oldest_is_forgotten() {
        let (mut failures, start) = (Failures::default(), Instant::now());
        for second in 0..FAILED_LOGINS as u64 {
            assert_eq!(failures.count(PEER, start + Duration::from_secs(second)), None);
        }
        let at = start + Duration::from_secs(20);
        assert_eq!(failures.count(PEER, at), Some(Duration::from_secs(FAILED_LOGIN_SECONDS - 20)));
        assert_eq!(failures.count("192.0.2.1".parse().unwrap(), at), None);
        let later = start + Duration::from_secs(FAILED_LOGIN_SECONDS);
        assert_eq!(failures.count(PEER, later), None);
        assert_eq!(failures.count(PEER, later), Some(Duration::from_secs(1)));
    }

    #[test]
    fn a_network_of_ipv6_is_one_caller() {
        let (mut failures, now) = (Failures::default(), Instant::now());
        let address = |last: usize| format!("2001:db8::{last:x}").parse().unwrap();
        for last in 0..FAILED_LOGINS {
            assert_eq!(failures.count(address(last), now), None);
        }
        assert!(failures.count(address(99), now).is_some());
        assert_eq!(failures.count("2001:db8:0:1::1".parse().unwrap(), now), None);
        let mapped = "::ffff:127.0.0.1".parse().unwrap();
        assert_eq!(network(mapped), PEER);
    }

    #[test]
    fn the_table_is_bounded() {
        let (mut failures, start) = (Failures::default(), Instant::now());
        for peer in 0..FAILED_LOGIN_PEERS as u32 + 10 {
            failures.count(IpAddr::V4(peer.into()), start + Duration::from_millis(u64::from(peer)));
        }
        assert_eq!(failures.0.len(), FAILED_LOGIN_PEERS);
        assert!(!failures.0.contains_key(&IpAddr::V4(0.into())));
        failures.count(PEER, start + Duration::from_secs(FAILED_LOGIN_SECONDS * 2));
        assert_eq!(failures.0.len(), 1);
    }
}
