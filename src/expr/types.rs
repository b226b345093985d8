//! The type check: which method a metric has, and which unit its limit may be written in.
//!
//! Called by the rule that a threshold becomes. It knows metrics by their definition only, never their values.

use super::condition::Condition;
use super::problem::right_way_round;
use super::selector::Read;
use super::syntax::{Expr, Method, Spanned};
use super::{Problem, ProblemKind};
use crate::diagnostic::did_you_mean;
use crate::metrics::{BUILT_IN, MetricDef, MetricKind, SYSTEM_TAGS, Unit};
use crate::units::{UnitError, count, duration, human, percent, rate, size};

/// What a selector may name: the built-in metrics and tags, and those that the script declared.
#[derive(Debug, Clone, Copy, Default)]
pub struct Catalog<'a> {
    /// The script's own metrics.
    pub metrics: &'a [MetricDef],
    /// The script's own tags.
    pub tags: &'a [String],
}

impl<'a> Catalog<'a> {
    /// The metric of that name.
    pub fn metric(&self, name: &str) -> Option<&'a MetricDef> {
        self.all().find(|def| def.name == name)
    }

    fn all(&self) -> impl Iterator<Item = &'a MetricDef> {
        BUILT_IN.iter().chain(self.metrics)
    }

    fn tags(&self) -> impl Iterator<Item = &'a str> {
        SYSTEM_TAGS
            .iter()
            .copied()
            .chain(self.tags.iter().map(String::as_str))
    }

    /// The selector's metric; its tags are checked too.
    pub(super) fn check(&self, read: &Read, problems: &mut Vec<Problem>) -> Option<&'a MetricDef> {
        let name = read.selector.metric();
        let metric = self.metric(name);
        if metric.is_none() && !name.is_empty() {
            let nearest = did_you_mean(name, self.all().map(|def| &*def.name)).map(str::to_owned);
            problems.push(Problem::in_selector(
                ProblemKind::UnknownMetric {
                    name: name.to_owned(),
                    nearest,
                },
                read.metric,
            ));
        }
        for (tag, place) in &read.tags {
            if !self.tags().any(|known| known == tag) {
                let nearest = match tag.as_str() {
                    // Requests are grouped under `name`, never under their raw address.
                    "url" | "uri" | "path" | "endpoint" | "operation" => Some("name"),
                    _ => did_you_mean(tag, self.tags()),
                };
                let kind = ProblemKind::UnknownTag {
                    name: tag.clone(),
                    nearest: nearest.map(str::to_owned),
                    known: self.tags().map(|tag| format!("`{tag}`")).collect(),
                };
                problems.push(Problem::in_selector(kind, *place));
            }
        }
        metric
    }
}

/// What a method of a metric gives, and so what its limit must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// So much of the metric's unit.
    Amount(Unit),
    /// So much of it per second of the run.
    PerSecond(Unit),
    /// A share, 0 to 1.
    Share,
}

impl Dimension {
    /// For messages: `a time`, `a number`.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Amount(Unit::Time) => "a time",
            Self::Amount(Unit::Data) => "a size",
            Self::Amount(Unit::Plain) => "a number",
            Self::PerSecond(Unit::Time) => "milliseconds per second",
            Self::PerSecond(Unit::Data) => "a size per second",
            Self::PerSecond(Unit::Plain) => "a rate per second",
            Self::Share => "a share",
        }
    }

    /// How its limits are written, in backticks; nothing for what is a bare number only.
    pub(super) fn example(self) -> Option<&'static str> {
        match self {
            Self::Amount(Unit::Time) => Some("`300ms`, or `300` for milliseconds"),
            Self::Amount(Unit::Data) => Some("`10MB`, or `10` for bytes"),
            Self::Amount(Unit::Plain) => Some("`500` or `10k`"),
            Self::PerSecond(Unit::Time) => None,
            Self::PerSecond(Unit::Data) => Some("`10MB/s`"),
            Self::PerSecond(Unit::Plain) => Some("`50/s`, or `50`"),
            Self::Share => Some("`1%` or `0.01`"),
        }
    }

    /// An observed value for people, in the unit that suits it: `312.5ms`, `0.42%`, `1.2 MB/s`.
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Amount(Unit::Time) => human::time(value),
            Self::Amount(Unit::Data) => human::bytes(value),
            Self::Amount(Unit::Plain) => human::number(value),
            Self::PerSecond(Unit::Time) => format!("{}/s", human::time(value)),
            Self::PerSecond(Unit::Data) => human::byte_rate(value),
            Self::PerSecond(Unit::Plain) => human::rate(value),
            Self::Share => human::percent(value),
        }
    }

    /// A limit with a unit, in base units: milliseconds, bytes, a share.
    fn read(self, text: &str) -> Result<f64, UnitError> {
        match self {
            Self::Amount(Unit::Time) => duration::parse(text).map(|time| time.as_secs_f64() * 1e3),
            Self::Amount(Unit::Data) => size::parse(text).map(|bytes| bytes as f64),
            Self::Amount(Unit::Plain) => count::parse(text).map(|count| count as f64),
            Self::PerSecond(Unit::Data) => {
                let (amount, period) = text.split_once('/').unwrap_or((text, "s"));
                Ok(size::parse(amount)? as f64 * rate::parse(&format!("1/{period}"))?)
            }
            Self::PerSecond(Unit::Time | Unit::Plain) => rate::parse(text),
            Self::Share => percent::parse(text),
        }
    }

    /// What a limit's own unit makes it.
    fn of_limit(text: &str) -> Option<&'static str> {
        let kinds = [
            (Self::Share, "a percentage"),
            (Self::Amount(Unit::Time), "a duration"),
            (Self::Amount(Unit::Data), "a size"),
            (Self::Amount(Unit::Plain), "a count"),
            (Self::PerSecond(Unit::Plain), "a rate"),
            (Self::PerSecond(Unit::Data), "a size per second"),
        ];
        kinds
            .into_iter()
            .find(|(dimension, _)| dimension.read(text).is_ok())
            .map(|(_, word)| word)
    }
}

