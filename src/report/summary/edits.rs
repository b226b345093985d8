//! What was edited while the run went on, and how each revision of the code did, for programs.

use super::{number, percent};
use crate::report::figures::{share, statistic};
use crate::snapshot::{BrokenEdit, CodeRevision, Edition};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::{Map, Number, Value};
use std::time::Duration;

/// The statistics of a code revision.
const STATISTICS: [&str; 6] = ["avg", "min", "med", "p(95)", "p(99)", "max"];

#[derive(Debug, Serialize)]
pub(super) struct EditWire {
    revision: u64,
    code_revision: u64,
    at_seconds: Number,
    time: String,
    by: String,
    changes: Vec<ChangeWire>,
    refused: Vec<String>,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ChangeWire {
    what: String,
    /// `null` for something new; both are `null` where only that it changed can be told.
    from: Option<String>,
    to: Option<String>,
}

impl EditWire {
    pub(super) fn new(edition: &Edition) -> Self {
        let changes = edition.changes.iter().map(|change| ChangeWire {
            what: change.what.clone(),
            from: change.from.clone(),
            to: change.to.clone(),
        });
        EditWire {
            revision: edition.revision,
            code_revision: edition.code.max(1),
            at_seconds: seconds(edition.at),
            time: DateTime::<Utc>::from(edition.time).to_rfc3339_opts(SecondsFormat::Millis, true),
            by: edition.by.to_string(),
            changes: changes.collect(),
            refused: edition.refused.clone(),
            notes: edition.notes.clone(),
        }
    }
}

/// An edit that could not be used and stood so at the end.
#[derive(Debug, Serialize)]
pub(super) struct BrokenEditWire {
    at_seconds: Number,
    by: String,
    text: String,
}

impl BrokenEditWire {
    pub(super) fn new(broken: &BrokenEdit) -> Self {
        BrokenEditWire { at_seconds: seconds(broken.at), by: broken.by.to_string(), text: broken.text.clone() }
    }
}

/// What users did under one revision of the code.
#[derive(Debug, Serialize)]
pub(super) struct CodeWire {
    revision: u64,
    /// Whether it stands for all older ones too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    merged: bool,
    since_seconds: Number,
    iterations: u64,
    script_errors: u64,
    requests: u64,
    errors: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_rate: Option<Number>,
    /// `http_req_duration`, milliseconds.
    latency: Map<String, Value>,
}

impl CodeWire {
    pub(super) fn new(code: &CodeRevision) -> Self {
        let statistic = |name: &str| Some((name.to_owned(), number(statistic(&code.duration, name)?)?.into()));
        CodeWire {
            revision: code.revision,
            merged: code.merged,
            since_seconds: seconds(code.since),
            iterations: code.iterations,
            script_errors: code.script_errors,
            requests: code.requests,
            errors: code.failed,
            error_rate: percent(share(code.failed, code.requests)),
            latency: STATISTICS.into_iter().filter_map(statistic).collect(),
        }
    }
}

fn seconds(duration: Duration) -> Number {
    number(duration.as_secs_f64()).expect("a duration is finite")
}
