//! `GET /queues`: what waits: arrivals for a user, alerts for their receivers, entries for their file.

use super::time;
use crate::plan::Work;
use crate::snapshot::{Delivery, LogOutput, Outputs, ScenarioState, Snapshot};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// Everything that waits for somebody.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct QueuesWire {
    /// Now.
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// Arrivals that wait for a user, by scenario of the open model; empty without one.
    arrivals: Vec<ArrivalsWire>,
    /// Messages about alerts that wait for their receiver, by receiver that was needed so far.
    alerts: Vec<ReceiverWire>,
    /// What is written while the run goes on: the file of `--log-file`, if any.
    outputs: Vec<OutputWire>,
}

/// One scenario of the open model.
#[derive(Debug, Serialize, JsonSchema)]
struct ArrivalsWire {
    /// Its name.
    scenario: String,
    /// Arrivals that wait now.
    waiting: u64,
    /// Arrivals that were due so far.
    arrivals: u64,
    /// Those that waited too long, or found too many waiting, and never started.
    dropped: u64,
    /// Users that run now.
    users: u32,
    /// Most users that may run.
    max_users: u32,
}

/// One receiver of alerts.
#[derive(Debug, Serialize, JsonSchema)]
struct ReceiverWire {
    /// Scheme, host and port: the rest of an address may be a secret.
    receiver: String,
    /// Messages that wait or are on their way.
    waiting: u64,
    /// Messages that it took.
    sent: u64,
    /// Messages that it refused, or did not take in all the tries.
    failed: u64,
    /// Messages that gave way to newer ones, because too many waited.
    dropped: u64,
    /// Tries beyond the first of a message.
    retries: u64,
    /// What went wrong last.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
}

/// One output.
#[derive(Debug, Serialize, JsonSchema)]
struct OutputWire {
    /// Which: `log`.
    name: &'static str,
    /// Where it goes.
    path: String,
    /// Entries of the log that were not looked at yet for it.
    waiting: u64,
    /// Entries that were written.
    written: u64,
    /// Why it cannot be written any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
}

impl QueuesWire {
    pub(in crate::api) fn new(snapshot: &Snapshot, outputs: &Outputs, now: DateTime<Utc>) -> Self {
        let planned = snapshot.plan.as_deref().map(|plan| &plan.scenarios[..]).unwrap_or_default();
        let open = planned.iter().zip(&snapshot.scenarios);
        let open = open.filter(|(planned, _)| matches!(planned.work, Work::Arrivals { .. }));
        QueuesWire {
            timestamp: time(now),
            arrivals: open.map(|(planned, state)| ArrivalsWire::new(planned.work.users_max(), state)).collect(),
            alerts: outputs.deliveries.iter().map(ReceiverWire::new).collect(),
            outputs: outputs.log.iter().map(|log| OutputWire::new(log, snapshot)).collect(),
        }
    }
}

impl ArrivalsWire {
    fn new(max_users: u32, state: &ScenarioState) -> Self {
        ArrivalsWire {
            scenario: state.name.clone(),
            waiting: state.waiting,
            arrivals: state.arrivals,
            dropped: state.dropped,
            users: state.users,
            max_users,
        }
    }
}

impl ReceiverWire {
    fn new(one: &Delivery) -> Self {
        ReceiverWire {
            receiver: one.receiver.clone(),
            waiting: one.undelivered,
            sent: one.sent,
            failed: one.failed,
            dropped: one.dropped,
            retries: one.retries,
            last_error: one.last_error.clone(),
        }
    }
}

impl OutputWire {
    fn new(log: &LogOutput, snapshot: &Snapshot) -> Self {
        let waiting = if log.error.is_some() { 0 } else { snapshot.logs.numbered().saturating_sub(log.seen) };
        OutputWire { name: "log", path: log.path.clone(), waiting, written: log.written, last_error: log.error.clone() }
    }
}
