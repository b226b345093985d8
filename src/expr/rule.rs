//! A threshold as declared: selector, expression and options, checked together into one rule.
//!
//! Made by `script/` for every `threshold(…)`, kept in the Plan, judged by the engine's judge on every tick and at the end.
//! It keeps no history: first breach, abort and revision are the judge's.

use std::time::Duration;

use super::condition::{Condition, Judgement, Moment};
use super::types::Check;
use super::{Catalog, Place, Problem, ProblemKind, Selector, View, parser, selector};
use crate::diagnostic::{Severity, Span};
use crate::metrics::MetricDef;

/// What breaking a threshold means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RuleSeverity {
    /// It is reported.
    Warn,
    /// The run fails: exit code 99.
    #[default]
    Fail,
}

/// The third argument of `threshold`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleOptions {
    /// What breaking it means.
    pub severity: RuleSeverity,
    /// Whether breaking it ends the run (k6's `abortOnFail`).
    pub abort: bool,
    /// How long it may be broken before that ends the run (k6's `delayAbortEval`); judging starts at once.
    pub grace: Duration,
    /// Whether having no data at the end fails it.
    pub required: bool,
    /// Only this scenario's part of the metric.
    pub scenario: Option<String>,
}

/// A threshold that can be judged.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdRule {
    /// The selector as declared.
    pub selector: Selector,
    /// The expression as written, for people and for recognising the rule across edits.
    pub source: String,
    /// The expression, checked.
    pub condition: Condition,
    /// What else was declared.
    pub options: RuleOptions,
    /// Where the expression stands in the script; `None` for one from elsewhere.
    pub span: Option<Span>,
    /// The selector with the scenario of the options.
    watched: Selector,
}

impl ThresholdRule {
    /// Checks a threshold. The problems are warnings beside a rule, and hold at least one error without one; they come in
    /// the order of the texts, the selector's first.
    pub fn parse(
        selector: &str,
        expression: &str,
        options: RuleOptions,
        span: Option<Span>,
        catalog: Catalog<'_>,
    ) -> (Option<Self>, Vec<Problem>) {
        let (read, mut problems) = selector::read(selector);
        let metric = catalog.check(&read, &mut problems);
        let mut watched = read.selector.clone();
        if let Some(option) = &options.scenario {
            if !watched.allows("scenario", option) {
                let other = watched.tag("scenario").unwrap_or_default().to_owned();
                let kind = ProblemKind::TwoScenarios { option: option.clone(), selector: other };
                problems.push(Problem::in_selector(kind, whole(selector)));
            }
            watched = watched.with("scenario", option);
        }
        let (condition, found) = check(expression, Some((watched.clone(), metric)), &options, catalog);
        problems.extend(found);
        let source = expression.trim().to_owned();
        let make = |condition| Self { selector: read.selector, source, condition, options, span, watched };
        finish(condition.map(make), problems)
    }

    /// Checks a threshold without a selector, in which every method says `of` what it is; listed under the first of these.
    pub fn parse_alone(
        expression: &str,
        options: RuleOptions,
        span: Option<Span>,
        catalog: Catalog<'_>,
    ) -> (Option<Self>, Vec<Problem>) {
        let (condition, problems) = check(expression, None, &options, catalog);
        let source = expression.trim().to_owned();
        let rule = condition.and_then(|condition| {
            let first = condition.quantities().into_iter().next()?;
            let (selector, watched) = (first.of.clone()?, first.selector.clone());
            Some(Self { selector, source, condition, options, span, watched })
        });
        finish(rule, problems)
    }

    /// The series that it judges where `of` says nothing else: the selector, narrowed to the scenario of the options.
    pub fn watched(&self) -> &Selector {
        &self.watched
    }

    /// Every metric that it reads.
    pub fn metrics(&self) -> Vec<&str> {
        self.condition.quantities().into_iter().map(|quantity| quantity.selector.metric()).collect()
    }

    /// What it says about `view`.
    pub fn judge(&self, view: &dyn View, moment: Moment) -> Judgement {
        let judgement = self.condition.judge(view, moment);
        match judgement.passed {
            None if moment == Moment::End && self.options.required => Judgement { passed: Some(false), ..judgement },
            _ => judgement,
        }
    }

    /// Whether this judgement, made `elapsed` into the run, ends the run.
    pub fn aborts(&self, judgement: Judgement, elapsed: Duration) -> bool {
        self.options.abort && judgement.passed == Some(false) && elapsed >= self.options.grace
    }

    /// Whether this judgement, made at the end, fails the run.
    pub fn fails(&self, judgement: Judgement) -> bool {
        self.options.severity == RuleSeverity::Fail && judgement.passed == Some(false)
    }
}

fn whole(text: &str) -> Place {
    Place::between(0, text.chars().count())
}

/// The condition that a text says with the threshold's own selector, and what is wrong with it, in its order.
fn check<'a>(
    expression: &'a str,
    own: Option<(Selector, Option<&'a MetricDef>)>,
    options: &'a RuleOptions,
    catalog: Catalog<'a>,
) -> (Option<Condition>, Vec<Problem>) {
    let mut parsed = parser::parse(expression);
    let problems = std::mem::take(&mut parsed.problems);
    let mut check = Check { text: expression, own, scenario: options.scenario.as_deref(), catalog, problems };
    let condition = check.condition(&parsed);
    let mut problems = check.problems;
    problems.sort_by_key(|problem| problem.place.offset);
    if options.abort && options.severity == RuleSeverity::Warn {
        problems.push(Problem::new(ProblemKind::WarnAborts, whole(expression)));
    }
    (condition, problems)
}

/// The rule, if nothing is wrong with it.
fn finish(rule: Option<ThresholdRule>, problems: Vec<Problem>) -> (Option<ThresholdRule>, Vec<Problem>) {
    let refused = problems.iter().any(|problem| problem.severity() == Severity::Error);
    debug_assert!(rule.is_some() || refused, "a refused threshold must say why");
    (rule.filter(|_| !refused), problems)
}
