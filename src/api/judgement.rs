//! What a run comes to, as the door judges it: the rules of exit codes and reports are the door's, and there is one copy of them.

use crate::snapshot::Snapshot;

/// What a run would come to if it ended now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judgement {
    /// `passed`, `failed` or `invalid`: the verdict of its summary.
    pub verdict: &'static str,
    /// Whether somebody ended it early, and nothing else speaks against it.
    pub cancelled: bool,
}

/// Who judges, and by which rule. Lent by the door.
#[derive(Debug, Clone, Copy)]
pub struct Judge {
    /// Judges a Snapshot by [`Judge::invalid_fails`].
    pub judge: fn(&Snapshot, bool) -> Judgement,
    /// Whether a measurement that cannot be trusted fails the run.
    pub invalid_fails: bool,
}

impl Judge {
    pub(super) fn judge(&self, snapshot: &Snapshot) -> Judgement {
        (self.judge)(snapshot, self.invalid_fails)
    }
}

/// One for tests of all that shows what others judge: nothing speaks against a run but that it was stopped, or a threshold.
#[cfg(test)]
pub(super) fn of_tests() -> Judge {
    let judge = |snapshot: &Snapshot, _| {
        let cancelled = snapshot.ending.stopped.is_some();
        let failed = cancelled || snapshot.thresholds.iter().any(|verdict| verdict.at_end() == Some(false));
        Judgement { verdict: if failed { "failed" } else { "passed" }, cancelled }
    };
    Judge { judge, invalid_fails: true }
}
