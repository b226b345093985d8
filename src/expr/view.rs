//! What judging needs to see of the measurements, and no more.
//!
//! Implemented by the engine over Snapshots; tests implement it over plain maps. A window of time is a view of its own.

use std::time::Duration;

use super::Selector;

/// The measurements of a run up to a moment. Each method merges every series that the selector matches, and answers `None`
/// when there is none.
pub trait View {
    /// A Counter.
    fn counter(&self, selector: &Selector) -> Option<CounterView>;

    /// A Gauge.
    fn gauge(&self, selector: &Selector) -> Option<GaugeView>;

    /// A Rate.
    fn rate(&self, selector: &Selector) -> Option<RateView>;

    /// A Trend.
    fn trend(&self, selector: &Selector) -> Option<Box<dyn Distribution + '_>>;

    /// How long the run has lasted, in seconds of the run clock.
    fn elapsed_seconds(&self) -> f64;

    /// The same measurements, of the last `span` only; at the beginning of a run, of what there is. `None` where no history is
    /// kept, which is how a view that does not say otherwise answers.
    fn over(&self, span: Duration) -> Option<Box<dyn View + '_>> {
        let _ = span;
        None
    }

    /// The last `span` cut into slices of equal length, the oldest first; for lines through them. `None` as for `over`.
    fn slices(&self, span: Duration) -> Option<Vec<Slice<'_>>> {
        let _ = span;
        None
    }
}

/// A short piece of a window.
pub struct Slice<'a> {
    /// When it ended, in seconds from now: 0 or below.
    pub at: f64,
    /// What was measured in it.
    pub view: Box<dyn View + 'a>,
}

/// A Counter so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CounterView {
    /// The sum of what was added, in the metric's unit.
    pub sum: f64,
}

/// A Gauge now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GaugeView {
    /// The last value, in the metric's unit.
    pub value: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
}

/// A Rate so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateView {
    /// How many values were not zero.
    pub hits: u64,
    /// How many values there were.
    pub total: u64,
}

/// A Trend so far; all values in the metric's unit, times in milliseconds. Asked only when `count` is above 0.
pub trait Distribution {
    /// How many values.
    fn count(&self) -> u64;
    /// The smallest.
    fn min(&self) -> f64;
    /// The largest.
    fn max(&self) -> f64;
    /// The arithmetic mean.
    fn mean(&self) -> f64;
    /// The value below or at which `percentile` percent (0 to 100) of all values lie.
    fn percentile(&self, percentile: f64) -> f64;
}
