//! From what is remembered of a rule to the Verdict of a Snapshot.

use super::{Now, Watched};
use crate::engine::window::{Eyes, Window};
use crate::expr::{Abort, ClosureRule, Judgement, Moment, RuleSeverity, Selector, ThresholdRule};
use crate::snapshot::{Snapshot, Verdict};
use crate::units::duration;
use std::cell::RefCell;
use std::collections::BTreeSet;

fn word(severity: RuleSeverity) -> &'static str {
    if severity == RuleSeverity::Warn { "warn" } else { "fail" }
}

pub(super) fn verdict(watched: &Watched<ThresholdRule>, now: &Now<'_>, eyes: &RefCell<Eyes>) -> Verdict {
    let Watched { rule, memory, revision, since, note, .. } = watched;
    let (passed, decided) = memory.verdict(rule.condition.is_momentary());
    let shown = |judgement: Option<Judgement>| judgement.and_then(|judgement| rule.condition.show(judgement));
    let no_data = now.over && decided.is_none_or(|decided| decided.observed.is_none());
    // As it is judged at the end, where it is then judged at all.
    let is_open = !now.over && passed.is_none() && (rule.condition.is_momentary() || memory.last.is_none());
    let ended_now = is_open.then(|| rule.judge(&Window::watched(now.snapshot, eyes), Moment::End).passed).flatten();
    let current = shown(memory.last).filter(|_| decided != memory.last);
    Verdict {
        selector: rule.selector.to_string(),
        expression: rule.source.clone(),
        closure: false,
        scenario: rule.options.scenario.clone(),
        severity: word(rule.options.severity),
        abort: rule.options.abort != Abort::No,
        passed,
        ended_now,
        holds: memory.last.and_then(|last| last.passed),
        observed: decided.and_then(|decided| decided.observed),
        observed_text: shown(decided),
        now_text: current,
        distance: memory.last.and_then(|last| rule.condition.distance(&last)),
        first_breach: memory.first_breach,
        recovered: memory.recovered,
        breaches: memory.breaches.clone(),
        breach_count: memory.count,
        revision: *revision,
        since: *since,
        note: match rule.condition.window().filter(|_| memory.last.is_none()) {
            _ if no_data => Some(near(now.snapshot, undecided(rule, decided))),
            Some(window) => Some(format!("no full window of {} yet", duration::print(window))),
            None => note.clone(),
        },
    }
}

pub(super) fn closure_verdict(watched: &Watched<ClosureRule>) -> Verdict {
    let Watched { rule, memory, revision, since, note, windowed, .. } = watched;
    let (passed, _) = memory.verdict(!windowed && rule.options.lasting.is_none());
    let unasked = memory.last.is_none().then(|| "it was not asked: the run was too short".to_owned());
    Verdict {
        selector: rule.name.clone(),
        expression: rule.source.clone(),
        closure: true,
        scenario: rule.options.scenario.clone(),
        severity: word(rule.options.severity),
        abort: rule.options.abort != Abort::No,
        passed: if passed.is_none() && rule.options.required && memory.last.is_some() { Some(false) } else { passed },
        holds: memory.last.and_then(|last| last.passed),
        first_breach: memory.first_breach,
        recovered: memory.recovered,
        breaches: memory.breaches.clone(),
        breach_count: memory.count,
        revision: *revision,
        since: *since,
        note: note.clone().or(unasked),
        ..Verdict::default()
    }
}

/// What the comparison that had no data is about.
fn undecided(rule: &ThresholdRule, decided: Option<Judgement>) -> &Selector {
    let parts = rule.condition.parts();
    let part = parts.get(decided.map_or(0, |decided| decided.part));
    let first = part.and_then(|part| part.quantities().first().map(|quantity| &quantity.selector));
    first.unwrap_or(rule.watched())
}

/// What to say of a rule that had nothing to judge: the values that the tags did have.
fn near(snapshot: &Snapshot, selector: &Selector) -> String {
    let mut seen = BTreeSet::new();
    for (tag, _) in selector.tags() {
        for series in snapshot.series_of(selector.metric()) {
            if let Some(value) = series.tags.get(tag) {
                seen.insert(format!("{tag}:{value}"));
            }
        }
    }
    let listed: Vec<_> = seen.into_iter().take(8).collect();
    if listed.is_empty() {
        return "no data: nothing was measured under this name".to_owned();
    }
    format!("no data under this selector; there was: {}", listed.join(", "))
}
