//! The summary for programs: versioned JSON of `--summary FILE.json` and `--json`.
//!
//! Wire twins, so that a change inside punk cannot change the format by accident; the schema is `docs/summary.schema.json`.
//! Times in milliseconds, rates per second, sizes in bytes, shares called `*_rate` in percent (only `values.rate` of a Rate
//! metric is 0 to 1, as in k6). What was not measured is absent, never zero; a counter that counted nothing is 0.

mod edits;
mod errors;
mod machines;
mod metrics;
mod rows;
mod rules;

use self::edits::{BrokenEditWire, CodeWire, EditWire};
use self::errors::ErrorWire;
use self::machines::{ComponentWire, MachineWire, ObservedWire};
use self::metrics::MetricWire;
use self::rows::{CheckWire, GeneratorWire, OperationWire, RequestsWire, ScenarioWire};
use self::rules::{AlertWire, ThresholdWire, WebhookWire};
use super::facts::Facts;
use super::interventions::InterventionWire;
use super::plan_wire::{OptionsWire, ScriptWire, scripts};
use crate::plan::Plan;
use crate::snapshot::Snapshot;
use chrono::SecondsFormat;
use serde::Serialize;
use serde_json::{Map, Number, Value};
use std::time::Duration;

/// Grows when a field changes its meaning or goes; new fields do not change it.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything that a run has to say, ready to be serialised.
#[derive(Debug, Serialize)]
pub struct Summary {
    schema_version: u32,
    punk_version: &'static str,
    verdict: &'static str,
    exit_code: u8,
    exit_reason: Vec<ReasonWire>,
    scripts: Vec<ScriptWire>,
    revision: u64,
    edits: Vec<EditWire>,
    unlisted_edits: u64,
    /// The edit that could not be used and was never mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken_edit: Option<BrokenEditWire>,
    code_revisions: Vec<CodeWire>,
    interventions: Vec<InterventionWire>,
    unlisted_interventions: u64,
    seed: u64,
    started_at: String,
    duration_seconds: Number,
    options: OptionsWire,
    scenarios: Vec<ScenarioWire>,
    metrics: Map<String, Value>,
    operations: Vec<OperationWire>,
    requests: RequestsWire,
    checks: Vec<CheckWire>,
    thresholds: Vec<ThresholdWire>,
    alerts: Vec<AlertWire>,
    webhooks: Vec<WebhookWire>,
    errors: Vec<ErrorWire>,
    generator: GeneratorWire,
    #[serde(skip_serializing_if = "Option::is_none")]
    machine: Option<MachineWire>,
    observed: Vec<ObservedWire>,
    components: Vec<ComponentWire>,
}

#[derive(Debug, Serialize)]
struct ReasonWire {
    code: u8,
    message: String,
}

impl Summary {
    /// The summary of a run; `duration_seconds` is run time, which all rates refer to (setup, teardown and warm-up apart).
    pub fn new(plan: &Plan, snapshot: &Snapshot, facts: &Facts) -> Self {
        let operations = super::operations::operations(snapshot);
        let reasons =
            facts.reasons.iter().map(|reason| ReasonWire { code: reason.code, message: reason.message.clone() });
        let metrics = MetricWire::all(plan, snapshot).into_iter().map(|(name, metric)| (name, value(&metric)));
        Summary {
            schema_version: SCHEMA_VERSION,
            punk_version: env!("CARGO_PKG_VERSION"),
            verdict: facts.outcome.word(),
            exit_code: facts.exit_code,
            exit_reason: reasons.collect(),
            scripts: scripts(plan),
            revision: snapshot.revision.max(1),
            edits: snapshot.edits.iter().map(EditWire::new).collect(),
            unlisted_edits: snapshot.edits.lost(),
            broken_edit: snapshot.broken_edit.as_ref().map(BrokenEditWire::new),
            code_revisions: snapshot.code_revisions.iter().map(CodeWire::new).collect(),
            interventions: InterventionWire::all(snapshot),
            unlisted_interventions: snapshot.interventions.lost(),
            seed: plan.options.seed,
            started_at: facts.started_at.to_rfc3339_opts(SecondsFormat::Millis, true),
            duration_seconds: number(snapshot.elapsed.as_secs_f64()).expect("a duration is finite"),
            options: OptionsWire::new(&plan.options),
            scenarios: ScenarioWire::all(plan, snapshot),
            metrics: metrics.collect(),
            requests: RequestsWire::new(&super::requests::Requests::new(snapshot, &operations)),
            operations: operations.iter().map(|operation| OperationWire::new(operation, snapshot.measured())).collect(),
            checks: super::checks::checks(snapshot).into_iter().map(CheckWire::new).collect(),
            thresholds: snapshot.thresholds.iter().map(ThresholdWire::new).collect(),
            alerts: AlertWire::all(snapshot),
            webhooks: facts.deliveries.iter().map(WebhookWire::new).collect(),
            errors: ErrorWire::all(snapshot),
            generator: GeneratorWire::new(snapshot),
            machine: snapshot.machine.as_deref().map(MachineWire::new),
            observed: snapshot.observed.iter().map(|one| ObservedWire::new(one, snapshot)).collect(),
            components: snapshot.components.iter().map(ComponentWire::new).collect(),
        }
    }

    /// The summary as one JSON document, indented, ending with a newline.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts and numbers are always JSON") + "\n"
    }
}

fn value(wire: &impl Serialize) -> Value {
    serde_json::to_value(wire).expect("texts and numbers are always JSON")
}

/// A number as people write it: whole ones without a fraction, others to a millionth (a nanosecond, in milliseconds).
/// `None` for what is no number.
fn number(value: f64) -> Option<Number> {
    let rounded = (value * 1e6).round() / 1e6;
    let value = if rounded.is_finite() { rounded } else { value };
    if value.fract() == 0.0 && value.abs() < 9e15 {
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}

/// A duration in milliseconds.
fn ms(duration: Duration) -> Option<Number> {
    number(duration.as_secs_f64() * 1e3)
}

/// A share from 0 to 1 in percent.
fn percent(share: Option<f64>) -> Option<Number> {
    share.and_then(|share| number(share * 100.0))
}

#[cfg(test)]
mod tests;
