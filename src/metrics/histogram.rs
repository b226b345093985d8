//! A histogram of fixed bounds: what a Trend keeps instead of its samples.
//!
//! Called by [`Trend`](super::trend::Trend). Its buckets are those of HDR histograms, counted by number ([`bins`](super::bins)):
//! hundreds of them are merged and read for one answer, which counts that lie side by side make cheap. Bounds never grow, so
//! memory follows the number of series and never the number of samples; what lies outside is clamped and counted by the
//! caller. Counts are `u32`, saturating: a bucket would need 4.29 billion equal values to clip. Knows nothing of units: a
//! [`Scale`] maps a value to integer ticks.

use super::bins::{bin, highest, lowest};

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

/// So many counts are looked at together.
const CHUNK: usize = 16;

/// Fixed-bound histogram of ticks.
#[derive(Debug, Clone)]
pub struct Histogram {
    digits: u8,
    /// The bin of the highest value.
    last: usize,
    /// By bin, up to the highest that was needed.
    counts: Vec<u32>,
    /// The bins outside of `first..end` are empty.
    first: usize,
    end: usize,
    total: u64,
}

impl Histogram {
    /// Empty, for ticks of 0..=`highest`, with `digits` significant decimal digits (2 or 3). Takes its memory at once, so that
    /// no value ever waits for it.
    pub fn new(highest: u64, digits: u8) -> Self {
        let mut histogram = Histogram::small(highest, digits);
        histogram.counts = vec![0; histogram.last + 1];
        histogram
    }

    /// The same for what is merged and read: it takes memory as far as its values reach.
    pub(super) fn small(highest: u64, digits: u8) -> Self {
        let last = bin(highest, digits) as usize;
        Histogram { digits, last, counts: Vec::new(), first: usize::MAX, end: 0, total: 0 }
    }

    /// Counts one value; callers clamp first, so it never fails.
    #[inline]
    pub fn record(&mut self, ticks: u64) {
        self.count(ticks, 1);
    }

    /// Counts `count` equal values.
    pub(super) fn record_many(&mut self, ticks: u64, count: u64) {
        self.count(ticks, u32::try_from(count).unwrap_or(u32::MAX));
    }

    #[inline]
    fn count(&mut self, ticks: u64, count: u32) {
        let at = (bin(ticks, self.digits) as usize).min(self.last);
        if at >= self.counts.len() {
            self.reach(at + 1);
        }
        self.counts[at] = self.counts[at].saturating_add(count);
        self.total += u64::from(count);
        self.first = self.first.min(at);
        self.end = self.end.max(at + 1);
    }

    /// Makes room for so many bins.
    #[cold]
    fn reach(&mut self, bins: usize) {
        self.counts.resize(bins.next_multiple_of(1 << 10).min(self.last + 1), 0);
    }

    /// Adds another histogram of any precision; exact when both have the same. What lies beyond these bounds is counted at their
    /// end.
    pub fn merge(&mut self, other: &Histogram) {
        if other.is_empty() {
            return;
        }
        if self.digits != other.digits || other.end > self.last + 1 {
            let digits = other.digits;
            other.full().for_each(|(at, count)| self.count(lowest(at as u32, digits), count));
            return;
        }
        if other.end > self.counts.len() {
            self.reach(other.end);
        }
        let range = other.first..other.end;
        for (ours, theirs) in self.counts[range.clone()].iter_mut().zip(&other.counts[range]) {
            *ours = ours.saturating_add(*theirs);
        }
        self.total += other.total;
        self.first = self.first.min(other.first);
        self.end = self.end.max(other.end);
    }

    /// Takes away what an earlier state of the same histogram had counted.
    pub fn subtract(&mut self, earlier: &Histogram) {
        for (ours, theirs) in self.counts.iter_mut().zip(&earlier.counts) {
            *ours = ours.saturating_sub(*theirs);
        }
        self.total = self.total.saturating_sub(earlier.total);
    }

    /// The nearest-rank value at `quantile` (0..=1): the highest value its bucket may hold; 0 where nothing was counted.
    pub fn quantile(&self, quantile: f64) -> u64 {
        if self.is_empty() {
            return 0;
        }
        let rank = ((quantile.min(1.0) * self.total as f64).ceil() as u64).max(1);
        let (mut below, mut at) = (0, self.first);
        for chunk in self.counts[self.first..self.end].chunks(CHUNK) {
            let sum: u64 = chunk.iter().map(|count| u64::from(*count)).sum();
            if below + sum < rank {
                below += sum;
                at += chunk.len();
                continue;
            }
            for count in chunk {
                below += u64::from(*count);
                if below >= rank {
                    return highest(at as u32, self.digits);
                }
                at += 1;
            }
        }
        // A count that is saturated holds fewer than there were.
        highest(self.end as u32 - 1, self.digits)
    }

