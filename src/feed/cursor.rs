//! The cursor: which position of a feed is given next, over all shards, without a lock.
//!
//! Positions are taken from one counter in blocks, so that shards do not fight over it for each row. A block is small
//! against what has been given (a 32nd of a shard's share: a short run gets the first rows, whatever the number of
//! shards) and against what is left (an eighth of a shard's share), and at most 64. What is left of a block lies in the
//! open: when the counter has run out, a shard takes from the blocks of the others, so that the feed is empty for anyone
//! only when every position has been given.
//!
//! | slot of a shard | means |
//! |---|---|
//! | start, left > 0 | positions start … start + left are the shard's to give, or another's to take |
//! | left = 0 | nothing |
//! | all ones | its shard is about to put a block there |

use std::sync::atomic::{AtomicU64, Ordering};

/// Largest block.
const BLOCK: u64 = 64;
/// Bits of a slot that hold how many positions are left.
const LEFT: u32 = 8;
/// A slot whose shard is at the counter.
const REFILLING: u64 = u64::MAX;

/// A slot alone on its cache lines (two, since processors fetch them in pairs).
#[derive(Debug, Default)]
#[repr(align(128))]
struct Slot(AtomicU64);

/// The state of one feed in one run.
#[derive(Debug)]
pub struct Cursor {
    /// How many positions there are; `None` without end.
    end: Option<u64>,
    /// Largest block.
    block: u64,
    next: Slot,
    slots: Box<[Slot]>,
}

impl Cursor {
    /// For `rows` rows (`None` without end) that are given on `shards` shards; `end` positions are given in all.
    pub fn new(rows: Option<u64>, end: Option<u64>, shards: usize) -> Cursor {
        let shards = shards.max(1);
        let block = rows.map_or(1, |rows| (rows / (8 * shards as u64)).clamp(1, BLOCK));
        Cursor { end, block, next: Slot::default(), slots: (0..shards).map(|_| Slot::default()).collect() }
    }

    /// The next position for a shard; `None` when all have been given. At most one thread calls it for a shard.
    #[inline]
    pub fn take(&self, shard: usize) -> Option<u64> {
        let slot = &self.slots[shard % self.slots.len()].0;
        pop(slot).unwrap_or_else(|_| self.refill(slot))
    }

    fn refill(&self, slot: &AtomicU64) -> Option<u64> {
        // Whoever finds the counter at its end after this waits for what we put there.
        slot.store(REFILLING, Ordering::SeqCst);
        let shards = self.slots.len() as u64;
        let size = |next: u64| {
            let left = self.end.map_or(u64::MAX, |end| end.saturating_sub(next));
            let fair = (next / (32 * shards)).min(left / (8 * shards));
            fair.clamp(1, self.block).min(left)
        };
        let taken = self.next.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |next| {
            let size = size(next);
            (size > 0).then(|| next + size)
        });
        let Ok(start) = taken else {
            slot.store(0, Ordering::SeqCst);
            return self.rest();
        };
        slot.store((start + 1) << LEFT | (size(start) - 1), Ordering::SeqCst);
        Some(start)
    }

    /// A position out of any shard's block.
    #[cold]
    fn rest(&self) -> Option<u64> {
        self.slots.iter().find_map(|slot| {
            loop {
                match pop(&slot.0) {
                    Ok(position) => return position,
                    Err(REFILLING) => std::hint::spin_loop(),
                    Err(_) => return None,
                }
            }
        })
    }
}

