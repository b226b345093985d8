//! The connection as HTTP sees it: counts bytes at the socket and notes when the first byte came and the last one left.
//!
//! Made by `net/dial.rs`; read and written by `http/over_h1.rs`, given to hyper for HTTP/2. It deliberately knows nothing of messages: what a first byte
//! means is decided by whoever reset the marks of the [`Meter`] before sending.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::error::{Phase, TransportError};
use super::tls;

/// One read takes at most this much. It is one buffer per shard, so its size costs nothing per user.
const READ_LIMIT: usize = 64 * 1024;

/// What a connection has carried, and its last marks. Shared between the connection's task and the request in flight.
#[derive(Debug, Default)]
pub struct Meter {
    bytes_in: Cell<u64>,
    bytes_out: Cell<u64>,
    untold_in: Cell<u64>,
    untold_out: Cell<u64>,
    first_read: Cell<Option<Instant>>,
    last_write: Cell<Option<Instant>>,
    tls_failure: RefCell<Option<TransportError>>,
}

impl Meter {
    /// Forgets the marks: the next read is a first byte.
    pub fn start_exchange(&self) {
        self.first_read.set(None);
        self.last_write.set(None);
    }

    /// When the first byte since [`Meter::start_exchange`] was read (after decryption).
    pub fn first_read(&self) -> Option<Instant> {
        self.first_read.get()
    }

    /// When a byte was last handed to the socket.
    pub fn last_write(&self) -> Option<Instant> {
        self.last_write.get()
    }

    /// All bytes (in, out) that went over the socket, handshakes included.
    pub fn total(&self) -> (u64, u64) {
        (self.bytes_in.get(), self.bytes_out.get())
    }

    /// The bytes (in, out) that no exchange has claimed yet, divided by `sharers`: with one exchange at a time this is exact,
    /// with many at once (HTTP/2) each takes its share as it ends, and the sum over all of them is exact.
    pub fn take(&self, sharers: u64) -> (u64, u64) {
        let claim = |untold: &Cell<u64>| {
            let all = untold.get();
            let share = all / sharers.max(1);
            untold.set(all - share);
            share
        };
        (claim(&self.untold_in), claim(&self.untold_out))
    }

    fn count_in(&self, bytes: usize) {
        self.bytes_in.set(self.bytes_in.get() + bytes as u64);
        self.untold_in.set(self.untold_in.get() + bytes as u64);
    }

    fn count_out(&self, bytes: usize) {
        self.bytes_out.set(self.bytes_out.get() + bytes as u64);
        self.untold_out.set(self.untold_out.get() + bytes as u64);
    }

    /// Why the other side gave up the encryption, if it did: with TLS 1.3 a server refuses a client's certificate only after our side
    /// of the handshake is done, and HTTP/2 tells its exchanges no more of it than that the connection is gone.
    pub fn tls_failure(&self) -> Option<TransportError> {
        self.tls_failure.borrow().clone()
    }

    fn note_failure(&self, error: &io::Error) {
        if let Some(error) = tls::tls_error(error) {
            *self.tls_failure.borrow_mut() = Some(tls::classify(error, Phase::Tls));
        }
    }

    fn mark_read(&self) {
        if self.first_read.get().is_none() {
            self.first_read.set(Some(Instant::now()));
        }
    }

    fn mark_write(&self) {
        self.last_write.set(Some(Instant::now()));
    }
}

/// A TCP stream that counts.
#[derive(Debug)]
pub struct Metered {
    tcp: TcpStream,
    meter: Rc<Meter>,
}

impl Metered {
    /// Starts counting on a fresh connection.
    pub fn new(tcp: TcpStream) -> Metered {
        Metered { tcp, meter: Rc::new(Meter::default()) }
    }

    /// The counters.
    pub fn meter(&self) -> &Rc<Meter> {
        &self.meter
    }
}

