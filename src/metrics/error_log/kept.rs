//! Kept: counts by key, bounded, and the same in whatever order they were added up.
//!
//! Beyond the bound the greatest keys are given up and only counted. What stays is then the smallest keys of all, each with
//! everything that was ever said of it: such a key is among the smallest of any part, too, so no part has given it up.
//! That would not hold for "the most frequent" or "the first to come", which depend on who is asked first.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

/// What can be counted and added up, in any order.
pub trait Tally {
    /// How many.
    fn count(&self) -> u64;
    /// Adds another one of the same key.
    fn absorb(&mut self, other: Self);
}

impl Tally for u64 {
    fn count(&self) -> u64 {
        *self
    }

    fn absorb(&mut self, other: Self) {
        *self += other;
    }
}

impl<T: Tally + Clone> Tally for Arc<T> {
    fn count(&self) -> u64 {
        T::count(self)
    }

    fn absorb(&mut self, other: Self) {
        Arc::make_mut(self).absorb(Arc::unwrap_or_clone(other));
    }
}

/// At most `MOST` keys, and how much was counted for others.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept<K, V, const MOST: usize> {
    entries: BTreeMap<K, V>,
    other: u64,
}

impl<K, V, const MOST: usize> Default for Kept<K, V, MOST> {
    fn default() -> Self {
        Kept { entries: BTreeMap::new(), other: 0 }
    }
}

impl<K: Ord, V: Tally, const MOST: usize> Kept<K, V, MOST> {
    /// What is kept under a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key)
    }

    /// The same, to change it; a count that is changed so is no longer what was added.
    pub(super) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.entries.get_mut(key)
    }

    /// Adds to a key, or gives up the greatest one.
    pub fn add(&mut self, key: K, value: V) {
        match self.entries.entry(key) {
            Entry::Occupied(mut entry) => entry.get_mut().absorb(value),
            Entry::Vacant(entry) => {
                entry.insert(value);
            }
        }
        if self.entries.len() > MOST
            && let Some((_, gone)) = self.entries.pop_last()
        {
            self.other += gone.count();
        }
    }

    /// Adds all that another one has.
    pub fn absorb(&mut self, other: Self) {
        self.other += other.other;
        other.entries.into_iter().for_each(|(key, value)| self.add(key, value));
    }

    /// All that is kept, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter()
    }

    /// The same, most frequent first; ties in the order of the keys, so that two windows never differ.
    pub fn sorted(&self) -> Vec<(&K, &V)> {
        let mut all: Vec<_> = self.entries.iter().collect();
        all.sort_by_key(|(_, value)| std::cmp::Reverse(value.count()));
        all
    }

    /// How much was counted for keys that are not kept.
    pub fn other(&self) -> u64 {
        self.other
    }

    /// How much was counted in all.
    pub fn total(&self) -> u64 {
        self.other + self.entries.values().map(Tally::count).sum::<u64>()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.other == 0
    }
}

impl<const MOST: usize> Kept<Box<str>, u64, MOST> {
    /// All names that are kept, most frequent first.
    pub fn names(&self) -> Vec<(&str, u64)> {
        self.sorted().into_iter().map(|(name, count)| (&**name, *count)).collect()
    }

    /// Counts one; allocates for a new name only.
    pub fn count(&mut self, name: &str) {
        match self.entries.get_mut(name) {
            Some(count) => *count += 1,
            None => self.add(name.into(), 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Names = Kept<Box<str>, u64, 4>;

    fn of(names: &[String]) -> Names {
        let mut kept = Names::default();
        names.iter().for_each(|name| kept.count(name));
        kept
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_same_in_any_order(names in prop::collection::vec("[a-h]", 0..60), cuts in any::<[u8; 3]>()) {
            let whole = of(&names);
            let mut parts: Vec<Vec<String>> = vec![Vec::new(); 4];
            for (at, name) in names.iter().enumerate() {
                parts[usize::from(cuts[at % 3].wrapping_add(at as u8) % 4)].push(name.clone());
            }
            let mut one = Names::default();
            parts.iter().for_each(|part| one.absorb(of(part)));
            let mut other = Names::default();
            parts.iter().rev().for_each(|part| {
                let mut first = of(part);
                first.absorb(std::mem::take(&mut other));
                other = first;
            });
            prop_assert_eq!(&one, &whole);
            prop_assert_eq!(&other, &whole);
            prop_assert_eq!(whole.total(), names.len() as u64);
        }
    }

    #[test]
    fn the_smallest_keys_stay_and_the_rest_is_counted() {
        let names: Vec<String> = ["f", "e", "d", "c", "b", "a", "f", "a"].map(str::to_owned).to_vec();
        let kept = of(&names);
        let sorted: Vec<_> = kept.sorted().into_iter().map(|(name, count)| (&**name, *count)).collect();
        assert_eq!(sorted, [("a", 2), ("b", 1), ("c", 1), ("d", 1)]);
        assert_eq!((kept.other(), kept.total(), kept.get("a"), kept.get("f")), (3, 8, Some(&2), None));
    }
}
