//! What the number of a threshold is: a time, a size, a share; how its limits are read and its observations shown.
//!
//! Found by the type check, kept in the condition, used by the report.

use super::syntax::Sign;
use crate::metrics::Unit;
use crate::units::{UnitError, count, duration, human, percent, rate, size};

/// What a method of a metric gives, and so what its limit must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// So much of the metric's unit.
    Amount(Unit),
    /// So much of it per second of the run.
    PerSecond(Unit),
    /// A share, 0 to 1.
    Share,
    /// So many of one thing for each of another, from arithmetic; written as a share or as a number.
    Ratio,
    /// How fast a number per second changes, per second.
    Change(Unit),
    /// How fast a share or a ratio changes, per second.
    ShareChange,
}

impl Dimension {
    /// What a value of this unit is.
    pub fn of(unit: Unit) -> Self {
        if unit == Unit::Share { Self::Share } else { Self::Amount(unit) }
    }

    /// For messages: `a time`, `a number`.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Amount(Unit::Time) => "a time",
            Self::Amount(Unit::Data) => "a size",
            Self::Amount(Unit::Plain) => "a number",
            Self::PerSecond(Unit::Time) => "milliseconds per second",
            Self::PerSecond(Unit::Data) => "a size per second",
            Self::PerSecond(Unit::Plain) => "a rate per second",
            Self::Share | Self::Amount(Unit::Share) => "a share",
            Self::Ratio => "a ratio",
            Self::Change(Unit::Time) => "milliseconds per second, per second",
            Self::Change(Unit::Data) => "a size per second, per second",
            Self::Change(Unit::Plain) => "a rate per second, per second",
            Self::ShareChange | Self::PerSecond(Unit::Share) => "a share per second",
            Self::Change(Unit::Share) => "a share per second, per second",
        }
    }

    /// How its limits are written, in backticks; nothing for what is a bare number only.
    pub(super) fn example(self) -> Option<&'static str> {
        match self {
            Self::Amount(Unit::Time) => Some("`300ms`, or `300` for milliseconds"),
            Self::Amount(Unit::Data) => Some("`10MB`, or `10` for bytes"),
            Self::Amount(Unit::Plain) => Some("`500` or `10k`"),
            Self::PerSecond(Unit::Time) => Some("`5ms/s`, or `5` for milliseconds per second"),
            Self::PerSecond(Unit::Data) => Some("`10MB/s`"),
            Self::PerSecond(Unit::Plain) => Some("`50/s`, or `50`"),
            Self::Share | Self::Amount(Unit::Share) => Some("`1%` or `0.01`"),
            Self::Ratio => Some("`10%` or `0.1`"),
            Self::Change(Unit::Time) => Some("`5ms/s`, for so much more per second in each second"),
            Self::Change(Unit::Data) => Some("`1MB/s`, for so much more per second in each second"),
            Self::Change(Unit::Plain) => Some("`5/s`, for so many more per second in each second"),
            Self::ShareChange | Self::PerSecond(Unit::Share) | Self::Change(Unit::Share) => Some("`1%/s`"),
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
            Self::Share | Self::Amount(Unit::Share) => human::percent(value),
            Self::Ratio => human::number(value),
            Self::Change(unit) => format!("{}/s", Self::PerSecond(unit).show(value)),
            Self::ShareChange | Self::PerSecond(Unit::Share) => format!("{}/s", human::percent(value)),
        }
    }

    /// A limit with a unit, in base units: milliseconds, bytes, a share.
    pub(super) fn read(self, text: &str) -> Result<f64, UnitError> {
        match self {
            Self::Amount(Unit::Time) => duration::parse(text).map(|time| time.as_secs_f64() * 1e3),
            Self::Amount(Unit::Data) => size::parse(text).map(|bytes| bytes as f64),
            Self::Amount(Unit::Plain) => count::parse(text).map(|count| count as f64),
            Self::PerSecond(Unit::Data) => per_second(text, |amount| size::parse(amount).map(|bytes| bytes as f64)),
            Self::PerSecond(Unit::Time) => {
                per_second(text, |amount| duration::parse(amount).map(|time| time.as_secs_f64() * 1e3))
                    .or_else(|error| rate::parse(text).map_err(|_| error))
            }
            Self::PerSecond(Unit::Plain) => rate::parse(text),
            Self::Share | Self::Amount(Unit::Share) => percent::parse(text),
            Self::Ratio => percent::parse(text).or_else(|_| count::parse(text).map(|count| count as f64)),
            Self::Change(unit) => Self::PerSecond(unit).read(text),
            Self::ShareChange | Self::PerSecond(Unit::Share) => per_second(text, percent::parse),
        }
    }

    /// How fast it changes.
    pub(super) fn change(self) -> Option<Self> {
        match self {
            Self::Amount(unit) => Some(Self::PerSecond(unit)),
            Self::PerSecond(unit) => Some(Self::Change(unit)),
            Self::Share | Self::Ratio => Some(Self::ShareChange),
            Self::Change(_) | Self::ShareChange => None,
        }
    }

    /// Whether it is a mere number, and so a factor of anything.
    pub(super) fn is_scalar(self) -> bool {
        matches!(self, Self::Amount(Unit::Plain) | Self::Share | Self::Ratio)
    }

    /// What comes of two of them; `None` when it means nothing.
    pub(super) fn combined(self, sign: Sign, other: Self) -> Option<Self> {
        let scalar = Self::is_scalar;
        match (sign, self, other) {
            (Sign::Plus | Sign::Minus, left, right) if left == right => Some(left),
            (Sign::Plus | Sign::Minus, Self::Share | Self::Ratio, Self::Share | Self::Ratio) => Some(Self::Ratio),
            (Sign::Plus | Sign::Minus, ..) => None,
            (Sign::Times, Self::Amount(Unit::Plain), other) if scalar(other) => Some(Self::Amount(Unit::Plain)),
            (Sign::Times, Self::Share, Self::Share) => Some(Self::Share),
            (Sign::Times, factor, other) if scalar(factor) => Some(other),
            (Sign::Times, other, factor) if scalar(factor) => Some(other),
            (Sign::Times, ..) => None,
            (Sign::Per, left, right) if left == right => Some(Self::Ratio),
            (Sign::Per, Self::Share, Self::Ratio) | (Sign::Per, Self::Ratio, Self::Share) => Some(Self::Ratio),
            (Sign::Per, Self::PerSecond(unit), Self::PerSecond(Unit::Plain)) => Some(Self::Amount(unit)),
            (Sign::Per, Self::Share | Self::Ratio, Self::Amount(Unit::Plain)) => Some(Self::Ratio),
            (Sign::Per, left, factor) if scalar(factor) => Some(left),
            (Sign::Per, ..) => None,
        }
    }

    /// What a limit's own unit makes it, and the word for it.
    pub(super) fn named(text: &str) -> Option<(Self, &'static str)> {
        let kinds = [
            (Self::Share, "a percentage"),
            (Self::Amount(Unit::Time), "a duration"),
            (Self::Amount(Unit::Data), "a size"),
            (Self::Amount(Unit::Plain), "a count"),
            (Self::PerSecond(Unit::Plain), "a rate"),
            (Self::PerSecond(Unit::Data), "a size per second"),
            (Self::PerSecond(Unit::Time), "a time per second"),
            (Self::ShareChange, "a share per second"),
        ];
        kinds.into_iter().find(|(dimension, _)| dimension.read(text).is_ok())
    }
}

/// `10MB/s`, `5ms/min`: an amount and the time in which it comes.
fn per_second(text: &str, amount: impl Fn(&str) -> Result<f64, UnitError>) -> Result<f64, UnitError> {
    let (written, period) = text.split_once('/').unwrap_or((text, "s"));
    Ok(amount(written)? * rate::parse(&format!("1/{period}"))?)
}
