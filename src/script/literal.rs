//! Values as a script writes them: what makes scripts (`punk quick`, importers) puts texts, times and rates into them.
//!
//! Any text survives: a script that is made of somebody's header or body must not become another script. It knows only
//! how Rhai reads literals, nothing of what the values are for.

use crate::units;
use std::fmt::Write as _;
use std::time::Duration;

/// A text as a literal of one expression: `"…"` with escapes, or `` `…` `` where that reads better and means the same.
pub fn text(text: &str) -> String {
    if text.contains(['"', '\n', '\\']) && stands_in_backticks(text) { format!("`{text}`") } else { quoted(text) }
}

/// A text as `"…"`; the only form that may be a key of a map.
pub fn quoted(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for letter in text.chars() {
        match letter {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            // What nobody can see must not hide in a script, and what turns the reading direction must not deceive.
            hidden if steers(hidden) => {
                let _ = match u32::from(hidden) {
                    code @ 0..=0xff => write!(literal, "\\x{code:02x}"),
                    code @ 0..=0xffff => write!(literal, "\\u{code:04x}"),
                    code => write!(literal, "\\U{code:08x}"),
                };
            }
            letter => literal.push(letter),
        }
    }
    literal.push('"');
    literal
}

fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Rhai reads nothing inside backticks but `${`, takes a first line end away, and makes `\r\n` one line end.
fn stands_in_backticks(text: &str) -> bool {
    !text.contains('`')
        && !text.contains("${")
        && !text.starts_with('\n')
        && text.chars().all(|letter| letter == '\n' || !steers(letter))
}

/// A time: `30.s`, or `"1m30s"` where it takes more than one unit.
pub fn duration(duration: Duration) -> String {
    let printed = units::duration::print(duration);
    let unit = printed.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let number = &printed[..printed.len() - unit.len()];
    // Numbers in scripts end at 2^63, and so do durations there; text reaches further.
    let fits = number.len() < 10 && unit.chars().all(|letter| letter.is_ascii_lowercase());
    if fits { format!("{number}.{unit}") } else { quoted(&printed) }
}

/// So many per second: `200.per_s`, `0.5.per_s`.
pub fn rate(per_second: f64) -> String {
    // A whole number without a point must fit Rhai's integers.
    let fits = per_second.abs() < 1e15;
    if fits { format!("{per_second}.per_s") } else { quoted(&units::rate::print(per_second)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Limits;
    use crate::script::machine;
    use proptest::prelude::*;

    fn read(literal: &str) -> String {
        let engine = machine::engine(&Limits::default());
        engine.eval::<String>(literal).unwrap_or_else(|error| panic!("{literal}: {error}"))
    }

    #[test]
    fn texts_read_well_where_they_can() {
        for (given, literal) in [
            ("plain", "\"plain\""),
            ("", "\"\""),
            ("{\"a\": 1}", "`{\"a\": 1}`"),
            ("a\nb", "`a\nb`"),
            ("C:\\x", "`C:\\x`"),
            ("`\"", "\"`\\\"\""),
            ("\"${1+1}", "\"\\\"${1+1}\""),
            ("\n\"", "\"\\n\\\"\""),
            ("a\r\nb", "\"a\\r\\nb\""),
            ("\u{202e}\u{0}\u{e9}", "\"\\u202e\\x00é\""),
        ] {
            assert_eq!(text(given), literal, "{given:?}");
            assert_eq!(read(literal), given);
        }
    }

    #[test]
    fn times_and_rates() {
        let ms = Duration::from_millis;
        let times = [ms(30_000), ms(250), ms(90_000), ms(1_500), Duration::ZERO, Duration::MAX].map(duration);
        assert_eq!(times[..5], ["30.s", "250.ms", "\"1m30s\"", "\"1.5s\"", "0.s"]);
        assert_eq!([200.0, 0.5, 1e6].map(rate), ["200.per_s", "0.5.per_s", "1000000.per_s"]);
    }

    proptest! {
        #[test]
        fn any_text_survives(given in prop_oneof![
            any::<String>(),
            "[`\"\\\\${}\n\r\tx /*']{0,12}",
            "\\PC{0,40}",
        ]) {
            prop_assert_eq!(&read(&text(&given)), &given);
            prop_assert_eq!(&read(&quoted(&given)), &given);
        }

        #[test]
        fn any_time_and_rate_survive(nanos in 0..u64::MAX / 4, per_second in 0.0f64..1e7) {
            let engine = machine::engine(&Limits::default());
            for nanos in [nanos, nanos % 1_000_000, nanos / 1_000_000_000 * 1_000_000_000] {
                let value = engine.eval::<rhai::Dynamic>(&duration(Duration::from_nanos(nanos))).expect("a literal");
                prop_assert_eq!(crate::script::duration::read(&value), Ok(Duration::from_nanos(nanos)));
            }
            for per_second in [per_second, per_second.floor()] {
                let value = engine.eval::<rhai::Dynamic>(&rate(per_second)).expect("a literal");
                prop_assert_eq!(crate::script::duration::read_rate(&value), Ok(per_second));
            }
        }
    }
}
