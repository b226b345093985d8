//! What an exposition is made of, before anybody writes it: families of points under labels.
//!
//! Made by `state` and `measured`, written by `classic` and `client`. It knows no format; names and labels are already
//! legal (`name`), values already in base units.

use prometheus_client::registry::Unit;
use std::sync::Arc;

/// What a family is to Prometheus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Grows; its points are written with `_total`.
    Counter,
    /// Any value.
    Gauge,
    /// A distribution.
    Histogram,
    /// Labels only; written with `_info` and the value 1.
    Info,
}

/// Points of one meaning.
#[derive(Debug)]
pub(super) struct Family {
    /// Without its unit and without the suffix of its kind.
    pub(super) name: String,
    /// The last word of its name.
    pub(super) unit: Option<Unit>,
    /// What it is.
    pub(super) kind: Kind,
    /// What it means; any text.
    pub(super) help: String,
    /// Its time series, no two of them under the same labels.
    pub(super) points: Vec<Point>,
}

impl Family {
    /// The name with its unit: what stands after `# TYPE` in OpenMetrics.
    pub(super) fn full_name(&self) -> String {
        match &self.unit {
            Some(unit) => format!("{}_{}", self.name, unit.as_str()),
            None => self.name.clone(),
        }
    }
}

/// One time series now; with a distribution, all time series of a histogram.
#[derive(Debug)]
pub(super) struct Point {
    pub(super) labels: Labels,
    pub(super) value: Value,
}

/// What it is now.
#[derive(Debug)]
pub(super) enum Value {
    /// Of a counter, a gauge or an info.
    Number(f64),
    /// Of a histogram.
    Distribution(Distribution),
}

/// A histogram in base units.
#[derive(Debug, PartialEq)]
pub(super) struct Distribution {
    pub(super) sum: f64,
    pub(super) count: u64,
    /// Upper edge and the values between it and the edge before; the last edge is infinite.
    pub(super) buckets: Vec<(f64, u64)>,
    /// The same in exponential buckets, where the format has them.
    pub(super) native: Option<Native>,
}

/// The sparse, exponential buckets of a native histogram.
#[derive(Debug, PartialEq)]
pub(super) struct Native {
    /// Each power of two is cut into 2^schema buckets.
    pub(super) schema: i32,
    /// Values up to this one are zero.
    pub(super) zero_threshold: f64,
    /// How many are.
    pub(super) zero_count: u64,
    /// Runs of buckets: how far from the end of the run before, and how many.
    pub(super) spans: Vec<(i32, u32)>,
    /// Of each bucket in the runs, its count minus that of the one before.
    pub(super) deltas: Vec<i64>,
}

/// Names and values, shared by all points of one tag set.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Labels(pub(super) Arc<[(Arc<str>, Arc<str>)]>);

impl Labels {
    /// None.
    pub(super) fn none() -> Self {
        Labels(Arc::from([]))
    }

    /// Of pairs with legal names. An empty value is, to Prometheus, no label, and is left out.
    pub(super) fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let pairs = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        Labels(pairs.map(|(name, value)| (Arc::from(name), Arc::from(value))).collect())
    }

    /// Names and values in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }
}
