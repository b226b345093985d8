//! A Trend: the distribution of a measured value.
//!
//! Lives in a [`Cell`](super::cell::Cell) of a shard's Recorder and, merged, in the Snapshot. Count, sum, minimum and
//! maximum are exact whatever the [`Resolution`]; percentiles come from a [`Histogram`] allocated on the first value.

use super::counts::Counts;
use super::histogram::{Histogram, Resolution, Scale};

/// What is exact of a distribution, without its values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moments {
    pub count: u64,
    pub sum: f64,
    pub min: f64,
    pub max: f64,
    pub clipped: u64,
}

impl Moments {
    /// Of no values.
    pub const NONE: Moments = Moments { count: 0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY, clipped: 0 };

    /// Adds those of other values.
    pub fn merge(&mut self, other: &Moments) {
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.clipped += other.clipped;
    }
}

/// Exact moments and, when asked for, a histogram.
#[derive(Debug, Clone)]
pub struct Trend {
    scale: Scale,
    resolution: Resolution,
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
    clipped: u64,
    histogram: Option<Box<Histogram>>,
}

impl Trend {
    /// Empty; memory for percentiles is taken at the first value.
    pub fn new(scale: Scale, resolution: Resolution) -> Self {
        Trend {
            scale,
            resolution,
            count: 0,
            sum: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            clipped: 0,
            histogram: None,
        }
    }

    /// Adds a value in the metric's unit (milliseconds for times). Not a number and negative values are the caller's error.
    #[inline]
    pub fn record(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
        if value < self.min {
            self.min = value;
        }
        if value > self.max {
            self.max = value;
        }
        if self.resolution == Resolution::Moments {
            return;
        }
        // To the nearest: values are not negative, and `round` would be a library call.
        let mut ticks = (value * self.scale.per_unit + 0.5) as u64;
        if ticks > self.scale.highest {
            ticks = self.scale.highest;
            self.clipped += 1;
        }
        match &mut self.histogram {
            Some(histogram) => histogram.record(ticks),
            None => self.first(ticks),
        }
    }

    #[cold]
    fn first(&mut self, ticks: u64) {
        let mut histogram = self.allocate();
        histogram.record(ticks);
        self.histogram = Some(histogram);
    }

    fn allocate(&self) -> Box<Histogram> {
        Box::new(Histogram::new(self.scale.highest, self.histogram_digits()))
    }

    fn histogram_digits(&self) -> u8 {
        if self.resolution == Resolution::ThreeDigits { 3 } else { 2 }
    }

