//! The rules of a Plan for people and as JSON: the parts of `punk check` about thresholds and alerts.
//!
//! Called by `plan` and `plan_wire`. It knows what was declared, never what is judged.

use super::page::{Page, Piece, Tint};
use super::plan_wire::ms;
use crate::expr::{Abort, AlertRule, RuleOptions, RuleSeverity, Rules};
use serde::Serialize;
use serde_json::Value;

/// What must hold: expressions, then closures.
pub(super) fn thresholds(page: &mut Page, rules: &Rules) {
    if rules.thresholds.is_empty() && rules.closures.is_empty() {
        return;
    }
    page.heading("THRESHOLDS", "");
    let expressions = rules.thresholds.iter().map(|rule| (rule.selector.to_string(), &rule.source, &rule.options));
    let closures = rules.closures.iter().map(|rule| (rule.name.clone(), &rule.source, &rule.options));
    for (of, text, options) in expressions.chain(closures) {
        let remarks = options.remarks();
        let remarks = if remarks.is_empty() { String::new() } else { format!("({})", remarks.join(", ")) };
        page.pieces(2, 6, &[format!("{of}: {}", one_line(text)).into(), Piece::tinted(&remarks, Tint::Dim)]);
    }
}

/// What rings.
pub(super) fn alerts(page: &mut Page, rules: &Rules) {
    if rules.alerts.is_empty() {
        return;
    }
    page.heading("ALERTS", "");
    for alert in &rules.alerts {
        let severity = format!("({})", alert.severity);
        page.pieces(2, 6, &[format!("{}: {}", alert.name, alert.source).into(), Piece::tinted(&severity, Tint::Dim)]);
        for (key, text) in alert.said().into_iter().filter(|(key, _)| !matches!(*key, "when" | "severity")) {
            page.pieces(6, 6, &[Piece::tinted(&format!("{key}:"), Tint::Dim), one_line(&text).as_str().into()]);
        }
    }
}

/// A text without its line breaks.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[derive(Debug, Serialize)]
pub(super) struct ThresholdWire {
    /// Of one that is a closure its name.
    selector: String,
    /// Of one that is a closure its text.
    expression: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    closure: bool,
    severity: &'static str,
    /// Whether a breach ends the run; `"scenario"` when it ends one scenario only.
    abort: Value,
    grace: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lasting: Option<f64>,
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    scenario: Option<String>,
}

/// What must hold: expressions, then closures.
pub(super) fn thresholds_wire(rules: &Rules) -> Vec<ThresholdWire> {
    let expressions = rules.thresholds.iter().map(|rule| ThresholdWire {
        lasting: rule.condition.lasting.map(ms),
        ..wire(rule.selector.to_string(), &rule.source, &rule.options)
    });
    let closures = rules
        .closures
        .iter()
        .map(|rule| ThresholdWire { closure: true, ..wire(rule.name.clone(), &rule.source, &rule.options) });
    expressions.chain(closures).collect()
}

fn wire(selector: String, expression: &str, options: &RuleOptions) -> ThresholdWire {
    ThresholdWire {
        selector,
        expression: expression.to_owned(),
        closure: false,
        severity: if options.severity == RuleSeverity::Warn { "warn" } else { "fail" },
        abort: match options.abort {
            Abort::No => false.into(),
            Abort::Run => true.into(),
            Abort::Scenario(_) => "scenario".into(),
        },
        grace: ms(options.grace),
        lasting: options.lasting.map(ms),
        required: options.required,
        scenario: options.scenario.clone(),
    }
}

#[derive(Debug, Serialize)]
pub(super) struct AlertWire {
    name: String,
    when: String,
    lasting: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolve_when: Option<String>,
    resolve_after: f64,
    severity: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    resolution: String,
    /// The hosts that are told; the rest of an address may be secret.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notify: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    then: bool,
}

/// What rings.
pub(super) fn alerts_wire(rules: &Rules) -> Vec<AlertWire> {
    let wire = |alert: &AlertRule| AlertWire {
        name: alert.name.clone(),
        when: alert.source.clone(),
        lasting: ms(alert.lasting),
        resolve_when: alert.resolve_when.as_ref().map(|(text, _)| text.clone()),
        resolve_after: ms(alert.resolve_after),
        severity: alert.severity.word(),
        description: alert.description.clone(),
        resolution: alert.resolution.clone(),
        notify: alert.notify.iter().map(crate::expr::Receiver::shown).collect(),
        then: alert.acts,
    };
    rules.alerts.iter().map(wire).collect()
}
