//! Exit codes: k6's numbers where the meaning is the same.

use crate::control::Author;
use crate::snapshot::{Ending, Snapshot};
use std::process::ExitCode;

/// Why the process ended as it did, in the order in which reasons win when several apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 109: a bug in punk.
    Bug,
    /// 1: the operating system refused something: a file, a thread.
    Internal,
    /// 2: a malformed command line.
    Usage,
    /// 130: the second Ctrl-C.
    Killed,
    /// 104: invalid script, option or threshold.
    Invalid,
    /// 106: the monitor cannot listen where it was told to.
    MonitorRefused,
    /// 107: an exception in `setup` or `teardown`.
    HookFailed,
    /// 100: `setup` timed out.
    SetupTimeout,
    /// 101: `teardown` timed out.
    TeardownTimeout,
    /// 108: aborted by the script.
    Aborted,
    /// 105: interrupted by a signal.
    Interrupted,
    /// 103: stopped through the API.
    Stopped,
    /// 96: the measurement cannot be trusted.
    NotMeasured,
    /// 99: a threshold failed.
    ThresholdFailed,
    /// 110: marked failed by the script.
    MarkedFailed,
    /// 0: passed.
    Passed,
}

impl Exit {
    /// All, in the order in which they win.
    pub const ALL: [Exit; 16] = [
        Exit::Bug,
        Exit::Internal,
        Exit::Usage,
        Exit::Killed,
        Exit::Invalid,
        Exit::MonitorRefused,
        Exit::HookFailed,
        Exit::SetupTimeout,
        Exit::TeardownTimeout,
        Exit::Aborted,
        Exit::Interrupted,
        Exit::Stopped,
        Exit::NotMeasured,
        Exit::ThresholdFailed,
        Exit::MarkedFailed,
        Exit::Passed,
    ];

    /// Whether it says that somebody ended the run early.
    pub fn is_by_somebody(self) -> bool {
        matches!(self, Exit::Killed | Exit::Aborted | Exit::Interrupted | Exit::Stopped)
    }

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Exit::Bug => 109,
            Exit::Internal => 1,
            Exit::Usage => 2,
            Exit::Killed => 130,
            Exit::Invalid => 104,
            Exit::MonitorRefused => 106,
            Exit::HookFailed => 107,
            Exit::SetupTimeout => 100,
            Exit::TeardownTimeout => 101,
            Exit::Aborted => 108,
            Exit::Interrupted => 105,
            Exit::Stopped => 103,
            Exit::NotMeasured => 96,
            Exit::ThresholdFailed => 99,
            Exit::MarkedFailed => 110,
            Exit::Passed => 0,
        }
    }

    /// What it means, for `--help` and the book.
    pub fn meaning(self) -> &'static str {
        match self {
            Exit::Bug => "a bug in punk",
            Exit::Internal => "internal error or I/O error",
            Exit::Usage => "malformed command line",
            Exit::Killed => "interrupted twice: ended at once, with a partial report",
            Exit::Invalid => "invalid script, option or threshold",
            Exit::MonitorRefused => "the monitor cannot listen where it was told to",
            Exit::HookFailed => "script exception in setup or teardown",
            Exit::SetupTimeout => "setup timed out",
            Exit::TeardownTimeout => "teardown timed out",
            Exit::Aborted => "aborted by the script",
            Exit::Interrupted => "interrupted by a signal",
            Exit::Stopped => "stopped through the API",
            Exit::NotMeasured => "the measurement cannot be trusted: the generator was the limit",
            Exit::ThresholdFailed => "a threshold failed",
            Exit::MarkedFailed => "marked failed by the script",
            Exit::Passed => "passed",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// Every reason that applies to a run that has ended, or would if it ended now: the one that wins first, each with its text.
pub fn reasons(snapshot: &Snapshot, ending: &Ending, invalid_fails: bool) -> Vec<(Exit, String)> {
    let mut reasons = Vec::new();
    let mut add = |exit: Exit, text: String| reasons.push((exit, text));
    if let Some(why) = &ending.bug {
        add(Exit::Bug, why.clone());
    }
    if let Some(why) = &ending.broken {
        add(Exit::Internal, why.clone());
    }
    if ending.killed {
        add(Exit::Killed, "interrupted twice: what ran was cut off".to_owned());
    }
    if let Some(error) = &ending.refused {
        add(Exit::Invalid, error.message.clone());
    }
    if let Some((hook, error)) = &ending.failed_hook {
        add(Exit::HookFailed, format!("`{hook}` failed: {}", error.message));
    }
    if ending.setup_timeout {
        add(Exit::SetupTimeout, "`setup` did not end in time".to_owned());
    }
    if ending.teardown_timeout {
        add(Exit::TeardownTimeout, "`teardown` did not end in time".to_owned());
    }
    match &ending.stopped {
        Some((Author::Script, why)) => add(Exit::Aborted, format!("aborted by the script: {why}")),
        Some((Author::Signal, why)) if !ending.killed => add(Exit::Interrupted, why.clone()),
        Some((Author::Api, why)) => add(Exit::Stopped, format!("stopped through the API: {why}")),
        Some((Author::Alert(name), why)) => add(Exit::Stopped, format!("stopped by the alert `{name}`: {why}")),
        Some((Author::Terminal | Author::Load, why)) => add(Exit::Stopped, why.clone()),
        _ => {}
    }
    if invalid_fails {
        for why in &snapshot.generator.invalid {
            add(Exit::NotMeasured, why.clone());
        }
    }
    for verdict in &snapshot.thresholds {
        if verdict.severity == "fail" && verdict.at_end() == Some(false) {
            let observed = verdict.decided().unwrap_or_else(|| "no data".to_owned());
            add(
                Exit::ThresholdFailed,
                format!("threshold `{}: {}` failed: {observed}", verdict.selector, verdict.expression),
            );
        }
    }
    if let Some(why) = &ending.marked_failed {
        add(Exit::MarkedFailed, format!("marked failed by the script: {why}"));
    }
    reasons.sort_by_key(|(exit, _)| *exit);
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_that_wins_comes_first_and_all_are_told() {
        let ending = Ending {
            stopped: Some((Author::Signal, "interrupted".into())),
            marked_failed: Some("cart empty".into()),
            failed_hook: Some(("teardown", crate::plan::ScriptError { message: "x".into(), place: None })),
            ..Ending::default()
        };
        let codes: Vec<u8> = reasons(&Snapshot::default(), &ending, true).iter().map(|(exit, _)| exit.code()).collect();
        assert_eq!(codes, [107, 105, 110]);
    }

    #[test]
    fn an_invalid_measurement_fails_only_where_it_should() {
        let mut snapshot = Snapshot::default();
        snapshot.generator.invalid.push("too slow".into());
        assert_eq!(reasons(&snapshot, &Ending::default(), true).len(), 1);
        assert!(reasons(&snapshot, &Ending::default(), false).is_empty());
    }

    #[test]
    fn codes_are_unique_and_in_winning_order() {
        let codes: std::collections::BTreeSet<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes.len(), Exit::ALL.len());
        assert!(Exit::ALL.is_sorted());
    }
}
