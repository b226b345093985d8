//! Histograms: where the edges stand, and how many values of a trend lie between them.
//!
//! Called by `measured` and `state`. The edges of a unit never change, so that histograms of two runs can be added. The
//! counts come from the trend's own histogram, which tells values apart to 0.1 % (1 % for metrics of scripts that no rule
//! names): a bucket holds every value up to its edge and at most those that are the same within that precision.

use super::family::{Distribution, Native};
use crate::metrics::{Trend, Unit};

/// Seconds.
const TIME: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
    300.0,
];
/// Bytes: powers of four from 64 B to 1 GiB.
const DATA: &[f64] = &[
    64.0,
    256.0,
    1024.0,
    4096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
    268_435_456.0,
    1_073_741_824.0,
];
const SHARE: &[f64] = &[0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0];
/// Whatever a script measures.
const PLAIN: &[f64] =
    &[0.01, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1e3, 2.5e3, 5e3, 1e4, 1e5, 1e6, 1e9];

/// 2^3 buckets to a power of two, each 9 % wider than the one before: what the clients of Prometheus take by default.
const SCHEMA: i32 = 3;
/// So many empty buckets cost less than another run of buckets.
const GAP: i32 = 2;

/// What one base unit is in the metric's own: times are measured in milliseconds and shown in seconds.
pub(super) fn per_base(unit: Unit) -> f64 {
    if unit == Unit::Time { 1000.0 } else { 1.0 }
}

/// How many time series the histogram of a trend has.
pub(super) fn series(trend: &Trend, unit: Unit) -> usize {
    let edges = if trend.has_percentiles() { edges(unit).len() } else { 0 };
    edges + ["+Inf", "sum", "count"].len()
}

/// The trend in base units; with exponential buckets beside the classic ones when the format has them.
pub(super) fn distribution(trend: &Trend, unit: Unit, native: bool) -> Distribution {
    let base = per_base(unit);
    let kept = trend.has_percentiles();
    let edges = if kept { edges(unit) } else { &[] };
    let counts = trend.counts_up_to(edges.iter().map(|edge| edge * base));
    let mut below = 0;
    let ends = edges.iter().copied().chain([f64::INFINITY]).zip(counts.into_iter().chain([trend.count()]));
    let buckets =
        ends.map(|(edge, count)| (edge, count.saturating_sub(std::mem::replace(&mut below, count)))).collect();
    let native = (native && kept && trend.count() > 0).then(|| exponential(trend, base));
    Distribution { sum: trend.sum() / base, count: trend.count(), buckets, native }
}

fn edges(unit: Unit) -> &'static [f64] {
    match unit {
        Unit::Time => TIME,
        Unit::Data => DATA,
        Unit::Share => SHARE,
        Unit::Plain => PLAIN,
    }
}

