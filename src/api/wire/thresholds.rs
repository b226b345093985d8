//! `GET /thresholds`: the rules as they stand, in the words that a `PUT` takes, each with what it says now under `live`.

use super::words::{MEANINGS, PHASES, SEVERITIES};
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
    /// What fails a run, or warns of it.
    thresholds: Vec<ThresholdWire>,
    /// What rings.
    alerts: Vec<AlertRuleWire>,
}

/// One threshold.
#[derive(Debug, Serialize, JsonSchema)]
struct ThresholdWire {
    /// Which metric, and which of its series; of a closure its name.
    selector: String,
    /// What must hold.
    expression: String,
    /// Only the script can change a closure: a `PUT` leaves it as it is.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    closure: bool,
    /// The scenario that it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    scenario: Option<String>,
    /// What it means if it is broken.
    #[schemars(extend("enum" = MEANINGS))]
    severity: &'static str,
    /// What ends when it is broken: nothing (`false`), the run (`true`), or its scenario (`"scenario"`).
    #[schemars(extend("enum" = [false, true, "scenario"]))]
    abort: Value,
    /// How long it does not judge at the beginning: `10s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    grace: Option<String>,
    /// How long it must be broken to count: `5s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    lasting: Option<String>,
    /// Whether no data breaks it.
    required: bool,
    /// What it says now.
    live: VerdictWire,
}

/// What a threshold says.
#[derive(Debug, Serialize, JsonSchema)]
struct VerdictWire {
    /// Whether the run passes by it, so far; `null` without data.
    passed: Option<bool>,
    /// Whether its expression is true at this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<bool>,
    /// The value that decides, in the unit of its metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Number>,
    /// The same as people write it, with its unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    value_text: Option<String>,
    /// The value of this moment, where another one decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    now_text: Option<String>,
    /// As a share of the limit, in percent: below 0 it is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    distance: Option<Number>,
    /// When it was first broken, in run time.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_breach_seconds: Option<Number>,
    /// When it held again, in run time.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovered_seconds: Option<Number>,
    /// How often it was broken.
    breach_count: u64,
    /// The last times that it was.
    breaches: Vec<BreachWire>,
    /// The revision of the rules that brought it.
    revision: u64,
    /// Since when it judges, in run time.
    since_seconds: Number,
    /// What else is to be known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// A time in which a threshold was broken.
#[derive(Debug, Serialize, JsonSchema)]
struct BreachWire {
    /// Its beginning, in run time.
    from_seconds: Number,
    /// Its end; absent while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    to_seconds: Option<Number>,
    /// The value at its beginning, as people write it.
    value_text: String,
}

/// One alert.
#[derive(Debug, Serialize, JsonSchema)]
struct AlertRuleWire {
    /// Its name in the script.
    name: String,
    /// What must be true for it to ring.
    when: String,
    /// How bad it is.
    #[schemars(extend("enum" = SEVERITIES))]
    severity: &'static str,
    /// How long that must be true, where `when` does not say it by its `for`: `30s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    lasting: Option<String>,
    /// What ends it, where that is not the end of `when`.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolve_when: Option<String>,
    /// How long that must be true: `30s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolve_after: Option<String>,
    /// What it means; empty where nobody wrote it.
    description: String,
    /// What to do; empty where nobody wrote it.
    resolution: String,
    /// Where it is now.
    live: AlertLiveWire,
}

/// Where an alert is.
#[derive(Debug, Serialize, JsonSchema)]
struct AlertLiveWire {
    /// `pending`: it is true, and has not lasted long enough; `resolved`: it rang, and is over.
    #[schemars(extend("enum" = PHASES))]
    state: &'static str,
    /// Since when, in run time.
    since_seconds: Number,
    /// How often it has rung.
    fired: u64,
    /// The first value that it reads, in the unit of its metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Number>,
    /// The same as people write it, with its unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    value_text: Option<String>,
    /// Who has seen its last ringing.
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged_by: Option<String>,
    /// When it would have rung, in run time, had it been there from the beginning.
    would_have_seconds: Vec<Number>,
    /// The revision of the rules that brought it.
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
