//! `/ws/metrics/requests`: how many requests there were, second by second, minute by minute or hour by hour.

use super::{number, percent, seconds, time};
use crate::analysis::{Digest, Measure};
use crate::api::Session;
use crate::snapshot::Snapshot;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;
use std::time::Duration;

/// Requests over time.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct RequestsWire {
    /// When this was said.
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// How far back the points go.
    range_seconds: u64,
    /// How long a point is: 1, 60 or 3600. Older ones are longer where the past is kept less finely.
    interval_seconds: u64,
    /// Requests of all points.
    requests: u64,
    /// Those of them that failed.
    errors: u64,
    /// The oldest first; a point is there once it is over, and none of the warm-up is.
    data_points: Vec<RequestPointWire>,
}

/// The requests of one stretch.
#[derive(Debug, Serialize, JsonSchema)]
struct RequestPointWire {
    /// When it begins; absent before the scenarios have begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    timestamp: Option<String>,
    /// The same in run time.
    elapsed_seconds: Number,
    /// Requests that ended in it.
    requests: u64,
    /// Those of them that failed.
    errors: u64,
    /// In percent; absent without requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_rate: Option<Number>,
    /// Requests per second, of what of it is not warm-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    throughput: Option<Number>,
}

impl RequestsWire {
    /// The last `range` in points of `interval`.
    pub(in crate::api) fn new(
        session: &Session,
        snapshot: &Snapshot,
        (range, interval): (Duration, Duration),
        now: DateTime<Utc>,
    ) -> Self {
        let digest = session.digest(snapshot);
        let pieces = digest.last(session.preferences.within(range), interval).into_iter();
        // In the warm-up nothing is counted, which is something else than 0.
        let counted = |from, to| digest.counted(from, to) > 0.0;
        let pieces = pieces.filter(|(from, to)| *to - *from >= interval && counted(*from, *to));
        let diary = session.diary();
        let points: Vec<RequestPointWire> = pieces.map(|piece| point(&digest, piece, |at| diary.wall(at))).collect();
        RequestsWire {
            timestamp: time(now),
            range_seconds: range.as_secs(),
            interval_seconds: interval.as_secs(),
            requests: points.iter().map(|point| point.requests).sum(),
            errors: points.iter().map(|point| point.errors).sum(),
            data_points: points,
        }
    }
}

fn point(
    digest: &Digest,
    (from, to): (Duration, Duration),
    wall: impl Fn(Duration) -> Option<DateTime<Utc>>,
) -> RequestPointWire {
    let requests = digest.sum(Measure::Requests, from, to).map_or(0.0, |(sum, _)| sum);
    let (errors, judged) = digest.failed(from, to).unwrap_or_default();
    RequestPointWire {
        timestamp: wall(from).map(time),
        elapsed_seconds: seconds(from),
        requests: requests as u64,
        errors,
        error_rate: percent(errors as f64, judged as f64),
        throughput: number(requests / digest.counted(from, to)),
    }
}