fn exponential(trend: &Trend, base: f64) -> Native {
    let zero_threshold = trend.resolved() / base;
    let per_octave = f64::from(1 << SCHEMA);
    // The bounds are those of a finite number: a script may have measured an infinite one.
    let octave = |value: f64| (value / base).max(zero_threshold).log2().clamp(-1022.0, 1024.0);
    let index = |value: f64| (octave(value) * per_octave).ceil() as i32;
    let (first, last) = (index(trend.min().unwrap_or(0.0)), index(trend.max().unwrap_or(0.0)));
    let upper = |index: i32| (f64::from(index) / per_octave).exp2() * base;
    let mut counts = trend.counts_up_to(std::iter::once(trend.resolved()).chain((first..=last).map(upper)));
    // The maximum may lie a rounding beyond the edge that it belongs to.
    if let Some(all) = counts.last_mut() {
        *all = trend.count();
    }
    let zero_count = counts.first().copied().unwrap_or(0);
    let own = counts.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
    let filled = (first..=last).zip(own).filter(|(_, count)| *count > 0);

    let mut native = Native { schema: SCHEMA, zero_threshold, zero_count, spans: Vec::new(), deltas: Vec::new() };
    let (mut next, mut before) = (0, 0);
    for (index, count) in filled {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let gap = index - next;
        match native.spans.last_mut() {
            Some((_, length)) if gap <= GAP => {
                *length += gap.unsigned_abs() + 1;
                for _ in 0..gap {
                    native.deltas.push(-before);
                    before = 0;
                }
            }
            _ => native.spans.push((gap, 1)),
        }
        native.deltas.push(count - before);
        (next, before) = (index + 1, count);
    }
    native
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Resolution, Scale};
    use proptest::prelude::*;

    /// (index, count) of each bucket that is written, empty ones included.
    fn unpacked(native: &Native) -> Vec<(i32, i64)> {
        let (mut index, mut count, mut deltas) = (0, 0, native.deltas.iter());
        let mut buckets = Vec::new();
        for (offset, length) in &native.spans {
            index += offset;
            for _ in 0..*length {
                count += deltas.next().expect("a delta for each bucket");
                buckets.push((index, count));
                index += 1;
            }
        }
        assert_eq!(deltas.next(), None);
        buckets
    }

    fn trend(values: &[f64]) -> Trend {
        let mut trend = Trend::new(Scale::request(60), Resolution::ThreeDigits);
        values.iter().for_each(|value| trend.record(*value));
        trend
    }

    #[test]
    fn a_value_on_an_edge_is_in_the_bucket_below_it() {
        let seen = distribution(&trend(&[0.1, 1.0, 250.0, 60_000.0]), Unit::Time, false);
        let filled: Vec<_> = seen.buckets.iter().filter(|(_, count)| *count > 0).copied().collect();
        assert_eq!(filled, [(0.0001, 1), (0.001, 1), (0.25, 1), (60.0, 1)]);
        assert_eq!((seen.count, seen.sum, seen.native), (4, 60.2511, None));
    }

    #[test]
    fn what_was_clipped_is_behind_the_edges_that_it_passed() {
        let seen = distribution(&trend(&[5.0, 90_000.0, 500_000.0]), Unit::Time, true);
        assert_eq!(seen.buckets[17..], [(60.0, 0), (300.0, 0), (f64::INFINITY, 2)]);
        let total: i64 = unpacked(&seen.native.unwrap()).iter().map(|(_, count)| count).sum();
        assert_eq!(total, 3);
    }

    #[test]
    fn exact_moments_are_one_bucket() {
        let mut trend = Trend::new(Scale::DAY, Resolution::Moments);
        trend.record(3.0);
        let seen = distribution(&trend, Unit::Time, true);
        assert_eq!((seen.buckets, seen.native), (vec![(f64::INFINITY, 1)], None));
    }

    proptest! {
        #[test]
        fn both_kinds_of_buckets_hold_all_values_where_they_belong(
            values in prop::collection::vec(prop_oneof![Just(0.0), 0.0f64..0.01, 0.001f64..59_000.0, Just(125.0)], 1..200)
        ) {
            let trend = trend(&values);
            let seen = distribution(&trend, Unit::Time, true);
            prop_assert_eq!(seen.buckets.iter().map(|(_, count)| count).sum::<u64>(), seen.count);
            let native = seen.native.expect("was asked for");
            let buckets = unpacked(&native);
            let sum: i64 = buckets.iter().map(|(_, count)| count).sum();
            prop_assert_eq!(sum as u64 + native.zero_count, seen.count);
            prop_assert!(buckets.iter().all(|(_, count)| *count >= 0));
            prop_assert_eq!(native.zero_count as usize, values.iter().filter(|v| **v < 0.0005).count());
            for (index, count) in buckets {
                let (low, high) = ((f64::from(index - 1) / 8.0).exp2(), (f64::from(index) / 8.0).exp2());
                // A thousandth, or a tick of a microsecond, to either side.
                let near = |v: &&f64| **v / 1000.0 > low * 0.998 - 2e-6 && **v / 1000.0 <= high * 1.002 + 2e-6;
                prop_assert!(count as usize <= values.iter().filter(near).count(), "{count} in {low}..{high}");
            }
        }
    }
}