/// What `method` gives for a metric of this kind and unit; `None` when the metric has no such method.
pub(super) fn dimension(method: Method, kind: MetricKind, unit: Unit) -> Option<Dimension> {
    match (kind, method) {
        (MetricKind::Counter, Method::Count) | (MetricKind::Gauge, Method::Value) => {
            Some(Dimension::Amount(unit))
        }
        (MetricKind::Counter, Method::Rate) => Some(Dimension::PerSecond(unit)),
        (MetricKind::Rate, Method::Rate) => Some(Dimension::Share),
        (MetricKind::Trend, Method::Count) => Some(Dimension::Amount(Unit::Plain)),
        (
            MetricKind::Trend,
            Method::Avg | Method::Min | Method::Max | Method::Med | Method::P(_),
        ) => Some(Dimension::Amount(unit)),
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
        Expr::Compare {
            left,
            comparison,
            right,
        } => (left, *comparison, right),
        Expr::Quantity(method) => {
            report(
                ProblemKind::NoComparison {
                    method: Some(*method),
                },
                tree.place,
            );
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
            report(
                ProblemKind::NotALimit {
                    found: "a limit should stand here",
                },
                right.place,
            );
            None
        }
        (Expr::Limit(_), Expr::Limit(_) | Expr::Broken) => {
            report(
                ProblemKind::NotALimit {
                    found: "a method should stand here",
                },
                left.place,
            );
            None
        }
        (Expr::Compare { .. }, _) | (_, Expr::Compare { .. }) => {
            report(
                ProblemKind::NotALimit {
                    found: "there are two comparisons",
                },
                tree.place,
            );
            None
        }
    };
    let needs = method.zip(metric).and_then(|(method, metric)| {
        let dimension = dimension(method, metric.kind, metric.unit);
        if dimension.is_none() {
            let kind = ProblemKind::WrongMethod {
                method,
                metric: metric.name.to_string(),
                kind: metric.kind,
            };
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
            report(
                ProblemKind::BadLimit {
                    written: written.clone(),
                    help,
                },
                right.place,
            );
            return None;
        }
        Err(Refused::Unit(is)) => {
            let ((method, metric), needs) = method.zip(metric).zip(needs)?;
            let (written, metric) = (written.clone(), metric.name.to_string());
            report(
                ProblemKind::WrongUnit {
                    written,
                    is,
                    method,
                    metric,
                    needs,
                },
                right.place,
            );
            return None;
        }
    };
    let (method, metric, dimension) = (method?, metric?, needs?);
    if dimension == Dimension::Share && limit > 1.0 {
        report(
            ProblemKind::BeyondShare {
                written: written.clone(),
            },
            right.place,
        );
    }
    let written = written.trim_start_matches('+').to_owned();
    Some(Condition {
        method,
        kind: metric.kind,
        comparison,
        limit,
        written,
        dimension,
    })
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
        return if bare.is_finite() {
            Ok(bare)
        } else {
            Err(Refused::Form(None))
        };
    }
    let (sign, text) = match written.strip_prefix('-') {
        Some(text) => (-1.0, text),
        None => (1.0, written.trim_start_matches('+')),
    };
    match (
        needs.map(|needs| needs.read(text)),
        Dimension::of_limit(text),
    ) {
        (Some(Ok(limit)), _) => Ok(sign * limit),
        (Some(Err(_)), Some(is)) => Err(Refused::Unit(is)),
        (Some(Err(error)), None) => Err(Refused::Form(error.help())),
        // Nothing to compare it with: whatever it is, it is a limit of something.
        (None, Some(_)) => Ok(0.0),
        (None, None) => Err(Refused::Form(None)),
    }
}
