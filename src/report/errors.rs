//! Errors for the report: one row per kind, with the operations that had it and what the messages have in common.

use super::figures::share;
use crate::snapshot::{Burst, Failure, Snapshot};
use std::time::Duration;

/// One kind of error.
#[derive(Debug, Clone)]
pub(super) struct Error<'a> {
    /// All that is known of it.
    pub failure: Failure<'a>,
    /// Its patterns, most frequent first.
    pub patterns: Vec<Pattern<'a>>,
    /// Messages of further patterns.
    pub other_patterns: u64,
}

/// All messages of one pattern.
#[derive(Debug, Clone)]
pub(super) struct Pattern<'a> {
    /// What they have in common.
    pub text: &'a str,
    /// How many.
    pub count: u64,
    /// Their share of this kind of error.
    pub share: Option<f64>,
    /// The first of them.
    pub sample: &'a str,
    /// Run time of the first.
    pub first: Duration,
    /// Run time of the last.
    pub last: Duration,
}

/// All errors, most frequent first. Failed checks are no errors: they are listed with the checks.
pub(super) fn errors(snapshot: &Snapshot) -> Vec<Error<'_>> {
    snapshot.failures().into_iter().map(Error::new).collect()
}

impl<'a> Error<'a> {
    fn new(failure: Failure<'a>) -> Self {
        let entry = failure.entry;
        let patterns = entry.patterns.sorted().into_iter().map(|(text, one)| Pattern {
            text,
            count: one.count,
            share: share(one.count, entry.count),
            sample: &one.sample,
            first: one.first,
            last: one.last,
        });
        Error { patterns: patterns.collect(), other_patterns: entry.patterns.other(), failure }
    }

    /// The burst that says most: the largest.
    pub(super) fn burst(&self) -> Option<&Burst> {
        self.failure.bursts.iter().max_by_key(|burst| burst.count)
    }
}
