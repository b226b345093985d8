//! One connection from nothing to ready: lookup, TCP, proxy, TLS, each with its time and its own limit.
//!
//! Called by `http/connection.rs` on behalf of a user. The phases are written to [`Progress`] as they end, so that the caller still
//! knows them when its own deadline cancels the dialing.

use std::cell::Cell;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use tokio::net::TcpStream;

use super::Shared;
use super::error::{ErrorKind, Phase, TransportError};
use super::proxy::{self, Proxy};
use super::stream::{Metered, Stream};
use super::{tcp, tls};

/// Where to connect and how.
#[derive(Debug)]
pub struct Dial<'a> {
    /// Host name or literal address.
    pub host: &'a str,
    /// TCP port.
    pub port: u16,
    /// The user's TLS configuration, for an encrypted connection.
    pub tls: Option<&'a Arc<ClientConfig>>,
    /// The name to ask for and check instead of the host.
    pub server_name: Option<&'a str>,
    /// Go through this proxy.
    pub proxy: Option<&'a Proxy>,
    /// Whether the proxy forwards requests itself (plain HTTP): then there is no tunnel to ask for.
    pub forward: bool,
    /// Limit for the TCP connection, proxy handshake included.
    pub connect_timeout: Option<Duration>,
    /// Limit for the TLS handshake.
    pub tls_timeout: Option<Duration>,
}

/// A connection ready for use.
#[derive(Debug)]
pub struct Dialed {
    /// The stream, counting.
    pub stream: Stream,
    /// The address at the other end (the proxy's, when there is one).
    pub remote: SocketAddr,
    /// Whether the server chose HTTP/2 in the handshake (ALPN).
    pub h2: bool,
    /// `tls1.2` or `tls1.3`.
    pub tls_version: Option<&'static str>,
}

/// What a dialing has cost so far.
#[derive(Debug)]
pub struct Progress {
    phase: Cell<Phase>,
    since: Cell<Instant>,
    dns: Cell<Duration>,
    connect: Cell<Duration>,
    tls: Cell<Duration>,
}

impl Progress {
    /// Starts the clock.
    pub fn start(now: Instant) -> Progress {
        Progress {
            phase: Cell::new(Phase::Dns),
            since: Cell::new(now),
            dns: Cell::default(),
            connect: Cell::default(),
            tls: Cell::default(),
        }
    }

    /// The phase under way.
    pub fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// Lookup, connect and TLS times; the phase under way is counted up to `now`.
    pub fn phases(&self, now: Instant) -> (Duration, Duration, Duration) {
        self.close(now);
        (self.dns.get(), self.connect.get(), self.tls.get())
    }

    fn enter(&self, phase: Phase) {
        self.close(Instant::now());
        self.phase.set(phase);
    }

    fn close(&self, now: Instant) {
        let spent = now.saturating_duration_since(self.since.replace(now));
        let slot = match self.phase.get() {
            Phase::Dns => &self.dns,
            Phase::Connect => &self.connect,
            Phase::Tls => &self.tls,
            _ => return,
        };
        slot.set(slot.get() + spent);
    }

    /// No phase of the dialing is under way any more.
    fn finish(&self) {
        self.enter(Phase::Blocked);
    }
}

/// Dials.
///
/// # Errors
/// Every class of DNS, TCP, proxy and TLS failure; the phase limits of [`Dial`] as `connect_timeout` and `tls_timeout`.
pub async fn dial(shared: &Shared, dial: &Dial<'_>, progress: &Progress) -> Result<Dialed, TransportError> {
    let result = steps(shared, dial, progress).await;
    if result.is_ok() {
        progress.finish();
    }
    result
}

async fn steps(shared: &Shared, dial: &Dial<'_>, progress: &Progress) -> Result<Dialed, TransportError> {
    let (host, port) = match dial.proxy {
        Some(proxy) => (proxy.host.as_str(), proxy.port),
        None => (dial.host, dial.port),
    };
    let addresses: Vec<SocketAddr> =
        shared.resolver.lookup(host).await?.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();

    progress.enter(Phase::Connect);
    let connecting = async {
        let tcp =
            tcp::connect(&addresses, &shared.sources).await.map_err(|error| TransportError::from_connect(&error))?;
        let remote = peer(&tcp)?;
        let mut stream = Metered::new(tcp);
        if let Some(proxy) = dial.proxy {
            proxy::open_tunnel(&mut stream, proxy, dial.host, dial.port, dial.forward).await?;
        }
        Ok((stream, remote))
    };
    let (stream, remote) = within(dial.connect_timeout, connecting).await.unwrap_or_else(|| {
        Err(TransportError::new(ErrorKind::ConnectTimeout, Phase::Connect, "connecting timed out"))
    })?;

    let Some(config) = dial.tls else {
        return Ok(Dialed {
            stream: Stream::plain(stream, shared.scratch.clone()),
            remote,
            h2: false,
            tls_version: None,
        });
    };
    progress.enter(Phase::Tls);
    let name = dial.server_name.unwrap_or(dial.host);
    let shaken = within(dial.tls_timeout, tls::handshake(config, name, stream)).await.unwrap_or_else(|| {
        Err(TransportError::new(ErrorKind::TlsTimeout, Phase::Tls, "the TLS handshake timed out"))
    })?;
    Ok(Dialed {
        h2: shaken.h2,
        tls_version: shaken.version,
        stream: Stream::tls(shaken.stream, shared.scratch.clone()),
        remote,
    })
}

fn peer(tcp: &TcpStream) -> Result<SocketAddr, TransportError> {
    tcp.peer_addr().map_err(|error| TransportError::from_connect(&error))
}

async fn within<F: Future>(limit: Option<Duration>, work: F) -> Option<F::Output> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, work).await.ok(),
        None => Some(work.await),
    }
}
