//! What goes out: twins of what Snapshots hold, so that a change inside punk cannot change the API by accident.
//!
//! Made by the handlers, serialised by the router. Times are RFC 3339 in UTC, latencies milliseconds, rates per second, shares
//! percent from 0 to 100. What was not measured is absent, never zero.

mod alerts;
mod analysis;
mod band;
mod connections;
mod distribution;
mod errors;
mod health;
mod heatmap;
mod historical;
mod kpi;
mod logs;
mod metrics;
mod news;
mod performance;
mod protocols;
mod queues;
mod requests;
mod revisions;
mod status;
mod system;
mod thresholds;
mod timeline;
mod values;
mod words;
mod workers;

pub(super) use alerts::{AlertWire, AlertsWire};
pub(super) use analysis::AnalysisWire;
pub(super) use connections::ConnectionsWire;
pub(super) use errors::{ErrorsWire, RecentWire};
pub(super) use health::HealthWire;
pub(super) use heatmap::HeatmapWire;
pub(super) use historical::HistoricalWire;
pub(super) use kpi::{KpiWire, LatencyKpiWire};
pub(super) use logs::LogsWire;
pub(super) use metrics::MetricsWire;
pub(super) use news::{EnvelopeWire, ErrorsNewsWire, StateWire, StatusChangeWire, ThresholdNewsWire, envelope};
pub(super) use performance::PerformanceWire;
pub(super) use protocols::ProtocolsWire;
pub(super) use queues::QueuesWire;
pub(super) use requests::RequestsWire;
pub(super) use revisions::RevisionsWire;
pub(super) use status::{SessionsWire, StatusWire, status};
pub(super) use system::{CpuWire, DiskWire, MemoryWire, NetworkWire, PartOfSystem, SystemWire};
pub(super) use thresholds::ThresholdsWire;
pub(super) use timeline::{PointWire, SeriesWire, TaggedWire, TimelineWire, ValuePointWire};
use values::LatencyWire;
pub(super) use values::ValuesWire;
pub(super) use words::{LEVELS, RINGS, STATUSES};
pub(super) use workers::WorkersWire;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Number;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// A number as people write it: whole ones without a fraction, others to a millionth. `None` for what is no number.
fn number(value: f64) -> Option<Number> {
    let rounded = (value * 1e6).round() / 1e6;
    let value = if rounded.is_finite() { rounded } else { value };
    if value.fract() == 0.0 && value.abs() < 9e15 {
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}

/// A duration in seconds.
pub(super) fn seconds(duration: Duration) -> Number {
    number(duration.as_secs_f64()).expect("a duration is finite")
}

/// A part of a whole in percent; `None` of nothing.
fn percent(part: f64, whole: f64) -> Option<Number> {
    if whole > 0.0 { number(100.0 * part / whole) } else { None }
}

/// So many in that time; `None` of no time.
fn per_second(count: f64, time: Duration) -> Option<Number> {
    if time.is_zero() { None } else { number(count / time.as_secs_f64()) }
}

/// A time by the wall.
fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
