//! The judge: says at every tick what each threshold says, remembers first breaches, and ends a run that must not go on.

use super::window::Window;
use crate::control::{Author, Command};
use crate::expr::{Judgement, Moment, RuleSeverity, Selector, ThresholdRule};
use crate::metrics::snapshot::Status;
use crate::metrics::{Snapshot, Verdict};
use crate::plan::Plan;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::mpsc;

/// Judges the rules of one run.
pub(super) struct Judge {
    rules: Vec<(ThresholdRule, Option<Duration>)>,
    commands: mpsc::UnboundedSender<Command>,
    /// The rule whose breach ended the run, with the value that did: it stays broken, whatever the drain shows.
    ended_by: Option<(usize, Judgement)>,
}

impl Judge {
    pub(super) fn new(plan: &Plan, commands: mpsc::UnboundedSender<Command>) -> Self {
        Judge {
            rules: plan.rules.thresholds.iter().map(|rule| (rule.clone(), None)).collect(),
            commands,
            ended_by: None,
        }
    }

    /// The verdict of each rule on a Snapshot. A breach that must end the run does so, once.
    pub(super) fn judge(&mut self, snapshot: &Snapshot) -> Vec<Verdict> {
        let moment = if snapshot.status == Status::Completed { Moment::End } else { Moment::Running };
        let seen = Window::whole(snapshot);
        let mut verdicts = Vec::with_capacity(self.rules.len());
        for (at, (rule, first_breach)) in self.rules.iter_mut().enumerate() {
            let judgement = match self.ended_by {
                Some((ended_by, judgement)) if ended_by == at => judgement,
                _ => rule.judge(&seen, moment),
            };
            if judgement.passed == Some(false) && first_breach.is_none() {
                *first_breach = Some(snapshot.elapsed);
            }
            if snapshot.status == Status::Running && rule.aborts(judgement, snapshot.elapsed) && self.ended_by.is_none()
            {
                self.ended_by = Some((at, judgement));
                let why = format!("threshold `{}: {}` was broken", rule.selector, rule.source);
                // The coordinator is there as long as anything runs.
                let _ = self.commands.send(Command::Stop { by: Author::Threshold, why });
            }
            let no_data = moment == Moment::End && judgement.observed.is_none();
            verdicts.push(Verdict {
                selector: rule.selector.to_string(),
                expression: rule.source.clone(),
                scenario: rule.options.scenario.clone(),
                severity: if rule.options.severity == RuleSeverity::Warn { "warn" } else { "fail" },
                abort: rule.options.abort,
                passed: judgement.passed,
                observed: judgement.observed,
                observed_text: rule.condition.show(judgement),
                first_breach: *first_breach,
                revision: 1,
                note: no_data.then(|| near(snapshot, undecided(rule, judgement))),
                ..Verdict::default()
            });
        }
        verdicts
    }
}

/// What the comparison that had no data is about.
fn undecided(rule: &ThresholdRule, judgement: Judgement) -> &Selector {
    let parts = rule.condition.parts();
    let first = parts.get(judgement.part).and_then(|part| part.quantities().first().map(|quantity| &quantity.selector));
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
