//! The parameter `range`: how much of the end of a run is looked at.

use super::query::{Parameter, Query, words};
use std::time::Duration;

/// Every range and its length in seconds.
const RANGES: [(&str, u64); 7] =
    [("1m", 60), ("5m", 300), ("15m", 900), ("1h", 3_600), ("6h", 21_600), ("24h", 86_400), ("7d", 604_800)];
const WORDS: &[&str] = &words(&RANGES);

/// `range=1h`: of what is asked once, from an hour on.
pub(super) const RANGE: Parameter =
    Parameter::choice("range", "how far back; at most to the begin of the run", WORDS.split_at(3).1, Some("1h"));
/// `range=5m`: of what is told again and again, up to a day.
pub(super) const RECENT: Parameter = Parameter::choice("range", "how far back", WORDS.split_at(6).0, Some("5m"));

/// The range of a request: its word and its length.
pub(super) fn range(query: &Query) -> (&'static str, Duration) {
    let (word, seconds) = query.chosen(RANGE.name, &RANGES);
    (word, Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_that_may_be_said_has_its_length() {
        let said = |known: &'static [Parameter], query: &str| {
            Query::read(&format!("/a?{query}").parse().unwrap(), known).map(|query| range(&query).1.as_secs()).ok()
        };
        let asked =
            |known| ["", "range=1m", "range=15m", "range=1h", "range=24h", "range=7d"].map(|query| said(known, query));
        assert_eq!(asked(&[RANGE]), [Some(3_600), None, None, Some(3_600), Some(86_400), Some(604_800)]);
        assert_eq!(asked(&[RECENT]), [Some(300), Some(60), Some(900), Some(3_600), Some(86_400), None]);
    }
}
