//! A checked expression: comparisons of an observed number with a limit, joined; and its judgement.
//!
//! Made by the type check, judged through the rule by the engine's judge and by the report. It sees measurements through
//! [`View`] only and keeps no history: what `for` asks is answered by who judges repeatedly.

use std::fmt;
use std::time::Duration;

use super::number::Number;
use super::syntax::Join;
use super::{Comparison, Dimension, Quantity, View};
use crate::units::duration;

/// `p(95) < 300ms and rate of http_req_failed < 1% for 20s`, about metrics that have such numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// What must hold, whatever the moment.
    pub(super) test: Test,
    /// For how long it must be broken to count (`for 20s`); at once without.
    pub lasting: Option<Duration>,
}

/// What can hold or not.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Compare(Compared),
    Join(Box<Test>, Join, Box<Test>),
    Not(Box<Test>),
}

/// One comparison: `p(95) < 300ms`.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// What is observed.
    pub(super) number: Number,
    /// How it must stand to the limit.
    pub comparison: Comparison,
    /// The limit in base units: milliseconds, bytes, a share from 0 to 1.
    pub limit: f64,
    /// The limit as it was written.
    pub written: String,
    /// What the observed number and the limit are.
    pub dimension: Dimension,
}

/// When a threshold is judged: it decides what having seen nothing means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// On a tick; what has no data yet is not judged.
    Running,
    /// At the end; a Counter that counted nothing is 0.
    End,
}

/// What a threshold said at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    /// Whether it held; `None` without data.
    pub passed: Option<bool>,
    /// The observed number in base units, of the comparison that decided; `None` without data.
    pub observed: Option<f64>,
    /// Which comparison decided, from left to right: the first that broke an `and`, the first that saved an `or`, else the first
    /// of all.
    pub part: usize,
}

impl Condition {
    /// Judges what `view` shows. A cumulative condition has no memory: one that recovers holds again.
    pub fn judge(&self, view: &dyn View, moment: Moment) -> Judgement {
        self.test.judge(view, moment, &mut 0)
    }

    /// Its comparisons, from left to right.
    pub fn parts(&self) -> Vec<&Compared> {
        let mut all = Vec::new();
        self.test.parts(&mut all);
        all
    }

    /// Its comparisons, if it holds exactly when all of them do; empty where an `or` or a `not` makes it something else.
    pub fn all_of(&self) -> Vec<&Compared> {
        if self.test.is_conjunction() { self.parts() } else { Vec::new() }
    }

    /// Every quantity that it reads, from left to right.
    pub fn quantities(&self) -> Vec<&Quantity> {
        self.parts().into_iter().flat_map(Compared::quantities).collect()
    }

    /// The observed number of a judgement for people, in the unit of the comparison that decided.
    pub fn show(&self, judgement: Judgement) -> Option<String> {
        let (decided, _) = self.test.part(&mut { judgement.part }, false)?;
        judgement.observed.map(|observed| decided.dimension.show(observed))
    }

    /// How far the comparison that decided is from its limit, as a share of the limit: above 0 while it holds, below when it is
    /// broken. `None` without data, for a limit of 0, and for `==` and `!=`, which have no way to go.
    pub fn distance(&self, judgement: &Judgement) -> Option<f64> {
        let (decided, negated) = self.test.part(&mut { judgement.part }, false)?;
        let left = match decided.comparison {
            Comparison::Less | Comparison::LessOrEqual => decided.limit - judgement.observed?,
            Comparison::Greater | Comparison::GreaterOrEqual => judgement.observed? - decided.limit,
            Comparison::Equal | Comparison::NotEqual => return None,
        };
        let share = left / decided.limit.abs();
        share.is_finite().then_some(if negated { -share } else { share })
    }

    /// The longest window that it reads, those of `slope` and `forecast` too; `None` when it reads the whole run only.
    pub fn window(&self) -> Option<Duration> {
        self.test.window()
    }

    /// Whether there is a `slope` or `forecast` in it.
    pub fn has_line(&self) -> bool {
        self.parts().iter().any(|part| part.number.has_line())
    }

