//! What a Cell has seen, as numbers: a distribution of latencies, or the values of any metric.

use super::{number, per_second, percent};
use crate::metrics::{Cell, Trend};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;
use std::time::Duration;

/// A distribution in milliseconds.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::api) struct LatencyWire {
    /// The smallest.
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<Number>,
    /// The largest.
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<Number>,
    /// The mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    mean: Option<Number>,
    /// Of the values as the histogram keeps them.
    #[serde(skip_serializing_if = "Option::is_none")]
    stddev: Option<Number>,
    /// 50 % are no larger.
    #[serde(skip_serializing_if = "Option::is_none")]
    p50: Option<Number>,
    /// 90 % are no larger.
    #[serde(skip_serializing_if = "Option::is_none")]
    p90: Option<Number>,
    /// 95 % are no larger.
    #[serde(skip_serializing_if = "Option::is_none")]
    p95: Option<Number>,
    /// 99 % are no larger.
    #[serde(skip_serializing_if = "Option::is_none")]
    p99: Option<Number>,
    /// 99.9 % are no larger.
    #[serde(skip_serializing_if = "Option::is_none")]
    p999: Option<Number>,
}

impl LatencyWire {
    /// `None` where nothing was measured.
    pub(in crate::api) fn new(trend: &Trend) -> Option<Self> {
        let percentile = |percent| trend.percentile(percent).and_then(number);
        (trend.count() > 0).then(|| LatencyWire {
            min: trend.min().and_then(number),
            max: trend.max().and_then(number),
            mean: trend.avg().and_then(number),
            stddev: deviation(trend).and_then(number),
            p50: percentile(50.0),
            p90: percentile(90.0),
            p95: percentile(95.0),
            p99: percentile(99.0),
            p999: percentile(99.9),
        })
    }
}

/// The standard deviation of what a histogram counts; `None` without one.
fn deviation(trend: &Trend) -> Option<f64> {
    let buckets = trend.buckets();
    let count: f64 = buckets.iter().map(|(_, count)| *count as f64).sum();
    let mean = buckets.iter().map(|(value, count)| value * *count as f64).sum::<f64>() / count;
    let squares: f64 = buckets.iter().map(|(value, seen)| (value - mean).powi(2) * *seen as f64).sum();
    (count > 0.0).then(|| (squares / count).sqrt())
}

/// What a metric of any kind says; the fields are those of its kind.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub(in crate::api) struct ValuesWire {
    /// A counter's sum; how many samples a trend or a rate has.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<Number>,
    /// A counter's sum per second; a rate's share in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<Number>,
    /// A gauge's last value.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Number>,
    /// A gauge's smallest value.
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<Number>,
    /// A gauge's largest value.
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<Number>,
    /// A trend's distribution, in the metric's unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    distribution: Option<LatencyWire>,
}

impl ValuesWire {
    /// What was seen in that time.
    pub(in crate::api) fn new(cell: &Cell, within: Duration) -> Self {
        let none = ValuesWire::default();
        match cell {
            Cell::Counter { sum, .. } => ValuesWire { count: number(*sum), rate: per_second(*sum, within), ..none },
            Cell::Rate { passes, total } => {
                ValuesWire { count: Some(Number::from(*total)), rate: percent(*passes as f64, *total as f64), ..none }
            }
            Cell::Gauge(gauge) => ValuesWire {
                value: gauge.and_then(|gauge| number(gauge.last)),
                min: gauge.and_then(|gauge| number(gauge.min)),
                max: gauge.and_then(|gauge| number(gauge.max)),
                ..none
            },
            Cell::Trend(trend) => {
                ValuesWire { count: Some(Number::from(trend.count())), distribution: LatencyWire::new(trend), ..none }
            }
        }
    }
}
