//! What the door knows about a run's end and no Snapshot does.

use crate::control::Author;
use crate::snapshot::Delivery;
use chrono::{DateTime, Utc};
use std::time::Duration;

/// The verdict of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything that had to hold held.
    Passed,
    /// Something did not hold, or the run did not end as planned.
    Failed,
    /// The generator, not the system under test, was the limit: the numbers are not a measurement.
    Invalid,
}

impl Outcome {
    /// The word of the JSON summary.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::Invalid => "invalid",
        }
    }
}

/// One reason for an exit code other than 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The exit code that it alone would give.
    pub code: u8,
    /// What happened: a clause that can follow "because".
    pub message: String,
}

/// Who ended a run before its plan was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// Who.
    pub by: Author,
    /// Why: the broken threshold, the script's message.
    pub why: String,
    /// Whether it was ended at once, without draining and teardown.
    pub killed: bool,
}

/// An error in `setup`, `teardown` or `summary`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookError {
    /// The function's name.
    pub hook: String,
    /// What went wrong.
    pub message: String,
    /// `file:line:column`, empty when unknown.
    pub place: String,
}

/// Everything the report needs beside the Plan and the last Snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The verdict.
    pub outcome: Outcome,
    /// What the process exits with.
    pub exit_code: u8,
    /// All that speaks against 0, the deciding one first; empty for 0.
    pub reasons: Vec<Reason>,
    /// Wall time at which the run started.
    pub started_at: DateTime<Utc>,
    /// How long it took on the wall, setup and teardown included.
    pub wall: Duration,
    /// Who ended it early.
    pub stopped: Option<Stopped>,
    /// What `mark_failed` said first.
    pub marked_failed: Option<String>,
    /// Errors of the hooks.
    pub hook_errors: Vec<HookError>,
    /// What came of telling the receivers of alerts; empty without any.
    pub deliveries: Vec<Delivery>,
    /// Files that were written beside the report, as the user named them.
    pub written: Vec<String>,
}

impl Facts {
    /// A run that passed and had nothing special about it.
    pub fn passed(started_at: DateTime<Utc>, wall: Duration) -> Self {
        Facts {
            outcome: Outcome::Passed,
            exit_code: 0,
            reasons: Vec::new(),
            started_at,
            wall,
            stopped: None,
            marked_failed: None,
            hook_errors: Vec::new(),
            deliveries: Vec::new(),
            written: Vec::new(),
        }
    }
}
