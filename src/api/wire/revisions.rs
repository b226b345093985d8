//! `GET /thresholds/revisions`: who changed what of the run, and when.

use super::{seconds, time};
use crate::api::diary::Diary;
use crate::snapshot::{BrokenEdit, Edition, Intervention, Snapshot};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;

/// The audit trail.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct RevisionsWire {
    /// The revision of the rules that judge.
    revision: u64,
    /// Edits of the run, the oldest first; the last 1,000.
    revisions: Vec<RevisionWire>,
    /// How many there were besides.
    unlisted_revisions: u64,
    /// Everything else that somebody changed, or tried to: at most 1,000. Of more, what was refused and what a load did itself
    /// goes first, then the oldest.
    interventions: Vec<InterventionWire>,
    /// How many there were besides.
    unlisted_interventions: u64,
    /// An edit that could not be read, until it is mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken_edit: Option<BrokenWire>,
}

/// One edit.
#[derive(Debug, Serialize, JsonSchema)]
struct RevisionWire {
    /// What it made.
    revision: u64,
    /// That of the code since then.
    code: u64,
    /// When it was.
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// When it was, in run time.
    elapsed_seconds: Number,
    /// Who did it.
    by: String,
    /// What it changed.
    changes: Vec<ChangeWire>,
    /// What of it could not be changed in a run.
    refused: Vec<String>,
    /// What else is to be known of it.
    notes: Vec<String>,
}

/// One change of an edit.
#[derive(Debug, Serialize, JsonSchema)]
struct ChangeWire {
    /// What was changed.
    what: String,
    /// What it was before; absent of what is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// What it is now; absent of what is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
}

/// One thing that somebody did.
#[derive(Debug, Serialize, JsonSchema)]
struct InterventionWire {
    /// When it was; absent before the scenarios began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    timestamp: Option<String>,
    /// When it was, in run time.
    elapsed_seconds: Number,
    /// Who did it.
    by: String,
    /// What they did, or wanted to.
    what: String,
    /// Why it was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

/// An edit that could not be read.
#[derive(Debug, Serialize, JsonSchema)]
struct BrokenWire {
    /// When it was, in run time.
    elapsed_seconds: Number,
    /// Who did it.
    by: String,
    /// What is wrong with it.
    text: String,
}

impl RevisionsWire {
    pub(in crate::api) fn new(diary: &Diary, snapshot: &Snapshot) -> Self {
        RevisionsWire {
            revision: snapshot.revision.max(1),
            revisions: snapshot.edits.iter().map(revision).collect(),
            unlisted_revisions: snapshot.edits.lost(),
            interventions: snapshot.interventions.iter().map(|one| intervention(diary, one)).collect(),
            unlisted_interventions: snapshot.interventions.lost(),
            broken_edit: snapshot.broken_edit.as_ref().map(broken),
        }
    }
}

fn revision(edition: &Edition) -> RevisionWire {
    let changes = edition.changes.iter().map(|change| ChangeWire {
        what: change.what.clone(),
        from: change.from.clone(),
        to: change.to.clone(),
    });
    RevisionWire {
        revision: edition.revision,
        code: edition.code,
        timestamp: time(DateTime::<Utc>::from(edition.time)),
        elapsed_seconds: seconds(edition.at),
        by: edition.by.to_string(),
        changes: changes.collect(),
        refused: edition.refused.clone(),
        notes: edition.notes.clone(),
    }
}

fn intervention(diary: &Diary, one: &Intervention) -> InterventionWire {
    InterventionWire {
        timestamp: diary.wall(one.at).map(time),
        elapsed_seconds: seconds(one.at),
        by: one.by.to_string(),
        what: one.what.clone(),
        refused: one.refused.clone(),
    }
}

fn broken(edit: &BrokenEdit) -> BrokenWire {
    BrokenWire { elapsed_seconds: seconds(edit.at), by: edit.by.to_string(), text: edit.text.clone() }
}
