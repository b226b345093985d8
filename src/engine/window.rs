//! What was measured in a stretch of the run, as rules see it: the whole of it for thresholds, the time between two Snapshots
//! for a search and for the live figures of a closure, and from there the windows of the History ([`Stretch`]).

mod stretch;

pub(super) use stretch::{Eyes, Stretch};

use crate::expr::{CounterView, Distribution, GaugeView, RateView, Selector, Slice, View};
use crate::metrics::{Cell, Trend};
use crate::snapshot::Snapshot;
use crate::snapshot::Status;
use std::cell::RefCell;
use std::sync::PoisonError;
use std::time::Duration;

/// Up to a Snapshot, from the start or from an earlier one.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    from: Option<&'a Snapshot>,
    to: &'a Snapshot,
    /// What moving windows of the History are remembered in, by who asks again and again.
    eyes: Option<&'a RefCell<Eyes>>,
}

impl<'a> Window<'a> {
    /// All that was measured so far.
    pub(super) fn whole(to: &'a Snapshot) -> Self {
        Window { from: None, to, eyes: None }
    }

    /// The same, for who asks for the same windows at each Snapshot.
    pub(super) fn watched(to: &'a Snapshot, eyes: &'a RefCell<Eyes>) -> Self {
        Window { from: None, to, eyes: Some(eyes) }
    }

    /// What was measured since an earlier Snapshot.
    pub(super) fn between(from: &'a Snapshot, to: &'a Snapshot) -> Self {
        Window { from: Some(from), to, eyes: None }
    }

    /// A metric's new samples under a selector; `None` without any.
    pub(super) fn cell(&self, selector: &Selector) -> Option<Cell> {
        let now = merged(self.to, selector)?;
        let cell = match self.from.and_then(|from| merged(from, selector)) {
            Some(then) => now.since(&then),
            None => now,
        };
        Some(cell).filter(|cell| !cell.is_empty())
    }

    /// Run time up to which windows see: whole seconds, until the run is over.
    fn end(&self) -> Duration {
        let closed = self.to.history.read().unwrap_or_else(PoisonError::into_inner).closed();
        if self.to.status == Status::Completed { closed } else { closed.min(self.to.elapsed) }
    }
}

fn merged(snapshot: &Snapshot, selector: &Selector) -> Option<Cell> {
    let filtered = selector.tags().next().is_some();
    let with_phases = selector.tag("phase").is_some();
    snapshot.merged(selector.metric(), filtered, with_phases, |tags| selector.accepts(|name| tags.get(name)))
}

impl View for Window<'_> {
    fn counter(&self, selector: &Selector) -> Option<CounterView> {
        counter(&self.cell(selector)?)
    }

    fn gauge(&self, selector: &Selector) -> Option<GaugeView> {
        gauge(&self.cell(selector)?)
    }

    fn rate(&self, selector: &Selector) -> Option<RateView> {
        rate(&self.cell(selector)?)
    }

    fn trend(&self, selector: &Selector) -> Option<Box<dyn Distribution + '_>> {
        match self.cell(selector)? {
            Cell::Trend(trend) => Some(Box::new(Values(trend))),
            _ => None,
        }
    }

    fn elapsed_seconds(&self) -> f64 {
        let span = self.from.map_or_else(|| self.to.measured(), |from| self.to.elapsed.saturating_sub(from.elapsed));
        span.as_secs_f64()
    }

    fn over(&self, span: Duration) -> Option<Box<dyn View + '_>> {
        Some(Box::new(Stretch::new(self.to, span, self.end(), self.eyes)))
    }

    fn slices(&self, span: Duration) -> Option<Vec<Slice<'_>>> {
        Some(Stretch::slices(self.to, span, self.end()))
    }
}

/// A counter as rules see it; `None` for another kind of cell. The same for the two below.
fn counter(cell: &Cell) -> Option<CounterView> {
    match cell {
        Cell::Counter { sum, .. } => Some(CounterView { sum: *sum }),
        _ => None,
    }
}

fn gauge(cell: &Cell) -> Option<GaugeView> {
    match cell {
        Cell::Gauge(Some(gauge)) => Some(GaugeView { value: gauge.last, min: gauge.min, max: gauge.max }),
        _ => None,
    }
}

fn rate(cell: &Cell) -> Option<RateView> {
    match cell {
        Cell::Rate { passes, total } => Some(RateView { hits: *passes, total: *total }),
        _ => None,
    }
}

/// A trend that has values, as rules see it.
struct Values(Trend);

impl Distribution for Values {
    fn count(&self) -> u64 {
        self.0.count()
    }
    fn min(&self) -> f64 {
        self.0.min().unwrap_or(f64::NAN)
    }
    fn max(&self) -> f64 {
        self.0.max().unwrap_or(f64::NAN)
    }
    fn mean(&self) -> f64 {
        self.0.avg().unwrap_or(f64::NAN)
    }
    fn percentile(&self, percentile: f64) -> f64 {
        self.0.percentile(percentile).unwrap_or(f64::NAN)
    }
}
