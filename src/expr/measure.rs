//! One number of the threshold language by itself: `p(95) of http_req_duration over 30s`, without a comparison.
//!
//! Asked for by closures of scripts, which compare themselves. It means what the same words mean in a threshold.

use super::number::Number;
use super::parser;
use super::types::Check;
use super::{Catalog, Moment, Place, Problem, ProblemKind, Selector, View};
use crate::diagnostic::Severity;

/// A number that can be observed again and again.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    number: Number,
}

impl Measure {
    /// Checks a number. Every method in it says `of` which metric; `for` and comparisons are refused.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(text: &str, catalog: Catalog<'_>) -> Result<Self, Vec<Problem>> {
        // What follows a number in a threshold, so that all that the grammar knows of numbers holds here too.
        let whole = format!("{text} >= 0");
        let parsed = parser::parse(&whole);
        let problems = parsed.problems.clone();
        let mut check = Check { text: &whole, own: None, scenario: None, catalog, problems };
        let condition = check.condition(&parsed);
        let refused = check.problems.iter().any(|problem| problem.severity() == Severity::Error);
        let number = condition.filter(|_| !refused).and_then(|condition| match &condition.parts()[..] {
            [one] => Some(one.number.clone()),
            _ => None,
        });
        number.map(|number| Measure { number }).ok_or_else(|| {
            if !refused {
                let place = Place::between(0, text.chars().count());
                check.problems.push(Problem::new(ProblemKind::NotANumber, place));
            }
            check.problems
        })
    }

    /// What it is, in base units: milliseconds, bytes, a share from 0 to 1; `None` without data.
    pub fn observe(&self, view: &dyn View, moment: Moment) -> Option<f64> {
        self.number.observe(view, moment)
    }

    /// Whether it asks for a stretch of time rather than for the whole run so far.
    pub fn has_window(&self) -> bool {
        self.number.has_line() || self.quantities().iter().any(|quantity| quantity.window.is_some())
    }

    /// What it reads.
    pub fn selectors(&self) -> Vec<&Selector> {
        self.quantities().into_iter().map(|quantity| &quantity.selector).collect()
    }

    fn quantities(&self) -> Vec<&super::Quantity> {
        let mut all = Vec::new();
        self.number.quantities(&mut all);
        all
    }
}
