//! The server: connections, their limits and their end. What is answered is the router's.
//!
//! Started by the door on a thread of its own. hyper speaks HTTP/1.1; a client that sends its head too slowly, or nothing, is
//! closed, and so is one that does not read its answer; those beyond the limit are turned away at once, so that nobody waits
//! for a silent crowd.

use super::patient::Patient;
use super::{Access, Lent, Monitor, Session, Tls, router};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, getrlimit};
use socket2::SockRef;
use std::io::{self, Write};
use std::net::{Shutdown, TcpListener as StdListener};
use std::os::fd::AsRawFd;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Connections at once.
const CONNECTIONS: usize = 256;
/// How long the head of a request may take, and a connection stay open without one.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// Largest head, bytes.
const HEAD: usize = 16 << 10;
/// How long one connection is served before it is to be opened anew.
const CONNECTION: Duration = Duration::from_secs(600);
/// How long a connection that shall end may take for the answer that it is at.
const LAST_ANSWER: Duration = Duration::from_millis(500);
/// File descriptors that are left to the run, whoever comes.
const RESERVED: u64 = 64;
/// What the kernel may hold for a connection that is not read, bytes; it doubles this.
const SEND_BUFFER: usize = 64 << 10;

/// Serves until `over` resolves, with TLS where it is given; the first session is that of the short paths.
///
/// # Errors
/// The listener cannot be waited for.
pub async fn serve(
    (listener, tls): (StdListener, Option<Tls>),
    sessions: Vec<Session>,
    access: Access,
    lent: Lent,
    over: impl Future<Output = ()>,
) -> io::Result<()> {
    serve_monitor((listener, tls), Arc::new(Monitor::new(sessions, access, lent)), over).await
}

/// The same of a monitor that is there.
pub(super) async fn serve_monitor(
    (listener, tls): (StdListener, Option<Tls>),
    monitor: Arc<Monitor>,
    over: impl Future<Output = ()>,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let mut followers = JoinSet::new();
    for session in monitor.sessions.all() {
        followers.spawn(session.follow());
    }
    let app = router::router(Arc::clone(&monitor));
    let (close, closing) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut over = pin!(over);
    loop {
        tokio::select! {
            () = &mut over => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if connections.len() >= CONNECTIONS => {
                    turn_away(stream, &monitor, "too many connections");
                }
                Ok((stream, _)) if is_crowded(&stream, &monitor) => {
                    turn_away(stream, &monitor, "the file descriptors that are left are the run's own: raise `ulimit -n`");
                }
                // One that becomes a WebSocket is over here, and counts there.
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, monitor.patience, tls.clone(), app.clone(), closing.clone()));
                }
                // Nothing left to open it with: it may be there again soon.
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    drop(close);
    let all = async {
        tokio::join!(async { while connections.join_next().await.is_some() {} }, monitor.streams.end());
    };
    // Whoever is not done by then is cut off.
    let _ = timeout(LAST_ANSWER * 2, all).await;
    Ok(())
}

async fn connection(
    stream: TcpStream,
    patience: Duration,
    tls: Option<Tls>,
    app: Router,
    closing: watch::Receiver<()>,
) {
    // Small answers would wait for the client's delayed ACK; a socket that refuses it is gone.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER);
    match tls {
        None => speak(Patient::new(stream, patience), app, closing).await,
        Some(tls) => {
            if let Some(stream) = tls.accept(stream, patience).await {
                speak(stream, app, closing).await;
            }
        }
    }
}

/// HTTP with whoever is at the other end.
async fn speak<S>(stream: S, app: Router, mut closing: watch::Receiver<()>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(HEAD);
    let serving = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app)).with_upgrades();
    let mut serving = pin!(serving);
    tokio::select! {
        // How it ended is the client's affair.
        _ = serving.as_mut() => return,
        _ = closing.changed() => {}
        () = sleep(CONNECTION) => {}
    }
    serving.as_mut().graceful_shutdown();
    let _ = timeout(LAST_ANSWER, serving).await;
}

/// Whether the process has so few file descriptors left that it needs them itself.
fn is_crowded(stream: &TcpStream, monitor: &Monitor) -> bool {
    let Some(limit) = getrlimit(Resource::Nofile).current else { return false };
    // A new one has the lowest number that is free: all below it are taken. Above it there may be more: the last look knows.
    let below = u64::try_from(stream.as_raw_fd()).unwrap_or(0);
    let known = monitor.sessions.first().and_then(|session| session.snapshot().machine.as_ref()?.own.fds);
    below.max(known.unwrap_or(0)) + RESERVED >= limit
}

/// Says why, if the socket takes it at once.
fn turn_away(stream: TcpStream, monitor: &Monitor, why: &str) {
    monitor.sessions.counts().connections_refused.add(Instant::now());
    if let Ok(mut stream) = stream.into_std() {
        let _ = stream.write(refusal(why).as_bytes());
        let _ = stream.shutdown(Shutdown::Write);
    }
}

/// The answer to one connection too many.
fn refusal(why: &str) -> String {
    let body = format!(
        "{{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\"detail\":\"{why}\"}}\r\n"
    );
    let length = body.len();
    format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\ncontent-length: {length}\r\nretry-after: 1\r\nconnection: close\r\n\r\n{body}"
    )
}

#[cfg(test)]
mod tests;
