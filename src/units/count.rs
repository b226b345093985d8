//! Counts: `500`, `10k`, `1m` (a million), `10_000`.
//!
//! Called by `-u` and `-i` and by options that count something.

use super::number::leading;
use super::{Quantity, UnitError};

/// The factor that a suffix stands for; the empty suffix is 1.
pub(super) fn multiple(suffix: &str) -> Option<u64> {
    match suffix {
        "" => Some(1),
        "k" | "K" => Some(1_000),
        "m" | "M" => Some(1_000_000),
        "G" | "g" => Some(1_000_000_000),
        _ => None,
    }
}

/// Reads a whole number, `k` for thousands, `m` for millions.
pub fn parse(text: &str) -> Result<u64, UnitError> {
    let quantity = Quantity::Count;
    let trimmed = text.trim();
    let (number, rest) = leading(quantity, trimmed, trimmed)?;
    let unit = rest.trim_start();
    let factor = multiple(unit).ok_or_else(|| UnitError::UnknownUnit {
        quantity,
        text: trimmed.to_owned(),
        unit: unit.to_owned(),
    })?;
    match number.times(factor) {
        Some((count, true)) => Ok(count),
        Some((_, false)) => Err(UnitError::NotWhole { text: trimmed.to_owned(), whole: "things" }),
        None => Err(UnitError::TooLarge { text: trimmed.to_owned() }),
    }
}

/// Writes it exactly in the largest multiple that divides it: `10k`, `1500`. [`parse`] reads it back.
pub fn print(count: u64) -> String {
    match count {
        0 => "0".to_owned(),
        _ if count.is_multiple_of(1_000_000) => format!("{}m", count / 1_000_000),
        _ if count.is_multiple_of(1_000) => format!("{}k", count / 1_000),
        _ => count.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn forms() {
        for (text, count) in [("500", 500), ("10k", 10_000), ("1m", 1_000_000), ("2.5k", 2_500), ("10_000", 10_000)] {
            assert_eq!(parse(text), Ok(count), "{text}");
        }
        assert_eq!(
            parse("1.5").map_err(|error| error.to_string()),
            Err("`1.5` is not a whole number of things".into())
        );
        assert_eq!(parse("5x").map_err(|error| error.help()), Err(Some("units of a count are `k` and `m`".into())));
        assert_eq!(
            parse("99999999999999999999").map_err(|error| error.to_string()),
            Err("`99999999999999999999` is too large".into())
        );
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(count in any::<u64>(), zeros in 0u32..7) {
            let count = count / 10u64.pow(zeros) * 10u64.pow(zeros);
            prop_assert_eq!(parse(&print(count)), Ok(count));
        }
    }
}
