//! Thresholds, alerts and who was told, for programs.

use super::{ms, number};
use crate::snapshot::{AlertEvent, AlertState, Breach, Delivery, Snapshot, Verdict};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::Number;
use std::sync::Arc;
use std::time::Duration;

/// One threshold. Times are milliseconds of run time.
#[derive(Debug, Serialize)]
pub(super) struct ThresholdWire {
    selector: String,
    expression: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scenario: Option<String>,
    severity: &'static str,
    abort: bool,
    /// `null` without data.
    passed: Option<bool>,
    /// At the end of the run; absent without data.
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_breach: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovered: Option<Number>,
    breach_count: u64,
    breaches: Vec<BreachWire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    distance: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    revision: u64,
    since: Number,
}

#[derive(Debug, Serialize)]
struct BreachWire {
    from: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Number>,
    observed: String,
}

impl ThresholdWire {
    pub(super) fn new(verdict: &Verdict) -> Self {
        ThresholdWire {
            selector: verdict.selector.clone(),
            expression: verdict.expression.clone(),
            scenario: verdict.scenario.clone(),
            severity: verdict.severity,
            abort: verdict.abort,
            passed: verdict.at_end(),
            holds: verdict.holds,
            observed: verdict.observed.and_then(number),
            first_breach: verdict.first_breach.and_then(ms),
            recovered: verdict.recovered.and_then(ms),
            breach_count: verdict.breach_count.max(verdict.breaches.len() as u64),
            breaches: verdict.breaches.iter().map(BreachWire::new).collect(),
            distance: verdict.distance.and_then(number),
            note: verdict.note.clone(),
            revision: verdict.revision.max(1),
            since: sure_ms(verdict.since),
        }
    }
}

impl BreachWire {
    fn new(breach: &Breach) -> Self {
        BreachWire { from: sure_ms(breach.from), to: breach.to.and_then(ms), observed: breach.observed_text.clone() }
    }
}

/// One alert with all its edges that are still known. Alerts that an edit took away have no state of their own any more: their
/// edges stand under `removed`.
#[derive(Debug, Serialize)]
pub(super) struct AlertWire {
    name: String,
    severity: &'static str,
    when: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    resolution: String,
    state: &'static str,
    fired: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged_by: Option<String>,
    /// Run times at which it would have rung before it was declared.
    would_have: Vec<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
    events: Vec<EventWire>,
}

#[derive(Debug, Serialize)]
struct EventWire {
    id: String,
    firing: bool,
    at_seconds: Number,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<String>,
}

impl AlertWire {
    /// Those of the script as it is in its order, then those that an edit took away after they had rung.
    pub(super) fn all(snapshot: &Snapshot) -> Vec<Self> {
        let events = &snapshot.alert_events;
        let known = |name: &str| snapshot.alerts.iter().any(|alert| alert.name == name);
        let mut all: Vec<_> = snapshot.alerts.iter().map(|alert| AlertWire::new(alert, events)).collect();
        for event in events.iter().filter(|event| !known(&event.name)) {
            if all.iter().all(|alert| alert.name != event.name) {
                all.push(AlertWire::removed(event, events));
            }
        }
        all
    }

    fn new(alert: &AlertState, events: &[Arc<AlertEvent>]) -> Self {
        AlertWire {
            name: alert.name.clone(),
            severity: alert.severity.word(),
            when: alert.when.clone(),
            description: alert.description.clone(),
            resolution: alert.resolution.clone(),
            state: alert.phase.word(),
            fired: alert.fired,
            value: alert.value.and_then(number),
            acknowledged_by: alert.acknowledged_by.clone(),
            would_have: alert.would_have.iter().map(|at| seconds(*at)).collect(),
            revision: Some(alert.revision.max(1)),
            events: edges(&alert.name, events),
        }
    }

    fn removed(last: &AlertEvent, events: &[Arc<AlertEvent>]) -> Self {
        let edges = edges(&last.name, events);
        AlertWire {
            name: last.name.clone(),
            severity: last.severity.word(),
            when: last.when.clone(),
            description: last.description.clone(),
            resolution: last.resolution.clone(),
            state: "removed",
            fired: edges.iter().filter(|edge| edge.firing).count() as u64,
            value: None,
            acknowledged_by: None,
            would_have: Vec::new(),
            revision: None,
            events: edges,
        }
    }
}

fn edges(name: &str, events: &[Arc<AlertEvent>]) -> Vec<EventWire> {
    let wire = |event: &Arc<AlertEvent>| EventWire {
        id: event.id.clone(),
        firing: event.firing,
        at_seconds: seconds(event.at),
        time: DateTime::<Utc>::from(event.time).to_rfc3339_opts(SecondsFormat::Millis, true),
        value: event.value.and_then(number),
        because: event.because.clone(),
    };
    events.iter().filter(|event| event.name == name).map(wire).collect()
}

/// What came of telling one receiver. It is named by its host alone.
#[derive(Debug, Serialize)]
pub(super) struct WebhookWire {
    receiver: String,
    sent: u64,
    failed: u64,
    dropped: u64,
    undelivered: u64,
    retries: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
}

impl WebhookWire {
    pub(super) fn new(delivery: &Delivery) -> Self {
        WebhookWire {
            receiver: delivery.receiver.clone(),
            sent: delivery.sent,
            failed: delivery.failed,
            dropped: delivery.dropped,
            undelivered: delivery.undelivered,
            retries: delivery.retries,
            last_error: delivery.last_error.clone(),
        }
    }
}

fn sure_ms(duration: Duration) -> Number {
    ms(duration).expect("a duration is finite")
}

fn seconds(duration: Duration) -> Number {
    number(duration.as_secs_f64()).expect("a duration is finite")
}
