//! Bands of a KPI: from which value on a rule of the run calls it bad. Only rules make bands; where there is none, a value is just a
//! value.
//!
//! Made by the wires of KPIs. Of an expression it takes what is sure: comparisons that must all hold (a threshold), or the only one
//! (an alert), of the whole metric.

use super::number;
use crate::expr::{AlertSeverity, Compared, Comparison, Condition, Method, RuleSeverity, Rules};
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
pub(super) fn bands(rules: Option<&Rules>, metric: &str, by: f64, shows: fn(Method) -> bool) -> Vec<BandWire> {
    let Some(rules) = rules else { return Vec::new() };
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
    for rule in &rules.thresholds {
        let level = if rule.options.severity == RuleSeverity::Warn { Level::Warning } else { Level::Critical };
        let parts = rule.condition.all_of().into_iter();
        bands.extend(parts.filter_map(|part| band(part, level, Kind::Threshold, &rule.source)));
    }
    for rule in &rules.alerts {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::{AlertOptions, AlertRule, Catalog, RuleOptions, ThresholdRule};

    fn rules() -> Rules {
        let catalog = Catalog { metrics: &[], tags: &[], history: true };
        let threshold = |selector: &str, expression: &str, severity| {
            let options = RuleOptions { severity, ..RuleOptions::default() };
            ThresholdRule::parse(selector, expression, options, None, catalog).0.unwrap()
        };
        let alert = |when: &str, severity| {
            let options = AlertOptions { severity, ..AlertOptions::default() };
            AlertRule::parse("tail", when, options, None, catalog).0.unwrap()
        };
        let fail = RuleSeverity::Fail;
        Rules {
            thresholds: vec![
                threshold("http_req_duration", "p(95) < 300ms and p(99) < 1s", fail),
                threshold("http_req_duration", "p(95) < 0.4s over 30s", RuleSeverity::Warn),
                // Of these nobody can say on which side of a limit the whole is bad.
                threshold("http_req_duration", "p(95) < 100ms or avg < 50ms", fail),
                threshold("http_req_duration", "not p(95) < 10ms", fail),
                threshold("http_req_duration{name:cart}", "p(95) < 200ms", fail),
                threshold("http_req_duration", "p(95) - p(50) < 200ms", fail),
                threshold("punk_cpu", "value < 80%", fail),
            ],
            alerts: vec![
                alert("max of http_req_duration > 5s", AlertSeverity::Error),
                alert("p(95) of http_req_duration > 1s and rate of http_reqs > 10", AlertSeverity::Error),
            ],
            ..Rules::default()
        }
    }

    #[test]
    fn bands_are_what_rules_say_for_sure() {
        let rules = rules();
        let told = |bands: &[BandWire]| {
            let line = |band: &BandWire| {
                format!(
                    "{:?} {} {:?} {} ({:?} {})",
                    band.level, band.figure, band.bad, band.limit, band.rule, band.name
                )
            };
            bands.iter().map(line).collect::<Vec<_>>().join("\n")
        };
        let latency = bands(Some(&rules), "http_req_duration", 1.0, |method| method != Method::Count);
        insta::assert_snapshot!(told(&latency), @r#"
        Critical p(95) Above 300 (Threshold p(95) < 300ms and p(99) < 1s)
        Critical p(99) Above 1000 (Threshold p(95) < 300ms and p(99) < 1s)
        Warning p(95) Above 400 (Threshold p(95) < 0.4s over 30s)
        Critical max Above 5000 (Alert tail)
        "#);
        assert_eq!(latency[2].over_seconds, Some(30.into()));
        insta::assert_snapshot!(told(&bands(Some(&rules), "punk_cpu", 100.0, |_| true)), @r#"Critical value Above 80 (Threshold value < 80%)"#);
        assert_eq!(asked(&latency, "p(95)", false), Some((&300.into(), "p(95) < 300ms and p(99) < 1s")));
        assert_eq!(asked(&latency, "max", false), None, "an alert asks for nothing");
        assert_eq!((asked(&latency, "p(95)", true), bands(None, "http_reqs", 1.0, |_| true).len()), (None, 0));
    }
}
