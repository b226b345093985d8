//! A stretch of the past, as rules see it: what the History kept of the seconds before a moment of the run.
//!
//! Asked through [`View`] by conditions with an `over`. Who asks for the same windows second after second brings [`Eyes`],
//! which remember them, so that a second costs what a second holds.

use super::{counter, gauge, rate};
use crate::expr::{CounterView, Distribution, GaugeView, RateView, Selector, Slice, View};
use crate::metrics::{Cell, History, Sliding};
use crate::snapshot::Snapshot;
use rustc_hash::FxHashMap;
use std::cell::{Ref, RefCell};
use std::sync::{PoisonError, RwLockReadGuard};
use std::time::Duration;

/// Most points that a line is drawn through.
const POINTS: u32 = 60;

/// What somebody looks at again and again: the series of selectors, and windows that move over them.
#[derive(Debug, Default)]
pub(in crate::engine) struct Eyes {
    seen: FxHashMap<Selector, Eye>,
}

#[derive(Debug, Default)]
struct Eye {
    /// How many of the run's series were looked through.
    looked: usize,
    series: Vec<usize>,
    sliding: Vec<(Duration, Sliding)>,
}

impl Eye {
    /// Looks through the series that are new.
    fn look(&mut self, snapshot: &Snapshot, selector: &Selector) {
        if self.looked < snapshot.series.len() {
            let before = self.series.len();
            self.series.extend(places(snapshot, selector, self.looked));
            self.looked = snapshot.series.len();
            if self.series.len() > before {
                self.sliding.clear();
            }
        }
    }

    /// Where the window of that width is among those that move.
    fn window(&mut self, width: Duration) -> usize {
        if let Some(at) = self.sliding.iter().position(|(known, _)| *known == width) {
            return at;
        }
        self.sliding.push((width, Sliding::new(self.series.clone(), width)));
        self.sliding.len() - 1
    }
}

impl Eyes {
    fn eye(&mut self, selector: &Selector) -> &mut Eye {
        if !self.seen.contains_key(selector) {
            self.seen.insert(selector.clone(), Eye::default());
        }
        self.seen.get_mut(selector).expect("it was put there")
    }
}

fn places<'a>(snapshot: &'a Snapshot, selector: &'a Selector, first: usize) -> impl Iterator<Item = usize> + 'a {
    let filtered = selector.tags().next().is_some();
    let with_phases = selector.tag("phase").is_some();
    let accept = |tags: &crate::metrics::TagSet| selector.accepts(|name| tags.get(name));
    snapshot.places(selector.metric(), first, (filtered, with_phases), accept)
}

/// The last `span` before `to`; with a span that has no end, all that was before `to`.
pub(in crate::engine) struct Stretch<'a> {
    /// Of which it takes the series and the History, nothing else.
    snapshot: &'a Snapshot,
    span: Duration,
    to: Duration,
    eyes: Option<&'a RefCell<Eyes>>,
}

impl<'a> Stretch<'a> {
    pub(in crate::engine) fn new(
        snapshot: &'a Snapshot,
        span: Duration,
        to: Duration,
        eyes: Option<&'a RefCell<Eyes>>,
    ) -> Self {
        Stretch { snapshot, span, to, eyes }
    }

    /// The last `span` before `to` in pieces of equal length: a second, or as many as make at most sixty of them.
    pub(in crate::engine) fn slices(snapshot: &'a Snapshot, span: Duration, to: Duration) -> Vec<Slice<'a>> {
        let seconds = u32::try_from(span.as_secs()).unwrap_or(u32::MAX).max(1);
        let length = Duration::from_secs(u64::from(seconds.div_ceil(POINTS)));
        let begin = to.saturating_sub(span);
        let mut slices = Vec::new();
        let mut end = to;
        while end > begin && end >= length {
            let at = -(to - end).as_secs_f64();
            slices.push(Slice { at, view: Box::new(Stretch::new(snapshot, length, end, None)) as Box<dyn View> });
            end -= length;
        }
        slices.reverse();
        slices
    }

    fn history(&self) -> RwLockReadGuard<'a, History> {
        self.snapshot.history.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the series of a selector have seen, of a metric that is no trend.
    fn cell(&self, selector: &Selector) -> Option<Cell> {
        let from = self.to.saturating_sub(self.span);
        let window = match self.eyes {
            Some(eyes) => {
                let mut eyes = eyes.borrow_mut();
                let eye = eyes.eye(selector);
                eye.look(self.snapshot, selector);
                self.history().window(&eye.series, from, self.to)
            }
            None => {
                let series: Vec<usize> = places(self.snapshot, selector, 0).collect();
                self.history().window(&series, from, self.to)
            }
        };
        window.map(|window| window.cell).filter(|cell| !cell.is_empty())
    }
}

impl View for Stretch<'_> {
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
        let Some(eyes) = self.eyes else {
            let mut sliding = Sliding::new(places(self.snapshot, selector, 0).collect(), self.span);
            sliding.move_to(&self.history(), self.to);
            return (sliding.count() > 0).then(|| Box::new(Values(Box::new(sliding))) as Box<dyn Distribution>);
        };
        let at = {
            let mut eyes = eyes.borrow_mut();
            let eye = eyes.eye(selector);
            eye.look(self.snapshot, selector);
            let at = eye.window(self.span);
            eye.sliding[at].1.move_to(&self.history(), self.to);
            at
        };
        let sliding = Ref::map(eyes.borrow(), |eyes| &eyes.seen[selector].sliding[at].1);
        (sliding.count() > 0).then(|| Box::new(Values(sliding)) as Box<dyn Distribution>)
    }

    /// The time that was measured in it: whole slices, without the warm-up.
    fn elapsed_seconds(&self) -> f64 {
        let from = self.to.saturating_sub(self.span);
        let Some((from, to, _)) = self.history().bounds(from, self.to) else { return 0.0 };
        // The last second of a run is seldom whole.
        let to = to.min(self.snapshot.elapsed);
        to.saturating_sub(from.max(self.snapshot.warmup)).as_secs_f64()
    }

    /// Of a stretch that reaches back to the begin, so that a rule can be judged at a moment of the past.
    fn over(&self, span: Duration) -> Option<Box<dyn View + '_>> {
        Some(Box::new(Stretch::new(self.snapshot, span, self.to, self.eyes)))
    }

    fn slices(&self, span: Duration) -> Option<Vec<Slice<'_>>> {
        Some(Stretch::slices(self.snapshot, span, self.to))
    }
}

/// A window that has values, as rules see it: held, or looked at where it is remembered.
struct Values<S>(S);

impl<S: std::ops::Deref<Target = Sliding>> Distribution for Values<S> {
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
