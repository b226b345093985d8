//! Rules of an edit: all of them take the place of the old ones, save those that the run could not judge.

use super::Edit;
use super::fixed::stays;
use crate::expr::{AlertRule, Change, Condition, Rules};
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
    let mut said = Vec::new();
    if follows {
        said = changed_closures(&edit.plan, new);
    } else if closures(&old) != closures(&rules) || !changed_closures(&edit.plan, new).is_empty() {
        edit.refused.push(stays("what closures of rules say", "their functions cannot be loaded now"));
    }
    if !follows {
        rules.closures.clone_from(&old.closures);
    }
    let mut changes = old.diff(&rules);
    said.retain(|change| changes.iter().all(|known| known.what != change.what));
    changes.extend(said);
    edit.rules_changed = !changes.is_empty();
    edit.changes.extend(changes);
    edit.plan.rules = rules;
}

/// Rules whose closures say something else, by themselves or by what they capture.
fn changed_closures(current: &Plan, new: &Plan) -> Vec<Change> {
    let (old, new) = (&current.code.asked, &new.code.asked);
    let both = new.iter().filter(|(label, hash)| old.get(*label).is_some_and(|was| was != *hash));
    let what = |label: &String| if label.starts_with("alert") { format!("then of {label}") } else { label.clone() };
    both.map(|(label, _)| Change { what: what(label), from: None, to: None }).collect()
}

fn metrics(alert: &AlertRule) -> Vec<&str> {
    let resolve = alert.resolve_when.iter().map(|(_, condition)| condition);
    let quantities = std::iter::once(&alert.condition).chain(resolve).flat_map(Condition::quantities);
    quantities.map(|quantity| quantity.selector.metric()).collect()
}

fn closures(rules: &Rules) -> Vec<(&str, &str)> {
    rules.closures.iter().map(|rule| (rule.name.as_str(), rule.source.as_str())).collect()
}
