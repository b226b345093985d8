//! `GET /health`: which part of punk is well, and why one is not.

use super::time;
use crate::api::Session;
use crate::api::stream::{Counts, StreamsWire};
use crate::metrics::Cell;
use crate::snapshot::{Snapshot, Status};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::PoisonError;
use std::time::Instant;

/// A Snapshot older than this is late, in seconds; ten times that, and nobody publishes any more.
const LATE: f64 = 2.0;
/// Failed requests of the last seconds from which on the target is unwell, and from which on it is ill.
const UNWELL: f64 = 0.01;
const ILL: f64 = 0.5;

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
    /// What is written while the run goes on.
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
    fn new(reasons: Vec<(Health, String)>) -> Self {
        let status = reasons.iter().map(|(health, _)| *health).max().unwrap_or(Health::Healthy);
        ComponentWire { status, reasons: reasons.into_iter().map(|(_, why)| why).collect() }
    }
}

impl HealthWire {
    pub(in crate::api) fn new(session: &Session, snapshot: &Snapshot, now: DateTime<Utc>) -> Self {
        let components = ComponentsWire {
            shards: ComponentWire::new(shards(snapshot)),
            collector: ComponentWire::new(collector(session, snapshot, now)),
            monitor: MonitorWire {
                component: ComponentWire::new(monitor(&session.streams)),
                streams: session.streams.wire(),
            },
            // The report and the summary are written at the end; there are no other outputs yet.
            outputs: ComponentWire::new(Vec::new()),
            target: ComponentWire::new(target(snapshot)),
            history: ComponentWire::new(history(snapshot)),
        };
        let ComponentsWire { shards, collector, monitor, outputs, target, history } = &components;
        let all = [shards, collector, &monitor.component, outputs, target, history];
        let status = all.into_iter().map(|component| component.status).max().unwrap_or(Health::Healthy);
        HealthWire { timestamp: time(now), status, components }
    }
}

/// It answers; whoever could not listen as fast as it tells is worth a look.
fn monitor(streams: &Counts) -> Vec<(Health, String)> {
    let dropped = streams.wire().dropped;
    let recently = streams.dropped_recently(Instant::now());
    let why = || format!("slow clients of streams were dropped within the last minute; {dropped} so far");
    recently.then(|| (Health::Warning, why())).into_iter().collect()
}

fn shards(snapshot: &Snapshot) -> Vec<(Health, String)> {
    let generator = &snapshot.generator;
    let invalid = generator.invalid.iter().map(|why| (Health::Error, why.clone()));
    let mut reasons: Vec<_> = invalid.collect();
    reasons.extend(generator.warnings.iter().map(|why| (Health::Warning, why.clone())));
    if !generator.late_shards.is_empty() {
        let late: Vec<String> = generator.late_shards.iter().map(|shard| format!("shard-{shard}")).collect();
        reasons.push((Health::Warning, format!("{} did not report in time", late.join(", "))));
    }
    reasons
}

fn collector(session: &Session, snapshot: &Snapshot, now: DateTime<Utc>) -> Vec<(Health, String)> {
    if snapshot.status == Status::Completed {
        return Vec::new();
    }
    let since = session.diary().seen.unwrap_or(session.started_at);
    let age = (now - since).as_seconds_f64();
    let why = || format!("the last snapshot is {age:.1} s old");
    match age {
        age if age > 10.0 * LATE => vec![(Health::Error, why())],
        age if age > LATE => vec![(Health::Warning, why())],
        _ => Vec::new(),
    }
}

/// By the requests of the last seconds; before there are any it is as well as it may be.
fn target(snapshot: &Snapshot) -> Vec<(Health, String)> {
    let Some(failed) = snapshot.recent.failed.filter(|failed| *failed >= UNWELL) else { return Vec::new() };
    let health = if failed >= ILL { Health::Error } else { Health::Warning };
    let whole = match snapshot.total("http_req_failed") {
        Some(Cell::Rate { passes, total }) => format!("; {passes} of {total} in the whole run"),
        _ => String::new(),
    };
    vec![(health, format!("{:.1}% of the requests of the last seconds failed{whole}", failed * 100.0))]
}

fn history(snapshot: &Snapshot) -> Vec<(Health, String)> {
    let history = snapshot.history.read().unwrap_or_else(PoisonError::into_inner);
    let Some(until) = history.gave_way_until() else { return Vec::new() };
    let why = format!(
        "it holds as much as it may ({} MB): before {:.0} s it is coarser than its age asks for",
        history.budget() / 1_000_000,
        until.as_secs_f64()
    );
    vec![(Health::Warning, why)]
}
