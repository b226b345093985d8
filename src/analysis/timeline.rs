//! The timeline: a run in pieces of time, each with the figures that people watch.
//!
//! Called by whoever draws a run. Where the run has no data there is no point, and where a figure cannot be told it is absent;
//! nothing is filled in.

use super::digest::{Digest, Measure};
use super::figure::Figure;
use crate::snapshot::Snapshot;
use std::time::Duration;

/// A run in pieces of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timeline {
    /// The length of a piece that was asked for.
    pub interval: Duration,
    /// The longest slice that the History has there: no piece is shorter.
    pub step: Duration,
    /// In order of time; what is missing has no data.
    pub points: Vec<Point>,
}

/// What happened in one piece of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Point {
    /// Run time at which it begins.
    pub from: Duration,
    /// Run time at which it ends.
    pub to: Duration,
    /// Requests per second; `None` in a run without requests, and in its warm-up.
    pub throughput: Option<f64>,
    /// Median response time, milliseconds; `None` without responses, as all that follow.
    pub p50: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// Mean response time, milliseconds.
    pub mean: Option<f64>,
    /// Failed requests among all, 0 to 1; `None` without requests.
    pub error_rate: Option<f64>,
    /// Users that were alive at its end.
    pub active_users: Option<f64>,
    /// Bytes sent and received.
    pub bytes: Option<f64>,
    /// Whether it lies in the warm-up, at least in part.
    pub warmup: bool,
}

impl Point {
    /// Its middle, seconds of run time.
    pub fn middle(&self) -> f64 {
        (self.from + self.to).as_secs_f64() / 2.0
    }
}

/// The last `window` of a run in pieces of `interval`.
pub fn timeline(snapshot: &Snapshot, digest: &Digest, window: Duration, interval: Duration) -> Timeline {
    let to = digest.end();
    let from = to.saturating_sub(window);
    let points = digest.pieces(from, to, interval).into_iter();
    let points = points.filter_map(|(from, to)| point(digest, from, to, snapshot.warmup)).collect();
    Timeline { interval, step: digest.step(from, to), points }
}

/// One piece; `None` when nothing at all was seen in it.
pub(super) fn point(digest: &Digest, from: Duration, to: Duration, warmup: Duration) -> Option<Point> {
    let throughput = Figure::Throughput.value(digest, from, to);
    let users = digest.gauge(Measure::Users, from, to);
    let latency = digest.latency(from, to);
    if throughput.is_none() && users.is_none() && latency.is_none() {
        return None;
    }
    let bytes = [Measure::Sent, Measure::Received].map(|measure| digest.sum(measure, from, to));
    let bytes = bytes.iter().flatten().map(|(sum, _)| sum).fold(None, |all, sum| Some(all.unwrap_or(0.0) + sum));
    let percentile = |percent| latency.as_ref().and_then(|latency| latency.percentile(percent));
    Some(Point {
        from,
        to,
        throughput,
        p50: percentile(50.0),
        p95: percentile(95.0),
        p99: percentile(99.0),
        mean: latency.as_ref().and_then(|latency| latency.avg()),
        error_rate: digest.failed(from, to).map(|(failed, all)| failed as f64 / all as f64),
        active_users: users,
        bytes,
        warmup: from < warmup,
    })
}
