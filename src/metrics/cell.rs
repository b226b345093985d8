//! A Cell: what one series has seen, by its metric's kind.

use super::histogram::{Resolution, Scale};
use super::metric::MetricKind;
use super::trend::Trend;

/// The accumulated value of one series. Adding is a plain memory write: no lock, no allocation after the first value.
#[derive(Debug, Clone)]
pub enum Cell {
    /// A sum, and how many samples made it.
    Counter {
        /// Sum of all values.
        sum: f64,
        /// How many samples.
        samples: u64,
    },
    /// The last value set, with the extremes; `None` before the first.
    Gauge(Option<Gauge>),
    /// How often a truth was true.
    Rate {
        /// Samples that were non-zero.
        passes: u64,
        /// All samples.
        total: u64,
    },
    /// A distribution.
    Trend(Trend),
}

/// The values of a gauge that has been set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gauge {
    /// Last value set; after a merge, that of the shard merged last.
    pub last: f64,
    /// Smallest value seen.
    pub min: f64,
    /// Largest value seen.
    pub max: f64,
}

impl Cell {
    /// Empty, for a metric of `kind`; scale and resolution matter for trends only.
    pub fn new(kind: MetricKind, scale: Scale, resolution: Resolution) -> Self {
        match kind {
            MetricKind::Counter => Cell::Counter { sum: 0.0, samples: 0 },
            MetricKind::Gauge => Cell::Gauge(None),
            MetricKind::Rate => Cell::Rate { passes: 0, total: 0 },
            MetricKind::Trend => Cell::Trend(Trend::new(scale, resolution)),
        }
    }

    /// Adds one sample; for a rate any non-zero value passes.
    #[inline]
    pub fn add(&mut self, value: f64) {
        match self {
            Cell::Counter { sum, samples } => {
                *sum += value;
                *samples += 1;
            }
            Cell::Rate { passes, total } => {
                *passes += u64::from(value != 0.0);
                *total += 1;
            }
            Cell::Trend(trend) => trend.record(value),
            Cell::Gauge(gauge) => {
                let seen = gauge.unwrap_or(Gauge { last: value, min: value, max: value });
                *gauge = Some(Gauge { last: value, min: seen.min.min(value), max: seen.max.max(value) });
            }
        }
    }

    /// Adds what another cell of the same metric has seen; a cell of another kind adds nothing.
    pub fn merge(&mut self, other: &Cell) {
        match (self, other) {
            (Cell::Counter { sum, samples }, Cell::Counter { sum: s, samples: n }) => {
                *sum += s;
                *samples += n;
            }
            (Cell::Rate { passes, total }, Cell::Rate { passes: p, total: t }) => {
                *passes += p;
                *total += t;
            }
            (Cell::Trend(ours), Cell::Trend(theirs)) => ours.merge(theirs),
            (Cell::Gauge(ours), Cell::Gauge(Some(theirs))) => {
                let seen = ours.unwrap_or(*theirs);
                *ours = Some(Gauge { last: theirs.last, min: seen.min.min(theirs.min), max: seen.max.max(theirs.max) });
            }
            _ => {}
        }
    }

    /// What was added since an `earlier` state of the same cell; of a gauge, its value now.
    #[must_use]
    pub fn since(&self, earlier: &Cell) -> Cell {
        match (self, earlier) {
            (Cell::Counter { sum, samples }, Cell::Counter { sum: s, samples: n }) => {
                Cell::Counter { sum: sum - s, samples: samples.saturating_sub(*n) }
            }
            (Cell::Rate { passes, total }, Cell::Rate { passes: p, total: t }) => {
                Cell::Rate { passes: passes.saturating_sub(*p), total: total.saturating_sub(*t) }
            }
            (Cell::Trend(now), Cell::Trend(then)) => Cell::Trend(now.since(then)),
            (now, _) => now.clone(),
        }
    }

    /// Whether no sample has arrived.
    #[inline]
    pub fn is_empty(&self) -> bool {
        match self {
            Cell::Counter { samples, .. } => *samples == 0,
            Cell::Rate { total, .. } => *total == 0,
            Cell::Trend(trend) => trend.count() == 0,
            Cell::Gauge(gauge) => gauge.is_none(),
        }
    }

    /// Forgets the samples and keeps the memory.
    pub fn clear(&mut self) {
        match self {
            Cell::Counter { sum, samples } => (*sum, *samples) = (0.0, 0),
            Cell::Rate { passes, total } => (*passes, *total) = (0, 0),
            Cell::Trend(trend) => trend.clear(),
            Cell::Gauge(gauge) => *gauge = None,
        }
    }
}
