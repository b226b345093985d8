//! A request's life in the counters: from parsed head to whole answer, fault, or a client that left.
//!
//! Opened by `service`, carried by the answer's `body`, and on HTTP/1 left with the [`Link`] of its connection
//! until the socket has taken the last byte. It deliberately counts in `Drop` too: a ticket that nobody settles is
//! a request whose client did not wait, so no path can forget one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::{Method, Request};
use tokio::sync::Notify;

use super::fault::Fault;
use super::log::LogEntry;
use super::stats::Served;
use super::worker::Worker;

/// One counted request.
#[derive(Debug)]
pub struct Ticket {
    served: Arc<Served>,
    /// When the target started: the log's zero.
    started: Instant,
    arrived: Instant,
    status: u16,
    /// Only when the log is on.
    head: Option<Box<(Method, String)>>,
    settled: bool,
}

impl Ticket {
    /// Counts a request whose head was parsed at `arrived`.
    pub fn open<B>(worker: &Arc<Worker>, request: &Request<B>, arrived: Instant) -> Self {
        let served = worker.served();
        served.received();
        let head = served.log.is_on().then(|| Box::new((request.method().clone(), request.uri().path().to_owned())));
        Self { served, started: worker.started, arrived, status: 0, head, settled: false }
    }

    /// The status that its answer has.
    pub fn set_status(&mut self, status: u16) {
        self.status = status;
    }

    /// The whole answer is being handed to the socket.
    pub fn count_answer(&mut self) {
        self.settled = true;
        self.served.answered(self.status);
        self.write_log(self.status, "answered");
    }

    /// The socket did not take all of it: undoes [`Ticket::count_answer`], which must have come right before.
    pub fn uncount_answer(&mut self) {
        self.settled = false;
        self.served.not_yet_answered(self.status);
        if self.head.is_some() {
            self.served.log.take_back();
        }
    }

    /// The answer is spoiled on purpose.
    pub fn spoil(mut self, fault: Fault) {
        self.settled = true;
        self.served.spoiled(fault);
        self.write_log(0, fault.name());
    }

    fn write_log(&self, status: u16, outcome: &'static str) {
        if let Some(head) = &self.head {
            let (method, path) = &**head;
            self.served.log.push(LogEntry {
                at_us: micros(self.arrived.saturating_duration_since(self.started)),
                held_us: micros(self.arrived.elapsed()),
                method: method.to_string(),
                path: path.clone(),
                status,
                outcome,
            });
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.settled {
            self.served.abandoned();
            self.write_log(0, "given_up");
        }
    }
}

/// Whole microseconds, as the log has them.
pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// What the parts of one connection tell each other: answers whose last byte is not yet written, and a fault to carry out.
#[derive(Debug, Default)]
pub struct Link {
    /// HTTP/1: answers wholly in hyper's buffer. Several only when the client pipelines.
    last_bytes: Mutex<Vec<Ticket>>,
    spoiled: Mutex<Option<(Fault, Ticket)>>,
    spoiling: Notify,
    ending: Notify,
    served: AtomicU32,
}

impl Link {
    /// One more request on this connection; gives its number, from 1.
    pub fn next_request(&self) -> u32 {
        self.served.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// An answer is wholly in the buffer; it counts once the socket has taken it.
    pub fn await_last_byte(&self, ticket: Ticket) {
        self.last_bytes().push(ticket);
    }

    /// Runs a write that hands `length` bytes, everything that is buffered, to the socket, and counts the answers
    /// that end in it. They are counted before the write, so that no client can know of an answer before `stats` do.
    pub fn write_all_of<R>(&self, length: usize, write: impl FnOnce() -> R, taken: impl Fn(&R) -> usize) -> R {
        let mut waiting = self.last_bytes();
        waiting.iter_mut().for_each(Ticket::count_answer);
        let result = write();
        if waiting.is_empty() {
            return result;
        }
        if taken(&result) == length {
            waiting.clear();
        } else {
            waiting.iter_mut().rev().for_each(Ticket::uncount_answer);
        }
        result
    }

    /// Asks the connection's driver to spoil this answer.
    pub fn spoil(&self, fault: Fault, ticket: Ticket) {
        *self.spoiled.lock().unwrap_or_else(PoisonError::into_inner) = Some((fault, ticket));
        self.spoiling.notify_one();
    }

    /// Waits until an answer is to be spoiled.
    pub async fn spoiled(&self) -> (Fault, Ticket) {
        loop {
            self.spoiling.notified().await;
            if let Some(spoiled) = self.spoiled.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return spoiled;
            }
        }
    }

    /// HTTP/2: asks the driver for a GOAWAY.
    pub fn end_soon(&self) {
        self.ending.notify_one();
    }

    /// Waits for [`Link::end_soon`].
    pub async fn ends(&self) {
        self.ending.notified().await;
    }

    fn last_bytes(&self) -> MutexGuard<'_, Vec<Ticket>> {
        self.last_bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
