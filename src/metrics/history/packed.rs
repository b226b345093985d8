//! Packed: a distribution in as few bytes as it needs.
//!
//! What a slice keeps of a trend: its exact moments, and of the histogram only the bins that hold something, as bytes:
//! for each bin the distance to the one before it with one bit for "more than one value", then the count if it is more.
//! A second with a hundred values takes some 150 bytes where the histogram takes 68 KiB. Used by
//! [`Track`](super::track::Track); knows nothing of time.

use crate::metrics::bins::coarser;
use crate::metrics::counts::Counts;
use crate::metrics::histogram::{Resolution, Scale};
use crate::metrics::trend::{Moments, Trend};

/// A distribution that is only ever read or merged.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Packed {
    /// Exact, whatever the digits.
    pub moments: Moments,
    /// Significant digits of the bins; 0 when only moments are kept.
    pub digits: u8,
    bins: Box<[u8]>,
}

impl Packed {
    /// What a trend has seen.
    pub fn of(trend: &Trend) -> Self {
        let digits = trend.digits().unwrap_or(0);
        Packed { moments: trend.moments(), digits, bins: write(trend.bins()) }
    }

    /// All of them in one, with the digits of the one that has fewest; `counts` is room to work in.
    pub fn merged<'a>(parts: impl Iterator<Item = &'a Packed> + Clone, counts: &mut Counts) -> Self {
        let digits = fewest(parts.clone());
        Packed { moments: add_up(parts, digits, counts), digits, bins: write(counts.iter()) }
    }

    /// The same with no more than `digits`.
    pub fn coarsened(&self, digits: u8, counts: &mut Counts) -> Self {
        let digits = self.digits.min(digits);
        counts.clear();
        self.bins(digits).for_each(|(bin, count)| counts.add(bin, count));
        Packed { moments: self.moments, digits, bins: write(counts.iter()) }
    }

    /// All of them as a trend that can be asked; `None` of none.
    pub fn trend<'a>(parts: impl Iterator<Item = &'a Packed> + Clone, scale: Scale) -> Trend {
        let digits = fewest(parts.clone());
        let mut counts = Counts::default();
        let moments = add_up(parts, digits, &mut counts);
        unpacked(scale, digits, moments, counts)
    }

    /// The bins that hold something, in order, as bins of `digits`, which may not be more than its own. A bin comes twice
    /// when two of its own lie in it.
    pub fn bins(&self, digits: u8) -> impl Iterator<Item = (u32, u64)> + '_ {
        let own = self.digits;
        let mut rest = &self.bins[..];
        let mut next = 0;
        std::iter::from_fn(move || {
            let head = read(&mut rest)?;
            let count = if head & 1 == 0 { 1 } else { read(&mut rest)? + 2 };
            let bin = next + (head >> 1) as u32;
            next = bin + 1;
            Some((coarser(bin, own, digits), count))
        })
    }

    /// Bytes outside of itself.
    pub fn heap(&self) -> usize {
        self.bins.len()
    }
}

/// The digits that all parts have; 3 of none.
fn fewest<'a>(parts: impl Iterator<Item = &'a Packed>) -> u8 {
    parts.map(|part| part.digits).min().unwrap_or(3)
}

/// Counts the bins of all parts anew and gives their moments.
fn add_up<'a>(parts: impl Iterator<Item = &'a Packed>, digits: u8, counts: &mut Counts) -> Moments {
    counts.clear();
    let mut moments = Moments::NONE;
    for part in parts {
        moments.merge(&part.moments);
        if digits > 0 {
            part.bins(digits).for_each(|(bin, count)| counts.add(bin, count));
        }
    }
    moments
}

/// A trend of counted bins.
pub(super) fn unpacked(scale: Scale, digits: u8, moments: Moments, counts: Counts) -> Trend {
    let resolution = match digits {
        0 => Resolution::Moments,
        2 => Resolution::TwoDigits,
        _ => Resolution::ThreeDigits,
    };
    Trend::restored(scale, resolution, moments, counts)
}

fn write(bins: impl Iterator<Item = (u32, u64)>) -> Box<[u8]> {
    let mut bytes = Vec::new();
    let mut next = 0;
    bins.for_each(|(bin, count)| {
        let more = u64::from(count > 1);
        push(&mut bytes, u64::from(bin - next) << 1 | more);
        if more == 1 {
            push(&mut bytes, count - 2);
        }
        next = bin + 1;
    });
    bytes.into_boxed_slice()
}

/// Appends a number, seven bits a byte, the lowest first.
fn push(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Takes a number that [`push`] wrote; `None` at the end.
#[inline]
fn read(bytes: &mut &[u8]) -> Option<u64> {
    let (mut number, mut shift) = (0, 0);
    loop {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_packed_comes_out(values in prop::collection::vec(0.0f64..90_000.0, 0..300), fine in any::<bool>()) {
            let resolution = if fine { Resolution::ThreeDigits } else { Resolution::TwoDigits };
            let mut trend = Trend::new(Scale::request(60), resolution);
            values.iter().for_each(|value| trend.record(*value));
            let packed = Packed::of(&trend);
            let back = Packed::trend([&packed].into_iter(), Scale::request(60));
            prop_assert_eq!(back.moments(), trend.moments());
            prop_assert_eq!(back.buckets(), trend.buckets());
            prop_assert_eq!(back.digits(), trend.digits());
        }

        #[test]
        fn any_counts_are_read_as_they_were_written(bins in prop::collection::btree_map(0u32..40_000, 1u64.., 0..80)) {
            let packed = Packed { moments: Moments::NONE, digits: 3, bins: write(bins.clone().into_iter()) };
            prop_assert_eq!(packed.bins(3).collect::<Vec<_>>(), bins.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn moments_alone_take_the_percentiles_of_the_rest() {
        let of = |resolution| {
            let mut trend = Trend::new(Scale::DAY, resolution);
            trend.record(7.0);
            Packed::of(&trend)
        };
        let parts = [of(Resolution::Moments), of(Resolution::ThreeDigits)];
        let both = Packed::trend(parts.iter(), Scale::DAY);
        assert_eq!((both.count(), both.avg(), both.percentile(50.0)), (2, Some(7.0), None), "half a truth is none");
    }
}
