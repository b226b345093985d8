//! The Digest: the whole run in a dozen series, so that a day with 500 operations is read as fast as one with a single one.
//!
//! Kept by whoever shows a run and moved on with each [`Snapshot`]: every second that is over is merged over all operations
//! once. Closed seconds of the [`History`] never change, so following is exact. A digest that comes late reads what the History
//! still has, at the slices that are left. It knows the metrics that it is made of and nothing of what is concluded.

use crate::metrics::{Cell, History, Proto, Sliding, TagSet, Trend, Window};
use crate::snapshot::Snapshot;
use std::sync::PoisonError;
use std::time::Duration;

/// Bytes that a digest may hold; beyond, percentiles of its oldest slices get coarser as in any History.
const BUDGET: usize = 8_000_000;

/// What a digest knows of a run, over all operations, without setup and teardown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// `http_req_duration`, a distribution in milliseconds.
    Latency,
    /// `http_reqs`.
    Requests,
    /// `http_req_failed`; of a rate `passes` are failures.
    Failed,
    /// `data_sent`, bytes.
    Sent,
    /// `data_received`, bytes.
    Received,
    /// `vus`.
    Users,
    /// `iterations`.
    Iterations,
    /// `iteration_duration`: sum in milliseconds and number, as all that follow.
    IterationTime,
    /// `http_req_total_duration`.
    Total,
    /// `http_req_blocked`.
    Blocked,
    /// `http_req_dns`.
    Dns,
    /// `http_req_connecting`.
    Connecting,
    /// `http_req_tls_handshaking`.
    Tls,
    /// `http_req_sending`.
    Sending,
    /// `http_req_waiting`.
    Waiting,
    /// `http_req_receiving`.
    Receiving,
    /// `iteration_lateness`.
    Lateness,
    /// `dropped_iterations`.
    Dropped,
    /// `punk_cpu`, a share of the shards' cores.
    PunkCpu,
    /// `system_cpu`, a share of all cores.
    SystemCpu,
    /// `punk_memory`, bytes.
    PunkMemory,
    /// `punk_loop_lag_p99`, milliseconds.
    LoopLag,
    /// `punk_lateness_p99`, milliseconds.
    OwnLateness,
    /// `observed_cpu`, the busiest of all observed machines, where some are observed.
    ObservedCpu,
    /// `http_reqs` of one protocol.
    RequestsBy(Proto),
    /// `http_req_failed` of one protocol.
    FailedBy(Proto),
    /// `http_req_duration` of one protocol: sum and number.
    LatencyBy(Proto),
}

/// Each measure and its metric: the place of a measure is that in this list.
const MEASURES: [(Measure, &str); 30] = [
    (Measure::Latency, "http_req_duration"),
    (Measure::Requests, "http_reqs"),
    (Measure::Failed, "http_req_failed"),
    (Measure::Sent, "data_sent"),
    (Measure::Received, "data_received"),
    (Measure::Users, "vus"),
    (Measure::Iterations, "iterations"),
    (Measure::IterationTime, "iteration_duration"),
    (Measure::Total, "http_req_total_duration"),
    (Measure::Blocked, "http_req_blocked"),
    (Measure::Dns, "http_req_dns"),
    (Measure::Connecting, "http_req_connecting"),
    (Measure::Tls, "http_req_tls_handshaking"),
    (Measure::Sending, "http_req_sending"),
    (Measure::Waiting, "http_req_waiting"),
    (Measure::Receiving, "http_req_receiving"),
    (Measure::Lateness, "iteration_lateness"),
    (Measure::Dropped, "dropped_iterations"),
    (Measure::PunkCpu, "punk_cpu"),
    (Measure::SystemCpu, "system_cpu"),
    (Measure::PunkMemory, "punk_memory"),
    (Measure::LoopLag, "punk_loop_lag_p99"),
    (Measure::OwnLateness, "punk_lateness_p99"),
    (Measure::ObservedCpu, "observed_cpu"),
    (Measure::RequestsBy(Proto::Http1), "http_reqs"),
    (Measure::RequestsBy(Proto::Http2), "http_reqs"),
    (Measure::FailedBy(Proto::Http1), "http_req_failed"),
    (Measure::FailedBy(Proto::Http2), "http_req_failed"),
    (Measure::LatencyBy(Proto::Http1), "http_req_duration"),
    (Measure::LatencyBy(Proto::Http2), "http_req_duration"),
];

