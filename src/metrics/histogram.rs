//! A histogram of fixed bounds over `hdrhistogram`: what a Trend keeps instead of its samples.
//!
//! Called by [`Trend`](super::trend::Trend). Bounds never grow, so memory follows the number of series and never the
//! number of samples; what lies outside is clamped and counted by the caller. Counts are `u32`, saturating: a bucket
//! would need 4.29 billion equal values to clip. Knows nothing of units: a [`Scale`] maps a value to integer ticks.
//!
//! Recording, merging and quantiles are the library's. Its iterators are made for many kinds of steps; hundreds of histograms
//! are read for one answer of the monitor, so what is full is found here, bin by bin.

use super::bins::{bin, highest, lowest};
use hdrhistogram::Histogram as Hdr;

/// How the values of a Trend become integers, and how far they reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Ticks per unit of value: 1000 for milliseconds kept in microseconds.
    pub per_unit: f64,
    /// Largest value kept, in ticks; larger ones are clamped and counted.
    pub highest: u64,
}

impl Scale {
    /// Request times: milliseconds, resolved to 1 µs, up to 60 s or the request timeout when that is longer.
    pub fn request(timeout_seconds: u64) -> Self {
        Scale { per_unit: 1000.0, highest: timeout_seconds.max(60) * 1_000_000 }
    }
    /// Iteration, group and session times: milliseconds, resolved to 1 µs, up to 24 h.
    pub const DAY: Scale = Scale { per_unit: 1000.0, highest: 86_400_000_000 };
    /// Custom trends: from 1e-3 to 1e12 in whatever unit they have.
    pub const CUSTOM: Scale = Scale { per_unit: 1000.0, highest: 1_000_000_000_000_000 };
}

/// How finely a series keeps its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resolution {
    /// Count, average, minimum and maximum only.
    Moments,
    /// Percentiles within 1 %.
    TwoDigits,
    /// Percentiles within 0.1 %.
    ThreeDigits,
}

/// Fixed-bound histogram of ticks.
#[derive(Debug, Clone)]
pub struct Histogram {
    hdr: Hdr<u32>,
}

impl Histogram {
    /// Empty, for ticks of 1..=`highest`, with `digits` significant decimal digits (2 or 3).
    pub fn new(highest: u64, digits: u8) -> Self {
        let hdr = Hdr::new_with_bounds(1, highest.max(2), digits).expect("bounds are ordered and digits are 2 or 3");
        Histogram { hdr }
    }

    /// Counts one value; callers clamp first, so it never fails.
    #[inline]
    pub fn record(&mut self, ticks: u64) {
        self.hdr.saturating_record(ticks);
    }

    /// Counts `count` equal values.
    pub(super) fn record_many(&mut self, ticks: u64, count: u64) {
        self.hdr.saturating_record_n(ticks, u32::try_from(count).unwrap_or(u32::MAX));
    }

    /// Adds another histogram of any precision; exact when both have the same bounds.
    pub fn merge(&mut self, other: &Histogram) {
        self.hdr.add(&other.hdr).expect("the ranges of one metric are equal, so the source always fits");
    }

    /// Takes away what an earlier state of the same histogram had counted.
    pub fn subtract(&mut self, earlier: &Histogram) {
        self.hdr.subtract(&earlier.hdr).expect("counts only grow, and the bounds of one metric are equal");
    }

    /// The nearest-rank value at `quantile` (0..=1): the highest value its bucket may hold.
    pub fn quantile(&self, quantile: f64) -> u64 {
        self.hdr.value_at_quantile(quantile)
    }

    /// How many values lie in the buckets from that of `from` to that of `to`, and the first value behind them.
    pub(super) fn count_between(&self, from: u64, to: u64) -> (u64, u64) {
        let last = self.hdr.highest_equivalent(to);
        (if from <= last { self.hdr.count_between(from, last) } else { 0 }, last.saturating_add(1).max(from))
    }

    /// How many values were counted.
    pub fn len(&self) -> u64 {
        self.hdr.len()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.hdr.is_empty()
    }

    /// Forgets the values and keeps the memory.
    pub fn clear(&mut self) {
        self.hdr.reset();
    }

    /// Significant decimal digits.
    pub fn digits(&self) -> u8 {
        self.hdr.sigfig()
    }

    /// Non-empty buckets as (highest value of the bucket, count): for distributions and tests.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let digits = self.hdr.sigfig();
        let bins = match self.hdr.is_empty() {
            true => 0..0,
            false => bin(self.hdr.min(), digits)..bin(self.hdr.max(), digits) + 1,
        };
        bins.filter_map(move |at| {
            let count = self.hdr.count_at(lowest(at, digits));
            (count > 0).then(|| (highest(at, digits), u64::from(count)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_full_is_what_the_library_says(
            values in prop::collection::vec(prop_oneof![0u64..5_000, 0u64..=60_000_000], 0..200),
            digits in 2u8..=3,
        ) {
            let mut histogram = Histogram::new(60_000_000, digits);
            values.iter().for_each(|value| histogram.record(*value));
            let theirs = histogram.hdr.iter_recorded();
            let theirs: Vec<_> = theirs.map(|step| (step.value_iterated_to(), u64::from(step.count_at_value()))).collect();
            prop_assert_eq!(histogram.buckets().collect::<Vec<_>>(), theirs);
        }
    }
}
