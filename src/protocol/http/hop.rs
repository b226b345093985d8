//! A request under way: its limits and its record so far.
//!
//! Made by [`super::Client::send`], filled by `http/over_h1.rs` and `http/over_h2.rs`.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::body::Body;
use super::deadline::Timer;
use super::exchange::{Exchange, Timings};
use super::headers::Headers;
use super::reply::Kept;
use super::request::Request;
use super::shared::Shared;
use crate::protocol::net::{ErrorKind, Meter, Phase, TransportError};
use http::HeaderValue;

/// How an attempt on a connection ended.
pub(super) enum Sent {
    /// With an answer or an error: this is the request's outcome.
    Done(Result<(), TransportError>),
    /// The connection was dead before anything was written.
    NotWritten(TransportError),
}

pub(super) struct Hop {
    pub timer: Timer,
    pub started: Instant,
    pub deadline: Instant,
    first_byte: Option<Duration>,
    idle: Option<Duration>,
    pub header_limit: usize,
    pub body_limit: usize,
    /// Whether the answer sets cookies.
    pub sets_cookies: bool,
    pub exchange: Exchange,
    /// The counters of the connection that it was handed to.
    pub carrier: Option<Rc<Meter>>,
}

impl Hop {
    /// Starts the clock.
    pub fn start(shared: &Shared, request: &Request) -> Hop {
        let options = &shared.options;
        let started = Instant::now();
        Hop {
            timer: Timer::new(&shared.timers),
            started,
            deadline: started + request.timeout.unwrap_or(options.timeouts.total),
            first_byte: request.first_byte_timeout.or(options.timeouts.first_byte),
            idle: options.timeouts.idle,
            header_limit: options.header_limit,
            body_limit: options.body_limit,
            sets_cookies: false,
            exchange: Exchange {
                url: request.target.clone(),
                method: request.method.clone(),
                status: 0,
                version: http::Version::HTTP_11,
                headers: Headers::default(),
                body: Body::default(),
                body_length: 0,
                truncated: false,
                timings: Timings::default(),
                bytes_in: 0,
                bytes_out: 0,
                reused: false,
                written: false,
                error: None,
                remote_addr: None,
                tls_version: None,
            },
            carrier: None,
        }
    }

    /// Until when the head of the answer must be there, and what it is called if it is not.
    pub fn head_limit(&self, got: Instant) -> (Instant, ErrorKind) {
        match self.first_byte.map(|limit| got + limit) {
            Some(at) if at < self.deadline => (at, ErrorKind::FirstByteTimeout),
            _ => (self.deadline, ErrorKind::Timeout),
        }
    }

    /// The same for the next piece of the body.
    pub fn body_limit(&self) -> (Instant, ErrorKind) {
        match self.idle.map(|idle| Instant::now() + idle) {
            Some(at) if at < self.deadline => (at, ErrorKind::IdleTimeout),
            _ => (self.deadline, ErrorKind::Timeout),
        }
    }

    /// Takes the body into the record.
    pub fn keep_body(&mut self, kept: Kept, encoding: Option<HeaderValue>, complete: bool) {
        let (raw, length) = kept.finish();
        let truncated = length > raw.len() as u64;
        self.exchange.body_length = length;
        self.exchange.truncated = truncated;
        self.exchange.body = Body::new(raw, encoding, truncated || !complete);
    }

    /// The phases from the marks. Their sum is the time from having the connection to the end.
    pub fn split(&mut self, got: Instant, sent: Option<Instant>, first: Option<Instant>, end: Instant) {
        let timings = &mut self.exchange.timings;
        timings.total = end.saturating_duration_since(self.started);
        let Some(sent) = sent else {
            timings.send = end.saturating_duration_since(got);
            return;
        };
        let sent = sent.clamp(got, end);
        timings.send = sent - got;
        match first {
            None => timings.wait = end - sent,
            Some(first) => {
                let first = first.clamp(sent, end);
                timings.wait = first - sent;
                timings.receive = end - first;
            }
        }
    }

    /// The total deadline passed before there was a connection.
    pub fn gave_up(&mut self, phase: Phase, now: Instant) -> TransportError {
        self.exchange.timings.blocked = now.saturating_duration_since(self.started);
        self.exchange.timings.total = self.exchange.timings.blocked;
        timeout(ErrorKind::Timeout, phase)
    }

    /// A request that was not even written failed in sending.
    pub fn place(&self, mut error: TransportError) -> TransportError {
        if error.phase == Phase::Wait && !self.exchange.written {
            error.phase = Phase::Send;
        }
        error
    }
}

/// A time limit that was reached.
pub(super) fn timeout(kind: ErrorKind, phase: Phase) -> TransportError {
    let message = match kind {
        ErrorKind::FirstByteTimeout => "no first byte in time",
        ErrorKind::IdleTimeout => "the body stood still for too long",
        _ => "request timeout",
    };
    TransportError::new(kind, phase, message)
}
