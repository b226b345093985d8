//! Sizes: `10MB` (10⁷ bytes), `10MiB` (10 · 2²⁰), `512KB`, `5B`.
//!
//! Called for limits and body sizes in options and for limits of thresholds on bytes. A bare number is bytes.

use super::number::leading;
use super::{Quantity, UnitError};

/// Every unit with its length in bytes. `k` may be small in the decimal one, as SI wants it.
const UNITS: [(&str, u64); 10] = [
    ("B", 1),
    ("KB", 1_000),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Reads a number of bytes with its unit, if any. `1.5KB` is 1500; half a byte is an error.
pub fn parse(text: &str) -> Result<u64, UnitError> {
    let quantity = Quantity::Size;
    let trimmed = text.trim();
    let (number, rest) = leading(quantity, trimmed, trimmed)?;
    let unit = rest.trim_start();
    let length = match unit {
        "" => 1,
        unit => UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .map(|(_, length)| *length)
            .ok_or_else(|| UnitError::UnknownUnit { quantity, text: trimmed.to_owned(), unit: unit.to_owned() })?,
    };
    match number.times(length) {
        Some((bytes, true)) => Ok(bytes),
        Some((_, false)) => Err(UnitError::NotWhole { text: trimmed.to_owned(), whole: "bytes" }),
        None => Err(UnitError::TooLarge { text: trimmed.to_owned() }),
    }
}

/// Writes it exactly in the largest unit that divides it: `10MB`, `16MiB`, `1500B`. [`parse`] reads it back.
pub fn print(bytes: u64) -> String {
    let whole = UNITS.iter().filter(|(_, length)| bytes > 0 && bytes.is_multiple_of(*length));
    // Of the units that divide it, the one that leaves the shortest number.
    let (unit, length) = whole.max_by_key(|(_, length)| *length).unwrap_or(&UNITS[0]);
    format!("{}{unit}", bytes / length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_is_read() {
        for (text, bytes) in [
            ("10MB", 10_000_000),
            ("10MiB", 10_485_760),
            ("512KB", 512_000),
            ("512kB", 512_000),
            ("5B", 5),
            ("5", 5),
            ("1.5 KB", 1_500),
            ("0.5KiB", 512),
            ("2TiB", 2_199_023_255_552),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn wrong_ones_say_what_would_be_right() {
        for (text, message, help) in [
            ("big", "`big` is not a size", Some("write `512KB` or `10MiB`")),
            ("10mb", "unknown unit `mb` in `10mb`", Some("write `10MB`")),
            (
                "10s",
                "unknown unit `s` in `10s`",
                Some("units of a size are `B`, `KB`, `MB`, `GB`, `TB`, `KiB`, `MiB`, `GiB` and `TiB`"),
            ),
            ("0.5B", "`0.5B` is not a whole number of bytes", None),
            ("99999999999TB", "`99999999999TB` is too large", None),
            ("-1B", "`-1B` is negative", None),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!((error.to_string().as_str(), error.help().as_deref()), (message, help), "{text}");
        }
    }

    #[test]
    fn printing_takes_the_largest_unit_that_divides() {
        for (bytes, text) in [(0, "0B"), (1_500, "1500B"), (10_000_000, "10MB"), (16 << 20, "16MiB"), (1_000, "1KB")] {
            assert_eq!(print(bytes).to_uppercase(), text.to_uppercase());
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(bytes in any::<u64>(), shift in 0u32..64) {
            prop_assert_eq!(parse(&print(bytes >> shift)), Ok(bytes >> shift));
            prop_assert_eq!(parse(&print(bytes >> shift << (shift / 2))), Ok(bytes >> shift << (shift / 2)));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), number in "[0-9.]{0,30}[kKMGTiB ]{0,4}") {
            let _ = (parse(&text), parse(&number));
        }
    }
}
