//! How many responses took how long: the counted buckets of a distribution.
//!
//! Made by the wires of latency and heatmap; where the edges stand is `analysis`' to say.

use super::number;
use crate::analysis::{LATENCY_EDGES, counted};
use crate::metrics::Trend;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;

/// How many values lie above `from` and up to `to`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(in crate::api) struct BucketWire {
    /// Lower edge, milliseconds; what is on it lies in the bucket below, except 0.
    from: Number,
    /// Upper edge, milliseconds; absent for what is above all edges.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Number>,
    /// How many.
    count: u64,
}

/// The edges of a bucket; the last one has no upper one.
pub(super) fn edges(bucket: usize) -> (Option<Number>, Option<Number>) {
    let below = bucket.checked_sub(1).and_then(|below| LATENCY_EDGES.get(below)).copied().unwrap_or(0.0);
    (number(below), LATENCY_EDGES.get(bucket).copied().and_then(number))
}

/// The buckets that hold something.
pub(super) fn distribution(trend: &Trend) -> Vec<BucketWire> {
    let held = counted(trend).into_iter().enumerate().filter(|(_, count)| *count > 0);
    let wire = |(bucket, count)| {
        let (from, to) = edges(bucket);
        Some(BucketWire { from: from?, to, count })
    };
    held.filter_map(wire).collect()
}
