//! Counts by bin, side by side: what is merged and read.
//!
//! Hundreds of distributions are merged and described for one answer of the monitor, and tens of thousands of slices of the
//! [history](super::history); so counts are added and weighed a block at a time, without a branch for each bin. Which bin
//! holds which values is a matter of [`bins`](super::bins) and of the digits, which whoever counts knows.

/// Bins that are looked at together. They lie in one doubling, so all of them are equally wide.
pub(super) const BLOCK: usize = 64;

/// As long as the highest bin that was ever touched, and no longer. A count is `u32` and saturates.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    counts: Vec<[u32; BLOCK]>,
    /// The sum of each block, so that a rank is found, and what is empty passed over, without a look at all bins.
    blocks: Vec<u64>,
}

impl Counts {
    /// Adds to a bin.
    #[inline]
    pub fn add(&mut self, bin: u32, count: u64) {
        let (block, at) = (bin as usize / BLOCK, bin as usize % BLOCK);
        if block >= self.blocks.len() {
            self.reach(block + 1);
        }
        let kept = &mut self.counts[block][at];
        let before = *kept;
        *kept = before.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        self.blocks[block] += u64::from(*kept - before);
    }

    /// Takes from a bin what had been added to it.
    #[inline]
    pub fn take(&mut self, bin: u32, count: u64) {
        let (block, at) = (bin as usize / BLOCK, bin as usize % BLOCK);
        let (Some(sum), Some(counts)) = (self.blocks.get_mut(block), self.counts.get_mut(block)) else { return };
        let before = counts[at];
        counts[at] = before.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
        *sum -= u64::from(before - counts[at]);
    }

    /// Adds counts of the same bins.
    pub fn merge(&mut self, other: &Counts) {
        if other.blocks.len() > self.blocks.len() {
            self.reach(other.blocks.len());
        }
        let theirs = other.counts.iter().zip(&other.blocks);
        for ((ours, sum), (theirs, _)) in
            self.counts.iter_mut().zip(&mut self.blocks).zip(theirs).filter(|(_, (_, sum))| **sum > 0)
        {
            ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| *ours = ours.saturating_add(*theirs));
            *sum = ours.iter().map(|count| u64::from(*count)).sum();
        }
    }

    /// Takes away counts of the same bins, which had been added.
    pub fn subtract(&mut self, other: &Counts) {
        let theirs = other.counts.iter().zip(&other.blocks);
        for ((ours, sum), (theirs, _)) in
            self.counts.iter_mut().zip(&mut self.blocks).zip(theirs).filter(|(_, (_, sum))| **sum > 0)
        {
            ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| *ours = ours.saturating_sub(*theirs));
            *sum = ours.iter().map(|count| u64::from(*count)).sum();
        }
    }

    #[cold]
    fn reach(&mut self, blocks: usize) {
        self.counts.resize(blocks, [0; BLOCK]);
        self.blocks.resize(blocks, 0);
    }

    /// Forgets all and keeps the memory.
    pub fn clear(&mut self) {
        self.counts.clear();
        self.blocks.clear();
    }

    /// How much was counted.
    pub fn total(&self) -> u64 {
        self.blocks.iter().sum()
    }

    /// The blocks that hold something, in order: the first bin of each, its sum, its counts.
    pub fn blocks(&self) -> impl Iterator<Item = (u32, u64, &[u32; BLOCK])> + '_ {
        let all = self.blocks.iter().zip(&self.counts).enumerate().filter(|(_, (sum, _))| **sum > 0);
        all.map(|(block, (sum, counts))| ((block * BLOCK) as u32, *sum, counts))
    }

    /// The bins that hold something, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        self.blocks().flat_map(|(first, _, counts)| {
            let bins = counts.iter().enumerate().filter(|(_, count)| **count > 0);
            bins.map(move |(at, count)| (first + at as u32, u64::from(*count)))
        })
    }

    /// The bins of the values of these ranks, from 1 and ascending; `None` from the first on that there are fewer values than.
    pub fn ranked<const N: usize>(&self, ranks: [u64; N]) -> [Option<u32>; N] {
        let (mut told, mut at, mut below) = ([None; N], 0, 0);
        for (block, sum) in self.blocks.iter().enumerate() {
            if at < N && below + sum >= ranks[at] {
                let mut inside = below;
                for (bin, count) in self.counts[block].iter().enumerate() {
                    inside += u64::from(*count);
                    while at < N && inside >= ranks[at] {
                        told[at] = Some((block * BLOCK + bin) as u32);
                        at += 1;
                    }
                }
            }
            below += sum;
        }
        told
    }

    /// How much was counted in the bins `from..end`.
    pub fn between(&self, from: u32, end: u32) -> u64 {
        let (from, end) = (from as usize, (end as usize).min(self.blocks.len() * BLOCK));
        if from >= end {
            return 0;
        }
        let sum = |counts: &[u32]| counts.iter().map(|count| u64::from(*count)).sum::<u64>();
        let (first, last) = (from / BLOCK, (end - 1) / BLOCK);
        if first == last {
            return sum(&self.counts[first][from % BLOCK..=(end - 1) % BLOCK]);
        }
        let ends = sum(&self.counts[first][from % BLOCK..]) + sum(&self.counts[last][..=(end - 1) % BLOCK]);
        ends + self.blocks[first + 1..last].iter().sum::<u64>()
    }
}

