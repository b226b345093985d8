//! A histogram of fixed bounds: what a Trend keeps instead of its samples.
//!
//! Called by [`Trend`](super::trend::Trend). Bounds never grow, so memory follows the number of series and never the
//! number of samples; what lies outside is clamped and counted by the caller. Counts are `u32`, saturating: a bucket
//! would need 4.29 billion equal values to clip. Knows nothing of units: a [`Scale`] maps a value to integer ticks.
//!
//! Values are recorded by `hdrhistogram`, which takes all its memory at once, so that no value ever waits for it; what holds
//! something is marked, since a tick brings few values and the library is read bucket by bucket. What was merged is kept as [`Counts`] of the same buckets, as far as its values reach: it is copied whenever a Snapshot still has it, and
//! hundreds are merged and read for one answer of the monitor, which counts that lie side by side make cheap.

use super::bins::{bin, highest, lowest};
use super::counts::{BLOCK, Counts};
use hdrhistogram::Histogram as Hdr;
use std::borrow::Cow;

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
    highest: u64,
    digits: u8,
    kept: Kept,
}

/// Where the counts are.
#[derive(Debug, Clone)]
enum Kept {
    Recorded(Recorded),
    Merged(Counts),
}

/// Values, and in which blocks of bins they lie: a bit for each.
#[derive(Debug, Clone)]
struct Recorded {
    hdr: Hdr<u32>,
    marks: Box<[u64]>,
}

impl Recorded {
    fn new(highest: u64, digits: u8) -> Self {
        let hdr = Hdr::new_with_bounds(1, highest, digits).expect("bounds are ordered and digits are 2 or 3");
        let blocks = bin(highest, digits) as usize / BLOCK + 1;
        Recorded { hdr, marks: vec![0; blocks.div_ceil(64)].into() }
    }

    #[inline]
    fn record(&mut self, ticks: u64, digits: u8) {
        self.hdr.saturating_record(ticks);
        let block = bin(ticks, digits) as usize / BLOCK;
        self.marks[block / 64] |= 1 << (block % 64);
    }

    /// Bins that hold something, in order. The library's own iterators are made for many kinds of steps, and walk over all.
    fn bins(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        let digits = self.hdr.sigfig();
        let last = bin(self.hdr.max(), digits);
        let marked = self.marks.iter().zip(0..).flat_map(|(word, at)| ones(*word).map(move |bit| at * 64 + bit));
        let bins = marked.flat_map(|block| block * BLOCK as u32..(block + 1) * BLOCK as u32);
        bins.take_while(move |at| *at <= last).filter_map(move |at| {
            let count = self.hdr.count_at(lowest(at, digits));
            (count > 0).then_some((at, u64::from(count)))
        })
    }

    fn clear(&mut self) {
        self.hdr.reset();
        self.marks.fill(0);
    }
}

/// The bits that are set, from the lowest on.
fn ones(mut word: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros())?;
        word &= word - 1;
        Some(bit)
    })
}

impl Histogram {
    /// Empty, for ticks of 0..=`highest`, with `digits` significant decimal digits (2 or 3): to record values in.
    pub fn new(highest: u64, digits: u8) -> Self {
        let highest = highest.max(2);
        Histogram { highest, digits, kept: Kept::Recorded(Recorded::new(highest, digits)) }
    }

    /// Empty, with the bounds of another one: to merge others into.
    pub fn like(other: &Histogram) -> Self {
        Histogram { kept: Kept::Merged(Counts::default()), ..*other }
    }

    /// What was counted elsewhere, in bins of these digits.
    pub(super) fn of(counts: Counts, highest: u64, digits: u8) -> Self {
        Histogram { highest, digits, kept: Kept::Merged(counts) }
    }

    /// Counts one value; what lies beyond the bounds is counted at their end.
    #[inline]
    pub fn record(&mut self, ticks: u64) {
        let ticks = ticks.min(self.highest);
        match &mut self.kept {
            Kept::Recorded(recorded) => recorded.record(ticks, self.digits),
            Kept::Merged(counts) => counts.add(bin(ticks, self.digits), 1),
        }
    }

