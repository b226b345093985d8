//! The number that stands before a unit, read exactly: as an integer and its decimal places, never through a float.
//!
//! Called by the quantities beside it. It knows no units.

use super::{Quantity, UnitError};

/// Digits behind the point that can matter: `u128` holds `u64::MAX` times a day in nanoseconds times this many places.
const PLACES: usize = 9;

/// An unsigned decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    /// The part before the point.
    pub whole: u64,
    /// The part behind the point, in units of 10⁻⁹; further digits are cut.
    pub billionths: u64,
}

impl Number {
    /// `self × unit`, and whether it came out whole. `None` when it does not fit.
    pub fn times(self, unit: u64) -> Option<(u64, bool)> {
        let scaled = u128::from(self.whole) * 1_000_000_000 + u128::from(self.billionths);
        // Cannot overflow: 2^64 × 10^9 < 2^94, times 2^64 may; hence the checked multiplication.
        let product = scaled.checked_mul(u128::from(unit))?;
        let whole = u64::try_from(product / 1_000_000_000).ok()?;
        Some((whole, product.is_multiple_of(1_000_000_000)))
    }

    /// As a float.
    pub fn to_f64(self) -> f64 {
        self.whole as f64 + self.billionths as f64 / 1e9
    }
}

/// Splits `text` (trimmed) into a number and what follows it. `1_000.5` is fine; signs and exponents are not.
pub(super) fn leading<'t>(quantity: Quantity, whole_text: &str, text: &'t str) -> Result<(Number, &'t str), UnitError> {
    let text = text.trim_start();
    if text.is_empty() {
        return Err(UnitError::Empty { quantity });
    }
    let wrong = || UnitError::NotANumber { quantity, text: whole_text.to_owned() };
    let large = || UnitError::TooLarge { text: whole_text.to_owned() };
    if let Some(rest) = text.strip_prefix('-') {
        let negative = rest.trim_start().starts_with(|c: char| c.is_ascii_digit());
        return Err(if negative { UnitError::Negative { text: whole_text.to_owned() } } else { wrong() });
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '_' && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| part.chars().filter(char::is_ascii_digit).collect::<String>();
    let starts_well = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    if !starts_well(whole) || !starts_well(fraction) || fraction.contains('.') {
        return Err(wrong());
    }
    let whole = digits(whole).parse().map_err(|_| large())?;
    let mut places = digits(fraction);
    places.truncate(PLACES);
    let billionths = format!("{places:0<PLACES$}").parse().expect("nine digits are a number");
    Ok((Number { whole, billionths }, rest))
}