    /// Adds everything `other` has seen. Commutes and associates (counts exactly, sums up to rounding).
    pub fn merge(&mut self, other: &Trend) {
        if other.count == 0 {
            return;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.clipped += other.clipped;
        if let Some(theirs) = &other.histogram {
            match &mut self.histogram {
                Some(ours) => ours.merge(theirs),
                None => {
                    if self.count == other.count {
                        (self.resolution, self.scale) = (other.resolution, other.scale);
                    }
                    let mut ours = Box::new(Histogram::like(theirs));
                    ours.merge(theirs);
                    self.histogram = Some(ours);
                }
            }
        }
    }

    /// What was added since an `earlier` state of the same trend. Its minimum and maximum are those of its histogram's
    /// buckets, within the precision; without one they are unknown and those of the whole.
    #[must_use]
    pub fn since(&self, earlier: &Trend) -> Trend {
        let mut new = self.clone();
        if earlier.count == 0 {
            return new;
        }
        new.count = self.count.saturating_sub(earlier.count);
        new.sum = self.sum - earlier.sum;
        new.clipped = self.clipped.saturating_sub(earlier.clipped);
        if let (Some(ours), Some(theirs)) = (&mut new.histogram, &earlier.histogram) {
            ours.subtract(theirs);
            let ticks = |ticks: u64| ticks as f64 / self.scale.per_unit;
            let first = ours.buckets().next().map(|(value, _)| ticks(value));
            let last = ours.buckets().last().map(|(value, _)| ticks(value));
            (new.min, new.max) = (first.unwrap_or(f64::INFINITY), last.unwrap_or(f64::NEG_INFINITY).min(self.max));
            new.min = new.min.min(new.max);
        }
        new
    }

    /// Forgets the values and keeps the memory, for the spare Recorder.
    pub fn clear(&mut self) {
        if self.count == 0 {
            return;
        }
        (self.count, self.sum, self.clipped) = (0, 0.0, 0);
        (self.min, self.max) = (f64::INFINITY, f64::NEG_INFINITY);
        if let Some(histogram) = &mut self.histogram {
            histogram.clear();
        }
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their sum, in the metric's unit.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// Arithmetic mean; `None` without values.
    pub fn avg(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// Smallest value, exact.
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min)
    }

    /// Largest value, exact (also when it was clipped in the histogram).
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max)
    }

    /// Values beyond the histogram's range: counted at its end, exact in `min`, `max` and `avg`.
    pub fn clipped(&self) -> u64 {
        self.clipped
    }

    /// Nearest-rank percentile, 0..=100, within the precision of [`Trend::digits`] and never outside `min..=max`.
    /// `None` without values or when only moments are kept.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        let histogram = self.histogram.as_ref()?;
        if self.count == 0 {
            return None;
        }
        if percent <= 0.0 {
            return Some(self.min);
        }
        // A bin that is full holds fewer than there were.
        let value = histogram.ranked(rank(percent, self.count)).map(|ticks| ticks as f64 / self.scale.per_unit);
        Some(value.map_or(self.max, |value| value.clamp(self.min, self.max)))
    }

    /// What [`Trend::percentile`] says of each of these, which ascend, and the standard deviation of the values as the histogram keeps
    /// them, all in one look at it. `None` without values or when only moments are kept.
    pub fn described<const N: usize>(&self, percents: [f64; N]) -> Option<([f64; N], f64)> {
        let histogram = self.histogram.as_ref().filter(|_| self.count > 0)?;
        let ranks = percents.map(|percent| rank(percent, self.count));
        let (told, deviation) = histogram.described(ranks);
        let mut at = 0;
        let told = told.map(|ticks| {
            let percent = percents[at];
            at += 1;
            match ticks {
                _ if percent <= 0.0 => self.min,
                Some(ticks) => (ticks as f64 / self.scale.per_unit).clamp(self.min, self.max),
                // A bin that is full holds fewer than there were.
                None => self.max,
            }
        });
        Some((told, deviation / self.scale.per_unit))
    }

    /// How many values are at most each of `edges`, which ascend, in the metric's unit. Every value up to an edge is
    /// counted; with it those beyond the edge that are the same within the precision of [`Trend::digits`]. Below the minimum
    /// and from the maximum on it is exact. Where only moments are kept, or beyond the histogram's range, it is what is
    /// known for sure, until the maximum.
    pub fn counts_up_to(&self, edges: impl IntoIterator<Item = f64>) -> Vec<u64> {
        // A value was rounded to the nearest tick, an edge is cut; the share of a tick only mends `0.3 * 1000.0`.
        let tick = |edge: f64| ((edge * self.scale.per_unit + 1e-6) as u64).min(self.scale.highest);
        let (mut counted, mut next) = (0, tick(self.min + 0.5 / self.scale.per_unit));
        let up_to = |edge: f64| match &self.histogram {
            _ if edge >= self.max => self.count,
            Some(histogram) if edge >= self.min => {
                let ticks = tick(edge);
                let (more, behind) = histogram.count_between(next, ticks);
                (counted, next) = (counted + more, behind);
                // Clipped values stand in the last bucket and belong behind it.
                if behind > self.scale.highest { counted.saturating_sub(self.clipped) } else { counted }
            }
            _ => 0,
        };
        edges.into_iter().map(up_to).collect()
    }

    /// The smallest value above zero that can be told from zero, in the metric's unit: half of what is resolved.
    pub fn resolved(&self) -> f64 {
        0.5 / self.scale.per_unit
    }

    /// Whether percentiles can be asked.
    pub fn has_percentiles(&self) -> bool {
        self.resolution != Resolution::Moments
    }

    /// Significant decimal digits of the percentiles; `None` when only moments are kept.
    pub fn digits(&self) -> Option<u8> {
        match self.resolution {
            Resolution::Moments => None,
            Resolution::TwoDigits => Some(2),
            Resolution::ThreeDigits => Some(3),
        }
    }

    /// Everything but the histogram.
    pub(super) fn moments(&self) -> Moments {
        Moments { count: self.count, sum: self.sum, min: self.min, max: self.max, clipped: self.clipped }
    }

    /// How values become ticks.
    pub(super) fn scale(&self) -> Scale {
        self.scale
    }

    /// Non-empty buckets as (bin, count), in order: what the [history](super::history) keeps.
    pub(super) fn bins(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        self.histogram.iter().flat_map(|histogram| histogram.bins())
    }

    /// A trend as it was, from what [`Trend::moments`] and [`Trend::bins`] had said of it.
    pub(super) fn restored(scale: Scale, resolution: Resolution, moments: Moments, counts: Counts) -> Trend {
        let Moments { count, sum, min, max, clipped } = moments;
        let mut trend = Trend { count, sum, min, max, clipped, ..Trend::new(scale, resolution) };
        if resolution != Resolution::Moments && count > 0 {
            trend.histogram = Some(Box::new(Histogram::of(counts, scale.highest, trend.histogram_digits())));
        }
        trend
    }

    /// Non-empty buckets as (upper value in the metric's unit, count).
    pub fn buckets(&self) -> Vec<(f64, u64)> {
        let Some(histogram) = &self.histogram else { return Vec::new() };
        histogram.buckets().map(|(ticks, count)| (ticks as f64 / self.scale.per_unit, count)).collect()
    }
}