impl FromIterator<(u32, u64)> for Counts {
    fn from_iter<T: IntoIterator<Item = (u32, u64)>>(bins: T) -> Self {
        let mut counts = Counts::default();
        bins.into_iter().for_each(|(bin, count)| counts.add(bin, count));
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// The same, told the plain way.
    fn plain(all: &[(u32, u64)]) -> BTreeMap<u32, u64> {
        all.iter().fold(BTreeMap::new(), |mut plain, (bin, count)| {
            *plain.entry(*bin).or_default() += count;
            plain
        })
    }

    fn counts(all: &[(u32, u64)]) -> Counts {
        all.iter().copied().collect()
    }

    fn some() -> impl Strategy<Value = Vec<(u32, u64)>> {
        prop::collection::vec((prop_oneof![0u32..200, 0u32..40_000], 1u64..1_000), 0..80)
    }

    fn same(counts: &Counts, plain: &BTreeMap<u32, u64>) -> Result<(), TestCaseError> {
        prop_assert_eq!(counts.iter().collect::<Vec<_>>(), plain.clone().into_iter().collect::<Vec<_>>());
        prop_assert_eq!(counts.total(), plain.values().sum::<u64>());
        prop_assert_eq!(counts.blocks().map(|(_, sum, _)| sum).sum::<u64>(), counts.total());
        Ok(())
    }

    proptest! {
        #[test]
        fn they_are_what_was_added_less_what_was_taken(one in some(), other in some()) {
            let both: Vec<_> = one.iter().chain(&other).copied().collect();
            let mut merged = counts(&one);
            merged.merge(&counts(&other));
            same(&merged, &plain(&both))?;
            same(&counts(&both), &plain(&both))?;
            let mut taken = merged.clone();
            other.iter().for_each(|(bin, count)| taken.take(*bin, *count));
            same(&taken, &plain(&one))?;
            merged.subtract(&counts(&other));
            same(&merged, &plain(&one))?;
            merged.clear();
            same(&merged, &BTreeMap::new())?;
        }

        #[test]
        fn ranks_and_ranges_are_those_of_a_walk_over_all(all in some(), mut ranks in [0u64..50_000, 0u64..50_000, 0u64..50_000], from in 0u32..40_000, to in 0u32..40_000) {
            ranks = ranks.map(|rank| rank + 1);
            ranks.sort_unstable();
            let (counts, plain) = (counts(&all), plain(&all));
            let walked = ranks.map(|rank| {
                let mut below = 0;
                plain.iter().find_map(|(bin, count)| {
                    below += count;
                    (below >= rank).then_some(*bin)
                })
            });
            prop_assert_eq!(counts.ranked(ranks), walked);
            let inside = plain.iter().filter(|(bin, _)| (from..to).contains(*bin)).map(|(_, count)| count).sum::<u64>();
            prop_assert_eq!(counts.between(from, to), inside);
        }
    }

    #[test]
    fn a_full_bin_stays_full() {
        let mut counts = counts(&[(5, u64::from(u32::MAX) - 1), (5, 10)]);
        counts.merge(&counts.clone());
        assert_eq!((counts.total(), counts.iter().next()), (u64::from(u32::MAX), Some((5, u64::from(u32::MAX)))));
    }
}
