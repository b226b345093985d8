//! One connection from accept to close: TLS, which HTTP, hyper, and the faults that need the bare socket.
//!
//! Spawned by `listener` for each accepted socket. HTTP/1 faults are written byte by byte on the stream that hyper
//! gives back, inside TLS too; on HTTP/2 hyper frames every answer, so faults
//! that frames cannot carry end the connection (RST, FIN, or garbage on the TCP stream). It deliberately does not know what requests mean.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::control::Control;
use super::dials::OnConnect;
use super::fault::Fault;
use super::options::Versions;
use super::service::{Conversation, answer};
use super::socket::{HyperSocket, Socket};
use super::stats::add;
use super::ticket::{Link, Ticket};
use super::worker::Worker;

/// What all connections of one thread share.
#[derive(Clone)]
pub struct Host {
    pub(super) worker: Arc<Worker>,
    pub(super) control: Arc<Control>,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) versions: Versions,
}

/// Counts a connection as closed however its task ends.
struct Open(Arc<Worker>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.traffic.closed();
    }
}

/// Serves one accepted connection to its end; the acceptor has counted it.
pub async fn serve(host: Host, stream: TcpStream, peer: SocketAddr, meets: OnConnect) {
    let _open = Open(Arc::clone(&host.worker));
    // Without it small answers would wait for the client's delayed ACK; a socket that refuses it is gone.
    let _ = stream.set_nodelay(true);
    let mut socket = Socket::new(stream, Arc::clone(&host.worker));
    match meets {
        OnConnect::Serve => {}
        OnConnect::Close => return,
        OnConnect::Reset => return socket.reset_on_close(),
        OnConnect::Silent => return until_client_leaves(&mut socket).await,
        OnConnect::Garbage => {
            // The client may be gone already; then there is nobody to greet.
            let _ = socket.write_all(&Fault::Garbage.bytes()).await;
            let _ = socket.read(&mut [0; 1024]).await;
            return;
        }
    }
    let traffic = &host.worker.traffic;
    match &host.tls {
        None => {
            let http2 = match host.versions {
                Versions::Http1 => false,
                Versions::Http2 => true,
                Versions::Both => begins_with_preface(&socket, host.worker.alarm()).await,
            };
            talk(&host, socket.clone(), socket, peer, http2).await;
        }
        Some(acceptor) => match acceptor.accept(socket.clone()).await {
            Err(_) => add(&traffic.tls_failures, 1),
            Ok(stream) => {
                add(&traffic.tls_handshakes, 1);
                let chosen = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                let http2 = chosen || host.versions == Versions::Http2;
                talk(&host, stream, socket, peer, http2).await;
            }
        },
    }
}

async fn talk<S>(host: &Host, stream: S, socket: Socket, peer: SocketAddr, http2: bool)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let link = Arc::new(Link::default());
    let conversation = Arc::new(Conversation {
        worker: Arc::clone(&host.worker),
        control: Arc::clone(&host.control),
        link: Arc::clone(&link),
        peer,
        http2,
    });
    let stream = HyperSocket::new(stream, Arc::clone(&link));
    if http2 {
        talk_http2(stream, socket, conversation, &link).await
    } else {
        talk_http1(stream, socket, conversation, &link).await
    }
}

async fn talk_http1<S>(stream: HyperSocket<S>, socket: Socket, conversation: Arc<Conversation>, link: &Link)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let worker = Arc::clone(&conversation.worker);
    let service = service_fn(move |request| answer(&conversation, request));
    let mut connection =
        http1::Builder::new().header_read_timeout(None).max_buf_size(2 << 20).serve_connection(stream, service);
    let spoiled = tokio::select! {
        biased;
        ended = &mut connection => {
            if ended.is_err_and(|error| error.is_parse()) {
                add(&worker.traffic.malformed, 1);
            }
            return;
        }
        spoiled = link.spoiled() => spoiled,
    };
    let stream = connection.into_parts().io.stream;
    carry_out(spoiled, stream, &socket, &worker).await;
}

async fn talk_http2<S>(stream: HyperSocket<S>, mut socket: Socket, conversation: Arc<Conversation>, link: &Link)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let worker = Arc::clone(&conversation.worker);
    let service = service_fn(move |request| answer(&conversation, request));
    let spoiled = {
        let mut builder = http2::Builder::new(Spawn);
        builder.max_header_list_size(1 << 20).max_concurrent_streams(1000).max_local_error_reset_streams(None);
        let mut connection = pin!(builder.serve_connection(stream, service));
        let mut ending = false;
        loop {
            tokio::select! {
                biased;
                ended = &mut connection => {
                    if ended.is_err_and(|error| error.is_parse()) {
                        add(&worker.traffic.malformed, 1);
                    }
                    return;
                }
                spoiled = link.spoiled() => break spoiled,
                () = link.ends(), if !ending => {
                    ending = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    };
    let (fault, ticket) = spoiled;
    ticket.spoil(fault);
    if fault.resets() {
        socket.reset_on_close();
    } else if fault == Fault::Garbage {
        let _ = socket.write_all(&fault.bytes()).await;
    }
}

/// Puts a fault on the wire; whatever fails here fails because the client has left, which is as good.
async fn carry_out<S>((fault, ticket): (Fault, Ticket), mut stream: S, socket: &Socket, worker: &Worker)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    ticket.spoil(fault);
    let bytes = fault.bytes();
    let piece = if fault == Fault::SlowHead { 1 } else { bytes.len().max(1) };
    for (index, part) in bytes.chunks(piece).enumerate() {
        if index > 0 {
            worker.alarm().hold_until(Instant::now() + Duration::from_millis(20)).await;
        }
        if stream.write_all(part).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
    if fault.resets() {
        if !bytes.is_empty() {
            // A reset overtakes what is still on its way: give the client time to read the first half.
            worker.alarm().hold_until(Instant::now() + Duration::from_millis(20)).await;
        }
        socket.reset_on_close();
    } else {
        let _ = stream.shutdown().await;
        // Closing with unread input would make the kernel send RST in place of FIN.
        until_client_leaves(&mut stream).await;
    }
}

async fn until_client_leaves(stream: &mut (impl AsyncRead + Unpin)) {
    let mut space = [0; 4096];
    while matches!(stream.read(&mut space).await, Ok(1..)) {}
}

/// Whether a plain connection opens with the preface of HTTP/2 (`PRI`, which is no method).
async fn begins_with_preface(socket: &Socket, alarm: &Arc<super::alarm::Alarm>) -> bool {
    let mut first = [0; 3];
    loop {
        match socket.stream().peek(&mut first).await {
            Ok(0) | Err(_) => return false,
            Ok(3) => return &first == b"PRI",
            Ok(count) if !b"PRI".starts_with(&first[..count]) => return false,
            // A preface cut after one or two bytes: look again a little later.
            Ok(_) => alarm.hold_until(Instant::now() + Duration::from_millis(1)).await,
        }
    }
}

/// Hyper's executor: this thread's runtime.
#[derive(Debug, Clone, Copy)]
struct Spawn;

impl<F> hyper::rt::Executor<F> for Spawn
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        tokio::spawn(future);
    }
}