/// The place of a percentile among so many values, from 1: nearest rank. In millionths of a percent, since 99.9 / 100 * 1000 is a
/// little more than 999 in binary fractions, and the next value is another one.
pub(super) fn rank(percent: f64, count: u64) -> u64 {
    const WHOLE: u128 = 100_000_000;
    let share = (percent.clamp(0.0, 100.0) * 1e6).round() as u128;
    u64::try_from((share * u128::from(count)).div_ceil(WHOLE)).unwrap_or(count).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_since_is_what_was_recorded_since() {
        let mut trend = Trend::new(Scale::DAY, Resolution::ThreeDigits);
        (0..1_000).for_each(|ms| trend.record(f64::from(ms)));
        let earlier = trend.clone();
        (0..100).for_each(|ms| trend.record(f64::from(ms) + 5_000.0));
        let since = trend.since(&earlier);
        assert_eq!((since.count(), since.sum()), (100, 504_950.0));
        let near = |value: Option<f64>, wanted: f64| (value.unwrap() - wanted).abs() <= wanted * 0.001;
        assert!(near(since.min(), 5_000.0) && near(since.max(), 5_099.0), "{since:?}");
        assert!(near(since.percentile(50.0), 5_049.0));
        assert_eq!(trend.since(&trend).count(), 0);
    }
    use proptest::prelude::*;

    fn trend() -> Trend {
        Trend::new(Scale::request(60), Resolution::ThreeDigits)
    }

    proptest! {
        #[test]
        fn percentiles_are_nearest_rank_within_a_thousandth(mut values in prop::collection::vec(0.5f64..59_000.0, 1..400), thousandths in 0usize..=100_000) {
            let percent = thousandths as f64 / 1_000.0;
            let mut t = trend();
            for v in &values { t.record(*v); }
            values.sort_by(f64::total_cmp);
            let rank = (thousandths * values.len()).div_ceil(100_000).max(1);
            let truth = values[rank - 1];
            let seen = t.percentile(percent).expect("has values");
            prop_assert!((seen - truth).abs() <= truth * 0.001 + 0.001, "{seen} against {truth}");
            prop_assert!(seen <= t.max().expect("has values") && seen >= t.min().expect("has values"));
        }

        #[test]
        fn one_look_tells_what_many_do(values in prop::collection::vec(0.0f64..80_000.0, 1..300)) {
            let mut t = trend();
            for v in &values { t.record(*v); }
            let percents = [0.0, 50.0, 90.0, 99.0, 99.9, 100.0];
            let (told, deviation) = t.described(percents).expect("has values");
            prop_assert_eq!(told.map(Some), percents.map(|percent| t.percentile(percent)));
            let kept: Vec<f64> = t.buckets().iter().flat_map(|(value, count)| vec![*value; *count as usize]).collect();
            let mean = kept.iter().sum::<f64>() / kept.len() as f64;
            let truth = (kept.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / kept.len() as f64).sqrt();
            prop_assert!((deviation - truth).abs() <= 1e-6 * truth.max(1.0), "{deviation} against {truth}");
        }

        #[test]
        fn counts_up_to_an_edge_hold_all_values_to_it_and_at_most_a_thousandth_beyond(
            values in prop::collection::vec(0.0f64..80_000.0, 0..300),
            mut edges in prop::collection::vec(0.0f64..90_000.0, 0..20),
        ) {
            let mut t = trend();
            for v in &values { t.record(*v); }
            edges.sort_by(f64::total_cmp);
            for (edge, seen) in edges.iter().zip(t.counts_up_to(edges.iter().copied())) {
                let at_most = |edge: f64| values.iter().filter(|v| **v <= edge).count() as u64;
                // What was clipped is told from the rest by the maximum alone.
                let least = at_most(edge.min(59_900.0));
                prop_assert!(seen >= least, "{seen} up to {edge}, there are {least}");
                prop_assert!(seen <= at_most(edge * 1.001 + 0.001), "{seen} up to {edge}");
            }
            let max = t.max().unwrap_or(0.0);
            prop_assert_eq!(t.counts_up_to([-1.0, max]), vec![0, t.count()]);
        }

        #[test]
        fn merging_shards_equals_recording_in_one(parts in prop::collection::vec(prop::collection::vec(0.0f64..80_000.0, 0..60), 1..16)) {
            let mut whole = trend();
            let mut merged = trend();
            for part in &parts {
                let mut shard = trend();
                for v in part { shard.record(*v); whole.record(*v); }
                merged.merge(&shard);
            }
            prop_assert_eq!(merged.count(), whole.count());
            prop_assert_eq!(merged.clipped(), whole.clipped());
            prop_assert_eq!(merged.min(), whole.min());
            prop_assert_eq!(merged.max(), whole.max());
            prop_assert_eq!(merged.buckets(), whole.buckets());
        }
    }

    #[test]
    fn a_percentile_of_a_round_number_of_values_is_the_one_of_that_rank() {
        for (percent, count, wanted) in [
            (99.9, 1_000, 999),
            (99.9, 2_000, 1_998),
            (99.99, 10_000, 9_999),
            (95.0, 20, 19),
            (0.0, 9, 1),
            (100.0, 9, 9),
        ] {
            assert_eq!(rank(percent, count), wanted, "p({percent}) of {count}");
        }
        let mut t = Trend::new(Scale::DAY, Resolution::ThreeDigits);
        (0..999).for_each(|_| t.record(1.0));
        t.record(500.0);
        assert_eq!((t.percentile(99.9), t.percentile(99.91)), (Some(1.0), Some(500.0)));
    }

    #[test]
    fn what_lies_far_beyond_the_range_does_not_drown_the_rest() {
        let mut t = Trend::new(Scale::CUSTOM, Resolution::TwoDigits);
        [1.0, 2.0, 3.0, 1e300].into_iter().for_each(|value| t.record(value));
        let (_, deviation) = t.described([50.0]).expect("has values");
        assert!(deviation > 1e11 && deviation.is_finite(), "{deviation}");
    }

    #[test]
    fn a_fast_crowd_and_a_slow_few_keep_their_percentiles_when_merged() {
        let (mut fast, mut slow) = (trend(), trend());
        (0..1000).for_each(|_| fast.record(10.0));
        (0..10).for_each(|_| slow.record(2000.0));
        fast.merge(&slow);
        let p95 = fast.percentile(95.0).expect("has values");
        assert!((p95 - 10.0).abs() <= 0.01, "{p95}");
    }

    #[test]
    fn a_value_beyond_the_range_is_clipped_counted_and_still_the_maximum() {
        let mut t = trend();
        t.record(90_000.0);
        assert_eq!((t.clipped(), t.max()), (1, Some(90_000.0)));
    }

    #[test]
    fn moments_have_no_percentiles_and_no_histogram() {
        let mut t = Trend::new(Scale::DAY, Resolution::Moments);
        t.record(3.0);
        assert_eq!((t.percentile(50.0), t.avg(), t.histogram.is_some()), (None, Some(3.0), false));
    }

    #[test]
    fn clearing_keeps_nothing() {
        let mut t = trend();
        t.record(5.0);
        t.clear();
        assert_eq!((t.count(), t.percentile(50.0), t.min(), t.avg()), (0, None, None, None));
    }
}
