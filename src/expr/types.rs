//! The type check: which method a metric has, and which unit its limit may be written in.
//!
//! Called by the rule that a threshold becomes. It knows metrics by their definition only, never their values.

use super::condition::Condition;
use super::problem::right_way_round;
use super::syntax::{Expr, Method, Spanned};
use super::{Dimension, Problem, ProblemKind};
use crate::metrics::{MetricDef, MetricKind, Unit};

/// What `method` gives for a metric of this kind and unit; `None` when the metric has no such method.
pub(super) fn dimension(method: Method, kind: MetricKind, unit: Unit) -> Option<Dimension> {
    match (kind, method) {
        (MetricKind::Counter, Method::Count) | (MetricKind::Gauge, Method::Value) => Some(Dimension::Amount(unit)),
        (MetricKind::Counter, Method::Rate) => Some(Dimension::PerSecond(unit)),
        (MetricKind::Rate, Method::Rate) => Some(Dimension::Share),
        (MetricKind::Trend, Method::Count) => Some(Dimension::Amount(Unit::Plain)),
        (MetricKind::Trend, Method::Avg | Method::Min | Method::Max | Method::Med | Method::P(_)) => {
            Some(Dimension::Amount(unit))
        }
        _ => None,
    }
}

/// The methods of a kind, listed for people.
pub(super) fn methods_of(kind: MetricKind) -> &'static str {
    match kind {
        MetricKind::Counter => "`count` and `rate`",
        MetricKind::Gauge => "`value`",
        MetricKind::Rate => "`rate`",
        MetricKind::Trend => "`avg`, `min`, `max`, `med`, `p(N)` and `count`",
    }
}

/// The condition that a tree says about `metric`. Without a metric (unknown, and reported) only its form is checked.
pub(super) fn check(
    tree: &Spanned<Expr>,
    metric: Option<&MetricDef>,
    problems: &mut Vec<Problem>,
) -> Option<Condition> {
    let mut report = |kind, place| problems.push(Problem::new(kind, place));
    let (left, comparison, right) = match &tree.node {
        Expr::Compare { left, comparison, right } => (left, *comparison, right),
        Expr::Quantity(method) => {
            report(ProblemKind::NoComparison { method: Some(*method) }, tree.place);
            None?
        }
        Expr::Limit(_) => {
            report(ProblemKind::NoComparison { method: None }, tree.place);
            None?
        }
        Expr::Broken => None?,
    };
    let method = match (&left.node, &right.node) {
        (Expr::Quantity(method), Expr::Limit(_) | Expr::Broken) => Some(*method),
        (Expr::Broken, Expr::Limit(_) | Expr::Broken) => None,
        (Expr::Limit(limit), Expr::Quantity(method)) => {
            report(right_way_round(*method, comparison, limit), tree.place);
            None
        }
        (Expr::Quantity(_) | Expr::Broken, Expr::Quantity(_)) => {
            report(ProblemKind::NotALimit { found: "a limit should stand here" }, right.place);
            None
        }
        (Expr::Limit(_), Expr::Limit(_) | Expr::Broken) => {
            report(ProblemKind::NotALimit { found: "a method should stand here" }, left.place);
            None
        }
        (Expr::Compare { .. }, _) | (_, Expr::Compare { .. }) => {
            report(ProblemKind::NotALimit { found: "there are two comparisons" }, tree.place);
            None
        }
    };
    let needs = method.zip(metric).and_then(|(method, metric)| {
        let dimension = dimension(method, metric.kind, metric.unit);
        if dimension.is_none() {
            let kind = ProblemKind::WrongMethod { method, metric: metric.name.to_string(), kind: metric.kind };
            report(kind, left.place);
        }
        dimension
    });
    let Expr::Limit(written) = &right.node else {
        return None;
    };
    let limit = match limit(written, needs) {
        Ok(limit) => limit,
        Err(Refused::Form(help)) => {
            report(ProblemKind::BadLimit { written: written.clone(), help }, right.place);
            return None;
        }
        Err(Refused::Unit(is)) => {
            let ((method, metric), needs) = method.zip(metric).zip(needs)?;
            let (written, metric) = (written.clone(), metric.name.to_string());
            report(ProblemKind::WrongUnit { written, is, method, metric, needs }, right.place);
            return None;
        }
    };
    let (method, metric, dimension) = (method?, metric?, needs?);
    if dimension == Dimension::Share && limit > 1.0 {
        report(ProblemKind::BeyondShare { written: written.clone() }, right.place);
    }
    let written = written.trim_start_matches('+').to_owned();
    Some(Condition { method, kind: metric.kind, comparison, limit, written, dimension })
}

/// Why a limit is none here.
enum Refused {
    /// Not a limit at all; with help if there is some.
    Form(Option<String>),
    /// A limit of something else.
    Unit(&'static str),
}

/// Reads a limit in the base units of `needs`; a bare number is in them already, as in k6.
fn limit(written: &str, needs: Option<Dimension>) -> Result<f64, Refused> {
    if let Ok(bare) = written.parse::<f64>() {
        return if bare.is_finite() { Ok(bare) } else { Err(Refused::Form(None)) };
    }
    let (sign, text) = match written.strip_prefix('-') {
        Some(text) => (-1.0, text),
        None => (1.0, written.trim_start_matches('+')),
    };
    match (needs.map(|needs| needs.read(text)), Dimension::named(text)) {
        (Some(Ok(limit)), _) => Ok(sign * limit),
        (Some(Err(_)), Some(is)) => Err(Refused::Unit(is)),
        (Some(Err(error)), None) => Err(Refused::Form(error.help())),
        // Nothing to compare it with: whatever it is, it is a limit of something.
        (None, Some(_)) => Ok(0.0),
        (None, None) => Err(Refused::Form(None)),
    }
}
