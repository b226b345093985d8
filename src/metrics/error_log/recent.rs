//! The last errors of a run, one by one.

use super::category::Category;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// How many are kept.
pub const RECENT: usize = 50;

/// One error. Ordered by time first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecentError {
    /// Run time.
    pub at: Duration,
    /// The user's number, 0 for the extra user of `setup` and `teardown`.
    pub user: u64,
    /// What it is about.
    pub category: Category,
    /// The kind: `timeout`, `refused`, `http`, `script`, …
    pub kind: &'static str,
    /// k6's error code, or 0 where there is none.
    pub code: u16,
    /// The operation's name, or the scenario's for script errors.
    pub operation: Box<str>,
    /// The scenario.
    pub scenario: Box<str>,
    /// The whole message, within bounds.
    pub message: Box<str>,
}

/// The latest errors, oldest first. What they are does not depend on the order in which logs were added up.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Recent(VecDeque<Arc<RecentError>>);

impl Recent {
    pub(super) fn push(&mut self, error: RecentError) {
        self.place(Arc::new(error));
    }

    pub(super) fn absorb(&mut self, other: Recent) {
        other.0.into_iter().for_each(|error| self.place(error));
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<RecentError>> {
        self.0.iter()
    }

    fn place(&mut self, error: Arc<RecentError>) {
        let at = self.0.partition_point(|other| *other <= error);
        self.0.insert(at, error);
        if self.0.len() > RECENT {
            self.0.pop_front();
        }
    }
}
