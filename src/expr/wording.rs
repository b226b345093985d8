//! Rules that come as words: what an edit through the API says, before it is checked.
//!
//! Made by whoever takes edits from outside the script, read into [`Rules`] here. It knows no wire format, and no closures: these
//! come from a script only.

use super::{
    Abort, AlertOptions, AlertRule, Catalog, Part, Place, Problem, ProblemKind, RuleOptions, Rules, ThresholdRule,
};
use crate::diagnostic::did_you_mean;

/// A threshold in words.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RuleText {
    /// What it is about; without it every method says `of` which metric.
    pub selector: Option<String>,
    /// What must hold.
    pub expression: String,
    /// What else is wanted of it.
    pub options: RuleOptions,
}

/// An alert in words.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AlertText {
    /// Its name.
    pub name: String,
    /// What must be true for it to ring.
    pub when: String,
    /// What else is wanted of it; a `then` cannot come so and is that of the alert that has this name now.
    pub options: AlertOptions,
}

/// Which of the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wording {
    /// A threshold, from 0.
    Threshold(usize),
    /// An alert, from 0.
    Alert(usize),
}

/// What is wrong with an edit, and with which of its texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Misworded {
    /// Which.
    pub which: Wording,
    /// What; warnings too.
    pub problem: Problem,
}

impl Rules {
    /// All rules of an edit that was not made in the script: these texts in place of all thresholds and alerts that there are, and
    /// the closures of `self`, which only the script can change. A threshold that is there twice is taken once.
    ///
    /// # Errors
    /// Everything that is wrong with any of them, in their order. Nothing changes then.
    pub fn read(
        &self,
        thresholds: &[RuleText],
        alerts: &[AlertText],
        catalog: Catalog<'_>,
        scenarios: &[&str],
    ) -> Result<Rules, Vec<Misworded>> {
        let mut wrong = Vec::new();
        let mut refused = false;
        let mut take = |which, problems: Vec<Problem>| {
            wrong.extend(problems.into_iter().map(|problem| Misworded { which, problem }));
        };
        let mut rules = Rules { closures: self.closures.clone(), ..Rules::default() };
        for (at, words) in thresholds.iter().enumerate() {
            let options = words.options.clone();
            let (rule, mut problems) = match &words.selector {
                Some(selector) => ThresholdRule::parse(selector, &words.expression, options, None, catalog),
                None => ThresholdRule::parse_alone(&words.expression, options, None, catalog),
            };
            let named = words.options.scenario.iter().chain(rule.iter().filter_map(|rule| match &rule.options.abort {
                Abort::Scenario(name) => Some(name),
                Abort::No | Abort::Run => None,
            }));
            // The one of the options is most often also the one that is ended.
            let unknown = named.into_iter().find(|name| !scenarios.contains(&name.as_str()));
            problems.extend(unknown.map(|name| unknown_scenario(name, scenarios)));
            refused |= rule.is_none() || unknown.is_some();
            take(Wording::Threshold(at), problems);
            rules.thresholds.extend(rule.filter(|rule| !rules.thresholds.iter().any(|known| known.is_same(rule))));
        }
        for (at, words) in alerts.iter().enumerate() {
            let acts = self.alerts.iter().any(|alert| alert.name == words.name && alert.acts);
            let options = AlertOptions { acts, ..words.options.clone() };
            let (alert, mut problems) = AlertRule::parse(&words.name, &words.when, options, None, catalog);
            let twice = alerts[..at].iter().any(|other| other.name == words.name);
            if twice {
                let name = words.name.clone();
                problems.push(Problem {
                    kind: ProblemKind::NameTwice { name },
                    part: Part::Option("name"),
                    place: Place { offset: 0, length: 0 },
                });
            }
            refused |= alert.is_none() || twice;
            take(Wording::Alert(at), problems);
            rules.alerts.extend(alert);
        }
        if refused { Err(wrong) } else { Ok(rules) }
    }
}

fn unknown_scenario(name: &str, scenarios: &[&str]) -> Problem {
    let nearest = did_you_mean(name, scenarios.iter().copied()).map(str::to_owned);
    let kind = ProblemKind::UnknownScenario { name: name.to_owned(), nearest };
    Problem::in_option(kind, "scenario")
}
