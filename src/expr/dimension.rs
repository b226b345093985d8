//! What the number of a threshold is: a time, a size, a share; how its limits are read and its observations shown.
//!
//! Found by the type check, kept in the condition, used by the report.

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
    pub(super) fn read(self, text: &str) -> Result<f64, UnitError> {
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
    pub(super) fn named(text: &str) -> Option<&'static str> {
        let kinds = [
            (Self::Share, "a percentage"),
            (Self::Amount(Unit::Time), "a duration"),
            (Self::Amount(Unit::Data), "a size"),
            (Self::Amount(Unit::Plain), "a count"),
            (Self::PerSecond(Unit::Plain), "a rate"),
            (Self::PerSecond(Unit::Data), "a size per second"),
        ];
        kinds.into_iter().find(|(dimension, _)| dimension.read(text).is_ok()).map(|(_, word)| word)
    }
}
