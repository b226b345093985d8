//! What a Cell has seen, as numbers: a distribution of latencies, or the values of any metric.

use super::{number, per_second};
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
        let described = trend.described([50.0, 90.0, 95.0, 99.0, 99.9]);
        let [p50, p90, p95, p99, p999] =
            described.map_or([const { None }; 5], |(percentiles, _)| percentiles.map(number));
        (trend.count() > 0).then(|| LatencyWire {
            min: trend.min().and_then(number),
            max: trend.max().and_then(number),
            mean: trend.avg().and_then(number),
            stddev: described.and_then(|(_, deviation)| number(deviation)),
            p50,
            p90,
            p95,
            p99,
            p999,
        })
    }
}

/// What a metric of any kind says; the fields are those of its kind.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub(in crate::api) struct ValuesWire {
    /// A counter's sum; how many samples a trend or a rate has.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<Number>,
    /// A counter's sum per second; a rate's share, from 0 to 1.
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
                ValuesWire { count: Some(Number::from(*total)), rate: number(*passes as f64 / *total as f64), ..none }
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