impl AsyncRead for Metered {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.tcp).poll_read(cx, buf);
        self.meter.count_in(buf.filled().len() - before);
        polled
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.tcp).poll_write(cx, buf);
        if let Poll::Ready(Ok(written)) = polled {
            self.meter.count_out(written);
        }
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs);
        if let Poll::Ready(Ok(written)) = polled {
            self.meter.count_out(written);
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// The buffer that every read of a shard goes through: an idle connection holds none of its own.
#[derive(Debug, Default)]
pub struct Scratch(RefCell<Box<[u8]>>);

impl Scratch {
    fn lend<R>(&self, work: impl FnOnce(&mut [u8]) -> R) -> R {
        // Borrowed for one poll of the socket, never across an await.
        let mut buffer = self.0.borrow_mut();
        if buffer.is_empty() {
            *buffer = vec![0; READ_LIMIT].into_boxed_slice();
        }
        work(&mut buffer)
    }
}

/// Plain or encrypted.
#[derive(Debug)]
enum Transport {
    Tcp(Metered),
    // Boxed: rustls' state would otherwise make every plain connection's task a kilobyte larger.
    Tls(Box<TlsStream<Metered>>),
}

/// A connection ready for HTTP.
#[derive(Debug)]
pub struct Stream {
    transport: Transport,
    meter: Rc<Meter>,
    scratch: Rc<Scratch>,
}

impl Stream {
    /// An unencrypted connection.
    pub fn plain(stream: Metered, scratch: Rc<Scratch>) -> Stream {
        Stream { meter: stream.meter.clone(), transport: Transport::Tcp(stream), scratch }
    }

    /// An encrypted connection, after its handshake.
    pub fn tls(stream: TlsStream<Metered>, scratch: Rc<Scratch>) -> Stream {
        Stream { meter: stream.get_ref().0.meter.clone(), transport: Transport::Tls(Box::new(stream)), scratch }
    }

    /// The counters and marks of this connection.
    pub fn meter(&self) -> &Rc<Meter> {
        &self.meter
    }

    /// Reads once and shows what came to `take`; nothing at the end of the connection. The bytes are gone afterwards.
    pub fn poll_take<R>(&mut self, cx: &mut Context<'_>, take: impl FnOnce(&[u8]) -> R) -> Poll<io::Result<R>> {
        let Stream { transport, meter, scratch } = self;
        scratch.lend(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            ready!(transport.poll_read(cx, &mut buffer))?;
            if !buffer.filled().is_empty() {
                meter.mark_read();
            }
            Poll::Ready(Ok(take(buffer.filled())))
        })
    }

    /// Writes from the front of two pieces; returns how much.
    pub fn poll_give(&mut self, cx: &mut Context<'_>, first: &[u8], second: &[u8]) -> Poll<io::Result<usize>> {
        let pieces = [io::IoSlice::new(first), io::IoSlice::new(second)];
        let pieces = match (first.is_empty(), second.is_empty()) {
            (_, true) => &pieces[..1],
            (true, false) => &pieces[1..],
            (false, false) => &pieces[..],
        };
        hyper::rt::Write::poll_write_vectored(Pin::new(self), cx, pieces)
    }

    /// Pushes out what encryption may hold back.
    pub fn poll_push(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        hyper::rt::Write::poll_flush(Pin::new(self), cx)
    }
}

impl Transport {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Transport::Tcp(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Transport::Tls(tls) => Pin::new(tls).poll_read(cx, buffer),
        }
    }
}

impl hyper::rt::Read for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut out: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let Stream { transport, meter, scratch } = self.get_mut();
        scratch.lend(|buffer| {
            let room = out.remaining().min(buffer.len());
            let mut buffer = ReadBuf::new(&mut buffer[..room]);
            let polled = transport.poll_read(cx, &mut buffer);
            if let Poll::Ready(Err(error)) = &polled {
                meter.note_failure(error);
            }
            if !buffer.filled().is_empty() {
                meter.mark_read();
                out.put_slice(buffer.filled());
            }
            polled
        })
    }
}

impl hyper::rt::Write for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let Stream { transport, meter, .. } = self.get_mut();
        let polled = match transport {
            Transport::Tcp(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Transport::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        };
        if polled.is_ready() {
            meter.mark_write();
        }
        polled
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // Most requests are one piece, and `send` is cheaper than `writev`.
        if let [buf] = bufs {
            return self.poll_write(cx, buf);
        }
        let Stream { transport, meter, .. } = self.get_mut();
        let polled = match transport {
            Transport::Tcp(tcp) => Pin::new(tcp).poll_write_vectored(cx, bufs),
            Transport::Tls(tls) => Pin::new(tls).poll_write_vectored(cx, bufs),
        };
        if polled.is_ready() {
            meter.mark_write();
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().transport {
            Transport::Tcp(tcp) => Pin::new(tcp).poll_flush(cx),
            Transport::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().transport {
            Transport::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Transport::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_everything() {
        let meter = Meter::default();
        meter.count_in(100);
        meter.count_out(10);
        let (a, _) = meter.take(3);
        meter.count_in(7);
        let (b, _) = meter.take(2);
        let (c, out) = meter.take(1);
        assert_eq!(a + b + c, 107);
        assert!(out > 0 && meter.take(1) == (0, 0));
        assert_eq!(meter.total(), (107, 10));
    }
}
