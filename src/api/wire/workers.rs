//! `GET /workers`: the users that are there, one by one.

use super::time;
use crate::roster::{Listing, Worker};
use crate::snapshot::Snapshot;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// The users of all scenarios, a part of them one by one.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct WorkersWire {
    /// When this was said: users are told as they are now, not as they were at the last tick.
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// Users that are there.
    total_workers: u64,
    /// Those of them that are not idle.
    active_workers: u64,
    /// Those of them that are between two iterations, free for an arrival, or held by a pause.
    idle_workers: u64,
    /// Users of the status that was asked for; of any, if none was.
    matching_workers: u64,
    /// How many of those come before the first one here.
    offset: u64,
    /// Most users that are listed.
    limit: u64,
    /// Those users, in the order of their ids.
    workers: Vec<WorkerWire>,
}

/// One user.
#[derive(Debug, Serialize, JsonSchema)]
struct WorkerWire {
    /// Unique in the run: `vu::id()`.
    id: u64,
    /// The scenario that it belongs to.
    scenario: String,
    /// `idle`; `running` script; `waiting` for an answer; `sleeping` within an iteration; `stopping`: told to end, it
    /// finishes what it does.
    status: &'static str,
    /// Requests of it that ended, whatever became of them, warm-up included.
    operations_completed: u64,
    /// The iteration that it runs or ran last, from 0: `vu::iteration()`. Absent before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    iteration: Option<u64>,
    /// The operation that it has under way, or had last: a request's name. Absent before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    current_operation: Option<String>,
    /// What went wrong for it last: a request's operation and reason, or a script error and its place. Absent if nothing did.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
}

impl WorkersWire {
    pub(in crate::api) fn new(
        snapshot: &Snapshot,
        listing: Listing,
        (offset, limit): (u64, u64),
        now: DateTime<Utc>,
    ) -> Self {
        // A scenario that an edit has just brought may have users before a Snapshot knows its name.
        let scenario = |at: usize| snapshot.scenarios.get(at).map(|state| state.name.clone()).unwrap_or_default();
        let wire = |worker: Worker| WorkerWire {
            id: worker.id,
            scenario: scenario(worker.scenario),
            status: worker.doing.word(),
            operations_completed: worker.operations,
            iteration: worker.begun.checked_sub(1),
            current_operation: worker.operation,
            last_error: worker.last_error,
        };
        WorkersWire {
            timestamp: time(now),
            total_workers: listing.total,
            active_workers: listing.total - listing.idle,
            idle_workers: listing.idle,
            matching_workers: listing.matching,
            offset,
            limit,
            workers: listing.workers.into_iter().map(wire).collect(),
        }
    }
}
