//! `GET /health`: which part of punk is well, and why one is not.

use super::time;
use crate::api::Session;
use crate::api::counts::Counts;
use crate::snapshot::{Component, Condition, Part, Served, Snapshot, Status};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Instant;

/// A Snapshot older than this is late, in seconds; ten times that, and nobody publishes any more.
const LATE: f64 = 2.0;

/// How all parts are.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct HealthWire {
    /// Now.
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// That of the worst of them.
    status: Health,
    /// Each of them.
    components: ComponentsWire,
}

/// Every part of punk, and the target.
#[derive(Debug, Serialize, JsonSchema)]
struct ComponentsWire {
    /// The threads that make the load.
    shards: ComponentWire,
    /// The thread that merges and judges what they measure.
    collector: ComponentWire,
    /// The monitor itself.
    monitor: MonitorWire,
    /// What is written and sent while the run goes on: webhooks and the file of the log.
    outputs: ComponentWire,
    /// What is tested, by the requests of the last seconds.
    target: ComponentWire,
    /// What is kept of the past.
    history: ComponentWire,
}

/// One part.
#[derive(Debug, Serialize, JsonSchema)]
struct ComponentWire {
    /// How it is.
    status: Health,
    /// Why it is not healthy; empty where it is.
    reasons: Vec<String>,
}

/// This server.
#[derive(Debug, Serialize, JsonSchema)]
struct MonitorWire {
    #[serde(flatten)]
    component: ComponentWire,
    /// Its WebSocket clients.
    streams: StreamsWire,
    /// Requests that were answered 429: too many, or too many that were refused.
    requests_refused: u64,
    /// Connections that were answered 503: too many, or the run needs what is left of the file descriptors.
    connections_refused: u64,
}

/// The streams of this process, of all its runs.
#[derive(Debug, Serialize, JsonSchema)]
struct StreamsWire {
    /// Clients now.
    clients: u64,
    /// Clients so far.
    opened: u64,
    /// Clients that were dropped because they were too slow or silent.
    dropped: u64,
    /// Clients that found no room.
    refused: u64,
    /// Messages that were made: each is written as JSON once, however many clients it has.
    messages_made: u64,
    /// Messages that were sent, each to one client.
    messages_sent: u64,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Condition")]
enum Health {
    Healthy,
    Warning,
    Error,
}

impl ComponentWire {
    fn new(component: &Component) -> Self {
        let status = match component.state {
            Condition::Healthy => Health::Healthy,
            Condition::Warning => Health::Warning,
            Condition::Error => Health::Error,
        };
        ComponentWire { status, reasons: component.reasons.clone() }
    }
}

impl HealthWire {
    pub(in crate::api) fn new(session: &Session, snapshot: &Snapshot, now: DateTime<Utc>) -> Self {
        // Before the first Snapshot nothing speaks against anybody.
        let told = |part: Part| match snapshot.components.iter().find(|component| component.name == part) {
            Some(component) => ComponentWire::new(component),
            None => ComponentWire::new(&Component::new(part, Vec::new())),
        };
        let components = ComponentsWire {
            shards: told(Part::Shards),
            collector: late(session, snapshot, now).unwrap_or_else(|| told(Part::Collector)),
            monitor: MonitorWire::new(&session.counts),
            outputs: ComponentWire::new(&session.outputs().component()),
            target: told(Part::Target),
            history: told(Part::History),
        };
        let ComponentsWire { shards, collector, monitor, outputs, target, history } = &components;
        let all = [shards, collector, &monitor.component, outputs, target, history];
        let status = all.into_iter().map(|component| component.status).max().unwrap_or(Health::Healthy);
        HealthWire { timestamp: time(now), status, components }
    }
}

impl MonitorWire {
    /// It answers; whoever could not listen as fast as it tells, or found it too busy, is worth a look.
    fn new(counts: &Counts) -> Self {
        let now = Instant::now();
        let reasons = [
            (&counts.dropped, "slow clients of streams were dropped"),
            (&counts.requests_refused, "requests were refused because they were too many"),
            (&counts.connections_refused, "connections were refused because they were too many"),
        ];
        let recent = reasons.into_iter().filter_map(|(tally, what)| {
            let so_far = tally.recent(now)?;
            Some((Condition::Warning, format!("{what} within the last minute; {so_far} so far")))
        });
        let component = ComponentWire::new(&Component::new(Part::Monitor, recent.collect()));
        let served = counts.served();
        let Served { clients, opened, dropped, refused, messages_made, messages_sent, .. } = served;
        let Served { requests_refused, connections_refused, .. } = served;
        let streams = StreamsWire { clients, opened, dropped, refused, messages_made, messages_sent };
        MonitorWire { component, streams, requests_refused, connections_refused }
    }
}

/// A collector that publishes nothing: what no Snapshot can say of itself.
fn late(session: &Session, snapshot: &Snapshot, now: DateTime<Utc>) -> Option<ComponentWire> {
    let since = session.diary().seen.unwrap_or(session.started_at);
    let age = (now - since).as_seconds_f64();
    if snapshot.status == Status::Completed || age <= LATE {
        return None;
    }
    let status = if age > 10.0 * LATE { Health::Error } else { Health::Warning };
    Some(ComponentWire { status, reasons: vec![format!("the last snapshot is {age:.1} s old")] })
}
