//! A tiny proxy to test clients' proxy support: HTTP (CONNECT and absolute-form requests) and SOCKS5.
//!
//! Started by tests; it stands apart from the target and has its own thread. It listens on loopback and connects only
//! to loopback: it must never be of use to anybody else. It deliberately keeps one upstream per connection and reads
//! nothing of what passes through.

mod http;
mod socks5;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Which protocol a proxy speaks to its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyKind {
    /// `CONNECT host:port`, and requests with an absolute URI for plain HTTP.
    Http,
    /// SOCKS version 5 (RFC 1928), CONNECT only.
    Socks5,
}

/// What a proxy has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProxyStats {
    /// Connections accepted.
    pub connections: u64,
    /// Of these, led to an upstream.
    pub tunnels: u64,
    /// Of these, turned away for missing or wrong credentials.
    pub unauthorized: u64,
    /// Of these, turned away for any other reason: bad request, upstream not reachable or not on loopback.
    pub refused: u64,
    /// Bytes from clients to upstreams, and back, of tunnels that have ended.
    pub bytes: u64,
}

#[derive(Debug, Default)]
struct Counters {
    connections: AtomicU64,
    tunnels: AtomicU64,
    unauthorized: AtomicU64,
    refused: AtomicU64,
    bytes: AtomicU64,
}

/// User and password that a proxy asks for.
type Credentials = Option<(String, String)>;

/// How a connection to the proxy ended before or in its tunnel.
enum Ended {
    Tunnelled(u64),
    Unauthorized,
    Refused,
}

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub struct RunningProxy {
    kind: ProxyKind,
    address: SocketAddr,
    counters: Arc<Counters>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl RunningProxy {
    /// Starts one on a free loopback port; with `credentials` (user, password) it asks for them.
    pub fn start(kind: ProxyKind, credentials: Credentials) -> io::Result<Self> {
        let listener = super::listener::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let counters = Arc::new(Counters::default());
        let (stop, stopped) = oneshot::channel();
        let counted = Arc::clone(&counters);
        let thread = std::thread::Builder::new().name("punk-proxy".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    _ = accept(listener, kind, Arc::new(credentials), counted) => {}
                }
            });
        })?;
        Ok(Self { kind, address, counters, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Its URL without credentials: `http://…` or `socks5://…`.
    pub fn url(&self) -> String {
        let scheme = match self.kind {
            ProxyKind::Http => "http",
            ProxyKind::Socks5 => "socks5",
        };
        format!("{scheme}://{}", self.address)
    }

    /// What it has done since its start.
    pub fn stats(&self) -> ProxyStats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ProxyStats {
            connections: get(&self.counters.connections),
            tunnels: get(&self.counters.tunnels),
            unauthorized: get(&self.counters.unauthorized),
            refused: get(&self.counters.refused),
            bytes: get(&self.counters.bytes),
        }
    }
}

impl Drop for RunningProxy {
    fn drop(&mut self) {
        // A receiver that is gone means that the thread has ended already.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn accept(
    listener: std::net::TcpListener,
    kind: ProxyKind,
    credentials: Arc<Credentials>,
    counters: Arc<Counters>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (client, _) = listener.accept().await?;
        counters.connections.fetch_add(1, Ordering::Relaxed);
        let (credentials, counters) = (Arc::clone(&credentials), Arc::clone(&counters));
        tokio::spawn(async move {
            // It fails only on a socket that is gone.
            let _ = client.set_nodelay(true);
            let ended = match kind {
                ProxyKind::Http => http::serve(client, &credentials, &counters.tunnels).await,
                ProxyKind::Socks5 => socks5::serve(client, &credentials, &counters.tunnels).await,
            };
            match ended.unwrap_or(Ended::Refused) {
                Ended::Tunnelled(bytes) => counters.bytes.fetch_add(bytes, Ordering::Relaxed),
                Ended::Unauthorized => counters.unauthorized.fetch_add(1, Ordering::Relaxed),
                Ended::Refused => counters.refused.fetch_add(1, Ordering::Relaxed),
            };
        });
    }
}

/// Connects to `host:port` if that is on loopback.
async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let ip = match host.trim_matches(['[', ']']) {
        "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        text => text.parse().map_err(|_| io::Error::from(io::ErrorKind::PermissionDenied))?,
    };
    if !ip.is_loopback() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let stream = TcpStream::connect((ip, port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Passes bytes both ways until both sides have closed; a side that breaks off ends it too.
async fn tunnel(mut client: TcpStream, mut upstream: TcpStream, first: u64) -> Ended {
    match tokio::io::copy_bidirectional(&mut client, &mut upstream).await {
        Ok((up, down)) => Ended::Tunnelled(first + up + down),
        Err(_) => Ended::Tunnelled(first),
    }
}