impl Measure {
    /// The measure that has all that the whole metric has; `None` for metrics of which the digest keeps nothing, or only a part.
    pub fn whole(metric: &str) -> Option<Measure> {
        const WHOLE: [Measure; 10] = [
            Measure::Latency,
            Measure::Requests,
            Measure::Failed,
            Measure::Sent,
            Measure::Received,
            Measure::Users,
            Measure::Iterations,
            Measure::PunkCpu,
            Measure::SystemCpu,
            Measure::PunkMemory,
        ];
        MEASURES
            .into_iter()
            .find(|(measure, name)| *name == metric && WHOLE.contains(measure))
            .map(|(measure, _)| measure)
    }

    /// The protocol that it is narrowed to.
    fn proto(self) -> Option<Proto> {
        match self {
            Measure::RequestsBy(proto) | Measure::FailedBy(proto) | Measure::LatencyBy(proto) => Some(proto),
            _ => None,
        }
    }
}

/// A run in a few series.
#[derive(Debug)]
pub struct Digest {
    history: History,
    /// The series of the run that make each measure.
    places: Vec<Vec<usize>>,
    /// How many of the run's series were looked through.
    looked: usize,
    /// How it was fed: from there on by slices of this length. In order of time.
    fed: Vec<(u64, u64)>,
    /// Run time that was measured, at most; the last second of a run is seldom whole.
    elapsed: Duration,
    warmup: Duration,
}

impl Default for Digest {
    fn default() -> Self {
        Digest {
            history: History::new(BUDGET),
            places: vec![Vec::new(); MEASURES.len()],
            looked: 0,
            fed: Vec::new(),
            elapsed: Duration::ZERO,
            warmup: Duration::ZERO,
        }
    }
}

impl Digest {
    /// All that a run's History still has. Reads all of it: whoever looks again keeps the digest and [follows](Digest::follow).
    pub fn of(snapshot: &Snapshot) -> Self {
        let mut digest = Digest::default();
        digest.follow(snapshot);
        digest
    }

    /// Moves on to the last second that is over, with Snapshots of one run in their order.
    pub fn follow(&mut self, snapshot: &Snapshot) {
        if self.looked < snapshot.series.len() {
            for (places, (measure, metric)) in self.places.iter_mut().zip(MEASURES) {
                let proto = measure.proto();
                let accept = |tags: &TagSet| proto.is_none_or(|proto| tags.get("proto") == Some(proto.tag()));
                places.extend(snapshot.places(metric, self.looked, (proto.is_some(), false), accept));
            }
            self.looked = snapshot.series.len();
        }
        // Whoever streams may look at one that is a little older than the last.
        (self.elapsed, self.warmup) = (self.elapsed.max(snapshot.elapsed), snapshot.warmup);
        let source = snapshot.history.read().unwrap_or_else(PoisonError::into_inner);
        for span in source.spans() {
            let step = span.step.as_secs();
            let mut from = span.from.as_secs();
            while from < span.to.as_secs() {
                if from + step > self.history.closed().as_secs() {
                    self.take(&source, from, step);
                }
                from += step;
            }
        }
    }

