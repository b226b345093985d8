//! Errors of a run, folded by kind: how many, when, where, who, what they said; and the last ones, one by one.
//!
//! Each shard keeps one for each tick, the collector adds them up. Whatever the order, the sum is the same. All of it is
//! bounded, and what the bounds leave out is counted. Nothing here is touched by a request that succeeds.

mod category;
mod entry;
mod kept;
mod pattern;
mod recent;
mod timeline;

pub use category::Category;
pub use entry::{ErrorEntry, Occurrence, PatternEntry};
pub use kept::{Kept, Tally};
pub use pattern::pattern;
pub use recent::{RECENT, RecentError};
pub use timeline::Timeline;

use recent::Recent;
use std::sync::Arc;

/// What tells two kinds of error apart. In this order they are kept where there are too many.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrorKey {
    /// What it is about.
    pub category: Category,
    /// k6's error code, or 0 where there is none.
    pub code: u16,
    /// The kind within the category: `timeout`, `refused`, `tls_expired`, `http`, `script`, …
    pub kind: &'static str,
    /// For script errors the place, so that two lines never fold into one; else empty.
    pub place: Box<str>,
}

/// How many kinds are kept apart; further kinds are only counted.
const KINDS: usize = 500;
/// How many checks are kept apart.
const CHECKS: usize = 300;

/// A bounded collection of folded errors. Checks that failed are in it and counted apart: they are no errors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ErrorLog {
    errors: Kept<ErrorKey, Arc<ErrorEntry>, KINDS>,
    checks: Kept<Box<str>, Arc<ErrorEntry>, CHECKS>,
    recent: Recent,
}

impl ErrorLog {
    /// Counts one error. `message` is the whole of it.
    pub fn add(&mut self, key: ErrorKey, one: &Occurrence<'_>, message: impl FnOnce() -> String) {
        let message = entry::bounded(message());
        self.recent.push(RecentError {
            at: one.at,
            user: one.user,
            category: key.category,
            kind: key.kind,
            code: key.code,
            operation: one.operation.into(),
            scenario: one.scenario.into(),
            message: message.as_str().into(),
        });
        match self.errors.get_mut(&key) {
            Some(entry) => Arc::make_mut(entry).add(one, &mut || message.clone()),
            None => {
                let mut entry = ErrorEntry::default();
                entry.add(one, &mut || message.clone());
                self.errors.add(key, Arc::new(entry));
            }
        }
    }

    /// Counts a check that failed, by its name.
    pub fn add_check(&mut self, name: &str, one: &Occurrence<'_>) {
        let one = Occurrence { reason: "", ..*one };
        let mut message = || format!("check failed: {name}");
        match self.checks.get_mut(name) {
            Some(entry) => Arc::make_mut(entry).add(&one, &mut message),
            None => {
                let mut entry = ErrorEntry::default();
                entry.add(&one, &mut message);
                self.checks.add(name.into(), Arc::new(entry));
            }
        }
    }

    /// Adds everything another log has and empties it.
    pub fn absorb(&mut self, other: &mut ErrorLog) {
        let other = std::mem::take(other);
        self.errors.absorb(other.errors);
        self.checks.absorb(other.checks);
        self.recent.absorb(other.recent);
    }

    /// Entries, most frequent first; ties by key, so that two windows never differ.
    pub fn sorted(&self) -> Vec<(&ErrorKey, &ErrorEntry)> {
        self.errors.sorted().into_iter().map(|(key, entry)| (key, &**entry)).collect()
    }

    /// Checks that failed, most often first: their names and what was seen of them.
    pub fn checks(&self) -> Vec<(&str, &ErrorEntry)> {
        self.checks.sorted().into_iter().map(|(name, entry)| (&**name, &**entry)).collect()
    }

    /// The last errors, oldest first, without failed checks.
    pub fn recent(&self) -> impl DoubleEndedIterator<Item = &Arc<RecentError>> {
        self.recent.iter()
    }

    /// Whether nothing was logged.
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty() && self.checks.is_empty()
    }

    /// Errors in all, without failed checks.
    pub fn total(&self) -> u64 {
        self.errors.total()
    }

    /// Failed checks in all.
    pub fn failed_checks(&self) -> u64 {
        self.checks.total()
    }

    /// Errors that are counted here only, because there were too many kinds.
    pub fn unlisted(&self) -> u64 {
        self.errors.other()
    }
}

#[cfg(test)]
mod tests;
