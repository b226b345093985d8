//! The type check: which method a metric has, which unit its limit may be written in, and what is a condition.
//!
//! Called by the rule that a threshold becomes. It knows metrics by their definition only, never their values.

use std::time::Duration;

use super::algebra::Typed;
use super::condition::{Compared, Condition, Test};
use super::parser::Parsed;
use super::syntax::{Comparison, Expr, Method, Spanned};
use super::{Catalog, Dimension, Feature, Place, Problem, ProblemKind, Selector};
use crate::metrics::{MetricDef, MetricKind, Unit};

/// What `method` gives for a metric of this kind and unit; `None` when the metric has no such method.
pub(super) fn dimension(method: Method, kind: MetricKind, unit: Unit) -> Option<Dimension> {
    match (kind, method) {
        (MetricKind::Counter, Method::Count) | (MetricKind::Gauge, Method::Value | Method::Min | Method::Max) => {
            Some(Dimension::of(unit))
        }
        (MetricKind::Counter, Method::Rate) => Some(Dimension::PerSecond(unit)),
        (MetricKind::Rate, Method::Rate) => Some(Dimension::Share),
        (MetricKind::Trend, Method::Count) => Some(Dimension::Amount(Unit::Plain)),
        (MetricKind::Trend, Method::Avg | Method::Min | Method::Max | Method::Med | Method::P(_)) => {
            Some(Dimension::of(unit))
        }
        _ => None,
    }
}

/// The methods of a kind, listed for people.
pub(super) fn methods_of(kind: MetricKind) -> &'static str {
    match kind {
        MetricKind::Counter => "`count` and `rate`",
        MetricKind::Gauge => "`value`, `min` and `max`",
        MetricKind::Rate => "`rate`",
        MetricKind::Trend => "`avg`, `min`, `max`, `med`, `p(N)` and `count`",
    }
}

/// What a part of a tree is; in a whole, the greatest of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// Limits only.
    Constant,
    /// Something that is measured.
    Observed,
    /// Reported already.
    Unknown,
    /// Something that holds or not.
    Condition,
}

pub(super) fn class(tree: &Spanned<Expr>) -> Class {
    match &tree.node {
        Expr::Quantity { .. } => Class::Observed,
        Expr::Limit(_) => Class::Constant,
        Expr::Compare { .. } | Expr::Join { .. } | Expr::Not(_) => Class::Condition,
        Expr::Arithmetic { left, right, .. } => class(left).max(class(right)),
        Expr::Negate(of) | Expr::Over { of, .. } => class(of),
        Expr::Line { of, .. } => class(of).max(Class::Observed),
        Expr::Broken | Expr::BrokenOf(_) => Class::Unknown,
    }
}

/// A check at work: what is known, and what was found wrong.
pub(super) struct Check<'a> {
    /// The expression, for quoting.
    pub text: &'a str,
    /// The threshold's own selector, narrowed to its scenario, and its metric if that is known.
    pub own: Option<(Selector, Option<&'a MetricDef>)>,
    /// The scenario of the options.
    pub scenario: Option<&'a str>,
    pub catalog: Catalog<'a>,
    pub problems: Vec<Problem>,
}

impl<'a> Check<'a> {
    pub fn report(&mut self, kind: ProblemKind, place: Place) {
        self.problems.push(Problem::new(kind, place));
    }

    /// The condition that a text says. What cannot be told because a metric is unknown is checked in its form.
    pub fn condition(&mut self, parsed: &Parsed) -> Option<Condition> {
        let test = self.test(&parsed.tree, None);
        let lasting = match &parsed.lasting {
            Some(clause) if self.catalog.history => Some(self.duration(clause, "for")?),
            Some(clause) => {
                self.report(ProblemKind::NoHistory { feature: Feature::Lasting }, clause.word);
                None
            }
            None => None,
        };
        Some(Condition { test: test?, lasting })
    }

