//! Timeline: when something happened, in a bounded number of buckets.
//!
//! The whole run in at most 128 buckets, which double their width as the run goes on, and the last two minutes second by
//! second. Both follow from the seconds alone, whatever the order in which they were told or added up.

use std::time::Duration;

/// Most buckets of the whole run.
const BUCKETS: u32 = 128;
/// How many seconds before the last one stay seconds.
const SECONDS: u32 = 120;

/// How often something happened, when. Sparse: what happened once takes one bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    /// Buckets are 2ⁿ seconds wide.
    doublings: u8,
    buckets: Vec<(u32, u64)>,
    seconds: Vec<(u32, u64)>,
}

impl Timeline {
    /// Counts one at a run time.
    pub fn add(&mut self, at: Duration) {
        let second = u32::try_from(at.as_secs()).unwrap_or(u32::MAX);
        self.widen(second);
        put(&mut self.buckets, second >> self.doublings, 1);
        self.put_second(second, 1);
    }

    /// Adds another one.
    pub fn absorb(&mut self, other: Timeline) {
        // The wider one of two is as wide as the latest second asks for.
        while self.doublings < other.doublings {
            self.double();
        }
        let by = self.doublings - other.doublings;
        other.buckets.iter().for_each(|(bucket, count)| put(&mut self.buckets, bucket >> by, *count));
        other.seconds.iter().for_each(|(second, count)| self.put_second(*second, *count));
    }

    /// How wide the buckets of the whole run are.
    pub fn width(&self) -> Duration {
        Duration::from_secs(1 << self.doublings)
    }

    /// Where each bucket that is not empty begins, in run time, and how many fell into it.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> {
        let width = self.width();
        self.buckets.iter().map(move |(bucket, count)| (width * *bucket, *count))
    }

    /// Seconds of run time, of the last two minutes before the last that is not empty, and how many fell into each.
    pub fn seconds(&self) -> impl Iterator<Item = (u32, u64)> {
        self.seconds.iter().copied()
    }

    fn widen(&mut self, second: u32) {
        while second >> self.doublings >= BUCKETS {
            self.double();
        }
    }

    fn double(&mut self) {
        self.doublings += 1;
        let mut wider: Vec<(u32, u64)> = Vec::with_capacity(self.buckets.len());
        self.buckets.iter().for_each(|(bucket, count)| put(&mut wider, bucket / 2, *count));
        self.buckets = wider;
    }

    fn put_second(&mut self, second: u32, count: u64) {
        put(&mut self.seconds, second, count);
        let last = self.seconds.last().map_or(0, |(second, _)| *second);
        let gone = self.seconds.partition_point(|(second, _)| second.saturating_add(SECONDS) <= last);
        self.seconds.drain(..gone);
    }
}

/// Adds to a bucket of a sorted list; mostly the last.
fn put(list: &mut Vec<(u32, u64)>, bucket: u32, count: u64) {
    match list.last_mut() {
        Some((last, counted)) if *last == bucket => *counted += count,
        Some((last, _)) if *last > bucket => match list.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(at) => list[at].1 += count,
            Err(at) => list.insert(at, (bucket, count)),
        },
        _ => list.push((bucket, count)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(seconds: &[u32]) -> Timeline {
        let mut timeline = Timeline::default();
        seconds.iter().for_each(|second| timeline.add(Duration::from_secs((*second).into())));
        timeline
    }

    #[test]
    fn a_long_run_has_wide_buckets_and_fine_last_minutes() {
        let timeline = of(&(0..3_600).collect::<Vec<_>>());
        assert_eq!((timeline.width(), timeline.buckets().count()), (Duration::from_secs(32), 113));
        assert!(timeline.buckets().take(112).all(|(_, count)| count == 32));
        let seconds: Vec<_> = timeline.seconds().collect();
        assert_eq!((seconds.len(), seconds[0], seconds[119]), (120, (3_480, 1), (3_599, 1)));
    }

    #[test]
    fn a_day_and_the_end_of_time_stay_bounded() {
        let timeline = of(&[0, 86_400, u32::MAX]);
        assert!(timeline.buckets().count() <= 128);
        assert_eq!(timeline.buckets().map(|(_, count)| count).sum::<u64>(), 3);
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_whole_in_any_order(seconds in prop::collection::vec(0u32..2_000, 0..80), cut in 0usize..80) {
            let cut = cut.min(seconds.len());
            let whole = of(&seconds);
            let (left, right) = (of(&seconds[..cut]), of(&seconds[cut..]));
            let (mut one, mut other) = (left.clone(), right.clone());
            one.absorb(right);
            other.absorb(left);
            prop_assert_eq!(&one, &whole);
            prop_assert_eq!(&other, &whole);
            prop_assert_eq!(whole.buckets().map(|(_, count)| count).sum::<u64>(), seconds.len() as u64);
        }
    }
}
