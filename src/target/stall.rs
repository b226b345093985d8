//! A freeze of all answers: when it begins, how long it lasts, and the clock that all serving threads read it by.
//!
//! A dial (`dials`) of its own file because it needs a memory that other dials do not: it can count from the first
//! request, whichever thread gets it. It deliberately does not hold anything back: `service` does.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::latency::parse_time;
use super::options::DialError;

/// A freeze of all answers from `at` for `length`, text form `2s+500ms`, or `first+2s+500ms` when it counts from the first request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stall {
    /// Begins this long after `from`.
    pub at: Duration,
    /// Answers due meanwhile leave when it is over.
    pub length: Duration,
    /// What `at` counts from.
    pub from: StallFrom,
}

/// What the begin of a stall counts from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StallFrom {
    /// The moment that the dials were set.
    #[default]
    Dials,
    /// The first counted request after the dials were set (or the counters reset): the same moment of every client's
    /// run, however long the client takes to start.
    FirstRequest,
}

impl FromStr for Stall {
    type Err = DialError;

    fn from_str(text: &str) -> Result<Self, DialError> {
        let (from, span) = match text.trim().strip_prefix("first+") {
            Some(span) => (StallFrom::FirstRequest, span),
            None => (StallFrom::Dials, text),
        };
        let help = "write when and how long, 2s+500ms, or first+2s+500ms to count from the first request";
        let (at, length) = span.split_once('+').ok_or_else(|| DialError::new("stall", text, help))?;
        Ok(Self { at: parse_time(at)?, length: parse_time(length)?, from })
    }
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = if self.from == StallFrom::FirstRequest { "first+" } else { "" };
        write!(f, "{first}{:?}+{:?}", self.at, self.length)
    }
}

/// What stalls count from: one for all threads, a new one whenever the dials are set.
#[derive(Debug)]
pub struct Epoch {
    /// When the dials were set.
    pub set: Instant,
    first: OnceLock<Instant>,
}

impl Epoch {
    /// The dials were set at `set`, and no request has come since.
    pub fn new(set: Instant) -> Self {
        Self { set, first: OnceLock::new() }
    }

    /// From when until when no answer leaves, for a request that arrived at `arrived`.
    pub fn span(&self, stall: Stall, arrived: Instant) -> (Instant, Instant) {
        let zero = match stall.from {
            StallFrom::Dials => self.set,
            StallFrom::FirstRequest => *self.first.get_or_init(|| arrived),
        };
        (zero + stall.at, zero + stall.at + stall.length)
    }

    /// The same for who only looks; `None` when the first request has not come.
    pub fn known_span(&self, stall: Stall) -> Option<(Instant, Instant)> {
        if stall.from == StallFrom::FirstRequest {
            self.first.get()?;
        }
        Some(self.span(stall, self.set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms_round_trip() {
        let (at, length) = (Duration::from_secs(2), Duration::from_millis(500));
        for (text, from) in [("2s+500ms", StallFrom::Dials), ("first+2s+500ms", StallFrom::FirstRequest)] {
            let stall = Stall { at, length, from };
            assert_eq!(text.parse(), Ok(stall));
            assert_eq!(stall.to_string(), text);
        }
        for wrong in ["2s", "first+2s", "last+2s+1s", "first"] {
            assert!(wrong.parse::<Stall>().is_err(), "{wrong}");
        }
        insta::assert_snapshot!("8s".parse::<Stall>().unwrap_err(),
            @"stall `8s`: write when and how long, 2s+500ms, or first+2s+500ms to count from the first request");
    }

    #[test]
    fn the_first_request_starts_the_clock_and_no_later_one_moves_it() {
        let (set, second) = (Instant::now(), Duration::from_secs(1));
        let epoch = Epoch::new(set);
        let stall = |from| Stall { at: second, length: 2 * second, from };
        let (dials, first) = (stall(StallFrom::Dials), stall(StallFrom::FirstRequest));
        assert_eq!(epoch.known_span(dials), Some((set + second, set + 3 * second)));
        assert_eq!(epoch.known_span(first), None);
        let span = (set + 6 * second, set + 8 * second);
        assert_eq!(epoch.span(first, set + 5 * second), span);
        assert_eq!(epoch.span(first, set + 9 * second), span);
        assert_eq!(epoch.known_span(first), Some(span));
        assert_eq!(epoch.span(dials, set + 9 * second), (set + second, set + 3 * second));
    }
}
