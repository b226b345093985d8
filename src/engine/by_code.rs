//! How each revision of the code does: the current and the previous one apart, older ones together.
//!
//! Kept by the collector from what shards count once code was edited ([`Account`]). An account of its own and no tag, because
//! a tag would double every series with each edit. The totals are never split: what no later revision has done is the oldest
//! entry's, so that the entries always add up to the totals.

use crate::metrics::{Account, Cell, Resolution, Scale, Trend};
use crate::snapshot::{CodeRevision, Snapshot};
use std::time::Duration;

/// How many are kept: all older ones together, the previous one, the current one.
const KEPT: usize = 3;

/// Empty until code was edited.
#[derive(Debug, Default)]
pub(super) struct ByCode {
    revisions: Vec<CodeRevision>,
}

impl ByCode {
    /// Since run time `at` this revision of the code runs; `so_far` is everything that was measured before the first edit.
    pub(super) fn began(&mut self, revision: u64, at: Duration, so_far: &Snapshot) {
        if self.revisions.last().is_some_and(|last| last.revision >= revision) || revision < 2 {
            return;
        }
        if self.revisions.is_empty() {
            let mut first = empty(revision - 1, Duration::ZERO);
            if let Some(Cell::Trend(duration)) = so_far.total("http_req_duration") {
                first.duration.merge(&duration);
            }
            self.revisions.push(first);
        }
        self.revisions.push(empty(revision, at));
        if self.revisions.len() > KEPT {
            let oldest = self.revisions.remove(0);
            let rest = &mut self.revisions[0];
            rest.duration.merge(&oldest.duration);
            (rest.merged, rest.since) = (true, oldest.since);
            rest.iterations += oldest.iterations;
            rest.script_errors += oldest.script_errors;
            rest.requests += oldest.requests;
            rest.failed += oldest.failed;
        }
    }

    /// What users of a shard did in a tick.
    pub(super) fn absorb(&mut self, accounts: &[Account]) {
        for account in accounts {
            // Who is still in an iteration of long ago counts with the oldest.
            let at = self.revisions.iter().position(|kept| kept.revision == account.revision).unwrap_or(0);
            let Some(kept) = self.revisions.get_mut(at) else { return };
            kept.iterations += account.iterations;
            kept.script_errors += account.script_errors;
            kept.requests += account.requests;
            kept.failed += account.failed;
            kept.duration.merge(&account.duration);
        }
    }

    /// All of them, the oldest first, as of the totals of a Snapshot.
    pub(super) fn tell(&self, totals: &Snapshot) -> Vec<CodeRevision> {
        let mut told = self.revisions.clone();
        if let [oldest, later @ ..] = &mut told[..] {
            let sum = |of: fn(&CodeRevision) -> u64| later.iter().map(of).sum::<u64>();
            let counted = |metric: &str| totals.count(metric, false, |_| true) as u64;
            let failed = match totals.total("http_req_failed") {
                Some(Cell::Rate { passes, .. }) => passes,
                _ => 0,
            };
            oldest.iterations = counted("iterations").saturating_sub(sum(|one| one.iterations));
            oldest.script_errors = counted("script_errors").saturating_sub(sum(|one| one.script_errors));
            oldest.requests = counted("http_reqs").saturating_sub(sum(|one| one.requests));
            oldest.failed = failed.saturating_sub(sum(|one| one.failed));
        }
        told
    }
}

fn empty(revision: u64, since: Duration) -> CodeRevision {
    CodeRevision {
        revision,
        merged: false,
        since,
        iterations: 0,
        script_errors: 0,
        requests: 0,
        failed: 0,
        duration: Trend::new(Scale::DAY, Resolution::TwoDigits),
    }
}