    /// How many values lie in the buckets from that of `from` to that of `to`, and the first value behind them.
    pub(super) fn count_between(&self, from: u64, to: u64) -> (u64, u64) {
        let last = highest(bin(to, self.digits), self.digits);
        let behind = last.saturating_add(1).max(from);
        let begin = (bin(from, self.digits) as usize).max(self.first);
        let end = (bin(to, self.digits) as usize + 1).min(self.end);
        if from > last || begin >= end {
            return (0, behind);
        }
        (self.counts[begin..end].iter().map(|count| u64::from(*count)).sum(), behind)
    }

    /// How many values were counted.
    pub fn len(&self) -> u64 {
        self.total
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Forgets the values and keeps the memory.
    pub fn clear(&mut self) {
        if self.first < self.end {
            self.counts[self.first..self.end].fill(0);
        }
        (self.first, self.end, self.total) = (usize::MAX, 0, 0);
    }

    /// Significant decimal digits.
    pub fn digits(&self) -> u8 {
        self.digits
    }

    /// Non-empty buckets as (highest value of the bucket, count): for distributions and tests.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.full().map(|(at, count)| (highest(at as u32, self.digits), u64::from(count)))
    }

    /// The bins that hold something, in order.
    fn full(&self) -> impl Iterator<Item = (usize, u32)> + '_ {
        let first = self.first.min(self.end);
        let chunks = self.counts[first..self.end].chunks(CHUNK).enumerate();
        let some = chunks.filter(|(_, chunk)| chunk.iter().fold(0, |all, count| all | count) != 0);
        some.flat_map(move |(at, chunk)| {
            let from = first + at * CHUNK;
            let counts = chunk.iter().enumerate().filter(|(_, count)| **count > 0);
            counts.map(move |(at, count)| (from + at, *count))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdrhistogram::Histogram as Hdr;
    use proptest::prelude::*;

    const HIGHEST: u64 = 60_000_000;

    fn both(digits: u8, values: &[u64]) -> (Histogram, Hdr<u32>) {
        let mut ours = Histogram::new(HIGHEST, digits);
        let mut theirs = Hdr::new_with_bounds(1, HIGHEST, digits).unwrap();
        values.iter().for_each(|value| {
            ours.record(*value);
            theirs.saturating_record(*value);
        });
        (ours, theirs)
    }

    fn recorded(hdr: &Hdr<u32>) -> Vec<(u64, u64)> {
        hdr.iter_recorded().map(|step| (step.value_iterated_to(), u64::from(step.count_at_value()))).collect()
    }

    fn values() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(prop_oneof![0u64..5_000, 0u64..=HIGHEST], 0..200)
    }

    proptest! {
        #[test]
        fn it_is_an_hdr_histogram(
            one in values(),
            other in values(),
            (digits, others) in (2u8..=3, 2u8..=3),
            quantile in 0.0001f64..=1.0,
            (from, to) in (0u64..HIGHEST, 0u64..HIGHEST),
        ) {
            let (mut ours, mut theirs) = both(digits, &one);
            let (more, hdr) = both(others, &other);
            let earlier = (ours.clone(), theirs.clone());
            let mut small = Histogram::small(HIGHEST, digits);
            small.merge(&ours);
            for ours in [&mut ours, &mut small] {
                ours.merge(&more);
            }
            theirs.add(&hdr).unwrap();
            for ours in [&ours, &small] {
                prop_assert_eq!(ours.buckets().collect::<Vec<_>>(), recorded(&theirs));
                prop_assert_eq!((ours.len(), ours.is_empty()), (theirs.len(), theirs.is_empty()));
                prop_assert_eq!(ours.quantile(quantile), theirs.value_at_quantile(quantile));
                let counted = if from <= to { theirs.count_between(from, to) } else { 0 };
                prop_assert_eq!(ours.count_between(from, to.max(from)).0, if from <= to { counted } else { theirs.count_between(from, from) });
            }
            ours.subtract(&earlier.0);
            theirs.subtract(&earlier.1).unwrap();
            prop_assert_eq!(ours.buckets().collect::<Vec<_>>(), recorded(&theirs));
            ours.clear();
            prop_assert_eq!((ours.buckets().count(), ours.len()), (0, 0));
        }
    }
}
