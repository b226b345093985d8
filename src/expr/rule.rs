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
use crate::units::duration;

/// What breaking a threshold means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RuleSeverity {
    /// It is reported.
    Warn,
    /// The run fails: exit code 99.
    #[default]
    Fail,
}

/// What a breach ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Abort {
    /// Nothing.
    #[default]
    No,
    /// The run (k6's `abortOnFail`).
    Run,
    /// The scenario of that name, and nothing else. Declared without a name it gets the one that the options or the selector
    /// say when the threshold is checked.
    Scenario(String),
}

/// The last argument of `threshold`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleOptions {
    /// What breaking it means.
    pub severity: RuleSeverity,
    /// What breaking it ends.
    pub abort: Abort,
    /// How long it may be broken before that ends anything (k6's `delayAbortEval`); judging starts at once.
    pub grace: Duration,
    /// For how long it must be broken to count. An expression has it in its condition, from here or from its `for`.
    pub lasting: Option<Duration>,
    /// Whether having no data at the end fails it.
    pub required: bool,
    /// Only this scenario's part of the metric.
    pub scenario: Option<String>,
}

impl RuleOptions {
    /// What is unusual in it, for people.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if let Some(scenario) = &self.scenario {
            remarks.push(format!("in {scenario}"));
        }
        if self.severity == RuleSeverity::Warn {
            remarks.push("warning only".to_owned());
        }
        if let Some(lasting) = self.lasting.filter(|lasting| !lasting.is_zero()) {
            remarks.push(format!("lasting {}", duration::print(lasting)));
        }
        match &self.abort {
            Abort::No => {}
            Abort::Run => remarks.push("ends the run".to_owned()),
            Abort::Scenario(name) => remarks.push(format!("ends {name}")),
        }
        if self.grace > Duration::ZERO {
            remarks.push(format!("after {}", duration::print(self.grace)));
        }
        if self.required {
            remarks.push("fails without data".to_owned());
        }
        remarks
    }
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
        let own = Some((watched.clone(), metric));
        let (condition, found) = check(expression, own, options.scenario.as_deref(), catalog);
        problems.extend(found);
        let rule = finished(condition, options, expression, &mut problems, |_| Some((read.selector, watched)));
        sound(rule.map(|rule| Self { span, ..rule }), problems)
    }

    /// Checks a threshold without a selector, in which every method says `of` what it is; listed under the first of these.
    pub fn parse_alone(
        expression: &str,
        options: RuleOptions,
        span: Option<Span>,
        catalog: Catalog<'_>,
    ) -> (Option<Self>, Vec<Problem>) {
        let (condition, mut problems) = check(expression, None, options.scenario.as_deref(), catalog);
        let first = |condition: &Condition| {
            let first = condition.quantities().into_iter().next()?;
            Some((first.of.clone()?, first.selector.clone()))
        };
        let rule = finished(condition, options, expression, &mut problems, first);
        sound(rule.map(|rule| Self { span, ..rule }), problems)
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

    /// Whether this judgement, made `elapsed` into the run, ends what `options.abort` names.
    pub fn aborts(&self, judgement: Judgement, elapsed: Duration) -> bool {
        self.options.abort != Abort::No && judgement.passed == Some(false) && elapsed >= self.options.grace
    }

    /// Whether this judgement, made at the end, fails the run.
    pub fn fails(&self, judgement: Judgement) -> bool {
        self.options.severity == RuleSeverity::Fail && judgement.passed == Some(false)
    }
}

fn whole(text: &str) -> Place {
    Place::between(0, text.chars().count())
}

/// The condition that a text says, and what is wrong with it, in its order. `own` is what a quantity without `of` reads, with
/// its metric if that is known.
pub(super) fn check<'a>(
    expression: &'a str,
    own: Option<(Selector, Option<&'a MetricDef>)>,
    scenario: Option<&'a str>,
    catalog: Catalog<'a>,
) -> (Option<Condition>, Vec<Problem>) {
    let mut parsed = parser::parse(expression);
    let problems = std::mem::take(&mut parsed.problems);
    let mut check = Check { text: expression, own, scenario, catalog, problems };
    let condition = check.condition(&parsed);
    let mut problems = check.problems;
    problems.sort_by_key(|problem| problem.place.offset);
    (condition, problems)
}

/// How long a condition must last, of its `for` and of an option; both together are one too many.
pub(super) fn lasting(
    condition: Option<&Condition>,
    option: Option<Duration>,
    key: &'static str,
    problems: &mut Vec<Problem>,
) -> Option<Duration> {
    let option = option.filter(|lasting| !lasting.is_zero());
    let said = condition.and_then(|condition| condition.lasting);
    if said.is_some() && option.is_some() {
        problems.push(Problem::in_option(ProblemKind::LastingTwice { option: key }, key));
    }
    said.or(option)
}

/// The rule of a condition with what its options say; `selectors` are the one that is shown and the one that is watched.
fn finished(
    condition: Option<Condition>,
    options: RuleOptions,
    expression: &str,
    problems: &mut Vec<Problem>,
    selectors: impl FnOnce(&Condition) -> Option<(Selector, Selector)>,
) -> Option<ThresholdRule> {
    if options.abort != Abort::No && options.severity == RuleSeverity::Warn {
        problems.push(Problem::new(ProblemKind::WarnAborts, whole(expression)));
    }
    let lasting = lasting(condition.as_ref(), options.lasting, "lasting", problems);
    let condition = Condition { lasting, ..condition? };
    let (selector, watched) = selectors(&condition)?;
    let mut options = options;
    if matches!(options.abort, Abort::Scenario(_)) {
        match watched.exactly("scenario") {
            Some(name) => options.abort = Abort::Scenario(name.to_owned()),
            None => problems.push(Problem::in_option(ProblemKind::AbortsWhich, "abort")),
        }
    }
    let source = expression.trim().to_owned();
    Some(ThresholdRule { selector, source, condition, options, span: None, watched })
}

/// What was made, if nothing is wrong with it.
pub(super) fn sound<T>(made: Option<T>, problems: Vec<Problem>) -> (Option<T>, Vec<Problem>) {
    let refused = problems.iter().any(|problem| problem.severity() == Severity::Error);
    debug_assert!(made.is_some() || refused, "a refused rule must say why");
    (made.filter(|_| !refused), problems)
}
