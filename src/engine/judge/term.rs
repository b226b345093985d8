//! The stretch of a run that windows of a rule may lie in: while what the rule is about is under load.
//!
//! A window that reaches over the begin or the end of a scenario would hold it against the target that nobody asked it
//! anything. It is the warm-up's end, or the scenario's begin, to the end of the scenario's load.

use crate::plan::Plan;
use crate::snapshot::Snapshot;
use std::time::Duration;

/// From when to when a rule is judged by windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Term {
    begin: Duration,
    end: Duration,
}

impl Term {
    /// Of a rule about one scenario, or about all. `ended`: when each was seen to be done.
    pub(super) fn of(plan: &Plan, snapshot: &Snapshot, ended: &[Option<Duration>], scenario: Option<&str>) -> Self {
        let ours = plan.scenarios.iter().enumerate();
        let ours = ours.filter(|(_, declared)| scenario.is_none_or(|name| declared.name == name));
        let mut term = Term { begin: Duration::MAX, end: Duration::ZERO };
        for (at, declared) in ours {
            let begins = snapshot.scenarios.get(at).and_then(|state| state.begins);
            let begins = begins.unwrap_or(Duration::MAX);
            let planned = declared.work.duration().and_then(|duration| begins.checked_add(duration));
            let ended = ended.get(at).copied().flatten().unwrap_or(Duration::MAX);
            term.begin = term.begin.min(begins);
            term.end = term.end.max(planned.unwrap_or(Duration::MAX).min(ended));
        }
        term.begin = term.begin.max(snapshot.warmup);
        term
    }

    /// The same, not before a run time.
    pub(super) fn after(self, begin: Duration) -> Self {
        Term { begin: self.begin.max(begin), ..self }
    }

    /// Whether no window that ends at `at`, or later, lies in it.
    pub(super) fn is_over(self, at: Duration) -> bool {
        at > self.end
    }

    /// Whether a full window that ends at `at` lies in it.
    pub(super) fn holds(self, at: Duration, window: Duration) -> bool {
        at <= self.end && at.checked_sub(self.begin).is_some_and(|inside| inside >= window)
    }
}
