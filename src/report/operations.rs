//! Operations: what was requested, one row per name, method and protocol, in order of first execution.
//!
//! Read from the request series of a Snapshot, merged over status, error code, scenario and every other tag. Setup and
//! teardown are no operations; they are in [`Requests`](super::requests::Requests).

use crate::metrics::recorder::REQUEST_METRICS;
use crate::metrics::{Cell, Trend};
use crate::snapshot::{Series, Snapshot};
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// `error_code` of a request that the end of its user cut short: a number of ours in k6's general band.
pub(super) const INTERRUPTED: &str = "1099";

/// Phases with the names of the JSON summary, in the order of a request, and their metrics.
pub(super) const PHASES: [(&str, &str); 7] = [
    ("blocked", "http_req_blocked"),
    ("dns", "http_req_dns"),
    ("connecting", "http_req_connecting"),
    ("tls", "http_req_tls_handshaking"),
    ("sending", "http_req_sending"),
    ("waiting", "http_req_waiting"),
    ("receiving", "http_req_receiving"),
];

/// Everything that was measured of one operation. Distributions of one series are the Snapshot's own: a run may have thousands.
#[derive(Debug, Clone, Default)]
pub(super) struct Operation<'a> {
    /// Its `name` tag.
    pub name: String,
    /// `GET`, …; empty for requests regrouped past the cap.
    pub method: String,
    /// `HTTP/1.1` or `HTTP/2.0`; empty for requests regrouped past the cap.
    pub protocol: String,
    /// Requests, whatever became of them.
    pub requests: u64,
    /// Those that `http_req_failed` judged: all but interrupted ones.
    pub judged: u64,
    /// Those that failed.
    pub errors: u64,
    /// Those that ended before anything was written.
    pub unsent: u64,
    /// Those that the end of their user cut short.
    pub interrupted: u64,
    /// `http_req_duration`.
    pub latency: Option<Cow<'a, Trend>>,
    /// As [`PHASES`].
    pub phases: [Option<Cow<'a, Trend>>; 7],
    /// Bytes written to the wire.
    pub sent: f64,
    /// Bytes read from the wire.
    pub received: f64,
    /// Requests by status; 0 is none. Those without the tag (regrouped past the cap) are in `statusless`.
    pub status: BTreeMap<u16, u64>,
    /// Requests whose status was not kept.
    pub statusless: u64,
}

impl<'a> Operation<'a> {
    fn answered(&self) -> bool {
        self.status.keys().any(|status| *status != 0)
    }

    /// Adds one series of a request metric.
    pub(super) fn add(&mut self, metric: &str, series: &'a Series) {
        let tags = &series.tags;
        match (&series.cell, metric) {
            (Cell::Counter { sum, .. }, "http_reqs") => {
                let count = *sum as u64;
                self.requests += count;
                match tags.get("status").and_then(|status| status.parse().ok()) {
                    Some(status) => *self.status.entry(status).or_default() += count,
                    None => self.statusless += count,
                }
                if tags.get("error_code") == Some(INTERRUPTED) {
                    self.interrupted += count;
                }
            }
            (Cell::Counter { sum, .. }, "http_reqs_unsent") => self.unsent += *sum as u64,
            (Cell::Counter { sum, .. }, "data_sent") => self.sent += sum,
            (Cell::Counter { sum, .. }, "data_received") => self.received += sum,
            (Cell::Rate { passes, total }, "http_req_failed") => {
                self.errors += passes;
                self.judged += total;
            }
            (Cell::Trend(trend), "http_req_duration") => merge(&mut self.latency, trend),
            (Cell::Trend(trend), _) => {
                if let Some(at) = PHASES.iter().position(|(_, phase)| *phase == metric) {
                    merge(&mut self.phases[at], trend);
                }
            }
            _ => {}
        }
    }

