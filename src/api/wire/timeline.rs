//! `GET /metrics/timeline` and `GET /metrics/series`: what was measured, stretch by stretch.

use super::words::{KINDS, UNITS};
use super::{ValuesWire, number, percent, seconds, time};
use crate::analysis::{Digest, Measure};
use crate::metrics::{Cell, MetricDef, TagSet};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;
use std::collections::BTreeMap;
use std::time::Duration;

/// The KPIs of the last part of a run.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct TimelineWire {
    /// How far it goes back.
    pub(in crate::api) window_seconds: u64,
    /// How long each point is.
    pub(in crate::api) interval_seconds: u64,
    /// How long the longest slice is that a point was made of: older ones are kept less finely.
    pub(in crate::api) resolution_seconds: Number,
    /// The oldest first; only those that are over.
    pub(in crate::api) data_points: Vec<PointWire>,
}

/// The KPIs of one stretch, which begins at `timestamp`.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct PointWire {
    /// Its beginning; absent before the scenarios began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    timestamp: Option<String>,
    /// Its beginning, in run time.
    elapsed_seconds: Number,
    /// Requests per second; 0 while users are there and nobody is answered, absent in the warm-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    throughput: Option<Number>,
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_mean: Option<Number>,
    /// Milliseconds: half of the requests took no longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_p50: Option<Number>,
    /// Milliseconds: 95 % of the requests took no longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_p95: Option<Number>,
    /// Milliseconds: 99 % of the requests took no longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_p99: Option<Number>,
    /// Requests that failed, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    error_rate: Option<Number>,
    /// Users at its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    active_users: Option<Number>,
    /// Iterations that were done, per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    iterations: Option<Number>,
    /// Bytes per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_received: Option<Number>,
    /// Bytes per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_sent: Option<Number>,
}

impl PointWire {
    pub(in crate::api) fn new(digest: &Digest, from: Duration, to: Duration, wall: Option<DateTime<Utc>>) -> Self {
        let latency = digest.latency(from, to);
        let percentile = |percent| latency.as_ref().and_then(|latency| latency.percentile(percent)).and_then(number);
        let rate = |measure| digest.rate(measure, from, to).and_then(number);
        PointWire {
            timestamp: wall.map(time),
            elapsed_seconds: seconds(from),
            throughput: rate(Measure::Requests),
            latency_mean: latency.as_ref().and_then(|latency| latency.avg()).and_then(number),
            latency_p50: percentile(50.0),
            latency_p95: percentile(95.0),
            latency_p99: percentile(99.0),
            error_rate: digest.failed(from, to).and_then(|(failed, all)| percent(failed as f64, all as f64)),
            active_users: digest.gauge(Measure::Users, from, to).and_then(number),
            iterations: rate(Measure::Iterations),
            bytes_received: rate(Measure::Received),
            bytes_sent: rate(Measure::Sent),
        }
    }
}

/// One metric, the whole run and its last part.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct SeriesWire {
    /// Which metric.
    name: String,
    /// What it is.
    #[schemars(extend("enum" = KINDS))]
    kind: &'static str,
    /// What its numbers are: `time` is milliseconds, `data` bytes, a `share` is from 0 to 1.
    #[schemars(extend("enum" = UNITS))]
    unit: &'static str,
    /// What it means.
    help: String,
    /// Over the whole run; absent where nothing was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) values: Option<ValuesWire>,
    /// How many series it is made of; the first ones are listed.
    pub(in crate::api) total_series: usize,
    /// The first hundred of them.
    pub(in crate::api) series: Vec<TaggedWire>,
    /// How far `data_points` go back.
    pub(in crate::api) window_seconds: u64,
    /// How long each point is.
    pub(in crate::api) interval_seconds: u64,
    /// How long the longest slice is that a point was made of.
    pub(in crate::api) resolution_seconds: Number,
    /// The oldest first; only those that are over and in which something was measured.
    pub(in crate::api) data_points: Vec<ValuePointWire>,
}

impl SeriesWire {
    /// Of a metric, with nothing measured yet.
    pub(in crate::api) fn new(def: &MetricDef) -> Self {
        SeriesWire {
            name: def.name.to_string(),
            kind: def.kind.word(),
            unit: def.unit.word(),
            help: def.help.to_string(),
            values: None,
            total_series: 0,
            series: Vec::new(),
            window_seconds: 0,
            interval_seconds: 0,
            resolution_seconds: Number::from(0),
            data_points: Vec::new(),
        }
    }
}

/// One series of a metric, over the whole run.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct TaggedWire {
    /// What tells it from the others.
    tags: BTreeMap<String, String>,
    /// What it has seen.
    values: ValuesWire,
}

impl TaggedWire {
    pub(in crate::api) fn new(tags: &TagSet, cell: &Cell, within: Duration) -> Self {
        let tags = tags.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        TaggedWire { tags: tags.collect(), values: ValuesWire::new(cell, within) }
    }
}

/// One metric in one stretch, which begins at `timestamp`.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct ValuePointWire {
    /// Its beginning; absent before the scenarios began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    timestamp: Option<String>,
    /// Its beginning, in run time.
    elapsed_seconds: Number,
    /// What was seen in it.
    values: ValuesWire,
}

impl ValuePointWire {
    pub(in crate::api) fn new(from: Duration, wall: Option<DateTime<Utc>>, values: ValuesWire) -> Self {
        ValuePointWire { timestamp: wall.map(time), elapsed_seconds: seconds(from), values }
    }
}
