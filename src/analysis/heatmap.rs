//! Heatmaps: time by response time, and throughput and errors over time, as cells to be coloured.
//!
//! Called by whoever draws a run. A cell that holds nothing is not there.

use super::digest::Digest;
use super::figure::Figure;
use super::historical::interval;
use crate::metrics::Trend;
use std::time::Duration;

/// Upper edges of the buckets of response times, milliseconds, six to each power of ten; one more bucket holds what is above.
pub const LATENCY_EDGES: [f64; 36] = [
    0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0, 70.0, 100.0, 150.0,
    200.0, 300.0, 500.0, 700.0, 1e3, 1.5e3, 2e3, 3e3, 5e3, 7e3, 1e4, 1.5e4, 2e4, 3e4, 5e4, 6e4,
];
/// Most columns, give or take what slices that are longer make of it.
const COLUMNS: u64 = 120;

/// What a heatmap shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heat {
    /// How many responses took how long.
    Latency,
    /// Requests per second: one cell for each piece of time.
    Throughput,
    /// Failed requests among all, 0 to 1: one cell for each piece of time.
    Errors,
}

/// One cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeatCell {
    /// Run time at which its column begins.
    pub from: Duration,
    /// Run time at which it ends.
    pub to: Duration,
    /// Its row: an index into [`LATENCY_EDGES`], whose length is the row above all edges; 0 of the other kinds.
    pub bucket: usize,
    /// As [`Heat`] says.
    pub value: f64,
}

/// How many values lie in each bucket: up to each of [`LATENCY_EDGES`] and above the one before it, and above all. A value counts
/// where those do that are the same within the precision of the trend.
pub fn counted(trend: &Trend) -> [u64; LATENCY_EDGES.len() + 1] {
    let mut counts = [0; LATENCY_EDGES.len() + 1];
    let up_to = trend.counts_up_to(LATENCY_EDGES);
    let mut below = 0;
    for (count, up_to) in counts.iter_mut().zip(up_to.into_iter().chain([trend.count()])) {
        *count = up_to.saturating_sub(below);
        below = up_to.max(below);
    }
    counts
}

/// A run as cells.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Heatmap {
    /// The length of a column that was asked for.
    pub interval: Duration,
    /// In order of time and bucket; the last column may not be over.
    pub cells: Vec<HeatCell>,
}

/// The last `range` of a run.
pub fn heatmap(digest: &Digest, kind: Heat, range: Duration) -> Heatmap {
    let interval = interval(range.min(digest.end()), COLUMNS);
    let mut cells = Vec::new();
    for (from, to) in digest.last(range, interval) {
        let value = match kind {
            Heat::Latency => {
                let trend = digest.distribution(from, to);
                let counts = trend.iter().flat_map(|trend| counted(trend).into_iter().enumerate());
                let held = counts.filter(|(_, count)| *count > 0);
                cells.extend(held.map(|(bucket, count)| HeatCell { from, to, bucket, value: count as f64 }));
                continue;
            }
            Heat::Throughput => Figure::Throughput.value(digest, from, to),
            Heat::Errors => Figure::Errors.value(digest, from, to),
        };
        cells.extend(value.map(|value| HeatCell { from, to, bucket: 0, value }));
    }
    Heatmap { interval, cells }
}
