//! One exchange over HTTP/1.1, driven by the request's own future.
//!
//! Used by [`super::Client`]. The law of the answer is in `http/reply.rs`; here it is moved over the socket. Reading goes on while the
//! request is still being written: a server may answer early.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::{Buf as _, Bytes};
use http::{HeaderMap, Method};

use super::connection::H1;
use super::headers::Headers;
use super::hop::{Hop, Sent, timeout};
use super::reply::Reply;
use super::request::Request;
use crate::protocol::net::{Phase, Stream, TransportError, tls};

/// The head of a request as bytes. A plain `GET` is serialised once per target; `headers` is asked for the others.
pub(super) fn head(request: &Request, headers: impl FnOnce() -> Option<HeaderMap>) -> Bytes {
    let target = &request.target;
    let own = headers();
    let bare = own.is_none() && request.body.is_empty() && request.method == Method::GET;
    if bare {
        let make = || serialise(request, &target.headers);
        return target.get_head.get_or_init(make).clone();
    }
    serialise(request, own.as_ref().unwrap_or(&target.headers))
}

fn serialise(request: &Request, headers: &HeaderMap) -> Bytes {
    let mut text = Vec::with_capacity(512);
    text.extend_from_slice(request.method.as_str().as_bytes());
    text.push(b' ');
    text.extend_from_slice(request.target.line.as_bytes());
    text.extend_from_slice(b" HTTP/1.1\r\n");
    for (name, value) in headers {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    // An empty body has a length too, where one is expected (RFC 9110 §8.6).
    let expected = matches!(request.method, Method::POST | Method::PUT | Method::PATCH);
    if expected || !request.body.is_empty() {
        text.extend_from_slice(format!("content-length: {}\r\n", request.body.len()).as_bytes());
    }
    text.extend_from_slice(b"\r\n");
    text.into()
}

/// Sends and reads the answer into the hop's record.
pub(super) async fn exchange(hop: &mut Hop, h1: &mut H1, head: Bytes, body: Bytes, got: Instant) -> Sent {
    h1.link.meter.start_exchange();
    hop.carrier = Some(h1.link.meter.clone());
    hop.exchange.remote_addr = Some(h1.link.remote);
    hop.exchange.tls_version = h1.link.tls_version;
    h1.counted.busy();
    let mut upload = Upload { head, body, state: Progress::Writing, touched: false };
    let method = hop.exchange.method.clone();
    let mut reply = Reply::new(method, hop.header_limit, hop.body_limit);
    let outcome = converse(hop, &mut h1.stream, &mut upload, &mut reply, got).await;
    if let (Err(error), false) = (&outcome, upload.touched)
        && !error.kind.is_timeout()
    {
        h1.counted.lost();
        return Sent::NotWritten(error.clone());
    }

    let end = Instant::now();
    let meter = &h1.link.meter;
    hop.exchange.written = upload.touched;
    let sent = meter.last_write().filter(|_| upload.touched);
    hop.split(got, sent, meter.first_read(), end);
    (hop.exchange.bytes_in, hop.exchange.bytes_out) = meter.take(1);
    h1.idle_since = end;
    let whole = matches!(upload.state, Progress::Written);
    match &outcome {
        Ok(()) if whole && reply.leaves_reusable() => h1.counted.idle(),
        Err(error) if !error.kind.is_timeout() => h1.counted.lost(),
        _ => {} // it stays busy until it is dropped
    }
    if let Some(head) = reply.head {
        hop.exchange.status = head.status;
        hop.sets_cookies = head.sets_cookies;
        hop.exchange.version = head.version;
        hop.exchange.headers = Headers::lazy(head.raw);
        hop.keep_body(reply.kept, head.encoding, outcome.is_ok());
    }
    Sent::Done(outcome.map_err(|error| hop.place(error)))
}

async fn converse(
    hop: &mut Hop,
    stream: &mut Stream,
    upload: &mut Upload,
    reply: &mut Reply,
    got: Instant,
) -> Result<(), TransportError> {
    loop {
        let (phase, (limit, kind)) = match reply.head {
            None => (Phase::Wait, hop.head_limit(got)),
            Some(_) => (Phase::Receive, hop.body_limit()),
        };
        let step = poll_fn(|cx| {
            upload.poll(cx, stream);
            stream.poll_take(cx, |piece| match piece {
                [] => reply.end().map(|()| true),
                piece => reply.accept(piece),
            })
        });
        match hop.timer.race(limit, step).await {
            Ok(Ok(Ok(true))) => return Ok(()),
            Ok(Ok(Ok(false))) => {}
            // A server that ends the connection while we write has told us twice; the writing knew first.
            Ok(Ok(Err(error))) => return Err(upload.failure().unwrap_or(error)),
            Ok(Err(error)) => {
                let classified = stream_error(&error, phase);
                return Err(upload.failure().unwrap_or(classified));
            }
            Err(_) => return Err(timeout(kind, phase)),
        }
    }
}

fn stream_error(error: &io::Error, phase: Phase) -> TransportError {
    match tls::tls_error(error) {
        Some(error) => tls::classify(error, phase),
        None => TransportError::from_stream(error, phase),
    }
}

/// A request being written.
struct Upload {
    head: Bytes,
    body: Bytes,
    state: Progress,
    /// Whether any byte was handed to the socket.
    touched: bool,
}

enum Progress {
    Writing,
    Pushing,
    Written,
    Failed(Option<io::Error>),
}

impl Upload {
    /// Gets on with it as far as the socket takes it. A failure is kept: the answer may be there already.
    fn poll(&mut self, cx: &mut Context<'_>, stream: &mut Stream) {
        while let Progress::Writing = self.state {
            match stream.poll_give(cx, &self.head, &self.body) {
                Poll::Pending => return,
                Poll::Ready(Ok(written)) => {
                    self.touched = true;
                    let of_head = written.min(self.head.len());
                    self.head.advance(of_head);
                    self.body.advance(written - of_head);
                    if self.head.is_empty() && self.body.is_empty() {
                        self.state = Progress::Pushing;
                    } else if written == 0 {
                        self.state = Progress::Failed(Some(io::ErrorKind::WriteZero.into()));
                    }
                }
                Poll::Ready(Err(error)) => self.state = Progress::Failed(Some(error)),
            }
        }
        if let Progress::Pushing = self.state {
            match stream.poll_push(cx) {
                Poll::Pending => {}
                Poll::Ready(Ok(())) => self.state = Progress::Written,
                Poll::Ready(Err(error)) => self.state = Progress::Failed(Some(error)),
            }
        }
    }

    fn failure(&mut self) -> Option<TransportError> {
        match &mut self.state {
            Progress::Failed(error) => {
                let error = error.take()?;
                Some(stream_error(&error, Phase::Send))
            }
            _ => None,
        }
    }
}
