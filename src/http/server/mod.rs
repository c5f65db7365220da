//! The accept loop: connections taken, served over HTTP/1.1 with an end to patience at each
//! step, counted, and let go.
//!
//! `axum::serve` starts no timers, so that whoever opens a connection and says nothing keeps it
//! for ever; hence a loop of our own. It knows nothing of routes.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::base::limits::{
    BACKLOG, HEAD_BYTES, HEAD_SECONDS, LINGER_SECONDS, REFUSED_AT_ONCE, RESERVED_FILES, WRITE_STALL_SECONDS,
};
use crate::config::ServerSettings;
use crate::http::api;
use crate::http::app::App;
use crate::http::peer::Peer;
use crate::http::stream::Paced;
use crate::http::systemd::Watchdog;
use crate::http::tls::{self, TlsError};

/// Where a server listens.
pub struct Listening {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    address: SocketAddr,
}

/// How long a connection's peer may take for each step.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a request's head, and between two requests.
    pub head: Duration,
    /// With a full send buffer.
    pub stall: Duration,
    /// For what it had under way when we are done.
    pub linger: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(HEAD_SECONDS),
            stall: Duration::from_secs(WRITE_STALL_SECONDS),
            linger: Duration::from_secs(LINGER_SECONDS),
        }
    }
}

/// Why a server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address is not to be had.
    #[error("cannot listen on {address}: {reason}; --listen takes another address")]
    Address {
        /// The address, as written.
        address: String,
        /// Why not.
        reason: io::Error,
    },
    /// Certificate or key.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Listening {
    /// Binds the address of the settings. Needs a runtime around it.
    pub fn bind(settings: &ServerSettings) -> Result<Self, ListenError> {
        let tls = settings.tls.as_ref().map(tls::acceptor).transpose()?;
        let refused = |reason| ListenError::Address { address: settings.listen.clone(), reason };
        let listener = bind_first(&settings.listen).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, tls, address })
    }

    /// The address that was bound.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Can only this machine reach it?
    pub fn is_loopback(&self) -> bool {
        self.address.ip().to_canonical().is_loopback()
    }

    /// Where a client on this machine finds it.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        format!("{scheme}://{address}")
    }
}

/// Binds the first address of a name that can be bound.
fn bind_first(listen: &str) -> io::Result<TcpListener> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in listen.to_socket_addrs()? {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        match socket.bind(address).and_then(|()| socket.listen(BACKLOG)) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Takes and serves connections until the server is about to end; then lets what is under way
/// go on for as long as the settings say. The router is one that [`guarded`] has made safe.
///
/// [`guarded`]: crate::http::guard::guarded
pub async fn serve(app: &App, router: Router, listening: Listening, patience: Patience) {
    let most = as_many_as_files(app.settings.server.max_connections);
    let room = Arc::new(Semaphore::new(most));
    let refused = Arc::new(Semaphore::new(REFUSED_AT_ONCE));
    let connections = Connections { app: app.clone(), router, tls: listening.tls, patience, refused };
    let mut watchdog = Watchdog::of_environment();
    loop {
        tokio::select! {
            accepted = listening.listener.accept() => match accepted {
                Ok((stream, address)) => connections.take(stream, address, &room),
                Err(error) => pause_after(&error).await,
            },
            () = watchdog.beat() => {}
            () = app.stop.wait() => break,
        }
    }
    drop(listening.listener);
    let ended = room.acquire_many(most as u32);
    if timeout(app.settings.server.drain, ended).await.is_err() {
        tracing::warn!("connections are cut off that have not ended in time");
    }
}

/// The most connections that leave enough files for everything else.
fn as_many_as_files(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let current = if setrlimit(Resource::Nofile, raised).is_ok() { raised.current } else { limit.current };
    let room = current.map_or(u64::MAX, |files| files.saturating_sub(RESERVED_FILES).max(files / 2)) as usize;
    if room < wanted {
        tracing::warn!(wanted, room, "fewer connections than max-connections: the limit of open files is low");
    }
    wanted.min(room)
}

/// Errors of one connection are its own; a process that has no file left waits for one.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "a connection cannot be taken");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

struct Connections {
    app: App,
    router: Router,
    tls: Option<TlsAcceptor>,
    patience: Patience,
    /// Places of those who are told that there is no room.
    refused: Arc<Semaphore>,
}

impl Connections {
    fn take(&self, stream: TcpStream, address: SocketAddr, room: &Arc<Semaphore>) {
        let Ok(permit) = room.clone().try_acquire_owned() else {
            self.app.metrics.connections_refused.inc();
            return self.refuse(stream);
        };
        self.app.metrics.connections.inc();
        // Answers are written whole: waiting to fill packets only delays the last one.
        let _ = stream.set_nodelay(true);
        let local = stream.local_addr().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |local| local.ip());
        let peer = Peer { address, local };
        let (app, router, patience) = (self.app.clone(), self.router.clone(), self.patience);
        let stream = Paced::new(stream, patience.stall, patience.linger);
        match self.tls.clone() {
            None => {
                tokio::spawn(speak(stream, peer, app, router, patience, permit));
            }
            Some(tls) => {
                tokio::spawn(async move {
                    match timeout(patience.head, tls.accept(stream)).await {
                        Ok(Ok(stream)) => speak(stream, peer, app, router, patience, permit).await,
                        Ok(Err(error)) => tracing::debug!(%error, %address, "no TLS came of a connection"),
                        Err(_) => tracing::debug!(%address, "a TLS handshake took too long"),
                    }
                });
            }
        }
    }

    /// Tells a client that there is no room, as far as that can be done without waiting; and takes
    /// in what it says meanwhile, as far as there is a place for that: a connection that is closed
    /// with bytes nobody has read is reset, and the answer may be lost with it.
    fn refuse(&self, mut stream: TcpStream) {
        const ANSWER: &[u8] =
            b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 53\r\n\
            Retry-After: 1\r\nConnection: close\r\n\r\n{\"detail\": \"too many connections; try again shortly\"}";
        if self.tls.is_some() {
            return;
        }
        if stream.try_write(ANSWER).is_err() {
            return tracing::debug!("a refused connection could not be told so");
        }
        let Ok(place) = self.refused.clone().try_acquire_owned() else { return };
        let most = self.patience.linger;
        tokio::spawn(async move {
            let _place = place;
            let mut piece = [0; 4096];
            let its_end = async {
                let _ = stream.shutdown().await;
                while stream.read(&mut piece).await.is_ok_and(|bytes| bytes > 0) {}
            };
            let _ = timeout(most, its_end).await;
        });
    }
}

/// Serves a connection until its end.
async fn speak<S>(stream: S, peer: Peer, app: App, router: Router, patience: Patience, _permit: OwnedSemaphorePermit)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        api::override_method(&mut request);
        router.clone().oneshot(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = app.stop.wait() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, peer = %peer.address, "a connection broke off");
    }
}

#[cfg(test)]
mod tests;
