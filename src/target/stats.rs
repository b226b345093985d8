//! What a target has served, counted exactly: one block of atomics per thread, added up when somebody asks.
//!
//! Written by `ticket`, `socket`, `connection`; read through `RunningTarget::stats` and `GET /_target/stats`.
//! It deliberately does not know what an answer means, only how it ended.
//!
//! **The counting rule.** A request counts as received when its head has been parsed (`/_target/*` never counts).
//! From then on it is in exactly one place, so at any rest
//! `requests = Σ responses + Σ faults + given_up + in_flight`:
//! - `responses[status]`: the whole answer went to the socket (HTTP/2: to the connection's send buffer). It is
//!   counted before the last bytes are handed over, so a client that has read its answer finds it counted;
//! - `faults[name]`: spoiled on purpose (whatever the client made of it);
//! - `given_up`: the client closed or reset first, or the target was stopped;
//! - `in_flight`: still held or being written.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use super::fault::{FAULTS, Fault};
use super::log::Log;

/// Statuses 100–999 have a counter each.
const STATUSES: usize = 900;

/// One thread's counters of connections and bytes. `Relaxed` everywhere: each is a sum, none guards other memory.
#[derive(Debug, Default)]
pub struct Traffic {
    pub(super) connections: AtomicU64,
    /// Not touched by a reset.
    pub(super) open: AtomicU64,
    pub(super) tls_handshakes: AtomicU64,
    pub(super) tls_failures: AtomicU64,
    pub(super) malformed: AtomicU64,
    pub(super) resets: AtomicU64,
    pub(super) bytes_in: AtomicU64,
    pub(super) bytes_out: AtomicU64,
}

/// Adds `amount` to a counter.
pub(super) fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Traffic {
    /// A connection was accepted.
    pub(super) fn opened(&self) {
        add(&self.connections, 1);
        add(&self.open, 1);
    }

    /// A connection has ended.
    pub(super) fn closed(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Everything to zero; connections that are open count as accepted again.
    pub(super) fn reset(&self) {
        self.connections.store(get(&self.open), Ordering::Relaxed);
        let others =
            [&self.tls_handshakes, &self.tls_failures, &self.malformed, &self.resets, &self.bytes_in, &self.bytes_out];
        for counter in others {
            counter.store(0, Ordering::Relaxed);
        }
    }

    /// Adds this thread's counts to `sum`.
    pub(super) fn add_to(&self, sum: &mut Stats) {
        sum.connections += get(&self.connections);
        sum.connections_open += get(&self.open);
        sum.tls_handshakes += get(&self.tls_handshakes);
        sum.tls_failures += get(&self.tls_failures);
        sum.malformed += get(&self.malformed);
        sum.resets += get(&self.resets);
        sum.bytes_in += get(&self.bytes_in);
        sum.bytes_out += get(&self.bytes_out);
    }
}

/// One thread's requests since the last reset. A reset puts a new block in its place; requests in flight end in the
/// old one, where nobody looks, so a reset can never unbalance the counts.
#[derive(Debug)]
pub struct Served {
    /// The last requests.
    pub(super) log: Log,
    requests: AtomicU64,
    given_up: AtomicU64,
    in_flight: AtomicU64,
    responses: Box<[AtomicU64]>,
    faults: [AtomicU64; FAULTS.len()],
}

impl Served {
    /// Nothing served yet, with a log of `log_capacity` requests.
    pub(super) fn new(log_capacity: usize) -> Self {
        Self {
            log: Log::new(log_capacity),
            requests: AtomicU64::default(),
            given_up: AtomicU64::default(),
            in_flight: AtomicU64::default(),
            responses: (0..STATUSES).map(|_| AtomicU64::default()).collect(),
            faults: Default::default(),
        }
    }

    /// A request's head was parsed.
    pub(super) fn received(&self) {
        add(&self.requests, 1);
        add(&self.in_flight, 1);
    }

    /// A whole answer is about to go out.
    pub(super) fn answered(&self, status: u16) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        add(self.response(status), 1);
    }

    /// It did not go out whole after all: the request is in flight again.
    pub(super) fn not_yet_answered(&self, status: u16) {
        self.response(status).fetch_sub(1, Ordering::Relaxed);
        add(&self.in_flight, 1);
    }

    /// It ended by a fault.
    pub(super) fn spoiled(&self, fault: Fault) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        add(&self.faults[fault.index()], 1);
    }

    /// The client did not wait for it.
    pub(super) fn abandoned(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        add(&self.given_up, 1);
    }

    fn response(&self, status: u16) -> &AtomicU64 {
        &self.responses[usize::from(status.clamp(100, 999) - 100)]
    }

    /// Adds this thread's counts to `sum`.
    pub(super) fn add_to(&self, sum: &mut Stats) {
        sum.requests += get(&self.requests);
        sum.in_flight += get(&self.in_flight);
        sum.given_up += get(&self.given_up);
        for (index, counter) in self.responses.iter().enumerate() {
            let count = get(counter);
            if count > 0 {
                *sum.responses.entry(index as u16 + 100).or_default() += count;
            }
        }
        for (fault, counter) in FAULTS.into_iter().zip(&self.faults) {
            let count = get(counter);
            if count > 0 {
                *sum.faults.entry(fault.name()).or_default() += count;
            }
        }
    }
}