    /// Adds another histogram of any precision; exact when both have the same. What lies beyond these bounds is counted at
    /// their end.
    pub fn merge(&mut self, other: &Histogram) {
        let (last, digits, reaches) = (bin(self.highest, self.digits), self.digits, other.highest <= self.highest);
        let ours = self.counts_mut();
        match &other.kept {
            Kept::Merged(theirs) if other.digits == digits && reaches => ours.merge(theirs),
            _ if other.digits == digits => other.bins().for_each(|(bin, count)| ours.add(bin.min(last), count)),
            _ => {
                let bins = other.bins().map(|(at, count)| (bin(lowest(at, other.digits), digits), count));
                bins.for_each(|(bin, count)| ours.add(bin.min(last), count));
            }
        }
    }

    /// Takes away what an earlier state of the same histogram had counted.
    pub fn subtract(&mut self, earlier: &Histogram) {
        self.counts_mut().subtract(&earlier.counts());
    }

    /// The value of that rank, from 1: the highest that its bucket may hold; `None` when there are fewer values.
    pub fn ranked(&self, rank: u64) -> Option<u64> {
        let [bin] = self.counts().ranked([rank]);
        bin.map(|bin| highest(bin, self.digits))
    }

    /// The values of these ranks, from 1 and ascending, and the standard deviation of all, in one look. `None` from the first rank
    /// on that there are fewer values than.
    pub(super) fn described<const N: usize>(&self, ranks: [u64; N]) -> ([Option<u64>; N], f64) {
        let counts = self.counts();
        let begins = counts.blocks().map(|(first, total, _)| highest(first, self.digits) as f64 * total as f64);
        let mean = begins.sum::<f64>() / counts.total() as f64;
        let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for (first, total, counts) in counts.blocks() {
            // Values of a block are equally far apart: they are weighed as integers, and set in relation once.
            let (mut places, mut squared) = (0, 0);
            for (at, count) in (0..BLOCK as u32).zip(counts) {
                places += u64::from(*count) * u64::from(at);
                squared += u64::from(*count) * u64::from(at * at);
            }
            let (total, places, squared) = (total as f64, places as f64, squared as f64);
            let width = (lowest(first + 1, self.digits) - lowest(first, self.digits)) as f64;
            // Within the block, and of the block from about the mean of all: squares of what is large do not drown what is small.
            let within = width * width * (squared - places * places / total).max(0.0);
            let apart = highest(first, self.digits) as f64 - mean + width * places / total;
            n += total;
            sum += apart * total;
            squares += within + apart * apart * total;
        }
        let deviation = (squares / n - (sum / n) * (sum / n)).max(0.0).sqrt();
        (counts.ranked(ranks).map(|bin| bin.map(|bin| highest(bin, self.digits))), deviation)
    }

    /// How many values lie in the buckets from that of `from` to that of `to`, and the first value behind them.
    pub(super) fn count_between(&self, from: u64, to: u64) -> (u64, u64) {
        let end = bin(to, self.digits) + 1;
        (self.counts().between(bin(from, self.digits), end), lowest(end, self.digits).max(from))
    }

    /// How many values were counted.
    pub fn len(&self) -> u64 {
        match &self.kept {
            Kept::Recorded(recorded) => recorded.hdr.len(),
            Kept::Merged(counts) => counts.total(),
        }
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets the values and keeps the memory.
    pub fn clear(&mut self) {
        match &mut self.kept {
            Kept::Recorded(recorded) => recorded.clear(),
            Kept::Merged(counts) => counts.clear(),
        }
    }

    /// Significant decimal digits.
    pub fn digits(&self) -> u8 {
        self.digits
    }

    /// Non-empty buckets as (highest value of the bucket, count): for distributions and tests.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.bins().map(|(bin, count)| (highest(bin, self.digits), count))
    }

    /// Non-empty buckets as (bin, count), in order.
    pub(super) fn bins(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        let (recorded, merged) = match &self.kept {
            Kept::Recorded(recorded) => (Some(recorded.bins()), None),
            Kept::Merged(counts) => (None, Some(counts.iter())),
        };
        recorded.into_iter().flatten().chain(merged.into_iter().flatten())
    }

