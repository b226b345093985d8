//! `GET /metrics/heatmap/{kind}`: cells to be coloured.

use super::distribution::edges;
use super::{number, seconds, time};
use crate::analysis::{Heat, HeatCell, heatmap};
use crate::api::Session;
use crate::snapshot::Snapshot;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;
use std::time::Duration;

/// A run by time, and, of latency, by response time.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct HeatmapWire {
    /// When it was said.
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// `latency`, `throughput` or `errors`.
    kind: &'static str,
    /// How far back it looks, as asked.
    range: String,
    /// What the values are.
    unit: HeatUnit,
    /// How long a column is; longer where the past is kept less finely.
    interval_seconds: Number,
    /// Rows that hold something, the lowest first.
    buckets: Vec<HeatBucketWire>,
    /// Cells that hold something, in order of time and bucket.
    grid: Vec<HeatCellWire>,
}

/// What a heatmap counts.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum HeatUnit {
    /// Responses that took so long.
    Responses,
    /// Requests per second.
    PerSecond,
    /// Failed requests, of all.
    Percent,
}

/// A row.
#[derive(Debug, Serialize, JsonSchema)]
struct HeatBucketWire {
    /// What cells name it by.
    bucket: usize,
    /// Lower edge of its response times, milliseconds; absent where rows are no response times.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Number>,
    /// Upper edge, which belongs to it; absent for what is above all edges.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Number>,
}

/// A cell.
#[derive(Debug, Serialize, JsonSchema)]
struct HeatCellWire {
    /// When its column begins; absent before the scenarios have begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    timestamp: Option<String>,
    /// The same in run time.
    elapsed_seconds: Number,
    /// Its row.
    bucket: usize,
    /// How much, in the unit of the heatmap.
    value: Number,
    /// Whether its column is not over, so that the value may still change.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    open: bool,
}

impl HeatmapWire {
    pub(in crate::api) fn new(
        session: &Session,
        snapshot: &Snapshot,
        (word, kind): (&'static str, Heat),
        (range_word, range): (&str, Duration),
        now: DateTime<Utc>,
    ) -> Self {
        let seen = heatmap(&session.digest(snapshot), kind, session.preferences.within(range));
        let diary = session.diary();
        let (unit, by) = match kind {
            Heat::Latency => (HeatUnit::Responses, 1.0),
            Heat::Throughput => (HeatUnit::PerSecond, 1.0),
            Heat::Errors => (HeatUnit::Percent, 100.0),
        };
        let mut rows: Vec<usize> = seen.cells.iter().map(|cell| cell.bucket).collect();
        rows.sort_unstable();
        rows.dedup();
        let bucket = |bucket: usize| {
            let (from, to) = if kind == Heat::Latency { edges(bucket) } else { (None, None) };
            HeatBucketWire { bucket, from, to }
        };
        let cell = |cell: &HeatCell| {
            Some(HeatCellWire {
                timestamp: diary.wall(cell.from).map(time),
                elapsed_seconds: seconds(cell.from),
                bucket: cell.bucket,
                value: number(cell.value * by)?,
                open: cell.to - cell.from < seen.interval,
            })
        };
        HeatmapWire {
            timestamp: time(now),
            kind: word,
            range: range_word.to_owned(),
            unit,
            interval_seconds: seconds(seen.interval),
            buckets: rows.into_iter().map(bucket).collect(),
            grid: seen.cells.iter().filter_map(cell).collect(),
        }
    }
}
