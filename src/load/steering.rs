//! Shapes whose value is found while the test runs: what the plan knows about them.
//!
//! Answered by [`Shape::steered`](super::Shape::steered), asked by the engine, which steers, and by what draws the plan. It
//! knows neither closures nor measurements.

use std::sync::Arc;
use std::time::Duration;

use super::Goal;

/// The stretch of a shape that is steered while the test runs; a shape has at most one.
#[derive(Debug, Clone, PartialEq)]
pub struct Steered {
    /// From when on, in the shape's own time.
    pub from: Duration,
    /// Until when at the latest; `None` without end.
    pub until: Option<Duration>,
    /// By what.
    pub how: Steering,
}

/// What finds the value.
#[derive(Debug, Clone, PartialEq)]
pub enum Steering {
    /// A closure of the script, asked once a second with the time since `from` and live figures.
    Closure,
    /// A search for the highest value at which an objective is met.
    Capacity(Arc<Goal>),
}

impl Steered {
    /// The same behind something that lasts so long.
    #[must_use]
    pub(super) fn behind(self, first: Duration) -> Self {
        let until = self.until.and_then(|until| until.checked_add(first));
        Self { from: self.from.saturating_add(first), until, how: self.how }
    }

    /// The same, cut to `time`; `None` if it would begin after it.
    pub(super) fn cut(self, time: Duration) -> Option<Self> {
        let until = Some(self.until.map_or(time, |until| until.min(time)));
        (self.from < time).then_some(Self { until, ..self })
    }
}