    /// Adds what another row has counted, without its distributions.
    pub(super) fn count(&mut self, other: &Operation<'_>) {
        self.requests += other.requests;
        self.judged += other.judged;
        self.errors += other.errors;
        self.unsent += other.unsent;
        self.interrupted += other.interrupted;
        self.sent += other.sent;
        self.received += other.received;
        self.statusless += other.statusless;
        for (status, count) in &other.status {
            *self.status.entry(*status).or_default() += count;
        }
    }

    /// Adds all that another row has measured.
    pub(super) fn absorb(&mut self, other: &Operation<'a>) {
        self.count(other);
        let theirs = std::iter::once(&other.latency).chain(&other.phases);
        for (ours, theirs) in std::iter::once(&mut self.latency).chain(&mut self.phases).zip(theirs) {
            match (ours, theirs) {
                (Some(ours), Some(theirs)) => ours.to_mut().merge(theirs),
                (ours, Some(_)) => ours.clone_from(theirs),
                (_, None) => {}
            }
        }
    }
}

fn merge<'a>(into: &mut Option<Cow<'a, Trend>>, trend: &'a Trend) {
    match into {
        Some(ours) => ours.to_mut().merge(trend),
        None if trend.count() > 0 => *into = Some(Cow::Borrowed(trend)),
        None => {}
    }
}

/// The name of a series' metric when it belongs to a request and carries tags.
pub(super) fn request_metric<'a>(snapshot: &'a Snapshot, series: &Series) -> Option<&'a str> {
    let name = &*snapshot.metrics.get(series.metric.0 as usize)?.def.name;
    (!series.tags.is_empty() && !series.cell.is_empty() && REQUEST_METRICS.contains(&name)).then_some(name)
}

/// All operations of a run.
pub(super) fn operations(snapshot: &Snapshot) -> Vec<Operation<'_>> {
    let mut rows: Vec<Operation<'_>> = Vec::new();
    let mut index: FxHashMap<_, usize> = FxHashMap::default();
    for series in &snapshot.series {
        let Some(metric) = request_metric(snapshot, series) else { continue };
        let tags = &series.tags;
        if tags.get("phase").is_some() {
            continue;
        }
        let tag = |name| tags.get(name).unwrap_or("");
        let (name, method, protocol, status) = (tag("name"), tag("method"), tag("proto"), tag("status"));
        let answered = !matches!(status, "" | "0");
        let at = *index.entry((name, method, protocol, answered)).or_insert_with(|| {
            rows.push(Operation {
                name: name.to_owned(),
                method: method.to_owned(),
                protocol: protocol.to_owned(),
                ..Operation::default()
            });
            rows.len() - 1
        });
        rows[at].add(metric, series);
    }
    folded(rows)
}

/// A request without an answer has no protocol of its own: it belongs to the row that has answers, if there is one.
fn folded(rows: Vec<Operation<'_>>) -> Vec<Operation<'_>> {
    let mut kept: Vec<Operation<'_>> = Vec::new();
    let (answered, unanswered): (Vec<_>, Vec<_>) = rows.into_iter().enumerate().partition(|(_, row)| row.answered());
    let mut order: Vec<usize> = Vec::new();
    for (at, row) in answered {
        kept.push(row);
        order.push(at);
    }
    for (at, row) in unanswered {
        let same = |known: &Operation<'_>| known.name == row.name && known.method == row.method;
        let home = kept.iter().position(|known| same(known) && known.protocol == row.protocol);
        match home.or_else(|| kept.iter().position(same)) {
            Some(home) => {
                kept[home].absorb(&row);
                order[home] = order[home].min(at);
            }
            None => {
                kept.push(row);
                order.push(at);
            }
        }
    }
    let mut sorted: Vec<_> = order.into_iter().zip(kept).filter(|(_, row)| row.requests > 0).collect();
    sorted.sort_by_key(|(at, _)| *at);
    sorted.into_iter().map(|(_, row)| row).collect()
}

/// All operations in one row.
pub(super) fn total<'a>(operations: &[Operation<'a>]) -> Operation<'a> {
    let mut total = Operation::default();
    operations.iter().for_each(|operation| total.absorb(operation));
    total
}
