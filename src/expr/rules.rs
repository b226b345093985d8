//! The rules of a run as one set: an edit replaces all of it.
//!
//! Made by `script/` with the Plan, or by whoever edits; held by the engine's judge.

use super::{AlertRule, RuleOptions, ThresholdRule};
use crate::diagnostic::Span;

/// A threshold that is a closure of the script: `threshold("tail", |m| m.p(95, "http_req_duration", 30.s) < 300)`.
///
/// The closure itself is found by the order of declarations, by who has a Machine.
#[derive(Debug, Clone, PartialEq)]
pub struct ClosureRule {
    /// Its name, by which it is the same across edits.
    pub name: String,
    /// The text of the closure, by which a change of it is seen; for people.
    pub source: String,
    /// What else was declared.
    pub options: RuleOptions,
    /// Where it stands in the script.
    pub span: Option<Span>,
}

/// Everything that is judged.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rules {
    /// Thresholds in the language of expressions, in the order of the script.
    pub thresholds: Vec<ThresholdRule>,
    /// Thresholds that are closures, in the order of the script.
    pub closures: Vec<ClosureRule>,
    /// Alerts, in the order of the script.
    pub alerts: Vec<AlertRule>,
}

impl Rules {
    /// Every metric that any of them reads.
    pub fn metrics(&self) -> Vec<&str> {
        let alerts = self.alerts.iter().flat_map(AlertRule::conditions).flat_map(super::Condition::quantities);
        let thresholds = self.thresholds.iter().flat_map(ThresholdRule::metrics);
        thresholds.chain(alerts.map(|quantity| quantity.selector.metric())).collect()
    }
}

/// One thing that an edit changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which: `threshold http_req_duration`, `alert slow tail`, `fn browse`, `load of browse`.
    pub what: String,
    /// What it was; `None` for something new.
    pub from: Option<String>,
    /// What it is; `None` for something that is gone.
    pub to: Option<String>,
}

impl std::fmt::Display for Change {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.from, &self.to) {
            (None, Some(to)) => write!(out, "+ {}: {to}", self.what),
            (Some(from), None) => write!(out, "- {}: {from}", self.what),
            (Some(from), Some(to)) => write!(out, "~ {}: {from} → {to}", self.what),
            (None, None) => write!(out, "~ {}", self.what),
        }
    }
}
