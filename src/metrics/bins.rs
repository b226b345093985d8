//! Bins: the buckets of a histogram by number.
//!
//! [`Counts`](super::counts::Counts) counts by them, the [history](super::history) keeps those that hold something. The
//! numbering is that of HDR histograms: exact up to twice 2ᵇ, then 2ᵇ bins per doubling, with b = 10 for three digits and 7
//! for two. Both are powers of two, so every bin of three digits lies whole in one of two digits: coarsening afterwards
//! gives what coarse recording would have given.

/// Bits of a bin's place within its doubling.
fn bits(digits: u8) -> u32 {
    if digits == 3 { 10 } else { 7 }
}

/// The bin that counts values of `ticks`.
#[inline]
pub(super) fn bin(ticks: u64, digits: u8) -> u32 {
    let bits = bits(digits);
    let shift = ticks.checked_ilog2().unwrap_or(0).saturating_sub(bits);
    (shift << bits) + (ticks >> shift) as u32
}

/// The smallest value that a bin counts, in ticks.
#[inline]
pub(super) fn lowest(bin: u32, digits: u8) -> u64 {
    let bits = bits(digits);
    let shift = (bin >> bits).saturating_sub(1);
    u64::from(bin - (shift << bits)) << shift
}

/// The largest value that a bin counts, in ticks.
#[inline]
pub(super) fn highest(bin: u32, digits: u8) -> u64 {
    lowest(bin + 1, digits) - 1
}

/// The bin of `digits` that a bin of `finer` lies in.
pub(super) fn coarser(bin_of: u32, finer: u8, digits: u8) -> u32 {
    if finer == digits { bin_of } else { bin(lowest(bin_of, finer), digits) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdrhistogram::Histogram;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_bin_is_a_bucket_of_an_hdr_histogram(ticks in prop_oneof![0u64..5_000, 0u64..100_000_000, 0u64..86_400_000_000], digits in 2u8..=3) {
            let histogram = Histogram::<u32>::new_with_bounds(1, 86_400_000_000, digits).unwrap();
            let bucket = histogram.highest_equivalent(ticks);
            let at = bin(ticks, digits);
            prop_assert_eq!(highest(at, digits), bucket);
            prop_assert!(lowest(at, digits) <= ticks && ticks <= highest(at, digits));
            prop_assert_eq!(bin(highest(at, digits) + 1, digits), at + 1);
        }

        #[test]
        fn coarsening_afterwards_is_recording_coarsely(ticks in 0u64..86_400_000_000) {
            prop_assert_eq!(coarser(bin(ticks, 3), 3, 2), bin(ticks, 2));
        }
    }
}
