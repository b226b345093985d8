//! Durations: `250ms`, `10s`, `1m30s`, `1.5h`, `1d`.
//!
//! Called wherever a script, a flag or an option gives a time. A bare number is refused: seconds or milliseconds? A script
//! that means ten seconds and gets ten milliseconds still runs, and lies.

use std::time::Duration;

use super::number::leading;
use super::{Quantity, UnitError};

/// Every unit with its length in nanoseconds; two signs exist for micro.
const UNITS: [(&str, u64); 9] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// Reads one or more numbers with units, which are added up; exact to the nanosecond. `0` alone needs no unit.
pub fn parse(text: &str) -> Result<Duration, UnitError> {
    let quantity = Quantity::Duration;
    let trimmed = text.trim();
    let large = || UnitError::TooLarge { text: trimmed.to_owned() };
    let mut rest = trimmed;
    let mut nanos = 0u64;
    loop {
        let (number, behind) = leading(quantity, trimmed, rest)?;
        let behind = behind.trim_start();
        let end = behind.find(|c: char| !c.is_alphabetic()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(end);
        if unit.is_empty() && behind.is_empty() && trimmed.trim_matches(['0', '.', '_']).is_empty() {
            return Ok(Duration::ZERO);
        }
        if unit.is_empty() {
            return Err(match behind.is_empty() {
                true => UnitError::NoUnit { quantity, text: trimmed.to_owned() },
                false => UnitError::NotANumber { quantity, text: trimmed.to_owned() },
            });
        }
        let length = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .map(|(_, length)| *length)
            .ok_or_else(|| UnitError::UnknownUnit { quantity, text: trimmed.to_owned(), unit: unit.to_owned() })?;
        let (part, _) = number.times(length).ok_or_else(large)?;
        nanos = nanos.checked_add(part).ok_or_else(large)?;
        rest = behind.trim_start();
        if rest.is_empty() {
            return Ok(Duration::from_nanos(nanos));
        }
    }
}

/// Writes it exactly, as a script would: `1m30s`, `1.5s`, `250ms`, `0s`. [`parse`] reads it back to the same value.
pub fn print(duration: Duration) -> String {
    let mut text = String::new();
    let seconds = duration.as_secs();
    for (unit, length) in [("d", 86_400), ("h", 3_600), ("m", 60)] {
        let count = match unit {
            "d" => seconds / length,
            "h" => seconds % 86_400 / length,
            _ => seconds % 3_600 / length,
        };
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
        }
    }
    let (seconds, nanos) = (seconds % 60, duration.subsec_nanos());
    let part = match (seconds, nanos) {
        (0, 0) if !text.is_empty() => return text,
        (seconds, 0) => return text + format!("{seconds}s").as_str(),
        (0, nanos) if nanos < 1_000 => (u64::from(nanos), 0, 0, "ns"),
        (0, nanos) if nanos < 1_000_000 => (u64::from(nanos / 1_000), nanos % 1_000, 3, "us"),
        (0, nanos) => (u64::from(nanos / 1_000_000), nanos % 1_000_000, 6, "ms"),
        (seconds, nanos) => (seconds, nanos, 9, "s"),
    };
    let (whole, fraction, places, unit) = part;
    let mut number = whole.to_string();
    if fraction > 0 {
        number.push_str(format!(".{fraction:0places$}").trim_end_matches('0'));
    }
    text + number.as_str() + unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_is_read() {
        for (text, nanos) in [
            ("250ms", 250_000_000),
            ("10s", 10_000_000_000),
            ("1m30s", 90_000_000_000),
            ("2h", 7_200_000_000_000),
            ("500us", 500_000),
            ("12.5µs", 12_500),
            ("1.5s", 1_500_000_000),
            ("1d", 86_400_000_000_000),
            ("7ns", 7),
            (" 1h 30m ", 5_400_000_000_000),
            ("10 s", 10_000_000_000),
            ("1_000ms", 1_000_000_000),
            ("0", 0),
            ("0.0", 0),
            ("0s", 0),
            ("0.1s", 100_000_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn wrong_ones_say_what_would_be_right() {
        for (text, message, help) in [
            ("", "empty text where a duration is meant", "write `250ms`, `10s` or `1m30s`"),
            ("10", "`10` has no unit", "write `10s` for seconds or `10ms` for milliseconds"),
            ("1m30", "`1m30` has no unit", "write `1m30s` for seconds or `1m30ms` for milliseconds"),
            ("soon", "`soon` is not a duration", "write `250ms`, `10s` or `1m30s`"),
            ("1.2.3s", "`1.2.3s` is not a duration", "write `250ms`, `10s` or `1m30s`"),
            ("10/s", "`10/s` is not a duration", "write `250ms`, `10s` or `1m30s`"),
            ("5min", "unknown unit `min` in `5min`", "write `5m`"),
            ("5 sec", "unknown unit `sec` in `5 sec`", "write `5 s`"),
            ("5S", "unknown unit `S` in `5S`", "write `5s`"),
            ("5q", "unknown unit `q` in `5q`", "units of a duration are `ns`, `us`, `ms`, `s`, `m`, `h` and `d`"),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!((error.to_string().as_str(), error.help().as_deref()), (message, Some(help)), "{text}");
        }
        assert_eq!(parse("-5s"), Err(UnitError::Negative { text: "-5s".into() }));
        assert_eq!(parse("99999999999h"), Err(UnitError::TooLarge { text: "99999999999h".into() }));
    }

    #[test]
    fn printing_is_what_a_script_would_say() {
        for (nanos, text) in [
            (0, "0s"),
            (90_000_000_000, "1m30s"),
            (3_600_000_000_000, "1h"),
            (1_500_000_000, "1.5s"),
            (250_000_000, "250ms"),
            (12_500, "12.5us"),
            (86_401_000_000_000, "1d1s"),
            (60_000_000_001, "1m1ns"),
        ] {
            assert_eq!(print(Duration::from_nanos(nanos)), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(nanos in any::<u64>(), shift in 0u32..64) {
            let duration = Duration::from_nanos(nanos >> shift);
            prop_assert_eq!(parse(&print(duration)), Ok(duration));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), number in "[0-9._-]{0,30}[a-zµ/% ]{0,4}[0-9.]{0,3}[a-z]?") {
            let _ = (parse(&text), parse(&number));
        }
    }
}
