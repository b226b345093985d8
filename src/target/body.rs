//! The body of an answer: nothing, bytes, a repeated pattern, or parts made on demand; at once or at a rate.
//!
//! Made by `shop` and `tools` as [`Content`], turned into a [`TargetBody`] by `service`, polled by hyper. It carries
//! the request's ticket to its end. Memory stays flat: a GiB is 64 KiB repeated. It deliberately knows no headers.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::alarm::{Alarm, Hold};
use super::fault::Fault;
use super::ticket::{Link, Ticket};

/// What a body consists of.
#[derive(Debug, Clone)]
pub enum Content {
    /// These bytes (none is an empty body).
    Bytes(Bytes),
    /// `left` bytes, made by repeating `pattern`.
    Repeat {
        /// How many bytes are still to come.
        left: u64,
        /// What they are cut from.
        pattern: Bytes,
    },
    /// A list of parts, sent in turn; with `chunked`, without a length.
    Parts {
        /// The parts still to come, the last one first.
        reversed: Vec<Bytes>,
    },
    /// One part sent many times between a beginning and an end, without a length (a gzip bomb).
    Sandwich {
        /// Sent first.
        begin: Bytes,
        /// Sent `times` times.
        middle: Bytes,
        /// How often it is still to be sent.
        times: u64,
        /// Sent last.
        end: Bytes,
    },
}

impl Content {
    /// No body.
    pub fn empty() -> Self {
        Self::Bytes(Bytes::new())
    }

    /// The exact length, when it is known and should be announced.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Repeat { left, .. } => Some(*left),
            Self::Parts { .. } | Self::Sandwich { .. } => None,
        }
    }

    fn is_over(&self) -> bool {
        match self {
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::Repeat { left, .. } => *left == 0,
            Self::Parts { reversed } => reversed.is_empty(),
            Self::Sandwich { begin, times, end, .. } => begin.is_empty() && *times == 0 && end.is_empty(),
        }
    }

    /// The next piece, of at most `limit` bytes.
    fn next(&mut self, limit: usize) -> Bytes {
        match self {
            Self::Bytes(bytes) => cut(bytes, limit),
            Self::Repeat { left, pattern } => {
                let count = pattern.len().min(limit).min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= count as u64;
                pattern.slice(..count)
            }
            Self::Parts { reversed } => {
                let Some(part) = reversed.last_mut() else { return Bytes::new() };
                let piece = cut(part, limit);
                if part.is_empty() {
                    reversed.pop();
                }
                piece
            }
            Self::Sandwich { begin, middle, times, end } => {
                if !begin.is_empty() {
                    cut(begin, limit)
                } else if *times > 0 {
                    *times -= 1;
                    middle.clone()
                } else {
                    cut(end, limit)
                }
            }
        }
    }
}

fn cut(bytes: &mut Bytes, limit: usize) -> Bytes {
    if bytes.len() <= limit { std::mem::take(bytes) } else { bytes.split_to(limit) }
}

/// How fast a body leaves: `piece` bytes every `every`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Bytes at once.
    pub piece: usize,
    /// The time between two pieces.
    pub every: Duration,
}

impl Pace {
    /// So many bytes per second, in pieces about every 10 ms, and never less than a byte at once.
    pub fn bytes_per_second(rate: u64) -> Self {
        let piece = (rate / 100).max(1);
        Self {
            piece: usize::try_from(piece).unwrap_or(usize::MAX),
            every: Duration::from_secs_f64(piece as f64 / rate as f64),
        }
    }
}

#[derive(Debug)]
struct Clockwork {
    pace: Pace,
    alarm: Arc<Alarm>,
    next: Instant,
    hold: Option<Pin<Box<Hold>>>,
}

/// A [`Content`] on its way, with its request's ticket.
#[derive(Debug)]
pub struct TargetBody {
    content: Content,
    clockwork: Option<Box<Clockwork>>,
    ticket: Option<Ticket>,
    /// HTTP/1: where the ticket waits for the last byte. HTTP/2: none, the ticket is settled here.
    link: Option<Arc<Link>>,
    sever: Option<Box<Sever>>,
}

/// HTTP/2: a body that is cut in its middle by ending the connection.
#[derive(Debug)]
struct Sever {
    fault: Fault,
    link: Arc<Link>,
    /// Announced, not sent.
    missing: u64,
    hold: Pin<Box<Hold>>,
}

