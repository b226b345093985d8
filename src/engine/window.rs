//! What was measured between two Snapshots, as rules see it: the window of a search, or of the live figures of a closure.

use super::judge::{Merged, Seen};
use crate::expr::{CounterView, Distribution, GaugeView, RateView, Selector, View};
use crate::metrics::{Cell, Snapshot};

/// From one Snapshot to a later one.
pub(super) struct Window<'a> {
    pub(super) from: &'a Snapshot,
    pub(super) to: &'a Snapshot,
}

impl Window<'_> {
    fn new_cell(&self, selector: &Selector) -> Option<Cell> {
        let now = Seen(self.to).merged(selector)?;
        let cell = match Seen(self.from).merged(selector) {
            Some(then) => now.since(&then),
            None => now,
        };
        Some(cell).filter(|cell| !cell.is_empty())
    }
}

impl View for Window<'_> {
    fn counter(&self, selector: &Selector) -> Option<CounterView> {
        match self.new_cell(selector)? {
            Cell::Counter { sum, .. } => Some(CounterView { sum }),
            _ => None,
        }
    }

    fn gauge(&self, selector: &Selector) -> Option<GaugeView> {
        match self.new_cell(selector)? {
            Cell::Gauge(Some(gauge)) => Some(GaugeView { value: gauge.last }),
            _ => None,
        }
    }

    fn rate(&self, selector: &Selector) -> Option<RateView> {
        match self.new_cell(selector)? {
            Cell::Rate { passes, total } => Some(RateView { hits: passes, total }),
            _ => None,
        }
    }

    fn trend(&self, selector: &Selector) -> Option<Box<dyn Distribution + '_>> {
        match self.new_cell(selector)? {
            Cell::Trend(trend) => Some(Box::new(Merged(trend))),
            _ => None,
        }
    }

    fn elapsed_seconds(&self) -> f64 {
        self.to.elapsed.saturating_sub(self.from.elapsed).as_secs_f64()
    }
}
