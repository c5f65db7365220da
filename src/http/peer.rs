//! Both ends of the connection that a request came over.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Both ends of a connection; the server puts it into each request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Who is at the other end.
    pub address: SocketAddr,
    /// The address of ours that they called.
    pub local: IpAddr,
}

impl Default for Peer {
    /// A request that came over no connection is this machine's own.
    fn default() -> Self {
        let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self { address: SocketAddr::new(local, 0), local }
    }
}