/// Takes one position out of a slot, or tells what the slot says instead.
#[inline]
fn pop(slot: &AtomicU64) -> Result<Option<u64>, u64> {
    let mask = (1 << LEFT) - 1;
    // Positions only grow, so that a slot never holds the same twice and this cannot mistake one block for another.
    let taken = slot.fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| {
        (now != REFILLING && now & mask > 0).then(|| ((now >> LEFT) + 1) << LEFT | ((now & mask) - 1))
    });
    taken.map(|before| Some(before >> LEFT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::thread;

    /// All positions that `shards` threads get, each until it gets none or has asked `most` times.
    fn given(cursor: &Cursor, most: &[usize]) -> Vec<u64> {
        let mut all: Vec<u64> = thread::scope(|scope| {
            let threads: Vec<_> = most
                .iter()
                .enumerate()
                .map(|(shard, most)| {
                    scope.spawn(move || (0..*most).map_while(|_| cursor.take(shard)).collect::<Vec<_>>())
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        all.sort_unstable();
        all
    }

    #[test]
    fn one_shard_gets_them_in_order() {
        let cursor = Cursor::new(Some(1_000), Some(1_000), 1);
        assert_eq!((0..1_001).map_while(|_| cursor.take(0)).collect::<Vec<_>>(), (0..1_000).collect::<Vec<_>>());
        assert_eq!(cursor.take(0), None, "it stays empty");
    }

    #[test]
    fn few_rows_are_given_one_by_one() {
        let cursor = Cursor::new(Some(8), Some(8), 4);
        let turns: Vec<_> = (0..9).map(|turn| cursor.take(turn % 4)).collect();
        assert_eq!(turns, [Some(0), Some(1), Some(2), Some(3), Some(4), Some(5), Some(6), Some(7), None]);
    }

    #[test]
    fn the_beginning_is_given_in_order_to_all() {
        let cursor = Cursor::new(Some(1_000_000), None, 8);
        let turns: Vec<_> = (0..512).map(|turn| cursor.take(turn * 5 % 8).unwrap()).collect();
        assert_eq!(turns, (0..512).collect::<Vec<_>>());
    }

    #[test]
    fn what_a_shard_leaves_others_take() {
        let cursor = Cursor::new(Some(10_000), Some(10_000), 2);
        for _ in 0..4_100 {
            cursor.take(1);
        }
        let taken = cursor.take(0).unwrap();
        assert_eq!(cursor.next.0.load(Ordering::Relaxed) - taken, BLOCK, "and it leaves 63 of its block");
        let rest: Vec<_> = (0..10_000).map_while(|_| cursor.take(1)).collect();
        assert_eq!((rest.len(), rest.contains(&(taken + 63))), (10_000 - 4_101, true));
    }

    #[test]
    fn threads_that_race_for_the_end_lose_nothing_and_get_nothing_twice() {
        for rows in [1_u64, 7, 63, 500, 20_000] {
            let cursor = Cursor::new(Some(rows), Some(rows), 4);
            assert_eq!(given(&cursor, &[usize::MAX; 4]), (0..rows).collect::<Vec<_>>());
        }
    }

    #[test]
    fn without_an_end_positions_differ() {
        let cursor = Cursor::new(Some(5_000), None, 4);
        let mut all = given(&cursor, &[10_000; 4]);
        all.dedup();
        assert_eq!(all.len(), 40_000);
    }

    proptest! {
        #[test]
        fn no_order_of_asking_loses_or_repeats_a_row(
            rows in 0_u64..3_000,
            shards in 1_usize..9,
            turns in prop::collection::vec(0_usize..9, 0..4_000),
        ) {
            let cursor = Cursor::new(Some(rows), Some(rows), shards);
            let mut seen: Vec<u64> = turns.iter().filter_map(|turn| cursor.take(turn % shards)).collect();
            prop_assert_eq!(seen.len() as u64, rows.min(turns.len() as u64), "nobody hears of an end before it");
            seen.extend(std::iter::from_fn(|| cursor.take(0)));
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..rows).collect::<Vec<_>>());
        }

        #[test]
        fn circular_covers_evenly(rows in 1_u64..2_000, shards in 1_usize..9, rounds in 1_u64..6) {
            let cursor = Cursor::new(Some(rows), None, shards);
            let mut counts = vec![0_u64; rows as usize];
            for turn in 0..rows * rounds {
                let position = cursor.take(turn as usize % shards).unwrap();
                counts[(position % rows) as usize] += 1;
            }
            let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
            prop_assert!(most - least <= 2, "{} to {}", least, most);
        }
    }
}
