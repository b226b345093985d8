//! Bands of a KPI: from which value on a rule of the run calls it bad. Only rules make bands; where there is none, a value is just a
//! value.
//!
//! Made by the wires of KPIs. Of an expression it takes what is sure: comparisons that must all hold (a threshold), or the only one
//! (an alert), of the whole metric.

use super::number;
use crate::expr::AlertSeverity;
use crate::expr::{Compared, Comparison, Condition, Method, RuleSeverity};
use crate::plan::Plan;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;

/// From which value on a rule calls a figure bad.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(in crate::api) struct BandWire {
    /// How bad: `critical` where a threshold fails the run or an alert is an error or worse.
    level: Level,
    /// What of the metric the rule reads: `p(95)`, `rate`, `value`.
    figure: String,
    /// Of how many seconds it reads that; absent where it reads the whole run.
    #[serde(skip_serializing_if = "Option::is_none")]
    over_seconds: Option<Number>,
    /// On which side of the limit it is bad.
    bad: Side,
    /// The limit, in the unit of the KPI.
    limit: Number,
    /// What says so.
    rule: Kind,
    /// The threshold's expression, or the alert's name.
    name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Level {
    Warning,
    Critical,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Side {
    Above,
    Below,
}

impl Side {
    fn other(self) -> Self {
        if self == Side::Above { Side::Below } else { Side::Above }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Threshold,
    Alert,
}

/// All bands of a metric of which a KPI shows what `shows` says; limits are multiplied by `by`.
pub(super) fn bands(plan: Option<&Plan>, metric: &str, by: f64, shows: fn(Method) -> bool) -> Vec<BandWire> {
    let Some(plan) = plan else { return Vec::new() };
    let band = |compared: &Compared, level, rule, name: &str| {
        let quantity = compared.quantity().filter(|quantity| shows(quantity.method))?;
        let whole = quantity.selector.metric() == metric && quantity.selector.tags().next().is_none();
        let holds = match compared.comparison {
            Comparison::Less | Comparison::LessOrEqual => Side::Below,
            Comparison::Greater | Comparison::GreaterOrEqual => Side::Above,
            Comparison::Equal | Comparison::NotEqual => return None,
        };
        // A threshold says what is right, an alert what is wrong.
        let bad = if rule == Kind::Alert { holds } else { holds.other() };
        whole.then_some(())?;
        Some(BandWire {
            level,
            figure: quantity.method.to_string(),
            over_seconds: quantity.window.map(super::seconds),
            bad,
            limit: number(compared.limit * by)?,
            rule,
            name: name.to_owned(),
        })
    };
    let mut bands = Vec::new();
    for rule in &plan.rules.thresholds {
        let level = if rule.options.severity == RuleSeverity::Warn { Level::Warning } else { Level::Critical };
        let parts = rule.condition.all_of().into_iter();
        bands.extend(parts.filter_map(|part| band(part, level, Kind::Threshold, &rule.source)));
    }
    for rule in &plan.rules.alerts {
        let bad = rule.severity >= AlertSeverity::Error;
        let level = if bad { Level::Critical } else { Level::Warning };
        bands.extend(only(&rule.condition).and_then(|part| band(part, level, Kind::Alert, &rule.name)));
    }
    bands
}

fn only(condition: &Condition) -> Option<&Compared> {
    let parts = condition.all_of();
    if let [part] = parts[..] { Some(part) } else { None }
}

/// What thresholds ask of a figure: the strictest limit, where `more` of it is better or worse; and the expression that says so.
pub(super) fn asked<'a>(bands: &'a [BandWire], figure: &str, more_is_better: bool) -> Option<(&'a Number, &'a str)> {
    let bad = if more_is_better { Side::Below } else { Side::Above };
    let asks = |band: &&BandWire| band.rule == Kind::Threshold && band.bad == bad && band.figure == figure;
    let value = |band: &&BandWire| band.limit.as_f64().unwrap_or_default();
    let strict = |a: &&BandWire, b: &&BandWire| value(a).total_cmp(&value(b));
    let bands = bands.iter().filter(asks);
    let band = if more_is_better { bands.max_by(strict) } else { bands.min_by(strict) }?;
    Some((&band.limit, &band.name))
}
