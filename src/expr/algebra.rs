//! The type check of numbers: what quantities, limits and arithmetic between them give, and that it means something.
//!
//! Called by the type check of conditions for both sides of a comparison. It knows metrics by their definition only.

use std::time::Duration;

use super::number::{Number, Quantity};
use super::syntax::{Clause, Expr, Method, Sign, Spanned};
use super::types::{Check, Class, class, dimension};
use super::{Dimension, Feature, Part, Place, Problem, ProblemKind, Selector, selector};
use crate::metrics::MetricDef;
use crate::units::duration;

/// A number and what it is; nothing for one without a unit, which may be a factor of anything.
pub(super) struct Typed {
    pub number: Number,
    pub dimension: Option<Dimension>,
}

impl<'a> Check<'a> {
    /// Checks a number. Limits in it are read as `need`, if that is known; quantities without a window have `window`.
    pub fn number(&mut self, tree: &Spanned<Expr>, need: Option<Dimension>, window: Option<Duration>) -> Option<Typed> {
        match &tree.node {
            Expr::Quantity { method, of, over } => {
                let own = over.as_ref().and_then(|clause| self.window(clause));
                self.quantity(*method, of.as_ref(), own.or(window), tree.place)
            }
            Expr::Limit(written) => self.limit(written, need, None, tree.place),
            Expr::Negate(of) => {
                let Typed { number, dimension } = self.number(of, need, window)?;
                Some(Typed { number: Number::Negate(Box::new(number)), dimension })
            }
            Expr::Arithmetic { left, sign, right } => {
                let (left, right) = self.sides(left, *sign, right, need, window);
                let (left, right) = (left?, right?);
                let dimension = match (left.dimension, right.dimension) {
                    (None, Some(divisor)) if *sign == Sign::Per => {
                        self.combined(Dimension::Amount(crate::metrics::Unit::Plain), *sign, divisor, tree.place)?
                    }
                    (Some(left), Some(right)) => self.combined(left, *sign, right, tree.place)?,
                    (left, right) => left.or(right),
                };
                let number = Number::Arithmetic(Box::new(left.number), *sign, Box::new(right.number));
                Some(Typed { number, dimension })
            }
            Expr::Line { word, of, ahead } => self.line(*word, of, ahead.as_ref(), window),
            Expr::Over { of, over } => {
                let window = self.window(over).or(window);
                self.number(of, need, window)
            }
            Expr::Compare { .. } | Expr::Join { .. } | Expr::Not(_) => {
                self.report(ProblemKind::NotANumber, tree.place);
                None
            }
            Expr::BrokenOf(of) => {
                self.selector(of);
                None
            }
            Expr::Broken => None,
        }
    }

    /// Both sides of an operator. A limit that is added to something is of its kind; as a factor it stands for itself.
    fn sides(
        &mut self,
        left: &Spanned<Expr>,
        sign: Sign,
        right: &Spanned<Expr>,
        need: Option<Dimension>,
        window: Option<Duration>,
    ) -> (Option<Typed>, Option<Typed>) {
        let of = |typed: &Option<Typed>| typed.as_ref().and_then(|typed| typed.dimension);
        match (sign, class(left), class(right)) {
            (Sign::Times | Sign::Per, ..) => (self.number(left, None, window), self.number(right, None, window)),
            (_, Class::Constant, Class::Constant) => {
                (self.number(left, need, window), self.number(right, need, window))
            }
            (_, Class::Constant, _) => {
                let right = self.number(right, None, window);
                (self.number(left, of(&right), window), right)
            }
            (..) => {
                let left = self.number(left, None, window);
                let need = if class(right) == Class::Constant { of(&left) } else { None };
                let right = self.number(right, need, window);
                (left, right)
            }
        }
    }

    fn combined(&mut self, left: Dimension, sign: Sign, right: Dimension, place: Place) -> Option<Option<Dimension>> {
        let combined = left.combined(sign, right);
        if combined.is_none() {
            self.report(ProblemKind::NoArithmetic { left, sign, right }, place);
        }
        combined.map(Some)
    }

    fn quantity(
        &mut self,
        method: Method,
        of: Option<&Spanned<String>>,
        window: Option<Duration>,
        place: Place,
    ) -> Option<Typed> {
        let (of, selector, metric) = match of {
            Some(of) => {
                let (written, narrowed, metric) = self.selector(of)?;
                (Some(written), narrowed, metric)
            }
            None => match &self.own {
                Some((selector, metric)) => (None, selector.clone(), (*metric)?),
                None => {
                    self.report(ProblemKind::NoMetric { method }, place);
                    return None;
                }
            },
        };
        let Some(dimension) = dimension(method, metric.kind, metric.unit) else {
            let metric_name = metric.name.to_string();
            self.report(ProblemKind::WrongMethod { method, metric: metric_name, kind: metric.kind }, place);
            return None;
        };
        let quantity = Quantity { method, kind: metric.kind, selector, window, of };
        Some(Typed { number: Number::Quantity(quantity), dimension: Some(dimension) })
    }

