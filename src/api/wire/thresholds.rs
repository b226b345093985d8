//! `GET /thresholds`: the rules as they stand, in the words that a `PUT` takes, each with what it says now under `live`.

use super::{number, seconds};
use crate::expr::{Abort, AlertOptions, AlertRule, Catalog, RuleOptions, RuleSeverity};
use crate::snapshot::{AlertState, Breach, Snapshot, Verdict};
use crate::units::duration;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Number, Value};
use std::time::Duration;

/// All rules.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct ThresholdsWire {
    /// What `If-Match` of a `PUT` must name.
    revision: u64,
    thresholds: Vec<ThresholdWire>,
    alerts: Vec<AlertRuleWire>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ThresholdWire {
    /// The name of one that is a closure.
    selector: String,
    expression: String,
    /// Only the script can change a closure: a `PUT` leaves it as it is.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    closure: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    scenario: Option<String>,
    severity: &'static str,
    abort: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    grace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lasting: Option<String>,
    required: bool,
    live: VerdictWire,
}

#[derive(Debug, Serialize, JsonSchema)]
struct VerdictWire {
    /// `null` without data.
    passed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    now_text: Option<String>,
    /// As a share of the limit, in percent: below 0 it is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    distance: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_breach_seconds: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovered_seconds: Option<Number>,
    breach_count: u64,
    breaches: Vec<BreachWire>,
    revision: u64,
    since_seconds: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct BreachWire {
    from_seconds: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_seconds: Option<Number>,
    value_text: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct AlertRuleWire {
    name: String,
    when: String,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    lasting: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolve_when: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolve_after: Option<String>,
    description: String,
    resolution: String,
    live: AlertLiveWire,
}

#[derive(Debug, Serialize, JsonSchema)]
struct AlertLiveWire {
    state: &'static str,
    since_seconds: Number,
    fired: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged_by: Option<String>,
    would_have_seconds: Vec<Number>,
    revision: u64,
    /// Who is told, by host alone.
    notifies: Vec<String>,
    /// Whether the script does something when it rings.
    acts: bool,
}

impl ThresholdsWire {
    pub(in crate::api) fn new(snapshot: &Snapshot) -> Self {
        let (mut thresholds, mut alerts) = (Vec::new(), Vec::new());
        if let Some(plan) = &snapshot.plan {
            let rules = &plan.rules;
            let expressions = rules.thresholds.iter().map(|rule| &rule.options);
            let options = expressions.chain(rules.closures.iter().map(|rule| &rule.options));
            // The judge has them in the same order.
            thresholds.extend(snapshot.thresholds.iter().zip(options).map(|(said, rule)| threshold(said, rule)));
            let catalog = Catalog { metrics: &plan.metrics, tags: &plan.options.declared_tags, history: true };
            alerts.extend(snapshot.alerts.iter().zip(&rules.alerts).map(|(state, rule)| alert(state, rule, catalog)));
        }
        ThresholdsWire { revision: snapshot.revision.max(1), thresholds, alerts }
    }

    /// Of these thresholds alone, by their places, and of no alerts.
    pub(in crate::api) fn only(self, wanted: impl Fn(usize) -> bool) -> Self {
        let places = self.thresholds.into_iter().enumerate().filter(|(at, _)| wanted(*at));
        ThresholdsWire { thresholds: places.map(|(_, threshold)| threshold).collect(), alerts: Vec::new(), ..self }
    }
}

fn threshold(said: &Verdict, options: &RuleOptions) -> ThresholdWire {
    let abort = match &options.abort {
        Abort::No => Value::Bool(false),
        Abort::Run => Value::Bool(true),
        Abort::Scenario(_) => Value::from("scenario"),
    };
    ThresholdWire {
        selector: said.selector.clone(),
        expression: said.expression.clone(),
        closure: said.closure,
        scenario: options.scenario.clone(),
        severity: if options.severity == RuleSeverity::Warn { "warn" } else { "fail" },
        abort,
        grace: Some(options.grace).filter(|grace| !grace.is_zero()).map(duration::print),
        lasting: options.lasting.filter(|lasting| !lasting.is_zero()).map(duration::print),
        required: options.required,
        live: VerdictWire {
            passed: said.passed,
            holds: said.holds,
            value: said.observed.and_then(number),
            value_text: said.observed_text.clone(),
            now_text: said.now_text.clone(),
            distance: said.distance.and_then(|distance| number(distance * 100.0)),
            first_breach_seconds: said.first_breach.map(seconds),
            recovered_seconds: said.recovered.map(seconds),
            breach_count: said.breach_count,
            breaches: said.breaches.iter().map(breach).collect(),
            revision: said.revision.max(1),
            since_seconds: seconds(said.since),
            note: said.note.clone(),
        },
    }
}

fn breach(breach: &Breach) -> BreachWire {
    BreachWire {
        from_seconds: seconds(breach.from),
        to_seconds: breach.to.map(seconds),
        value_text: breach.observed_text.clone(),
    }
}

/// A time that neither the expressions say by their `for` nor goes without saying.
fn alert_times(rule: &AlertRule, catalog: Catalog<'_>) -> (Option<String>, Option<String>) {
    let resolve_when = rule.resolve_when.as_ref().map(|(source, _)| source.clone());
    let options = AlertOptions { resolve_when, ..AlertOptions::default() };
    let said = AlertRule::parse(&rule.name, &rule.source, options, None, catalog).0;
    let by_text = |of: fn(&AlertRule) -> Duration| said.as_ref().is_some_and(|said| of(said) == of(rule));
    let lasting = !by_text(|rule| rule.lasting);
    let usual =
        rule.resolve_after == rule.lasting || (rule.resolve_when.is_some() && by_text(|rule| rule.resolve_after));
    (lasting.then(|| duration::print(rule.lasting)), (!usual).then(|| duration::print(rule.resolve_after)))
}

fn alert(state: &AlertState, rule: &AlertRule, catalog: Catalog<'_>) -> AlertRuleWire {
    let (lasting, resolve_after) = alert_times(rule, catalog);
    AlertRuleWire {
        name: state.name.clone(),
        when: state.when.clone(),
        severity: state.severity.word(),
        lasting,
        resolve_when: rule.resolve_when.as_ref().map(|(source, _)| source.clone()),
        resolve_after,
        description: state.description.clone(),
        resolution: state.resolution.clone(),
        live: AlertLiveWire {
            state: state.phase.word(),
            since_seconds: seconds(state.since),
            fired: state.fired,
            value: state.value.and_then(number),
            value_text: state.value_text.clone(),
            acknowledged_by: state.acknowledged_by.clone(),
            would_have_seconds: state.would_have.iter().map(|at| seconds(*at)).collect(),
            revision: state.revision.max(1),
            notifies: rule.notify.iter().map(|receiver| receiver.shown()).collect(),
            acts: rule.acts,
        },
    }
}
