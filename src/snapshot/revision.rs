//! Edits of a run as a Snapshot tells them: what was changed, by whom, when; and how each revision of the code does.
//!
//! Made by the engine, shown by whoever looks at a run.

use crate::control::Author;
use crate::expr::Change;
use crate::metrics::Trend;
use std::time::{Duration, SystemTime};

/// One edit that was applied, at least in part.
#[derive(Debug, Clone, PartialEq)]
pub struct Edition {
    /// The revision that it made: the script as it began is 1.
    pub revision: u64,
    /// The revision of the code since then; grows only when code changed.
    pub code: u64,
    /// Run time.
    pub at: Duration,
    /// Wall time.
    pub time: SystemTime,
    /// Who.
    pub by: Author,
    /// What was changed, in the order of the script.
    pub changes: Vec<Change>,
    /// What could not be changed in a run, each with its reason.
    pub refused: Vec<String>,
    /// Anything else to tell, such as which edit this one undid.
    pub notes: Vec<String>,
}

/// An edit that could not be read: nothing was changed, and it stands until somebody mends it.
#[derive(Debug, Clone, PartialEq)]
pub struct BrokenEdit {
    /// Run time at which it was seen.
    pub at: Duration,
    /// Who.
    pub by: Author,
    /// The diagnostics as text, without colour.
    pub text: String,
}

/// What users did under one revision of the code. Kept for the current and the previous one.
#[derive(Debug, Clone)]
pub struct CodeRevision {
    /// Which; the script as it began is 1. The oldest entry stands for all before the previous one where `merged` is set.
    pub revision: u64,
    /// Whether it stands for all older ones too.
    pub merged: bool,
    /// Run time at which it came.
    pub since: Duration,
    /// Iterations that ran to their end.
    pub iterations: u64,
    /// Script errors.
    pub script_errors: u64,
    /// Requests.
    pub requests: u64,
    /// Failed ones among them.
    pub failed: u64,
    /// Their `http_req_duration`, milliseconds.
    pub duration: Trend,
}