    /// What `of` names: as written, narrowed to the scenario, and the metric.
    fn selector(&mut self, of: &Spanned<String>) -> Option<(Selector, Selector, &'a MetricDef)> {
        let (read, mut problems) = selector::read(&of.node);
        let metric = self.catalog.check(&read, &mut problems);
        self.problems.extend(problems.into_iter().map(|problem| {
            let place = Place { offset: of.place.offset + problem.place.offset, ..problem.place };
            Problem { part: Part::Expression, place, ..problem }
        }));
        let mut narrowed = read.selector.clone();
        if let Some(option) = self.scenario {
            if !narrowed.allows("scenario", option) {
                let selector = narrowed.tag("scenario").unwrap_or_default().to_owned();
                self.report(ProblemKind::TwoScenarios { option: option.to_owned(), selector }, of.place);
            }
            narrowed = narrowed.with("scenario", option);
        }
        Some((read.selector, narrowed, metric?))
    }

    /// A limit, in the base units of `need`; a bare number is in them already, as in k6. `what` is what it is compared with.
    pub fn limit(&mut self, written: &str, need: Option<Dimension>, what: Option<&str>, place: Place) -> Option<Typed> {
        let bad = |help| ProblemKind::BadLimit { written: written.to_owned(), help };
        let number = |value| Number::Constant(value, written.trim_start_matches('+').to_owned());
        if let Ok(bare) = written.parse::<f64>() {
            if !bare.is_finite() {
                self.report(bad(None), place);
                return None;
            }
            return Some(Typed { number: number(bare), dimension: need });
        }
        let (sign, text) = match written.strip_prefix('-') {
            Some(text) => (-1.0, text),
            None => (1.0, written.trim_start_matches('+')),
        };
        let named = Dimension::named(text);
        let Some(needs) = need.or(named.map(|(dimension, _)| dimension)) else {
            self.report(bad(None), place);
            return None;
        };
        match (needs.read(text), named) {
            (Ok(value), _) => Some(Typed { number: number(sign * value), dimension: Some(needs) }),
            (Err(_), Some((_, is))) => {
                let what = what.unwrap_or("what stands beside it").to_owned();
                self.report(ProblemKind::WrongUnit { written: written.to_owned(), is, what, needs }, place);
                None
            }
            (Err(error), None) => {
                self.report(bad(error.help()), place);
                None
            }
        }
    }

    fn line(
        &mut self,
        word: Place,
        of: &Spanned<Expr>,
        ahead: Option<&Clause>,
        window: Option<Duration>,
    ) -> Option<Typed> {
        let (name, feature) = match ahead {
            Some(_) => ("forecast", Feature::Forecast),
            None => ("slope", Feature::Slope),
        };
        let before = self.problems.len();
        if !self.catalog.history {
            self.report(ProblemKind::NoHistory { feature }, word);
        }
        let inner = self.number(of, None, window);
        let ahead = ahead.map(|clause| self.duration(clause, name));
        let Typed { number, dimension } = inner?;
        let mut quantities = Vec::new();
        number.quantities(&mut quantities);
        let window = quantities.first().and_then(|quantity| quantity.window);
        let same = quantities.iter().all(|quantity| quantity.window == window);
        let Some(window) = window.filter(|_| same) else {
            // A window that is wrong has been reported.
            if self.problems.len() == before {
                self.report(ProblemKind::NoWindow { word: name }, of.place);
            }
            return None;
        };
        let change = match ahead {
            Some(_) => dimension,
            None => dimension.and_then(Dimension::change),
        };
        if change.is_none() || number.has_line() {
            self.report(ProblemKind::NoLine { word: name }, of.place);
            return None;
        }
        let ahead = match ahead {
            Some(ahead) => Some(ahead?),
            None => None,
        };
        Some(Typed { number: Number::Line { of: Box::new(number), window, ahead }, dimension: change })
    }

    /// The window of an `over`; nothing, and a word about it, where there is no history.
    pub fn window(&mut self, clause: &Clause) -> Option<Duration> {
        if self.catalog.history {
            return self.duration(clause, "over");
        }
        self.report(ProblemKind::NoHistory { feature: Feature::Window }, clause.word);
        None
    }

    /// The duration behind a word, longer than nothing.
    pub fn duration(&mut self, clause: &Clause, word: &'static str) -> Option<Duration> {
        let Some(written) = &clause.duration else {
            self.report(ProblemKind::BadDuration { word, written: None, help: None }, clause.word);
            return None;
        };
        let (help, text) = match duration::parse(&written.node) {
            Ok(Duration::ZERO) => (None, written),
            Ok(duration) => return Some(duration),
            Err(error) => (error.help(), written),
        };
        let kind = ProblemKind::BadDuration { word, written: Some(text.node.clone()), help };
        self.report(kind, text.place);
        None
    }
}
