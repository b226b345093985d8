//! `GET /metrics`: what the run has measured so far, in all and by operation.

use super::{LatencyWire, per_second, percent, time};
use crate::metrics::{Cell, Trend};
use crate::snapshot::Snapshot;
use chrono::{DateTime, Utc};
use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

/// What was measured, without setup, teardown and warm-up.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct MetricsWire {
    /// Now.
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// All requests.
    total: TotalWire,
    /// The requests by their `name`.
    by_operation: BTreeMap<String, OperationWire>,
}

/// All requests together.
#[derive(Debug, Serialize, JsonSchema)]
struct TotalWire {
    /// Requests, whatever became of them.
    operations: u64,
    /// Requests that failed.
    errors: u64,
    /// Those that did not fail, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    success_rate: Option<Number>,
    /// Requests per second, over all that was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    throughput: Option<Number>,
    /// How long they took.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<LatencyWire>,
}

/// The requests of one name.
#[derive(Debug, Serialize, JsonSchema)]
struct OperationWire {
    /// Requests, whatever became of them.
    count: u64,
    /// Requests that failed.
    errors: u64,
    /// Requests per second, over all that was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    throughput: Option<Number>,
    /// How long they took.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<LatencyWire>,
}

/// What was seen of one operation, or of all.
#[derive(Debug, Default)]
struct Seen<'a> {
    requests: f64,
    failed: u64,
    judged: u64,
    latency: Option<Cow<'a, Trend>>,
}

impl<'a> Seen<'a> {
    fn add(&mut self, cell: &'a Cell) {
        match cell {
            Cell::Counter { sum, .. } => self.requests += sum,
            Cell::Rate { passes, total } => {
                self.failed += passes;
                self.judged += total;
            }
            Cell::Trend(trend) => match &mut self.latency {
                Some(latency) => latency.to_mut().merge(trend),
                None => self.latency = Some(Cow::Borrowed(trend)),
            },
            Cell::Gauge(_) => {}
        }
    }

    fn throughput(&self, within: Duration) -> Option<Number> {
        per_second(self.requests, within)
    }

    fn latency(&self) -> Option<LatencyWire> {
        self.latency.as_deref().and_then(LatencyWire::new)
    }
}

impl MetricsWire {
    pub(in crate::api) fn new(snapshot: &Snapshot, now: DateTime<Utc>) -> Self {
        let mut all = Seen::default();
        let mut operations: FxHashMap<&str, Seen<'_>> = FxHashMap::default();
        for metric in ["http_reqs", "http_req_failed", "http_req_duration"] {
            for series in snapshot.series_of(metric).filter(|series| series.tags.get("phase").is_none()) {
                all.add(&series.cell);
                operations.entry(series.tags.get("name").unwrap_or_default()).or_default().add(&series.cell);
            }
        }
        let within = snapshot.measured();
        let operations = operations.into_iter().filter(|(name, seen)| !name.is_empty() && seen.requests > 0.0);
        let by_operation = operations.map(|(name, seen)| {
            let wire = OperationWire {
                count: seen.requests as u64,
                errors: seen.failed,
                throughput: seen.throughput(within),
                latency: seen.latency(),
            };
            (name.to_owned(), wire)
        });
        MetricsWire {
            timestamp: time(now),
            total: TotalWire {
                operations: all.requests as u64,
                errors: all.failed,
                success_rate: percent(all.judged.saturating_sub(all.failed) as f64, all.judged as f64),
                throughput: all.throughput(within),
                latency: all.latency(),
            },
            by_operation: by_operation.collect(),
        }
    }
}