/// What a target has served since its start or its last reset. The counting rule stands at the head of this module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// TCP connections accepted (those open at a reset count again).
    pub connections: u64,
    /// Of these, open now.
    pub connections_open: u64,
    /// TLS handshakes completed.
    pub tls_handshakes: u64,
    /// TLS handshakes that failed or were given up by the client.
    pub tls_failures: u64,
    /// Request heads parsed, `/_target/*` apart.
    pub requests: u64,
    /// Whole answers by status.
    pub responses: BTreeMap<u16, u64>,
    /// Answers spoiled on purpose, by fault.
    pub faults: BTreeMap<&'static str, u64>,
    /// Requests whose client left before the answer was written.
    pub given_up: u64,
    /// Requests not ended yet.
    pub in_flight: u64,
    /// Connections ended by bytes that were no request.
    pub malformed: u64,
    /// Connections that the target itself reset.
    pub resets: u64,
    /// Bytes read from all sockets (TLS included), `/_target/*` too.
    pub bytes_in: u64,
    /// Bytes written to all sockets (TLS included), `/_target/*` too.
    pub bytes_out: u64,
    /// From when until when no answer leaves, by the dials, in microseconds since the target started (the log's zero);
    /// `None` without a stall, and while the request that it counts from has not come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stall_us: Option<(u64, u64)>,
}

impl Stats {
    /// All whole answers.
    pub fn answered(&self) -> u64 {
        self.responses.values().sum()
    }

    /// All spoiled answers.
    pub fn spoiled(&self) -> u64 {
        self.faults.values().sum()
    }

    /// Whether the counting rule holds: every request received is in exactly one place.
    pub fn conserves(&self) -> bool {
        self.requests == self.answered() + self.spoiled() + self.given_up + self.in_flight
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_happens_every_request_is_in_one_place(steps in proptest::collection::vec(0u8..4, 0..200)) {
            let counters = Served::new(0);
            let mut flying = 0;
            for step in steps {
                match step {
                    0 => { counters.received(); flying += 1; }
                    1 if flying > 0 => { counters.answered(200); flying -= 1; }
                    2 if flying > 0 => { counters.spoiled(Fault::Close); flying -= 1; }
                    3 if flying > 0 => { counters.answered(404); counters.not_yet_answered(404); counters.abandoned(); flying -= 1; }
                    _ => {}
                }
                let mut stats = Stats::default();
                counters.add_to(&mut stats);
                prop_assert!(stats.conserves(), "{:?}", stats);
                prop_assert_eq!(stats.in_flight, flying);
            }
        }
    }

    #[test]
    fn a_reset_keeps_open_connections() {
        let traffic = Traffic::default();
        (0..3).for_each(|_| traffic.opened());
        traffic.closed();
        add(&traffic.bytes_in, 7);
        traffic.reset();
        let mut stats = Stats::default();
        traffic.add_to(&mut stats);
        assert_eq!(stats, Stats { connections: 2, connections_open: 2, ..Stats::default() });
    }
}
