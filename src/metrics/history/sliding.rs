//! A window that stands before the last seconds and moves with them: what a rule asks that is judged every second.
//!
//! Held by the judge, one for each distribution and width that its rules name, and moved once a second: it counts in what
//! came and takes out what left, so that a second costs what two seconds hold, however wide the window is. It tells what
//! [`History::window`] would tell of the same edges (or more precisely, where the history has given up digits since); that
//! one is for windows that are asked once.

use super::packed::{Packed, unpacked};
use super::{History, STEPS};
use crate::metrics::bins::{bin, highest};
use crate::metrics::counts::Counts;
use crate::metrics::histogram::Scale;
use crate::metrics::trend::{Moments, Trend, rank};
use std::time::Duration;

/// The distribution of the last so many seconds over some series of one metric.
#[derive(Debug, Clone)]
pub struct Sliding {
    series: Vec<usize>,
    width: Duration,
    from: u32,
    to: u32,
    scale: Scale,
    /// Of the bins that are counted; 0 when only moments are known.
    digits: u8,
    counts: Counts,
    moments: Moments,
}

impl Sliding {
    /// Over the last `width` of these series; empty until it is moved.
    pub fn new(series: Vec<usize>, width: Duration) -> Self {
        Sliding {
            series,
            width,
            from: 0,
            to: 0,
            scale: Scale::DAY,
            digits: 0,
            counts: Counts::default(),
            moments: Moments::NONE,
        }
    }

    /// Moves on to the last second that is over. To be called with the same history each time.
    pub fn follow(&mut self, history: &History) {
        self.move_to(history, history.closed());
    }

    /// Moves so that it ends at a run time: at the slice edge that includes it. Cheap in small steps forwards; nothing of the
    /// last second that is not over.
    pub fn move_to(&mut self, history: &History, end: Duration) {
        let Some((from, to, _)) = history.at_edges(end.saturating_sub(self.width), end) else { return };
        if (from, to) == (self.from, self.to) {
            return;
        }
        let inside = || history.packed(&self.series, from, to);
        self.moments = Moments::NONE;
        let mut digits = 3;
        for part in inside() {
            self.moments.merge(&part.moments);
            digits = part.digits.min(digits);
        }
        if !self.step(history, from, to, digits) {
            self.scale = self.series.iter().find_map(|at| history.scale(*at)).unwrap_or(self.scale);
            self.digits = digits;
            self.counts.clear();
            let inside = history.packed(&self.series, from, to).filter(|_| digits > 0);
            inside.flat_map(|part| part.bins(digits)).for_each(|(bin, count)| self.counts.add(bin, count));
        }
        (self.from, self.to) = (from, to);
    }

    /// Counts in what came and takes out what left; false when that cannot be told from the slices any more.
    fn step(&mut self, history: &History, from: u32, to: u32, digits: u8) -> bool {
        let apart = from < self.from || to < self.to || from > self.to;
        // Slices that were thinned since may reach over our edges.
        if apart || !history.is_edge(self.from) || !history.is_edge(self.to) {
            return false;
        }
        let left = history.packed(&self.series, self.from, from);
        let came = history.packed(&self.series, self.to, to);
        // What has become coarser cannot be taken from finer bins, and when all is finer again we can be.
        let fits = |part: &Packed| part.digits >= self.digits;
        if digits > self.digits || self.digits == 0 || !left.clone().chain(came.clone()).all(fits) {
            return false;
        }
        came.flat_map(|part| part.bins(self.digits)).for_each(|(bin, count)| self.counts.add(bin, count));
        left.flat_map(|part| part.bins(self.digits)).for_each(|(bin, count)| self.counts.take(bin, count));
        true
    }

    /// Which series it is over.
    pub fn series(&self) -> &[usize] {
        &self.series
    }

    /// Run time at which it begins; earlier than the last second less the width where slices are longer than a second, and
    /// the begin of the run where there is less of it.
    pub fn from(&self) -> Duration {
        Duration::from_secs(u64::from(self.from))
    }

    /// Run time at which it ends: the last second that was over when it was moved.
    pub fn to(&self) -> Duration {
        Duration::from_secs(u64::from(self.to))
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.moments.count
    }

    /// Their sum, in the metric's unit.
    pub fn sum(&self) -> f64 {
        self.moments.sum
    }

    /// The smallest value, exact.
    pub fn min(&self) -> Option<f64> {
        (self.moments.count > 0).then_some(self.moments.min)
    }

    /// The largest value, exact.
    pub fn max(&self) -> Option<f64> {
        (self.moments.count > 0).then_some(self.moments.max)
    }

    /// Arithmetic mean; `None` without values.
    pub fn avg(&self) -> Option<f64> {
        (self.moments.count > 0).then(|| self.moments.sum / self.moments.count as f64)
    }

    /// Significant digits of the percentiles; `None` when only moments are known.
    pub fn digits(&self) -> Option<u8> {
        (self.digits > 0).then_some(self.digits)
    }

    /// What [`Trend::percentile`] would tell, without a histogram to be filled first.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        if self.digits == 0 || self.moments.count == 0 {
            return None;
        }
        let Moments { count, min, max, .. } = self.moments;
        if percent <= 0.0 {
            return Some(min);
        }
        let [ranked] = self.counts.ranked([rank(percent, count)]);
        let bin = ranked.unwrap_or_else(|| bin(self.scale.highest, self.digits));
        Some((highest(bin, self.digits) as f64 / self.scale.per_unit).clamp(min, max))
    }

    /// The same as a trend that stands for itself.
    pub fn trend(&self) -> Trend {
        unpacked(self.scale, self.digits, self.moments, self.counts.clone())
    }
}

impl History {
    /// Whether a slice begins or ends there.
    fn is_edge(&self, second: u32) -> bool {
        let tier = self.edges[1..].iter().position(|edge| second >= *edge);
        tier.is_none_or(|tier| second.is_multiple_of(STEPS[tier]))
    }
}
