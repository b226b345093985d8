//! The socket between the network and hyper: counts every byte, and tells the tickets when their last one is taken.
//!
//! `Socket` counts at TCP level (so TLS records too); `HyperSocket` is hyper's view of it or of the TLS stream above.
//! Built by `connection`. It deliberately knows no HTTP.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::stats::add;
use super::ticket::Link;
use super::worker::Worker;

/// A TCP stream whose bytes are counted. It can be cloned, so that a connection's driver keeps a hand on the
/// socket while hyper owns the stream above it.
#[derive(Debug, Clone)]
pub struct Socket {
    stream: Arc<TcpStream>,
    worker: Arc<Worker>,
}

impl Socket {
    /// Takes an accepted stream.
    pub fn new(stream: TcpStream, worker: Arc<Worker>) -> Self {
        Self { stream: Arc::new(stream), worker }
    }

    /// The stream below.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Makes the close that follows a reset (RST) and drops unsent bytes.
    pub fn reset_on_close(&self) {
        // It fails only on a socket that is gone already.
        if socket2::SockRef::from(&*self.stream).set_linger(Some(std::time::Duration::ZERO)).is_ok() {
            add(&self.worker.traffic.resets, 1);
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.stream.try_read_buf(buffer) {
                Ok(count) => {
                    add(&self.worker.traffic.bytes_in, count as u64);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.stream.poll_read_ready(context))?;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl Socket {
    fn poll_attempt(
        &self,
        context: &mut Context<'_>,
        attempt: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            match attempt(&self.stream) {
                Ok(count) => {
                    add(&self.worker.traffic.bytes_out, count as u64);
                    return Poll::Ready(Ok(count));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.stream.poll_write_ready(context))?;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_attempt(context, |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_attempt(context, |stream| stream.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(socket2::SockRef::from(&*self.stream).shutdown(std::net::Shutdown::Write))
    }
}

/// A stream as hyper wants it.
#[derive(Debug)]
pub struct HyperSocket<S> {
    /// The stream below.
    pub stream: S,
    link: Arc<Link>,
}

impl<S> HyperSocket<S> {
    /// Hyper's view of `stream`; `link` holds the answers that wait for their last byte.
    pub fn new(stream: S, link: Arc<Link>) -> Self {
        Self { stream, link }
    }
}

/// How much is read at once: hyper asks for 8 KiB and more, its own buffer then grows.
const READ: usize = 16 * 1024;

impl<S: AsyncRead + Unpin> hyper::rt::Read for HyperSocket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut cursor: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        // One copy through the stack is the price of having no `unsafe` here.
        let mut space = [const { MaybeUninit::<u8>::uninit() }; READ];
        let limit = cursor.remaining().min(READ);
        let mut buffer = ReadBuf::uninit(&mut space[..limit]);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
        cursor.put_slice(buffer.filled());
        Poll::Ready(Ok(()))
    }
}

fn taken(result: &Poll<io::Result<usize>>) -> usize {
    match result {
        Poll::Ready(Ok(count)) => *count,
        _ => 0,
    }
}

impl<S: AsyncWrite + Unpin> hyper::rt::Write for HyperSocket<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { stream, link } = self.get_mut();
        link.write_all_of(bytes.len(), || Pin::new(stream).poll_write(context, bytes), taken)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self { stream, link } = self.get_mut();
        let length = slices.iter().map(|slice| slice.len()).sum();
        link.write_all_of(length, || Pin::new(stream).poll_write_vectored(context, slices), taken)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
