//! Shares: `1%`, `99.9%`. Read and written as 0 to 1 inside, as k6 does.
//!
//! Called by thresholds (`rate < 1%`) and by options that are shares. A share above 100% is for the caller to judge.

use super::number::leading;
use super::{Quantity, UnitError};

/// Reads `1%` as 0.01. A bare number is refused: `1` could be 1% or everything.
pub fn parse(text: &str) -> Result<f64, UnitError> {
    let quantity = Quantity::Percentage;
    let trimmed = text.trim();
    let (number, rest) = leading(quantity, trimmed, trimmed)?;
    match rest.trim_start() {
        "%" => Ok(number.to_f64() / 100.0),
        "" => Err(UnitError::NoUnit { quantity, text: trimmed.to_owned() }),
        unit => Err(UnitError::UnknownUnit { quantity, text: trimmed.to_owned(), unit: unit.to_owned() }),
    }
}

/// Writes 0.01 as `1%`. [`parse`] reads it back.
pub fn print(share: f64) -> String {
    // Through decimal places, so that 0.07 × 100 is not 7.000000000000001.
    let text = format!("{:.9}", share * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn forms() {
        assert_eq!(parse("1%"), Ok(0.01));
        assert_eq!(parse("99.9 %"), Ok(0.9990000000000001));
        assert_eq!(parse("1").map_err(|error| error.help()), Err(Some("write `1%`".into())));
        assert_eq!(parse("1s").map_err(|error| error.to_string()), Err("unknown unit `s` in `1s`".into()));
        assert_eq!((print(0.07), print(1.0), print(0.0)), ("7%".into(), "100%".into(), "0%".into()));
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(millionths in 0u32..=1_000_000) {
            let share = f64::from(millionths) / 1e6;
            prop_assert!((parse(&print(share)).expect("a printed share is a share") - share).abs() < 1e-12);
        }
    }
}
