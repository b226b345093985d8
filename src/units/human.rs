//! Measured values for people: rounded, in the unit that suits them, as in k6's summary.
//!
//! Called by the report, the progress lines and the observed side of thresholds. For text that must read back exactly, see
//! the `print` of each quantity.

use std::time::Duration;

/// A time in milliseconds: `640ns`, `12.5µs`, `1.23ms`, `2.5s`, `1m30s`, `1h0m5s`.
pub fn time(ms: f64) -> String {
    if !ms.is_finite() {
        return "-".to_owned();
    }
    let (sign, ms) = if ms < 0.0 { ("-", -ms) } else { ("", ms) };
    // Each step compares the rounded value, so that 999.999 ms reads `1s` and never `1000ms`.
    let text = if ms == 0.0 {
        "0s".to_owned()
    } else if (ms * 1e6).round() < 1e3 {
        format!("{}ns", (ms * 1e6).round())
    } else if hundredths(ms * 1e3) < 1e3 {
        format!("{}µs", hundredths(ms * 1e3))
    } else if hundredths(ms) < 1e3 {
        format!("{}ms", hundredths(ms))
    } else if hundredths(ms / 1e3) < 60.0 {
        format!("{}s", hundredths(ms / 1e3))
    } else {
        let seconds = (ms / 1e3).round() as u64;
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        if hours > 0 { format!("{hours}h{minutes}m{seconds}s") } else { format!("{minutes}m{seconds}s") }
    };
    format!("{sign}{text}")
}

/// A duration, as [`time`].
pub fn duration(duration: Duration) -> String {
    time(duration.as_secs_f64() * 1e3)
}

/// A number of bytes in decimal units: `5 B`, `1.2 MB`, `345 kB`.
pub fn bytes(bytes: f64) -> String {
    let (mut value, mut unit) = (bytes, 0);
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    while unit + 1 < UNITS.len() && value.abs() >= 999.5 {
        (value, unit) = (value / 1e3, unit + 1);
    }
    let places = usize::from(unit > 0 && value.abs() < 9.95);
    format!("{value:.places$} {}", UNITS[unit])
}

/// Bytes per second: `1.2 MB/s`.
pub fn byte_rate(per_second: f64) -> String {
    format!("{}/s", bytes(per_second))
}

/// Events per second: `345.6/s`, `1204/s`, `0.02/s`.
pub fn rate(per_second: f64) -> String {
    format!("{}/s", number(per_second))
}

/// A share from 0 to 1: `1.25%`, `100%`. It never rounds up to 100 or down to 0: one failure in a million is not none.
pub fn percent(share: f64) -> String {
    let rounded = hundredths(share * 100.0);
    match share {
        _ if share > 0.0 && rounded == 0.0 => "<0.01%".to_owned(),
        _ if share < 1.0 && rounded == 100.0 => ">99.99%".to_owned(),
        _ => format!("{rounded}%"),
    }
}

/// A bare measured number with about four digits: `12.35`, `345.6`, `1204`, `0.0021`.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    let places = match value.abs() {
        0.0 => 0,
        size if size >= 999.95 => 0,
        size if size >= 99.995 => 1,
        size if size >= 0.995 => 2,
        size if size >= 0.01 => 3,
        _ => 6,
    };
    let text = format!("{value:.places$}");
    if places == 0 { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
}

/// Rounded to two places, and printed by `{}` without trailing zeros.
fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times() {
        for (ms, text) in [
            (0.0, "0s"),
            (0.000_64, "640ns"),
            (0.000_999_9, "1µs"),
            (0.0125, "12.5µs"),
            (0.999_996, "1ms"),
            (1.234, "1.23ms"),
            (999.999, "1s"),
            (2_500.0, "2.5s"),
            (59_999.0, "1m0s"),
            (90_000.0, "1m30s"),
            (3_605_000.0, "1h0m5s"),
            (-1.5, "-1.5ms"),
            (f64::NAN, "-"),
        ] {
            assert_eq!(time(ms), text);
        }
        assert_eq!(duration(Duration::from_micros(1_500)), "1.5ms");
    }

    #[test]
    fn sizes() {
        for (value, text) in [
            (0.0, "0 B"),
            (5.0, "5 B"),
            (999.0, "999 B"),
            (999.7, "1.0 kB"),
            (1_234.0, "1.2 kB"),
            (9_960.0, "10 kB"),
            (345_000.0, "345 kB"),
            (1_200_000.0, "1.2 MB"),
            (5e18, "5000 PB"),
        ] {
            assert_eq!(bytes(value), text);
        }
        assert_eq!(byte_rate(1_200_000.0), "1.2 MB/s");
    }

    #[test]
    fn rates_and_shares() {
        for (value, text) in [
            (0.0, "0/s"),
            (345.62, "345.6/s"),
            (1_204.4, "1204/s"),
            (0.0213, "0.021/s"),
            (12.0, "12/s"),
            (1200.0, "1200/s"),
        ] {
            assert_eq!(rate(value), text);
        }
        for (share, text) in
            [(0.0, "0%"), (0.0125, "1.25%"), (1.0, "100%"), (0.000_001, "<0.01%"), (0.999_999, ">99.99%")]
        {
            assert_eq!(percent(share), text);
        }
    }

    proptest! {
        #[test]
        fn a_longer_time_never_reads_shorter(ms in 1e-6f64..1e7) {
            // Reading back what is shown gives the value within its rounding.
            let shown = time(ms).replace('µ', "u");
            let back = super::super::duration::parse(&shown).expect("a shown time is a duration").as_secs_f64() * 1e3;
            let error = (back - ms).abs();
            prop_assert!(error <= 0.005 * ms + 5e-7 || error <= 500.0 && ms > 59_000.0, "{} {}", ms, shown);
        }

        #[test]
        fn any_float_is_printable(value in any::<f64>()) {
            let _ = (time(value), bytes(value), rate(value), percent(value), number(value));
        }
    }
}
