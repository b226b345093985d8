//! A figure: one number that people watch, and what it was in any stretch of a run.
//!
//! Asked by `historical`, `change` and whoever shows KPIs. Of a counter it is so many per second, of a distribution one of its
//! percentiles or its mean, of a gauge the last value.

use super::digest::{Digest, Measure};
use std::time::Duration;

/// A figure that can be looked at over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Requests per second.
    Throughput,
    /// Mean response time, milliseconds.
    Mean,
    /// A percentile of the response time, milliseconds: 50, 95 or 99.
    Percentile(u8),
    /// Failed requests among all, 0 to 1.
    Errors,
    /// Users alive.
    Users,
    /// Memory of this process, bytes.
    Memory,
    /// CPU of this process, a share of its shards' cores.
    Cpu,
}

impl Figure {
    /// Each figure under the name that the API takes, in the order in which they are listed to people.
    pub const NAMED: [(&'static str, Figure); 10] = [
        ("latency", Figure::Mean),
        ("latency_p50", Figure::Percentile(50)),
        ("latency_p95", Figure::Percentile(95)),
        ("latency_p99", Figure::Percentile(99)),
        ("throughput", Figure::Throughput),
        ("rps", Figure::Throughput),
        ("errors", Figure::Errors),
        ("users", Figure::Users),
        ("memory", Figure::Memory),
        ("cpu", Figure::Cpu),
    ];

    /// Its value in a stretch that begins and ends at edges of slices; `None` where nothing of it was measured. A stretch in
    /// which users ran and nobody was answered has a throughput of 0; in the warm-up no request is counted, so there is none.
    pub fn value(self, digest: &Digest, from: Duration, to: Duration) -> Option<f64> {
        let value = match self {
            Figure::Throughput => digest.rate(Measure::Requests, from, to)?,
            Figure::Mean => {
                let (sum, count) = digest.sum(Measure::Latency, from, to)?;
                sum / count as f64
            }
            Figure::Percentile(percent) => digest.latency(from, to)?.percentile(f64::from(percent))?,
            Figure::Errors => {
                let (failed, all) = digest.failed(from, to)?;
                failed as f64 / all as f64
            }
            Figure::Users => digest.gauge(Measure::Users, from, to)?,
            Figure::Memory => digest.gauge(Measure::PunkMemory, from, to)?,
            Figure::Cpu => digest.gauge(Measure::PunkCpu, from, to)?,
        };
        value.is_finite().then_some(value)
    }

    /// The largest value that it can have. The CPU has none: threads beside the shards may be busy too.
    pub fn most(self) -> f64 {
        if self == Figure::Errors { 1.0 } else { f64::INFINITY }
    }

    /// Whether it is what a gauge said: the mean over a range is then the mean of its points.
    pub fn is_gauge(self) -> bool {
        matches!(self, Figure::Users | Figure::Memory | Figure::Cpu)
    }
}
