//! `GET /alerts/performance`: alerts about what people watch (latency, throughput, errors, users, cpu, memory, connections), each
//! once, with how it stands, how long it rang and how far it is beyond its limit.

use super::words::{PHASES, SEVERITIES};
use super::{number, seconds, time};
use crate::api::Session;
use crate::expr::{AlertRule, Comparison, Condition};
use crate::metrics::built_in;
use crate::snapshot::{AlertEvent, AlertPhase, AlertState, Snapshot};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;
use std::sync::Arc;
use std::time::Duration;

/// Which figure a metric is about; the first that fits. Others are no figures that everybody watches.
const KPIS: [(&str, &str); 19] = [
    ("http_req_failed", "errors"),
    ("http_reqs_unsent", "errors"),
    ("http_reqs", "throughput"),
    ("http_req_", "latency"),
    ("iteration_", "latency"),
    ("group_duration", "latency"),
    ("iterations", "throughput"),
    ("data_", "throughput"),
    ("dropped_iterations", "errors"),
    ("checks", "errors"),
    ("script_errors", "errors"),
    ("vus", "users"),
    ("http_connections", "connections"),
    ("system_cpu", "cpu"),
    ("punk_cpu", "cpu"),
    ("observed_cpu", "cpu"),
    ("system_memory", "memory"),
    ("punk_memory", "memory"),
    ("observed_memory", "memory"),
];

/// Alerts about performance that ring, have rung, or would have.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct PerformanceWire {
    /// Now.
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// So many of them ring now.
    firing: usize,
    /// Those that ring first, then in the order of the script.
    alerts: Vec<OneWire>,
}

/// One alert.
#[derive(Debug, Serialize, JsonSchema)]
struct OneWire {
    /// Its name.
    name: String,
    /// Of its last ringing, for `GET /alerts` and to acknowledge it; absent while it has only would-have-rungs.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Where it is.
    #[schemars(extend("enum" = PHASES))]
    state: &'static str,
    /// How bad it is.
    #[schemars(extend("enum" = SEVERITIES))]
    severity: &'static str,
    /// What it is about: `latency`, `throughput`, `errors`, `users`, `cpu`, `memory` or `connections`.
    kpi: &'static str,
    /// The metric.
    metric: String,
    /// What must be true for it to ring.
    threshold: String,
    /// The number in it, where it is one comparison: milliseconds, bytes, a share from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<Number>,
    /// The value of this moment, in the same unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    current_value: Option<Number>,
    /// The same as people write it, with its unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    value_text: Option<String>,
    /// How far the value is beyond the limit, in percent of it: 50 is half as much again, below 0 is what is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    beyond_percent: Option<Number>,
    /// When it last began to ring.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    since: Option<String>,
    /// How long that ringing lasted, or has lasted so far, in run time.
    #[serde(skip_serializing_if = "Option::is_none")]
    firing_seconds: Option<Number>,
    /// How often it rang.
    times_fired: u64,
    /// How long it rang in all, of the ringings that are still known.
    total_firing_seconds: Number,
    /// When it would have rung before an edit brought it as it stands.
    would_have_rung: Vec<WouldWire>,
    /// What it means; empty where nobody wrote it.
    description: String,
    /// What to do; empty where nobody wrote it.
    resolution: String,
    /// Who has seen it.
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged_by: Option<String>,
}

/// A moment at which an alert would have rung.
#[derive(Debug, Serialize, JsonSchema)]
struct WouldWire {
    /// Run time.
    elapsed_seconds: Number,
    /// The same by the wall.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    timestamp: Option<String>,
}

impl PerformanceWire {
    pub(in crate::api) fn new(session: &Session, snapshot: &Snapshot, now: DateTime<Utc>) -> Self {
        let rules = snapshot.plan.as_deref().map(|plan| &plan.rules.alerts[..]).unwrap_or_default();
        let known = snapshot.alerts.iter().zip(rules);
        let told = known
            .filter(|(state, _)| state.phase == AlertPhase::Firing || state.fired > 0 || !state.would_have.is_empty());
        let mut alerts: Vec<(bool, OneWire)> = told
            .filter_map(|(state, rule)| {
                let wire = one(session, snapshot, state, rule)?;
                Some((state.phase != AlertPhase::Firing, wire))
            })
            .collect();
        alerts.sort_by_key(|(quiet, _)| *quiet);
        PerformanceWire {
            timestamp: time(now),
            firing: alerts.iter().filter(|(quiet, _)| !quiet).count(),
            alerts: alerts.into_iter().map(|(_, wire)| wire).collect(),
        }
    }
}

