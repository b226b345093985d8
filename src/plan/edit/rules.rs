//! Rules of an edit: all of them take the place of the old ones, save those that the run could not judge.

use super::Edit;
use super::fixed::stays;
use crate::expr::{Abort, AlertRule, Change, Condition, Rules, ThresholdRule};
use crate::plan::Plan;
use std::collections::BTreeSet;

/// Takes the rules of `new`. `unknown` are metrics that the run does not measure; `follows` says whether the texts of `new`
/// are taken as well, where closures stand.
pub(super) fn apply(edit: &mut Edit, new: &Plan, unknown: &BTreeSet<String>, follows: bool) {
    let old = std::mem::take(&mut edit.plan.rules);
    let mut rules = new.rules.clone();
    rules.thresholds.retain(|rule| {
        let Some(metric) = rule.metrics().into_iter().find(|metric| unknown.contains(*metric)) else { return true };
        let (what, source) = (rule.watched(), &rule.source);
        edit.refused
            .push(format!("threshold `{what}: {source}` is not judged: the metric `{metric}` begins in the next run"));
        false
    });
    let known = |name: &str| old.alerts.iter().find(|alert| alert.name == name);
    rules.alerts = rules
        .alerts
        .into_iter()
        .filter_map(|alert| {
            let metric = metrics(&alert).into_iter().find(|metric| unknown.contains(*metric));
            let acts = |alert: &AlertRule| alert.acts;
            let why = match metric {
                Some(metric) => format!("the metric `{metric}` begins in the next run"),
                None if !follows && alert.acts && !known(&alert.name).is_some_and(acts) => {
                    "what it does stands in functions that cannot be loaded now".to_owned()
                }
                None => return Some(alert),
            };
            edit.refused.push(stays(&format!("alert `{}`", alert.name), &why));
            known(&alert.name).cloned()
        })
        .collect();
    let mut acts = Vec::new();
    if follows {
        acts = changed_acts(&edit.plan, new);
    } else if closures(&old) != closures(&rules) || !changed_acts(&edit.plan, new).is_empty() {
        edit.refused.push(stays("what closures of rules say", "their functions cannot be loaded now"));
    }
    if !follows {
        rules.closures.clone_from(&old.closures);
    }
    let mut changes = diff(&old, &rules);
    changes.extend(acts);
    edit.rules_changed = !changes.is_empty();
    edit.changes.extend(changes);
    edit.plan.rules = rules;
}

/// Alerts whose `then` is another one.
fn changed_acts(current: &Plan, new: &Plan) -> Vec<Change> {
    let (old, new) = (&current.code.asked, &new.code.asked);
    let both = new.iter().filter(|(name, hash)| old.get(*name).is_some_and(|was| was != *hash));
    let alerts = both.filter(|(name, _)| name.starts_with("alert"));
    alerts.map(|(name, _)| Change { what: format!("then of {name}"), from: None, to: None }).collect()
}

fn metrics(alert: &AlertRule) -> Vec<&str> {
    let resolve = alert.resolve_when.iter().map(|(_, condition)| condition);
    let quantities = std::iter::once(&alert.condition).chain(resolve).flat_map(Condition::quantities);
    quantities.map(|quantity| quantity.selector.metric()).collect()
}

fn closures(rules: &Rules) -> Vec<(&str, &str)> {
    rules.closures.iter().map(|rule| (rule.name.as_str(), rule.source.as_str())).collect()
}

/// What differs between two sets of rules; where they stand in a file does not count.
fn diff(old: &Rules, new: &Rules) -> Vec<Change> {
    let mut changes = Vec::new();
    let threshold =
        |rule: &ThresholdRule| (format!("threshold {}", rule.watched()), format!("{}{}", rule.source, options(rule)));
    listed(&mut changes, old.thresholds.iter().map(threshold), new.thresholds.iter().map(threshold));
    let closures = |rules: &Rules| {
        let one = |rule: &crate::expr::ClosureRule| {
            (format!("threshold {}", rule.name), format!("{} {:?}", rule.source, rule.options))
        };
        rules.closures.iter().map(one).collect::<Vec<_>>()
    };
    listed(&mut changes, closures(old).into_iter(), closures(new).into_iter());
    let alert = |alert: &AlertRule| {
        let plain = AlertRule { span: None, ..alert.clone() };
        (format!("alert {}", alert.name), alert.source.clone(), plain)
    };
    let (old, new): (Vec<_>, Vec<_>) = (old.alerts.iter().map(alert).collect(), new.alerts.iter().map(alert).collect());
    for (what, source, _) in &old {
        if new.iter().all(|(name, ..)| name != what) {
            changes.push(Change { what: what.clone(), from: Some(source.clone()), to: None });
        }
    }
    for (what, source, alert) in &new {
        let was = old.iter().find(|(name, ..)| name == what);
        match was {
            Some((.., was)) if was == alert => {}
            Some((_, text, _)) if text == source => changes.push(Change { what: what.clone(), from: None, to: None }),
            was => {
                let from = was.map(|(_, text, _)| text.clone());
                changes.push(Change { what: what.clone(), from, to: Some(source.clone()) });
            }
        }
    }
    changes
}

fn options(rule: &ThresholdRule) -> String {
    let options = &rule.options;
    let mut text = String::new();
    if options.severity == crate::expr::RuleSeverity::Warn {
        text.push_str(", only a warning");
    }
    match &options.abort {
        Abort::No => {}
        Abort::Run => text.push_str(", ends the run"),
        Abort::Scenario(name) => text.push_str(&format!(", ends {name}")),
    }
    if !options.grace.is_zero() {
        text.push_str(&format!(" after {}", crate::units::duration::print(options.grace)));
    }
    if options.required {
        text.push_str(", required");
    }
    text
}

/// Changes between two lists of names with texts, in which a name may stand more than once: of one name, what is gone and
/// what is new are paired in their order.
fn listed(
    changes: &mut Vec<Change>,
    old: impl Iterator<Item = (String, String)>,
    new: impl Iterator<Item = (String, String)>,
) {
    let (mut gone, mut fresh): (Vec<_>, Vec<_>) = (old.collect(), Vec::new());
    for rule in new {
        match gone.iter().position(|known| *known == rule) {
            Some(at) => drop(gone.remove(at)),
            None => fresh.push(rule),
        }
    }
    for (what, to) in fresh {
        let from = gone.iter().position(|(name, _)| *name == what).map(|at| gone.remove(at).1);
        changes.push(Change { what, from, to: Some(to) });
    }
    changes.extend(gone.into_iter().map(|(what, from)| Change { what, from: Some(from), to: None }));
}