    /// The counts, to be read.
    fn counts(&self) -> Cow<'_, Counts> {
        match &self.kept {
            Kept::Recorded(recorded) => Cow::Owned(recorded.bins().collect()),
            Kept::Merged(counts) => Cow::Borrowed(counts),
        }
    }

    /// The counts, to be changed as one.
    fn counts_mut(&mut self) -> &mut Counts {
        if let Kept::Recorded(recorded) = &self.kept {
            self.kept = Kept::Merged(recorded.bins().collect());
        }
        match &mut self.kept {
            Kept::Merged(counts) => counts,
            Kept::Recorded(_) => unreachable!("it was made one that is merged"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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

    fn of_the_library(hdr: &Hdr<u32>) -> Vec<(u64, u64)> {
        hdr.iter_recorded().map(|step| (step.value_iterated_to(), u64::from(step.count_at_value()))).collect()
    }

    fn values() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(prop_oneof![0u64..5_000, 0u64..=HIGHEST], 0..200)
    }

    proptest! {
        #[test]
        fn it_is_an_hdr_histogram_whether_recorded_or_merged(
            one in values(),
            other in values(),
            (digits, others) in (2u8..=3, 2u8..=3),
            quantile in 0.0001f64..=1.0,
            (from, to) in (0u64..HIGHEST, 0u64..HIGHEST),
        ) {
            let (recorded, mut theirs) = both(digits, &one);
            let mut merged = Histogram::like(&recorded);
            merged.merge(&recorded);
            let (from, to) = (from.min(to), from.max(to));
            let same = |ours: &Histogram, theirs: &Hdr<u32>| {
                prop_assert_eq!(ours.buckets().collect::<Vec<_>>(), of_the_library(theirs));
                prop_assert_eq!((ours.len(), ours.is_empty()), (theirs.len(), theirs.is_empty()));
                let rank = ((quantile * theirs.len() as f64).ceil() as u64).max(1);
                prop_assert_eq!(ours.ranked(rank).unwrap_or(0), theirs.value_at_quantile(quantile));
                let (count, behind) = ours.count_between(from, to);
                prop_assert_eq!((count, behind), (theirs.count_between(from, to), theirs.highest_equivalent(to) + 1));
                Ok(())
            };
            same(&recorded, &theirs)?;
            same(&merged, &theirs)?;
            let earlier = (merged.clone(), theirs.clone());
            let (more, hdr) = both(others, &other);
            theirs.add(&hdr).unwrap();
            for mut ours in [recorded, merged] {
                ours.merge(&more);
                same(&ours, &theirs)?;
                ours.subtract(&earlier.0);
                let mut theirs = theirs.clone();
                theirs.subtract(&earlier.1).unwrap();
                same(&ours, &theirs)?;
                ours.clear();
                prop_assert_eq!((ours.buckets().count(), ours.len(), ours.ranked(1)), (0, 0, None));
                other.iter().for_each(|ticks| ours.record(*ticks));
                same(&ours, &both(digits, &other).1)?;
            }
        }
    }

    #[test]
    fn the_ends_of_the_range_are_counted_once() {
        for (highest, digits) in
            [(HIGHEST, 2), (HIGHEST, 3), (86_400_000_000, 3), (1_000_000_000_000_000, 2), (1 << 20, 3)]
        {
            let mut histogram = Histogram::new(highest, digits);
            for ticks in [0, 0, highest - 1, highest, highest + 1, u64::MAX] {
                histogram.record(ticks);
            }
            let seen: Vec<_> = histogram.bins().collect();
            assert_eq!((seen[0], seen.iter().map(|(_, count)| count).sum::<u64>()), ((0, 2), 6), "{seen:?}");
            assert_eq!(seen.last().map(|(at, _)| *at), Some(bin(highest, digits)), "{seen:?}");
        }
    }

    #[test]
    fn what_lies_beyond_the_bounds_of_one_that_it_is_merged_into_is_counted_at_their_end() {
        let mut wide = Histogram::new(86_400_000_000, 3);
        wide.record(80_000_000_000);
        let mut narrow = Histogram::new(HIGHEST, 3);
        narrow.merge(&wide);
        assert_eq!((narrow.len(), narrow.ranked(1).map(|ticks| bin(ticks, 3))), (1, Some(bin(HIGHEST, 3))));
    }
}