    /// Merges what all series have seen in one slice.
    fn take(&mut self, source: &History, from: u64, step: u64) {
        let (begin, end) = (Duration::from_secs(from), Duration::from_secs(from + step));
        for (at, places) in self.places.iter().enumerate() {
            let whole = || source.window(places, begin, end).map(|window| window.cell);
            let cell = match MEASURES[at].0 {
                Measure::ObservedCpu => busiest(source, places, begin, end),
                Measure::Latency => whole(),
                // The sum of a trend is a small part of it.
                _ => match source.sum(places, begin, end) {
                    Some((sum, samples)) => Some(Cell::Counter { sum, samples }),
                    None => whole(),
                },
            };
            if let Some(cell) = cell.filter(|cell| !cell.is_empty()) {
                self.history.feed(begin, at, &cell);
            }
        }
        if self.fed.last().is_none_or(|(_, last)| *last != step) {
            self.fed.push((from, step));
        }
        self.history.close(end);
    }

    /// The measure that is made of just these series of the run, and has all of them; `None` where the digest keeps none.
    pub fn made_of(&self, metric: &str, series: &[usize]) -> Option<Measure> {
        Measure::whole(metric).filter(|measure| self.places[place(*measure)] == series)
    }

    /// What was seen in each of these stretches, which ascend; see [`Digest::window`].
    pub fn windows(&self, measure: Measure, stretches: &[(Duration, Duration)]) -> Vec<Option<Window>> {
        let windows = self.history.windows(&[place(measure)], stretches).into_iter();
        windows.map(|window| window.filter(|window| !window.cell.is_empty())).collect()
    }

    /// Run time up to which it knows the run.
    pub fn end(&self) -> Duration {
        self.history.closed()
    }

    /// Run time from which on the run counts: the end of its warm-up, when that is over.
    pub fn begin(&self) -> Duration {
        if self.warmup < self.end() { self.warmup } else { Duration::ZERO }
    }

    /// What was seen in `from..to`, at slice edges that include it; `None` when nothing was.
    pub fn cell(&self, measure: Measure, from: Duration, to: Duration) -> Option<Cell> {
        self.window(measure, from, to).map(|window| window.cell)
    }

    /// The same with its edges.
    pub fn window(&self, measure: Measure, from: Duration, to: Duration) -> Option<Window> {
        self.history.window(&[place(measure)], from, to).filter(|window| !window.cell.is_empty())
    }

    /// The sum of a counter, or of a trend's values, with the number of samples.
    pub fn sum(&self, measure: Measure, from: Duration, to: Duration) -> Option<(f64, u64)> {
        self.history.sum(&[place(measure)], from, to)
    }

    /// The last value of a gauge.
    pub fn gauge(&self, measure: Measure, from: Duration, to: Duration) -> Option<f64> {
        match self.cell(measure, from, to)? {
            Cell::Gauge(gauge) => gauge.map(|gauge| gauge.last),
            _ => None,
        }
    }

    /// Failures and all requests.
    pub fn failed(&self, from: Duration, to: Duration) -> Option<(u64, u64)> {
        self.share(Measure::Failed, from, to)
    }

    /// How many of how many were true, of a rate.
    pub fn share(&self, measure: Measure, from: Duration, to: Duration) -> Option<(u64, u64)> {
        match self.cell(measure, from, to)? {
            Cell::Rate { passes, total } => Some((passes, total)),
            _ => None,
        }
    }

    /// The distribution of response times, to be asked for percentiles; `None` without any.
    pub fn latency(&self, from: Duration, to: Duration) -> Option<Sliding> {
        let mut sliding = Sliding::new(vec![place(Measure::Latency)], to.saturating_sub(from));
        sliding.move_to(&self.history, to);
        (sliding.count() > 0).then_some(sliding)
    }

    /// The same as counted buckets.
    pub fn distribution(&self, from: Duration, to: Duration) -> Option<Trend> {
        match self.cell(Measure::Latency, from, to)? {
            Cell::Trend(trend) => Some(trend),
            _ => None,
        }
    }

    /// Whether the run has any series of this measure.
    pub fn is_known(&self, measure: Measure) -> bool {
        !self.places[place(measure)].is_empty()
    }

