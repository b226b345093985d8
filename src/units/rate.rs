//! Rates: `50/s`, `6k/min`, `10 per s`, `50`.
//!
//! Called for `rate:` and `max_rate`, for `-r`, and for limits in thresholds. A bare number is per second, as in `rate: 50`.

use super::count::multiple;
use super::number::leading;
use super::{Quantity, UnitError};

/// Every period with its length in seconds.
const PERIODS: [(&str, f64); 14] = [
    ("ms", 0.001),
    ("s", 1.0),
    ("sec", 1.0),
    ("second", 1.0),
    ("1s", 1.0),
    ("m", 60.0),
    ("min", 60.0),
    ("minute", 60.0),
    ("1m", 60.0),
    ("h", 3_600.0),
    ("hour", 3_600.0),
    ("1h", 3_600.0),
    ("d", 86_400.0),
    ("day", 86_400.0),
];

/// Reads a number, a multiple (`k`, `m`) if any, and `/period` or `per period` if any; answers per second.
pub fn parse(text: &str) -> Result<f64, UnitError> {
    let quantity = Quantity::Rate;
    let trimmed = text.trim();
    let (number, rest) = leading(quantity, trimmed, trimmed)?;
    let rest = rest.trim_start();
    let (prefix, period) = match rest.split_once('/') {
        Some((prefix, period)) => (prefix, Some(period)),
        None => match rest.split_once("per") {
            // `10 per s`, but `10 percent` has no such period and is refused below with its whole unit.
            Some((prefix, period)) if period.starts_with(char::is_whitespace) => (prefix, Some(period)),
            _ => (rest, None),
        },
    };
    let unknown = || UnitError::UnknownUnit { quantity, text: trimmed.to_owned(), unit: rest.trim().to_owned() };
    let factor = multiple(prefix.trim()).ok_or_else(unknown)?;
    let seconds = match period.map(str::trim) {
        Some(period) => {
            PERIODS.iter().find(|(name, _)| *name == period).map(|(_, seconds)| *seconds).ok_or_else(unknown)?
        }
        None => 1.0,
    };
    Ok(number.to_f64() * factor as f64 / seconds)
}

/// Writes a rate per second exactly, as a script would: `50/s`, `0.5/s`. [`parse`] reads it back.
pub fn print(per_second: f64) -> String {
    format!("{per_second}/s")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_is_read() {
        for (text, per_second) in [
            ("50/s", 50.0),
            ("50", 50.0),
            ("0", 0.0),
            ("6k/min", 100.0),
            ("6000/m", 100.0),
            ("10 per s", 10.0),
            ("10 per second", 10.0),
            ("120 per minute", 2.0),
            ("1.5/s", 1.5),
            ("3600/h", 1.0),
            ("86400 / day", 1.0),
            ("2/ms", 2_000.0),
            ("1k", 1_000.0),
        ] {
            assert_eq!(parse(text), Ok(per_second), "{text}");
        }
    }

    #[test]
    fn wrong_ones_say_what_would_be_right() {
        for (text, message, help) in [
            ("fast", "`fast` is not a rate", "write `50/s` or `600/min`"),
            ("50/sek", "unknown unit `/sek` in `50/sek`", "units of a rate are `/s`, `/min` and `/h`"),
            ("50/S", "unknown unit `/S` in `50/S`", "write `50/s`"),
            ("50 percent", "unknown unit `percent` in `50 percent`", "units of a rate are `/s`, `/min` and `/h`"),
            ("50q/s", "unknown unit `q/s` in `50q/s`", "write `50/s`"),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!((error.to_string().as_str(), error.help().as_deref()), (message, Some(help)), "{text}");
        }
        assert_eq!(parse("-1/s"), Err(UnitError::Negative { text: "-1/s".into() }));
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(thousandths in 0u64..10_000_000_000) {
            let rate = thousandths as f64 / 1000.0;
            let back = parse(&print(rate)).expect("a printed rate is a rate");
            prop_assert!((back - rate).abs() <= 1e-9 * rate.max(1.0), "{} {}", rate, back);
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), number in "[0-9.]{0,30}[kmper/ ]{0,6}[a-z]?") {
            let _ = (parse(&text), parse(&number));
        }
    }
}
