//! A checked expression: one number observed, one limit, one comparison; and its judgement.
//!
//! Made by the type check, judged through the rule by the engine's judge and by the report. It sees measurements through
//! [`View`] only.

use std::fmt;

use super::{Comparison, Dimension, Method, Selector, View};
use crate::metrics::MetricKind;

/// `p(95) < 300ms` about a metric that has a `p(95)` in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// What is observed.
    pub method: Method,
    /// The kind of the metric.
    pub kind: MetricKind,
    /// How it must stand to the limit.
    pub comparison: Comparison,
    /// The limit in base units: milliseconds, bytes, a share from 0 to 1.
    pub limit: f64,
    /// The limit as it was written.
    pub written: String,
    /// What the observed number and the limit are.
    pub dimension: Dimension,
}

/// When a threshold is judged: it decides what having seen nothing means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// On a tick; what has no data yet is not judged.
    Running,
    /// At the end; a Counter that counted nothing is 0.
    End,
}

/// What a threshold said at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    /// Whether it held; `None` without data.
    pub passed: Option<bool>,
    /// The observed number in base units; `None` without data.
    pub observed: Option<f64>,
}

impl Condition {
    /// Judges what `view` shows of `selector`. A cumulative condition has no memory: one that recovers holds again.
    pub fn judge(&self, selector: &Selector, view: &dyn View, moment: Moment) -> Judgement {
        let observed = self.observe(selector, view, moment);
        let passed = observed.map(|observed| self.comparison.holds(observed, self.limit));
        Judgement { passed, observed }
    }

    /// The number that the method reads; `None` without data.
    ///
    /// | kind | while running, nothing seen | at the end, nothing seen |
    /// |---|---|---|
    /// | Counter | no data | 0 |
    /// | Gauge, Rate, Trend | no data | no data |
    fn observe(&self, selector: &Selector, view: &dyn View, moment: Moment) -> Option<f64> {
        match self.kind {
            MetricKind::Counter => {
                let sum = match (view.counter(selector), moment) {
                    (Some(counter), _) => counter.sum,
                    (None, Moment::End) => 0.0,
                    (None, Moment::Running) => return None,
                };
                match self.method {
                    Method::Rate if sum == 0.0 && moment == Moment::End => Some(0.0),
                    Method::Rate => Some(sum / view.elapsed_seconds()).filter(|rate| rate.is_finite()),
                    _ => Some(sum),
                }
            }
            MetricKind::Gauge => view.gauge(selector).map(|gauge| gauge.value),
            MetricKind::Rate => {
                view.rate(selector).filter(|rate| rate.total > 0).map(|rate| rate.hits as f64 / rate.total as f64)
            }
            MetricKind::Trend => {
                let trend = view.trend(selector).filter(|trend| trend.count() > 0)?;
                Some(match self.method {
                    Method::Avg => trend.mean(),
                    Method::Min => trend.min(),
                    Method::Max => trend.max(),
                    Method::Med => trend.percentile(50.0),
                    Method::P(percentile) => trend.percentile(percentile),
                    Method::Count | Method::Rate | Method::Value => trend.count() as f64,
                })
            }
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} {}", self.method, self.comparison, self.written)
    }
}