    /// What holds or not. Quantities without a window have `window`.
    fn test(&mut self, tree: &Spanned<Expr>, window: Option<Duration>) -> Option<Test> {
        match &tree.node {
            Expr::Compare { left, comparison, right } => {
                self.compare(left, *comparison, right, window, tree.place).map(Test::Compare)
            }
            Expr::Join { left, join, right } => {
                let (left, right) = (self.test(left, window), self.test(right, window));
                Some(Test::Join(Box::new(left?), *join, Box::new(right?)))
            }
            Expr::Not(of) => self.test(of, window).map(|of| Test::Not(Box::new(of))),
            Expr::Over { of, over } => {
                let window = self.window(over).or(window);
                self.test(of, window)
            }
            Expr::Broken => None,
            number => {
                self.number(tree, None, window);
                let method = match number {
                    Expr::Quantity { method, .. } => Some(*method),
                    _ => None,
                };
                if matches!(class(tree), Class::Constant | Class::Observed) {
                    self.report(ProblemKind::NoComparison { method }, tree.place);
                }
                None
            }
        }
    }

    fn compare(
        &mut self,
        left: &Spanned<Expr>,
        comparison: Comparison,
        right: &Spanned<Expr>,
        window: Option<Duration>,
        place: Place,
    ) -> Option<Compared> {
        let wrong = match (class(left), class(right)) {
            (Class::Condition, _) | (_, Class::Condition) => {
                Some((ProblemKind::NotALimit { found: "there are two comparisons" }, place))
            }
            (Class::Constant, Class::Observed) => {
                let right = format!("{} {} {}", self.quoted(right), comparison.mirrored(), self.quoted(left));
                Some((ProblemKind::Reversed { right }, place))
            }
            (Class::Observed | Class::Unknown, Class::Observed) => {
                Some((ProblemKind::NotALimit { found: "a limit should stand here" }, right.place))
            }
            (Class::Constant, Class::Constant | Class::Unknown) => {
                Some((ProblemKind::NotALimit { found: "a method should stand here" }, left.place))
            }
            (Class::Observed | Class::Unknown, Class::Constant | Class::Unknown) => None,
        };
        if let Some((kind, place)) = wrong {
            self.report(kind, place);
            // A form that is wrong as a whole may have parts that are wrong as well.
            for side in [left, right].into_iter().filter(|side| class(side) < Class::Condition) {
                self.number(side, None, window);
            }
            return None;
        }
        let observed = self.number(left, None, window);
        let needs = observed.as_ref().and_then(|typed| typed.dimension);
        let (limit, written) = self.constant(right, needs, left, window)?;
        let (Typed { number, .. }, needs) = (observed?, needs?);
        if needs == Dimension::Share && limit > 1.0 && matches!(left.node, Expr::Quantity { .. }) {
            self.report(ProblemKind::BeyondShare { written: written.clone() }, right.place);
        }
        // A ratio is shown as its limit is written.
        let dimension = if needs == Dimension::Ratio && written.ends_with('%') { Dimension::Share } else { needs };
        Some(Compared { number, comparison, limit, written, dimension })
    }

    /// The constant side of a comparison, and how it is written.
    fn constant(
        &mut self,
        tree: &Spanned<Expr>,
        needs: Option<Dimension>,
        compared: &Spanned<Expr>,
        window: Option<Duration>,
    ) -> Option<(f64, String)> {
        if let Expr::Limit(written) = &tree.node {
            let what = self.named(compared);
            let typed = self.limit(written, needs, Some(&what), tree.place)?;
            return typed.number.constant().map(|limit| (limit, written.trim_start_matches('+').to_owned()));
        }
        let Typed { number, dimension } = self.number(tree, needs, window)?;
        let written = self.quoted(tree);
        if let (Some(needs), Some(is)) = (needs, dimension)
            && needs != is
            && !(needs.is_scalar() && is.is_scalar())
        {
            let what = self.named(compared);
            self.report(ProblemKind::WrongUnit { written, is: is.words(), what, needs }, tree.place);
            return None;
        }
        match number.constant().filter(|limit| limit.is_finite()) {
            Some(limit) => Some((limit, written)),
            None => {
                self.report(ProblemKind::BadLimit { written, help: None }, tree.place);
                None
            }
        }
    }

    /// A number for a message: `` `p(95)` of `http_req_duration` ``.
    fn named(&self, tree: &Spanned<Expr>) -> String {
        match (&tree.node, &self.own) {
            (Expr::Quantity { method, of: None, .. }, Some((_, Some(metric)))) => {
                format!("`{method}` of `{}`", metric.name)
            }
            _ => format!("`{}`", self.quoted(tree)),
        }
    }

    /// What is written there.
    fn quoted(&self, tree: &Spanned<Expr>) -> String {
        self.text.chars().skip(tree.place.offset).take(tree.place.length).collect()
    }
}
