//! `--rollback-on-errors`: whether an edit of the code has made errors, so that the code before it shall run again.
//!
//! Asked by the collector with every Snapshot, of which it sees nothing but how the revisions of the code do. It sends no
//! order: it says what it wants as a Command.
//!
//! The rule: with at least [`LEAST`] requests (or iterations) under each of the two, the share that failed (or of script
//! errors) is higher than before by at least [`MARGIN`], and by more than chance explains in one of a thousand cases (the
//! two-proportion z-test with pooled variance).

use crate::control::{Author, Command};
use crate::snapshot::{CodeRevision, Snapshot};

/// Fewer requests, or iterations, say nothing.
const LEAST: u64 = 20;
/// What the share must have grown by.
const MARGIN: f64 = 0.05;
/// The 99.9th percentile of the standard normal distribution.
const CERTAIN: f64 = 3.090;

/// Which revision of the code was asked to go.
#[derive(Debug, Default)]
pub(super) struct Rollback {
    asked: u64,
}

impl Rollback {
    /// What to do about the code that runs now.
    pub(super) fn judge(&mut self, snapshot: &Snapshot) -> Option<Command> {
        let [.., previous, current] = &snapshot.code_revisions[..] else { return None };
        let made = snapshot.edits.iter().find(|edition| edition.code == current.revision);
        if self.asked == current.revision || made.is_some_and(|edition| edition.by == Author::Rollback) {
            return None;
        }
        let why = worse(previous, current)?;
        self.asked = current.revision;
        Some(Command::Rollback { code: current.revision, why })
    }
}

/// In words, what of the current code fails so much more often.
fn worse(previous: &CodeRevision, current: &CodeRevision) -> Option<String> {
    let requests = |one: &CodeRevision| (one.failed, one.requests);
    let iterations = |one: &CodeRevision| (one.script_errors, one.iterations.max(one.script_errors));
    let told = |what: &str, (before, all_before): (u64, u64), (now, all): (u64, u64)| {
        let percent = |part: u64, of: u64| (part as f64 / of as f64 * 1000.0).round() / 10.0;
        jumped((before, all_before), (now, all)).then(|| {
            let (code, old) = (current.revision, previous.revision);
            format!(
                "code {code} fails {} % of the {what} ({now} of {all}), code {old} failed {} %",
                percent(now, all),
                percent(before, all_before)
            )
        })
    };
    told("requests", requests(previous), requests(current))
        .or_else(|| told("iterations", iterations(previous), iterations(current)))
}

/// Whether the second share is higher than the first, and not by chance.
fn jumped((before, all_before): (u64, u64), (now, all): (u64, u64)) -> bool {
    if all_before < LEAST || all < LEAST {
        return false;
    }
    let (n, m) = (all_before as f64, all as f64);
    let (old, new) = (before as f64 / n, now as f64 / m);
    let pooled = (before + now) as f64 / (n + m);
    let spread = (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
    new - old >= MARGIN && new - old > CERTAIN * spread
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_jump_is_seen_and_chance_is_none() {
        assert!(jumped((0, 1_000), (30, 30)), "all fail");
        assert!(jumped((10, 1_000), (20, 100)), "1 % became 20 %");
        assert!(!jumped((0, 1_000), (19, 19)), "too few");
        assert!(!jumped((0, 19), (50, 50)), "nothing is known of before");
        assert!(!jumped((100, 100), (100, 100)), "it failed before");
        assert!(!jumped((10_000, 100_000), (14_000, 100_000)), "certain, but small");
        assert!(!jumped((1, 20), (3, 20)), "large, but not certain");
    }

    proptest! {
        #[test]
        fn what_is_not_worse_is_never_a_jump(all in 20_u64..10_000, more in 20_u64..10_000, share in 0.0..=1.0_f64, less in 0.0..=1.0_f64) {
            let before = (all as f64 * share).ceil() as u64;
            let now = (more as f64 * share * less).floor() as u64;
            prop_assert!(!jumped((before, all), (now, more)));
        }
    }
}