impl TargetBody {
    /// A body that leaves at once.
    pub fn new(content: Content) -> Self {
        Self { content, clockwork: None, ticket: None, link: None, sever: None }
    }

    /// The same, in pieces.
    pub fn paced(mut self, pace: Pace, alarm: &Arc<Alarm>) -> Self {
        let clockwork = Clockwork { pace, alarm: Arc::clone(alarm), next: Instant::now(), hold: None };
        self.clockwork = Some(Box::new(clockwork));
        self
    }

    /// The same, with the ticket that it settles at its end.
    pub fn with_ticket(mut self, ticket: Ticket, link: Option<Arc<Link>>) -> Self {
        self.ticket = Some(ticket);
        self.link = link;
        self
    }
}

impl TargetBody {
    /// HTTP/2: sends the content, says that `missing` bytes more will come, and asks the driver to end the connection
    /// by `fault` 20 ms later, so that the first half is not overtaken.
    pub fn severed(
        content: Content,
        missing: u64,
        fault: Fault,
        ticket: Ticket,
        link: Arc<Link>,
        alarm: &Arc<Alarm>,
    ) -> Self {
        let hold = Box::pin(alarm.hold_until(Instant::now() + Duration::from_millis(20)));
        let sever = Some(Box::new(Sever { fault, link, missing, hold }));
        Self { content, clockwork: None, ticket: Some(ticket), link: None, sever }
    }
}

impl Drop for TargetBody {
    fn drop(&mut self) {
        // A body dropped before its end leaves its ticket unsettled: the client did not wait.
        let Some(mut ticket) = self.ticket.take() else { return };
        if !self.content.is_over() || self.sever.is_some() {
            return;
        }
        match &self.link {
            Some(link) => link.await_last_byte(ticket),
            None => ticket.count_answer(),
        }
    }
}

impl Body for TargetBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        if this.content.is_over() {
            let Some(sever) = &mut this.sever else { return Poll::Ready(None) };
            ready!(sever.hold.as_mut().poll(context));
            if let Some(ticket) = this.ticket.take() {
                sever.link.spoil(sever.fault, ticket);
            }
            return Poll::Pending;
        }
        let mut limit = 64 * 1024;
        if let Some(clockwork) = &mut this.clockwork {
            let Clockwork { pace, alarm, next, hold } = &mut **clockwork;
            ready!(hold.get_or_insert_with(|| Box::pin(alarm.hold_until(*next))).as_mut().poll(context));
            *hold = None;
            *next += pace.every;
            limit = pace.piece;
        }
        Poll::Ready(Some(Ok(Frame::data(this.content.next(limit)))))
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_over() && self.sever.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let missing = self.sever.as_ref().map_or(0, |sever| sever.missing);
        self.content.length().map_or_else(SizeHint::default, |length| SizeHint::with_exact(length + missing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(mut content: Content, limit: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while !content.is_over() {
            let piece = content.next(limit);
            assert!(!piece.is_empty() && piece.len() <= limit.max(6));
            all.extend_from_slice(&piece);
        }
        all
    }

    #[test]
    fn every_content_gives_its_bytes_whatever_the_pieces() {
        for limit in [1, 3, 1000] {
            assert_eq!(drain(Content::Bytes(Bytes::from_static(b"hello")), limit), b"hello");
            let repeat = Content::Repeat { left: 7, pattern: Bytes::from_static(b"abc") };
            assert_eq!(drain(repeat, limit).len(), 7);
            let parts = vec![Bytes::from_static(b"c"), Bytes::from_static(b"ab")];
            assert_eq!(drain(Content::Parts { reversed: parts }, limit), b"abc");
            let bytes = Bytes::from_static;
            let sandwich = Content::Sandwich { begin: bytes(b"<"), middle: bytes(b"m"), times: 3, end: bytes(b">") };
            assert_eq!(drain(sandwich, limit), b"<mmm>");
        }
    }

    #[test]
    fn a_pace_keeps_its_rate() {
        for rate in [1, 99, 100, 1_000_000] {
            let pace = Pace::bytes_per_second(rate);
            let real = pace.piece as f64 / pace.every.as_secs_f64();
            assert!((real - rate as f64).abs() / (rate as f64) < 1e-6, "{rate}: {real}");
        }
    }
}
