//! A shuffled order that nobody stores: each shard computes where a position leads, and all agree without talking.
//!
//! A Feistel network is a permutation of 0..4^k whatever its round function; results outside of 0..n are sent through
//! again ("cycle walking", Black and Rogaway 2002), which leaves a permutation of 0..n. At most 4 in 5 results lie
//! outside, so the walk is short. Not for secrets.

const ROUNDS: u64 = 4;

/// The row at `position` of an endless sequence that goes through all of 0..`rows` once, then again in another order.
///
/// # Panics
/// When `rows` is zero.
pub(super) fn shuffled(seed: u64, rows: u64, position: u64) -> u64 {
    let key = mix(seed.wrapping_add(mix(position / rows)));
    let bits = u64::BITS - (rows - 1).leading_zeros();
    let half = bits.div_ceil(2).max(1);
    let mut row = position % rows;
    loop {
        row = feistel(row, half, key);
        if row < rows {
            return row;
        }
    }
}

fn feistel(value: u64, half: u32, key: u64) -> u64 {
    let mask = (1_u64 << half) - 1;
    let (mut left, mut right) = (value >> half, value & mask);
    for round in 0..ROUNDS {
        let scrambled = mix(key ^ (round << 32 | right).wrapping_mul(0x9e37_79b9_7f4a_7c15)) & mask;
        (left, right) = (right, left ^ scrambled);
    }
    left << half | right
}

/// FNV-1a, so that two feeds of one run are shuffled differently.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// SplitMix64's finalizer.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_round_is_a_permutation(seed: u64, rows in 1_u64..600, round in 0_u64..1_000_000) {
            let mut seen: Vec<u64> = (0..rows).map(|at| shuffled(seed, rows, round * rows + at)).collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..rows).collect::<Vec<_>>());
        }
    }

    #[test]
    fn rounds_and_seeds_differ() {
        let order = |seed, round: u64| (0..100).map(|at| shuffled(seed, 100, round * 100 + at)).collect::<Vec<_>>();
        let orders = [order(1, 0), order(1, 1), order(2, 0)];
        assert!(orders[0] != orders[1] && orders[0] != orders[2] && orders[1] != orders[2]);
        assert_eq!(order(1, 0), orders[0]);
    }

    #[test]
    fn each_row_comes_at_each_place_about_as_often() {
        // 16 rows over 16,000 rounds: 1,000 expected in each of 256 cells, standard deviation 31.
        let mut counts = [[0_u32; 16]; 16];
        for position in 0..16_000 * 16 {
            counts[(position % 16) as usize][shuffled(7, 16, position) as usize] += 1;
        }
        let cells = counts.iter().flatten();
        assert!(cells.clone().all(|count| (800..1_200).contains(count)), "{counts:?}");
    }

    #[test]
    fn large_feeds_are_walked_as_well() {
        let rows = u64::from(u32::MAX) + 7;
        for position in [0, 1, rows - 1, rows, 5 * rows + 3] {
            assert!(shuffled(3, rows, position) < rows);
        }
    }
}
