//! The figures of the last ticks, for people who watch: requests, failures and durations per scenario and in all.

use super::shard::TICK;
use crate::metrics::{Cell, MetricId, MetricSpec, Resolution, Scale, Trend};
use crate::snapshot::Recent;
use std::collections::VecDeque;
use std::time::Instant;

/// Ticks over which recent figures are averaged.
pub(super) const RECENT: usize = 4;

/// Figures of one tick, by scenario: requests, failures, durations, iterations.
#[derive(Clone)]
pub(super) struct Moment {
    at: Instant,
    requests: f64,
    passes: u64,
    judged: u64,
    durations: Trend,
    iterations: f64,
}

impl Moment {
    pub(super) fn new(at: Instant) -> Self {
        let durations = Trend::new(Scale::request(60), Resolution::TwoDigits);
        Moment { at, requests: 0.0, passes: 0, judged: 0, durations, iterations: 0.0 }
    }
}

/// The metrics that recent figures are made of.
pub(super) struct Watched {
    requests: MetricId,
    failed: MetricId,
    duration: MetricId,
    iterations: MetricId,
}

impl Watched {
    pub(super) fn new(specs: &[MetricSpec]) -> Self {
        let id = |name: &str| {
            let at = specs.iter().position(|spec| spec.def.name == name);
            MetricId(at.expect("the metric is built in") as u16)
        };
        Watched {
            requests: id("http_reqs"),
            failed: id("http_req_failed"),
            duration: id("http_req_duration"),
            iterations: id("iterations"),
        }
    }

    pub(super) fn see(&self, metric: MetricId, cell: &Cell, moment: &mut Moment) {
        match cell {
            Cell::Counter { sum, .. } if metric == self.requests => moment.requests += sum,
            Cell::Counter { sum, .. } if metric == self.iterations => moment.iterations += sum,
            Cell::Rate { passes, total } if metric == self.failed => {
                moment.passes += passes;
                moment.judged += total;
            }
            Cell::Trend(trend) if metric == self.duration => moment.durations.merge(trend),
            _ => {}
        }
    }
}

pub(super) fn total(moments: &[VecDeque<Moment>], now: Instant) -> Recent {
    recent(moments.iter().flatten(), now)
}

pub(super) fn recent<'a>(moments: impl Iterator<Item = &'a Moment> + Clone, now: Instant) -> Recent {
    let first = moments.clone().map(|moment| moment.at).min();
    let span = first.map_or(TICK, |first| now.duration_since(first) + TICK).as_secs_f64();
    let mut sum = Moment::new(now);
    for moment in moments {
        sum.requests += moment.requests;
        sum.passes += moment.passes;
        sum.judged += moment.judged;
        sum.iterations += moment.iterations;
        sum.durations.merge(&moment.durations);
    }
    Recent {
        requests: sum.requests / span,
        failed: (sum.judged > 0).then(|| sum.passes as f64 / sum.judged as f64),
        p95: sum.durations.percentile(95.0),
        iterations: sum.iterations / span,
    }
}
