//! The rows of the summary: scenarios, operations, requests, checks, generator.

use super::{number, percent};
use crate::load::Answer;
use crate::metrics::Trend;
use crate::plan::Plan;
use crate::report::arrivals::Arrivals;
use crate::report::checks::Check;
use crate::report::figures::{clipped, per_second, share, statistic};
use crate::report::operations::{Operation, PHASES};
use crate::report::requests::{Apart, Requests};
use crate::snapshot::Snapshot;
use serde::Serialize;
use serde_json::{Map, Number, Value, json};
use std::time::Duration;

#[derive(Debug, Serialize)]
pub(super) struct ScenarioWire {
    name: String,
    model: &'static str,
    plan: String,
    iterations: u64,
    /// Open model: what was due. `arrivals = started + dropped + waiting`.
    #[serde(skip_serializing_if = "Option::is_none")]
    arrivals: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<u64>,
    dropped: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity: Option<CapacityWire>,
    interrupted: u64,
    users_max: u32,
    /// Open model: the most users that it may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_users: Option<u32>,
}

/// What `find_capacity` found.
#[derive(Debug, Serialize)]
struct CapacityWire {
    answer: &'static str,
    text: String,
    #[serde(flatten)]
    found: Map<String, Value>,
}

impl CapacityWire {
    fn new(answer: &Answer) -> Self {
        let (word, found) = match answer {
            Answer::Found { capacity, fails_at, held, windows: (met, all), confirmed } => {
                let found = json!({
                    "capacity": capacity, "fails_at": fails_at, "held_seconds": held.as_secs_f64(),
                    "windows": all, "windows_met": met, "confirmed": confirmed,
                });
                ("found", found)
            }
            Answer::BoundNotFound { highest } => ("bound not found", json!({ "capacity": highest })),
            Answer::NotEvenStart { start } => ("not even the start", json!({ "fails_at": start })),
        };
        let found = found.as_object().cloned().unwrap_or_default();
        CapacityWire { answer: word, text: answer.to_string(), found }
    }
}

impl ScenarioWire {
    pub(super) fn all(plan: &Plan, snapshot: &Snapshot) -> Vec<ScenarioWire> {
        let rows = plan.scenarios.iter().map(|scenario| {
            // A run that never began has no states.
            let state =
                snapshot.scenarios.iter().find(|state| state.name == scenario.name).cloned().unwrap_or_default();
            let arrivals = Arrivals::of(scenario, &state);
            ScenarioWire {
                arrivals: arrivals.as_ref().map(|arrivals| arrivals.due),
                started: arrivals.as_ref().map(|arrivals| arrivals.started),
                waiting: arrivals.as_ref().map(|arrivals| arrivals.waiting),
                max_users: arrivals.as_ref().map(|arrivals| arrivals.max_users),
                name: scenario.name.clone(),
                model: scenario.work.word(),
                plan: scenario.work.to_string(),
                iterations: state.iterations,
                dropped: state.dropped,
                capacity: state.found.as_ref().map(CapacityWire::new),
                interrupted: state.interrupted,
                users_max: state.users_max,
            }
        });
        rows.collect()
    }
}

#[derive(Debug, Serialize)]
pub(super) struct OperationWire {
    name: String,
    method: String,
    protocol: String,
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<Number>,
    errors: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_rate: Option<Number>,
    interrupted: u64,
    unsent: u64,
    #[serde(skip_serializing_if = "Map::is_empty")]
    latency: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    phases: Map<String, Value>,
    bytes_in: u64,
    bytes_out: u64,
    status: Map<String, Value>,
}