    /// The last `range` in pieces that begin at multiples of `interval`, the first one whole: what is left of one that began
    /// before is left out, unless it is the begin of the run.
    pub fn last(&self, range: Duration, interval: Duration) -> Vec<(Duration, Duration)> {
        let to = self.end();
        let (from, every) = (to.saturating_sub(range).as_secs(), interval.as_secs().max(1));
        self.pieces(Duration::from_secs(from.next_multiple_of(every)), to, interval)
    }

    /// Seconds of `from..to` that the run was measured in.
    pub fn seconds(&self, from: Duration, to: Duration) -> f64 {
        let to = if self.elapsed > from { to.min(self.elapsed) } else { to };
        to.saturating_sub(from).as_secs_f64()
    }

    /// Seconds of `from..to` in which what is counted was counted: those that were measured, without the warm-up.
    pub fn counted(&self, from: Duration, to: Duration) -> f64 {
        if to > self.warmup { self.seconds(from.max(self.warmup), to) } else { 0.0 }
    }

    /// How much of a counter there was per second, at slice edges that include `from..to`: 0 in a stretch in which users ran
    /// and nothing of it happened, `None` where nothing was counted.
    pub fn rate(&self, measure: Measure, from: Duration, to: Duration) -> Option<f64> {
        let (sum, from, to) = match self.window(measure, from, to) {
            Some(Window { cell: Cell::Counter { sum, .. }, from, to, .. }) => (sum, from, to),
            Some(_) => return None,
            None => {
                let silent = self.is_known(measure) && self.gauge(Measure::Users, from, to).is_some();
                (silent.then_some(0.0)?, from, to)
            }
        };
        let seconds = self.counted(from, to);
        (seconds > 0.0).then(|| sum / seconds)
    }

    /// `from..to` in pieces of `interval`, which begin at its multiples, and of whole slices where slices are longer. The
    /// first may begin earlier than asked, the last is shorter when the interval is not over.
    pub fn pieces(&self, from: Duration, to: Duration, interval: Duration) -> Vec<(Duration, Duration)> {
        let interval = interval.as_secs().max(1);
        let end = to.min(self.end()).as_secs();
        let spans = self.history.spans();
        let step = |at: u64| {
            let own = spans.iter().find(|span| at < span.to.as_secs()).map_or(1, |span| span.step.as_secs());
            let fed = self.fed.iter().rev().find(|(from, _)| *from <= at).map_or(1, |(_, step)| *step);
            own.max(fed)
        };
        let length = |at: u64| interval.next_multiple_of(step(at));
        let mut at = from.as_secs();
        at -= at % length(at);
        let mut pieces = Vec::new();
        while at < end {
            let length = length(at);
            let mut next = at - at % length + length;
            // Beyond an edge to finer slices the multiple may fall anywhere; within coarse ones it is an edge already.
            next = next.next_multiple_of(step(next)).min(end.max(at + 1));
            pieces.push((Duration::from_secs(at), Duration::from_secs(next)));
            at = next;
        }
        pieces
    }

    /// The longest slice in `from..to`: the precision of edges in it.
    pub fn step(&self, from: Duration, to: Duration) -> Duration {
        let own = self.history.bounds(from, to).map_or(1, |(_, _, step)| step.as_secs());
        let fed = self.fed.iter().rev().find(|(since, _)| *since <= from.as_secs()).map_or(1, |(_, step)| *step);
        Duration::from_secs(own.max(fed))
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        self.history.bytes()
    }
}

fn place(measure: Measure) -> usize {
    MEASURES.iter().position(|(known, _)| *known == measure).expect("MEASURES lists every measure")
}

/// The gauge of the series whose last value is largest.
fn busiest(source: &History, places: &[usize], from: Duration, to: Duration) -> Option<Cell> {
    let gauges = places.iter().filter_map(|place| match source.window(&[*place], from, to)?.cell {
        Cell::Gauge(gauge) => gauge,
        _ => None,
    });
    gauges.max_by(|a, b| a.last.total_cmp(&b.last)).map(|gauge| Cell::Gauge(Some(gauge)))
}
