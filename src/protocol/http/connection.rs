//! One connection of one user, speaking HTTP/1.1 or HTTP/2.
//!
//! Opened by [`super::Client`], kept by `http/pool.rs`. HTTP/1.1 is a bare stream that the request's own future drives
//! (`http/over_h1.rs`); HTTP/2 is hyper's, and runs as a task of the shard.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::Poll;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http2;

use super::classify::classify;
use crate::metrics::Proto;
use crate::protocol::net::{Census, Counted, Dialed, Meter, Phase, Stream, TransportError};

/// The request body that hyper takes from us.
pub(super) type Upload = Full<Bytes>;

/// What both protocols have.
#[derive(Debug)]
pub(super) struct Link {
    pub meter: Rc<Meter>,
    pub remote: SocketAddr,
    pub tls_version: Option<&'static str>,
}

/// An HTTP/1.1 connection: one exchange at a time.
#[derive(Debug)]
pub(super) struct H1 {
    pub stream: Stream,
    pub link: Link,
    /// Busy while an exchange is under way and after one that ended in disorder: such a connection is never reused.
    pub counted: Counted,
    /// When its last exchange ended.
    pub idle_since: Instant,
}

impl H1 {
    /// Whether an idle connection is still open as far as this machine has heard. A read that finds anything at all, the end or bytes
    /// that nobody asked for, means it is not; without news from the socket this costs no system call.
    pub async fn is_alive(&mut self) -> bool {
        poll_fn(|cx| Poll::Ready(self.stream.poll_take(cx, |_| ()).is_pending())).await
    }
}

/// An HTTP/2 connection: many exchanges at once.
#[derive(Debug)]
pub(super) struct H2 {
    pub sender: http2::SendRequest<Upload>,
    pub link: Link,
    /// Exchanges under way.
    pub active: Cell<u64>,
    /// Whether it has carried an exchange.
    pub used: Cell<bool>,
    pub counted: Rc<Counted>,
}

/// Counts an exchange on an HTTP/2 connection for as long as it lives.
#[derive(Debug)]
pub(super) struct ActiveStream(pub Rc<H2>);

impl ActiveStream {
    pub fn start(connection: &Rc<H2>) -> ActiveStream {
        connection.counted.busy();
        connection.active.set(connection.active.get() + 1);
        ActiveStream(connection.clone())
    }
}

impl Drop for ActiveStream {
    fn drop(&mut self) {
        let active = self.0.active.get() - 1;
        self.0.active.set(active);
        if active == 0 {
            self.0.counted.idle();
        }
    }
}

/// Runs hyper's own futures on the shard.
#[derive(Clone, Copy, Debug)]
pub(super) struct LocalSpawn;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for LocalSpawn {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

/// Starts HTTP/1.1 on a fresh connection.
pub(super) fn start_h1(dialed: Dialed, census: &Rc<Census>) -> Box<H1> {
    Box::new(H1 {
        link: Link { meter: dialed.stream.meter().clone(), remote: dialed.remote, tls_version: dialed.tls_version },
        stream: dialed.stream,
        counted: census.opened(Proto::Http1),
        idle_since: Instant::now(),
    })
}

/// Starts HTTP/2 on a fresh connection.
pub(super) async fn start_h2(
    dialed: Dialed,
    header_limit: usize,
    census: &Rc<Census>,
) -> Result<Rc<H2>, TransportError> {
    let meter = dialed.stream.meter().clone();
    let (sender, connection) = http2::Builder::new(LocalSpawn)
        .max_header_list_size(u32::try_from(header_limit).unwrap_or(u32::MAX))
        .handshake::<_, Upload>(dialed.stream)
        .await
        .map_err(|error| classify(&error, Phase::Send))?;
    let counted = Rc::new(census.opened(Proto::Http2));
    let held = Rc::clone(&counted);
    tokio::task::spawn_local(async move {
        // Its error also reaches the exchanges in flight; without one there is nobody to tell.
        let _ = connection.await;
        // Whoever still holds it did not end it.
        if Rc::strong_count(&held) > 1 { held.lost() } else { held.closed() }
    });
    Ok(Rc::new(H2 {
        sender,
        link: Link { meter, remote: dialed.remote, tls_version: dialed.tls_version },
        active: Cell::new(0),
        used: Cell::new(false),
        counted,
    }))
}
