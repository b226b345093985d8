//! What is kept of things that happen without end: the last ones, each under its number, and how many there were.
//!
//! The Snapshot holds what somebody changed in it. Copying one copies no entry; a copy stays as it is while the collector
//! adds to its own. It deliberately does not know what the entries are.

use std::collections::VecDeque;
use std::ops::Index;
use std::sync::Arc;

/// Most entries that are kept.
pub const MOST: usize = 1_000;

/// The last entries, the oldest first.
#[derive(Debug, Clone)]
pub struct Trail<T> {
    kept: Arc<VecDeque<(u64, Arc<T>)>>,
    numbered: u64,
}

impl<T> Trail<T> {
    /// Adds an entry under the next number; the oldest goes where there are too many.
    pub fn push(&mut self, entry: T) {
        self.push_sparing(entry, |_| true);
    }

    /// The same, but where there are too many the oldest that is not `spared` goes; the oldest of all where all are.
    pub fn push_sparing(&mut self, entry: T, spared: impl Fn(&T) -> bool) {
        // An Arc of a Snapshot that somebody still has: the list is copied, once per Snapshot, and no entry.
        let kept = Arc::make_mut(&mut self.kept);
        kept.push_back((self.numbered, Arc::new(entry)));
        self.numbered += 1;
        if kept.len() > MOST {
            let least = kept.iter().position(|(_, one)| !spared(one)).unwrap_or(0);
            kept.remove(least);
        }
    }

    /// How many there were, those that are no longer kept included: the number of the next one.
    pub fn numbered(&self) -> u64 {
        self.numbered
    }

    /// How many are no longer kept.
    pub fn lost(&self) -> u64 {
        self.numbered - self.kept.len() as u64
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// All that are kept.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.kept.iter().map(|(_, entry)| &**entry)
    }

    /// Those from this number on that are still kept.
    pub fn since(&self, number: u64) -> impl Iterator<Item = &T> {
        let from = self.kept.partition_point(|(known, _)| *known < number);
        self.kept.range(from..).map(|(_, entry)| &**entry)
    }

    /// The latest.
    pub fn last(&self) -> Option<&T> {
        self.iter().next_back()
    }
}

impl<T> Default for Trail<T> {
    fn default() -> Self {
        Trail { kept: Arc::default(), numbered: 0 }
    }
}

impl<T> Index<usize> for Trail<T> {
    type Output = T;

    /// By its place among those that are kept.
    fn index(&self, place: usize) -> &T {
        &self.kept[place].1
    }
}

impl<T> FromIterator<T> for Trail<T> {
    fn from_iter<I: IntoIterator<Item = T>>(entries: I) -> Self {
        let mut trail = Trail::default();
        entries.into_iter().for_each(|entry| trail.push(entry));
        trail
    }
}

impl<T> From<Vec<T>> for Trail<T> {
    fn from(entries: Vec<T>) -> Self {
        entries.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_kept_and_numbers_go_on() {
        let mut trail: Trail<usize> = (0..MOST).collect();
        assert_eq!((trail.len(), trail.lost(), trail.numbered()), (MOST, 0, MOST as u64));
        let before = trail.clone();
        trail.push(MOST);
        trail.push(MOST + 1);
        assert_eq!((trail.len(), trail.lost(), trail.numbered()), (MOST, 2, MOST as u64 + 2));
        assert_eq!((trail.iter().next(), trail.last()), (Some(&2), Some(&(MOST + 1))));
        assert!(trail.since(before.numbered()).eq(&[MOST, MOST + 1]), "what is new, though the list is no longer");
        assert_eq!((before.last(), before.lost()), (Some(&(MOST - 1)), 0), "a copy stays as it is");
    }

    #[test]
    fn what_is_spared_goes_last() {
        let mut trail = Trail::default();
        trail.push("wanted");
        (0..2 * MOST).for_each(|_| trail.push_sparing("noise", |one| *one == "wanted"));
        assert_eq!((trail.iter().next(), trail.lost()), (Some(&"wanted"), MOST as u64 + 1));
        assert!(trail.since(1).all(|one| *one == "noise"), "numbers are those of their entries");
        (0..MOST).for_each(|_| trail.push_sparing("wanted", |one| *one == "wanted"));
        assert_eq!((trail.len(), trail.iter().filter(|one| **one == "wanted").count()), (MOST, MOST));
    }
}
