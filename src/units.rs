//! Quantities as people write and read them: durations, rates, sizes, shares and counts.
//!
//! Called by the command line and by `script/` (both accept `"30s"` wherever a duration is meant), by `expr/` for the
//! limits of thresholds, and by `report/` and `progress` for printing. It knows nothing of metrics or options.
//!
//! | quantity | written | read as | module |
//! |---|---|---|---|
//! | duration | `250ms` `10s` `1m30s` `1.5h` | [`std::time::Duration`] | [`duration`] |
//! | rate | `50/s` `6k/min` `10 per s` `50` | `f64` per second | [`rate`] |
//! | size | `10MB` `10MiB` `512KB` `5B` | `u64` bytes | [`size`] |
//! | share | `1%` | `f64`, 0.01 | [`percent`] |
//! | count | `500` `10k` `1m` | `u64` | [`count`] |
//!
//! Each of these has `parse` and a `print` whose text parses to the same value. Measured values, which are rounded and
//! pick their unit themselves, are printed by [`human`].

pub mod count;
pub mod duration;
pub mod human;
mod number;
pub mod percent;
pub mod rate;
pub mod size;

use crate::diagnostic::did_you_mean;

/// Why a text is not the quantity that was meant. The message is a fragment that fits behind "… is wrong: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Nothing was written.
    #[error("empty text where a {quantity} is meant")]
    Empty {
        /// What was meant.
        quantity: Quantity,
    },
    /// It does not begin with a number.
    #[error("`{text}` is not a {quantity}")]
    NotANumber {
        /// What was meant.
        quantity: Quantity,
        /// The text as given.
        text: String,
    },
    /// A bare number where the unit matters.
    #[error("`{text}` has no unit")]
    NoUnit {
        /// What was meant.
        quantity: Quantity,
        /// The text as given.
        text: String,
    },
    /// A unit that this quantity does not have.
    #[error("unknown unit `{unit}` in `{text}`")]
    UnknownUnit {
        /// What was meant.
        quantity: Quantity,
        /// The text as given.
        text: String,
        /// The unit as given.
        unit: String,
    },
    /// Below zero; no quantity of a load test is.
    #[error("`{text}` is negative")]
    Negative {
        /// The text as given.
        text: String,
    },
    /// More than the type can hold.
    #[error("`{text}` is too large")]
    TooLarge {
        /// The text as given.
        text: String,
    },
    /// A count or a size that is not a whole number.
    #[error("`{text}` is not a whole number of {whole}")]
    NotWhole {
        /// The text as given.
        text: String,
        /// Of what it should be a whole number.
        whole: &'static str,
    },
}

/// What a text was meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// A span of time.
    Duration,
    /// So many per second.
    Rate,
    /// So many bytes.
    Size,
    /// So many of a hundred.
    Percentage,
    /// So many.
    Count,
}

impl Quantity {
    /// The units it may be written with, smallest first; empty where a number stands alone.
    pub fn units(self) -> &'static [&'static str] {
        match self {
            Self::Duration => &["ns", "us", "ms", "s", "m", "h", "d"],
            Self::Rate => &["/s", "/min", "/h"],
            Self::Size => &["B", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"],
            Self::Percentage => &["%"],
            Self::Count => &["k", "m"],
        }
    }
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Duration => "duration",
            Self::Rate => "rate",
            Self::Size => "size",
            Self::Percentage => "percentage",
            Self::Count => "count",
        })
    }
}

impl UnitError {
    /// What would be right, as a line of help: ``write `10s` or `10ms` ``.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NoUnit { quantity: Quantity::Duration, text } => {
                Some(format!("write `{text}s` for seconds or `{text}ms` for milliseconds"))
            }
            Self::NoUnit { quantity, text } => quantity.units().first().map(|unit| format!("write `{text}{unit}`")),
            Self::UnknownUnit { quantity, text, unit } => {
                let word = unit.trim();
                let meant = match (quantity, word.to_lowercase().as_str()) {
                    (Quantity::Duration, "sec" | "secs" | "second" | "seconds") => Some("s"),
                    (Quantity::Duration, "min" | "mins" | "minute" | "minutes") => Some("m"),
                    (Quantity::Duration, "hr" | "hrs" | "hour" | "hours") => Some("h"),
                    (Quantity::Duration, "day" | "days") => Some("d"),
                    (Quantity::Duration, "msec" | "millis" | "milliseconds") => Some("ms"),
                    _ => quantity
                        .units()
                        .iter()
                        .copied()
                        .find(|known| known.eq_ignore_ascii_case(word))
                        .or_else(|| did_you_mean(word, quantity.units().iter().copied())),
                };
                Some(match meant {
                    Some(meant) => format!("write `{}`", text.replacen(unit.as_str(), meant, 1)),
                    None => format!("units of a {quantity} are {}", listed(quantity.units())),
                })
            }
            Self::Empty { quantity } | Self::NotANumber { quantity, .. } => {
                Some(format!("write {}", quantity.example()))
            }
            Self::Negative { .. } | Self::TooLarge { .. } | Self::NotWhole { .. } => None,
        }
    }
}

impl Quantity {
    /// One or two right spellings, in backticks.
    fn example(self) -> &'static str {
        match self {
            Self::Duration => "`250ms`, `10s` or `1m30s`",
            Self::Rate => "`50/s` or `600/min`",
            Self::Size => "`512KB` or `10MiB`",
            Self::Percentage => "`1%`",
            Self::Count => "`500` or `10k`",
        }
    }
}

/// `` `a`, `b` and `c` ``.
fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}
