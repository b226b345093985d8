//! The observed side of a comparison: a quantity, or what arithmetic and lines make of several.
//!
//! Made by the type check, evaluated by the condition. It sees measurements through [`View`] only.

use std::fmt;
use std::time::Duration;

use super::syntax::Sign;
use super::{Method, Moment, Selector, View, line};
use crate::metrics::MetricKind;
use crate::units::duration;

/// One method of one metric, maybe of the last while only.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// How the metric is read.
    pub method: Method,
    /// The kind of the metric.
    pub kind: MetricKind,
    /// The series that it reads: what `of` says or else the threshold's selector, narrowed to the scenario of the options.
    pub selector: Selector,
    /// Of how long; the whole run so far without.
    pub window: Option<Duration>,
    /// What `of` says, as written.
    pub(super) of: Option<Selector>,
}

/// A number that can be observed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Number {
    Quantity(Quantity),
    /// In base units, and as written.
    Constant(f64, String),
    Negate(Box<Number>),
    Arithmetic(Box<Number>, Sign, Box<Number>),
    /// The rise per second of the line through the slices of a window; with a time ahead, where that line will be then.
    Line {
        of: Box<Number>,
        window: Duration,
        ahead: Option<Duration>,
    },
}

impl Quantity {
    /// The number that the method reads; `None` without data.
    ///
    /// | kind | while running, nothing seen | at the end, nothing seen |
    /// |---|---|---|
    /// | Counter | no data | 0 |
    /// | Gauge, Rate, Trend | no data | no data |
    fn observe(&self, view: &dyn View, moment: Moment) -> Option<f64> {
        let selector = &self.selector;
        match self.kind {
            MetricKind::Counter => {
                let sum = match (view.counter(selector), moment) {
                    (Some(counter), _) => counter.sum,
                    (None, Moment::End) => 0.0,
                    (None, Moment::Running) => return None,
                };
                match self.method {
                    Method::Rate if sum == 0.0 && moment == Moment::End => Some(0.0),
                    Method::Rate => Some(sum / view.elapsed_seconds()).filter(|rate| rate.is_finite()),
                    _ => Some(sum),
                }
            }
            MetricKind::Gauge => view.gauge(selector).map(|gauge| match self.method {
                Method::Min => gauge.min,
                Method::Max => gauge.max,
                _ => gauge.value,
            }),
            MetricKind::Rate => {
                view.rate(selector).filter(|rate| rate.total > 0).map(|rate| rate.hits as f64 / rate.total as f64)
            }
            MetricKind::Trend => {
                let trend = view.trend(selector).filter(|trend| trend.count() > 0)?;
                Some(match self.method {
                    Method::Avg => trend.mean(),
                    Method::Min => trend.min(),
                    Method::Max => trend.max(),
                    Method::Med => trend.percentile(50.0),
                    Method::P(percentile) => trend.percentile(percentile),
                    Method::Count | Method::Rate | Method::Value => trend.count() as f64,
                })
            }
        }
    }
}

impl Number {
    /// What it is; `None` without data, and when it is no number: a share of nothing.
    pub fn observe(&self, view: &dyn View, moment: Moment) -> Option<f64> {
        let value = match self {
            Self::Quantity(quantity) => match quantity.window {
                None => quantity.observe(view, moment),
                Some(window) => quantity.observe(&*view.over(window)?, moment),
            },
            Self::Line { of, window, ahead } => {
                let slices = view.slices(*window)?;
                let points = slices.iter().filter_map(|slice| Some((slice.at, of.in_slice(&*slice.view)?)));
                let line = line::through(&points.collect::<Vec<_>>())?;
                Some(ahead.map_or(line.rise, |ahead| line.at(ahead.as_secs_f64())))
            }
            _ => self.combine(|number| number.observe(view, moment)),
        };
        value.filter(|value| value.is_finite())
    }

    /// The same in a slice of a window, where the window has been taken already.
    fn in_slice(&self, slice: &dyn View) -> Option<f64> {
        match self {
            Self::Quantity(quantity) => quantity.observe(slice, Moment::Running),
            // The type check lets no line into a line.
            Self::Line { .. } => None,
            _ => self.combine(|number| number.in_slice(slice)),
        }
    }

    fn combine(&self, value: impl Fn(&Self) -> Option<f64>) -> Option<f64> {
        match self {
            Self::Constant(value, _) => Some(*value),
            Self::Negate(of) => value(of).map(|value| -value),
            Self::Arithmetic(left, sign, right) => Some(sign.apply(value(left)?, value(right)?)),
            Self::Quantity(_) | Self::Line { .. } => None,
        }
    }

    /// Its value when it has no quantity.
    pub fn constant(&self) -> Option<f64> {
        self.combine(Self::constant)
    }

    /// Whether there is a `slope` or `forecast` in it.
    pub fn has_line(&self) -> bool {
        match self {
            Self::Line { .. } => true,
            Self::Quantity(_) | Self::Constant(..) => false,
            Self::Negate(of) => of.has_line(),
            Self::Arithmetic(left, _, right) => left.has_line() || right.has_line(),
        }
    }

    /// The longest window that it reads.
    pub fn window(&self) -> Option<Duration> {
        match self {
            Self::Quantity(quantity) => quantity.window,
            Self::Constant(..) => None,
            Self::Line { window, .. } => Some(*window),
            Self::Negate(of) => of.window(),
            Self::Arithmetic(left, _, right) => left.window().max(right.window()),
        }
    }

    /// Adds its quantities, from left to right.
    pub fn quantities<'a>(&'a self, all: &mut Vec<&'a Quantity>) {
        match self {
            Self::Quantity(quantity) => all.push(quantity),
            Self::Constant(..) => {}
            Self::Negate(of) | Self::Line { of, .. } => of.quantities(all),
            Self::Arithmetic(left, _, right) => {
                left.quantities(all);
                right.quantities(all);
            }
        }
    }

    /// How tightly its outermost sign binds, as in the parser's table.
    fn power(&self) -> u8 {
        match self {
            Self::Arithmetic(_, Sign::Plus | Sign::Minus, _) => 4,
            Self::Arithmetic(..) => 5,
            Self::Negate(_) => 6,
            Self::Quantity(_) | Self::Constant(..) | Self::Line { .. } => 7,
        }
    }

    /// In parentheses where it binds less tightly than `floor`.
    fn write(&self, out: &mut fmt::Formatter<'_>, floor: u8) -> fmt::Result {
        if self.power() < floor {
            return write!(out, "({self})");
        }
        write!(out, "{self}")
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.method)?;
        if let Some(of) = &self.of {
            write!(out, " of {of}")?;
        }
        match self.window {
            Some(window) => write!(out, " over {}", duration::print(window)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quantity(quantity) => write!(out, "{quantity}"),
            Self::Constant(_, written) => out.write_str(written),
            Self::Negate(of) => {
                out.write_str("-")?;
                // `-5` would be one number.
                let floor = if matches!(**of, Self::Constant(..)) { 8 } else { 6 };
                of.write(out, floor)
            }
            Self::Arithmetic(left, sign, right) => {
                left.write(out, self.power())?;
                write!(out, " {sign} ")?;
                right.write(out, self.power() + 1)
            }
            Self::Line { of, ahead: None, .. } => write!(out, "slope({of})"),
            Self::Line { of, ahead: Some(ahead), .. } => write!(out, "forecast({of}, {})", duration::print(*ahead)),
        }
    }
}
