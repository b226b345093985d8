//! `GET /alerts`: every ringing that is still known, the newest first.

use super::words::{RINGS, SEVERITIES};
use super::{number, seconds, time};
use crate::plan::Plan;
use crate::snapshot::{AlertEvent, AlertState, Snapshot};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;
use std::sync::Arc;

/// What has rung.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct AlertsWire {
    /// The newest first.
    alerts: Vec<AlertWire>,
}

/// One ringing of an alert.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct AlertWire {
    /// Of this ringing, unique in the run: `slow tail#2`.
    id: String,
    /// Which alert.
    name: String,
    /// How bad it is.
    #[schemars(extend("enum" = SEVERITIES))]
    severity: &'static str,
    /// What it is about: the first metric that it reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<String>,
    /// What must be true for it to ring.
    threshold: String,
    /// While it is the last ringing of its alert, the value of this moment; then the one that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    current_value: Option<Number>,
    /// The same as people write it, with its unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    value_text: Option<String>,
    /// When it began to ring.
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// When it began to ring, in run time.
    elapsed_seconds: Number,
    /// What it means; empty where nobody wrote it.
    description: String,
    /// What to do; empty where nobody wrote it.
    resolution: String,
    /// Whether it goes on.
    #[schemars(extend("enum" = RINGS))]
    state: &'static str,
    /// When it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    resolved_at: Option<String>,
    /// Why it is over, where it is not that its condition is.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<String>,
    /// Who has seen it.
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged_by: Option<String>,
}

impl AlertsWire {
    pub(in crate::api) fn new(snapshot: &Snapshot) -> Self {
        let events = &snapshot.alert_events;
        let rings = events.iter().filter(|event| event.firing).rev();
        AlertsWire { alerts: rings.map(|ring| AlertWire::new(ring, snapshot)).collect() }
    }

    /// Those in that state, or all.
    pub(in crate::api) fn only(mut self, state: Option<&str>) -> Self {
        self.alerts.retain(|alert| state.is_none_or(|state| alert.state == state));
        self
    }
}

impl AlertWire {
    /// Of the edge that began it, or of the one that ended it.
    pub(in crate::api) fn new(edge: &Arc<AlertEvent>, snapshot: &Snapshot) -> Self {
        let events = &snapshot.alert_events;
        // Its beginning may have been too long ago to be kept.
        let ring = events.iter().find(|event| event.firing && event.id == edge.id).unwrap_or(edge);
        let end = events.iter().find(|event| !event.firing && event.id == ring.id);
        let is_last = |state: &&AlertState| format!("{}#{}", state.name, state.fired) == ring.id;
        let last = snapshot.alerts.iter().find(is_last);
        // Its edge says so even after the alert has rung again; of one that is not kept any more the state does.
        let of_last = last.and_then(|state| state.acknowledged_by.as_ref());
        let (value, value_text) = match (end, last) {
            (Some(end), _) => (end.value, end.value_text.clone()),
            (None, Some(state)) => (state.value, state.value_text.clone()),
            (None, None) => (ring.value, ring.value_text.clone()),
        };
        AlertWire {
            id: ring.id.clone(),
            name: ring.name.clone(),
            severity: ring.severity.word(),
            metric: snapshot.plan.as_deref().and_then(|plan| metric(plan, &ring.name)),
            threshold: ring.when.clone(),
            current_value: value.and_then(number),
            value_text,
            timestamp: time(DateTime::<Utc>::from(ring.time)),
            elapsed_seconds: seconds(ring.at),
            description: ring.description.clone(),
            resolution: ring.resolution.clone(),
            state: RINGS[usize::from(end.is_some())],
            resolved_at: end.map(|end| time(DateTime::<Utc>::from(end.time))),
            because: end.and_then(|end| end.because.clone()),
            acknowledged_by: ring.acknowledged_by.as_ref().or(of_last).cloned(),
        }
    }
}

fn metric(plan: &Plan, name: &str) -> Option<String> {
    let rule = plan.rules.alerts.iter().find(|rule| rule.name == name)?;
    rule.condition.quantities().first().map(|quantity| quantity.selector.metric().to_owned())
}