impl OperationWire {
    pub(super) fn new(operation: &Operation<'_>, elapsed: Duration) -> Self {
        let phases = PHASES.iter().zip(&operation.phases).filter_map(|((name, _), trend)| {
            Some(((*name).to_owned(), Value::Object(statistics(trend.as_ref()?, &["avg", "max"]))))
        });
        let latency = operation.latency.as_ref();
        OperationWire {
            name: operation.name.clone(),
            method: operation.method.clone(),
            protocol: operation.protocol.clone(),
            count: operation.requests,
            rate: per_second(operation.requests as f64, elapsed).and_then(number),
            errors: operation.errors,
            error_rate: percent(share(operation.errors, operation.judged)),
            interrupted: operation.interrupted,
            unsent: operation.unsent,
            latency: latency.map(|trend| statistics(trend, &LATENCY)).unwrap_or_default(),
            phases: phases.collect(),
            bytes_in: operation.received as u64,
            bytes_out: operation.sent as u64,
            status: operation.status.iter().map(|(status, count)| (status.to_string(), (*count).into())).collect(),
        }
    }
}

const LATENCY: [&str; 8] = ["avg", "min", "med", "max", "p(90)", "p(95)", "p(99)", "p(99.9)"];

fn statistics(trend: &Trend, names: &[&str]) -> Map<String, Value> {
    let known =
        names.iter().filter_map(|name| Some(((*name).to_owned(), Value::Number(number(statistic(trend, name)?)?))));
    std::iter::once(("count".to_owned(), trend.count().into())).chain(known).collect()
}

/// `total = answered + failed_after_sending + interrupted + unsent + regrouped`; `apart` is not in it.
#[derive(Debug, Serialize)]
pub(super) struct RequestsWire {
    total: u64,
    answered: u64,
    failed_after_sending: u64,
    interrupted: u64,
    unsent: u64,
    regrouped: u64,
    apart: Map<String, Value>,
}

#[derive(Debug, Serialize)]
struct ApartWire {
    requests: u64,
    errors: u64,
    unsent: u64,
    checks_passed: u64,
    checks_failed: u64,
}

impl RequestsWire {
    pub(super) fn new(requests: &Requests) -> Self {
        let apart = |apart: &Apart| {
            let wire = ApartWire {
                requests: apart.requests,
                errors: apart.errors,
                unsent: apart.unsent,
                checks_passed: apart.passes,
                checks_failed: apart.fails,
            };
            (apart.phase.clone(), super::value(&wire))
        };
        RequestsWire {
            total: requests.total,
            answered: requests.answered,
            failed_after_sending: requests.failed_after_sending,
            interrupted: requests.interrupted,
            unsent: requests.unsent,
            regrouped: requests.statusless,
            apart: requests.apart.iter().map(apart).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct CheckWire {
    name: String,
    group: String,
    passes: u64,
    fails: u64,
}

impl CheckWire {
    pub(super) fn new(check: Check) -> Self {
        CheckWire { name: check.name, group: check.group, passes: check.passes, fails: check.fails }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct GeneratorWire {
    valid: bool,
    reasons: Vec<String>,
    warnings: Vec<String>,
    /// Percent of the cores that the shards may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lateness_p99_ms: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    loop_lag_p99_ms: Option<Number>,
    dropped_samples: u64,
    regrouped_samples: u64,
    clipped_values: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    resident_bytes: Option<u64>,
    series: usize,
    shards: usize,
}

impl GeneratorWire {
    pub(super) fn new(snapshot: &Snapshot) -> Self {
        let generator = &snapshot.generator;
        let p99 = |trend: Option<&Trend>| trend.and_then(|trend| trend.percentile(99.0)).and_then(number);
        GeneratorWire {
            valid: generator.invalid.is_empty(),
            reasons: generator.invalid.clone(),
            warnings: generator.warnings.clone(),
            cpu: generator.cpu_percent.and_then(number),
            lateness_p99_ms: p99(generator.lateness.as_ref()),
            loop_lag_p99_ms: p99(generator.loop_lag.as_ref()),
            dropped_samples: generator.lost,
            regrouped_samples: generator.regrouped,
            clipped_values: clipped(snapshot),
            resident_bytes: generator.resident,
            series: generator.series,
            shards: generator.shards,
        }
    }
}