/// The figure and the metric of a condition.
fn kpi(condition: &Condition) -> Option<(&'static str, String)> {
    condition.quantities().into_iter().find_map(|quantity| {
        let metric = quantity.selector.metric();
        let metric = built_in(metric)?.name.as_ref();
        Some((kpi_of(metric)?, metric.to_owned()))
    })
}

/// The figure that a metric is about.
fn kpi_of(metric: &str) -> Option<&'static str> {
    KPIS.iter().find(|(begins, _)| metric.starts_with(begins)).map(|(_, kpi)| *kpi)
}

fn one(session: &Session, snapshot: &Snapshot, state: &AlertState, rule: &AlertRule) -> Option<OneWire> {
    let (kpi, metric) = kpi(&rule.condition)?;
    let limit = match &rule.condition.parts()[..] {
        [part] => Some((part.limit, part.comparison)),
        _ => None,
    };
    let rings = rings(snapshot, &state.name);
    let last = rings.last();
    let lasted =
        |(ring, end): &(&Arc<AlertEvent>, Option<Duration>)| end.unwrap_or(snapshot.elapsed).saturating_sub(ring.at);
    let would =
        |at: &Duration| WouldWire { elapsed_seconds: seconds(*at), timestamp: session.diary().wall(*at).map(time) };
    Some(OneWire {
        name: state.name.clone(),
        id: (state.fired > 0).then(|| format!("{}#{}", state.name, state.fired)),
        state: state.phase.word(),
        severity: state.severity.word(),
        kpi,
        metric,
        threshold: state.when.clone(),
        limit: limit.and_then(|(limit, _)| number(limit)),
        current_value: state.value.and_then(number),
        value_text: state.value_text.clone(),
        beyond_percent: limit.and_then(|(limit, comparison)| beyond(state.value?, comparison, limit)),
        since: last.map(|(ring, _)| time(DateTime::<Utc>::from(ring.time))),
        firing_seconds: last.map(|ring| seconds(lasted(ring))),
        times_fired: state.fired,
        total_firing_seconds: seconds(rings.iter().map(lasted).sum()),
        would_have_rung: state.would_have.iter().map(would).collect(),
        description: state.description.clone(),
        resolution: state.resolution.clone(),
        acknowledged_by: state.acknowledged_by.clone(),
    })
}

/// Every ringing of an alert that is still known, with its end in run time.
fn rings<'a>(snapshot: &'a Snapshot, name: &str) -> Vec<(&'a Arc<AlertEvent>, Option<Duration>)> {
    let events = || snapshot.alert_events.iter().filter(|event| event.name == name);
    let end = |id: &str| events().find(|event| !event.firing && event.id == id).map(|event| event.at);
    events().filter(|event| event.firing).map(|ring| (ring, end(&ring.id))).collect()
}

/// How far a value is beyond a limit, in percent of it; `None` where there is no way to go.
fn beyond(value: f64, comparison: Comparison, limit: f64) -> Option<Number> {
    let by = match comparison {
        Comparison::Greater | Comparison::GreaterOrEqual => value - limit,
        Comparison::Less | Comparison::LessOrEqual => limit - value,
        Comparison::Equal | Comparison::NotEqual => return None,
    };
    let share = by / limit.abs();
    number(share * 100.0).filter(|_| share.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_takes_time_is_about_latency() {
        let timed = crate::metrics::specs(&[], &[], 60);
        let timed = timed.iter().map(|spec| &spec.def);
        // A backoff is what users wait by themselves.
        let timed = timed.filter(|def| def.name.ends_with("_duration") && def.name != "backoff_duration");
        let told: Vec<_> = timed.map(|def| (&*def.name, kpi_of(&def.name))).collect();
        assert!(told.iter().any(|(name, _)| *name == "group_duration"), "{told:?}");
        assert!(told.iter().all(|(_, kpi)| *kpi == Some("latency")), "{told:?}");
    }

    #[test]
    fn beyond_is_the_way_in_which_it_rings() {
        let told = |value, comparison, limit| beyond(value, comparison, limit).and_then(|by| by.as_f64());
        assert_eq!(told(450.0, Comparison::Greater, 300.0), Some(50.0));
        assert_eq!(told(0.005, Comparison::GreaterOrEqual, 0.01), Some(-50.0));
        assert_eq!(told(80.0, Comparison::Less, 100.0), Some(20.0));
        assert_eq!((told(1.0, Comparison::Greater, 0.0), told(1.0, Comparison::Equal, 1.0)), (None, None));
    }
}