    /// Whether its last value alone decides: it has neither a window nor a `for`.
    pub fn is_momentary(&self) -> bool {
        self.lasting.is_none() && self.window().is_none()
    }
}

impl Compared {
    /// The observed side, if it is a quantity and nothing made of some.
    pub fn quantity(&self) -> Option<&Quantity> {
        match &self.number {
            Number::Quantity(quantity) => Some(quantity),
            _ => None,
        }
    }

    /// The quantities of the observed side.
    pub fn quantities(&self) -> Vec<&Quantity> {
        let mut all = Vec::new();
        self.number.quantities(&mut all);
        all
    }
}

impl Test {
    /// Three-valued: what has no data decides nothing, and what is decided without it stays decided.
    fn judge(&self, view: &dyn View, moment: Moment, part: &mut usize) -> Judgement {
        match self {
            Self::Compare(compared) => {
                let observed = compared.number.observe(view, moment);
                let passed = observed.map(|observed| compared.comparison.holds(observed, compared.limit));
                *part += 1;
                Judgement { passed, observed, part: *part - 1 }
            }
            Self::Not(of) => {
                let judgement = of.judge(view, moment, part);
                Judgement { passed: judgement.passed.map(|passed| !passed), ..judgement }
            }
            Self::Join(left, join, right) => {
                let deciding = Some(*join == Join::Or);
                let (left, right) = (left.judge(view, moment, part), right.judge(view, moment, part));
                if left.passed == deciding || (right.passed != deciding && left.passed.is_none()) {
                    return left;
                }
                if right.passed == deciding || right.passed.is_none() { right } else { left }
            }
        }
    }

    /// The comparison that is `left` further, from left to right, and whether it stands under a `not` that turns it round.
    fn part(&self, left: &mut usize, negated: bool) -> Option<(&Compared, bool)> {
        match self {
            Self::Compare(compared) if *left == 0 => Some((compared, negated)),
            Self::Compare(_) => {
                *left -= 1;
                None
            }
            Self::Not(of) => of.part(left, !negated),
            Self::Join(first, _, second) => first.part(left, negated).or_else(|| second.part(left, negated)),
        }
    }

    fn is_conjunction(&self) -> bool {
        match self {
            Self::Compare(_) => true,
            Self::Join(left, Join::And, right) => left.is_conjunction() && right.is_conjunction(),
            Self::Join(..) | Self::Not(_) => false,
        }
    }

    fn window(&self) -> Option<Duration> {
        match self {
            Self::Compare(compared) => compared.number.window(),
            Self::Not(of) => of.window(),
            Self::Join(left, _, right) => left.window().max(right.window()),
        }
    }

    fn parts<'a>(&'a self, all: &mut Vec<&'a Compared>) {
        match self {
            Self::Compare(compared) => all.push(compared),
            Self::Not(of) => of.parts(all),
            Self::Join(left, _, right) => {
                left.parts(all);
                right.parts(all);
            }
        }
    }

    /// How tightly it binds, as in the parser's table.
    fn power(&self) -> u8 {
        match self {
            Self::Join(_, Join::Or, _) => 1,
            Self::Join(_, Join::And, _) => 2,
            Self::Not(_) | Self::Compare(_) => 3,
        }
    }

    fn write(&self, out: &mut fmt::Formatter<'_>, floor: u8) -> fmt::Result {
        if self.power() < floor {
            return write!(out, "({self})");
        }
        write!(out, "{self}")
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} {}", self.number, self.comparison, self.written)
    }
}

impl fmt::Display for Test {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare(compared) => write!(out, "{compared}"),
            Self::Not(of) => {
                out.write_str("not ")?;
                of.write(out, 3)
            }
            Self::Join(left, join, right) => {
                left.write(out, self.power())?;
                out.write_str(if *join == Join::And { " and " } else { " or " })?;
                right.write(out, self.power() + 1)
            }
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.test)?;
        match self.lasting {
            Some(lasting) => write!(out, " for {}", duration::print(lasting)),
            None => Ok(()),
        }
    }
}
