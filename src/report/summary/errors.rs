//! The errors of the summary: one row per kind.

use super::{ms, number, percent};
use crate::report::errors::{Error, errors};
use crate::snapshot::{Portion, Snapshot};
use serde::Serialize;
use serde_json::Number;
use std::time::Duration;

#[derive(Debug, Serialize)]
pub(super) struct ErrorWire {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'static str>,
    code: u16,
    count: u64,
    /// Of all errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<String>,
    /// `file:line:column` of a script error.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    operations: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    by_operation: Vec<PartWire>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    by_scenario: Vec<PartWire>,
    /// The last users that had it, latest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    users: Vec<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    patterns: Vec<PatternWire>,
    /// Messages of further patterns.
    #[serde(skip_serializing_if = "Option::is_none")]
    other_patterns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    over_time: Option<TimelineWire>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bursts: Vec<BurstWire>,
    /// Milliseconds of run time.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_seen: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<Number>,
}

/// How much of one kind belongs to one operation or scenario.
#[derive(Debug, Serialize)]
struct PartWire {
    name: String,
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<Number>,
    /// Of the requests there, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_rate: Option<Number>,
    /// Against its share of all requests: 1 is what chance would give.
    #[serde(skip_serializing_if = "Option::is_none")]
    lift: Option<Number>,
}

impl PartWire {
    fn all(parts: &[Portion<'_>]) -> Vec<PartWire> {
        let wire = |part: &Portion<'_>| PartWire {
            name: part.name.to_owned(),
            count: part.count,
            percent: percent(Some(part.share)),
            error_rate: percent(part.rate),
            lift: part.lift.and_then(number),
        };
        parts.iter().map(wire).collect()
    }
}

#[derive(Debug, Serialize)]
struct PatternWire {
    pattern: String,
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<Number>,
    sample: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_seen: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<Number>,
}

/// `counts`: where a bucket begins in seconds of run time, and how many fell into it; empty ones are left out.
#[derive(Debug, Serialize)]
struct TimelineWire {
    interval_seconds: u64,
    counts: Vec<(u64, u64)>,
}

#[derive(Debug, Serialize)]
struct BurstWire {
    from: Option<Number>,
    /// Absent while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Number>,
    count: u64,
    peak_per_second: Option<Number>,
}

impl ErrorWire {
    pub(super) fn all(snapshot: &Snapshot) -> Vec<ErrorWire> {
        let mut all: Vec<_> = errors(snapshot).iter().map(ErrorWire::new).collect();
        let unlisted = snapshot.errors.unlisted();
        if unlisted > 0 {
            // Too many kinds to keep apart: counted all the same.
            all.push(ErrorWire::unlisted(unlisted));
        }
        all
    }

    fn new(row: &Error<'_>) -> ErrorWire {
        let (failure, key, entry) = (&row.failure, row.failure.key, row.failure.entry);
        let patterns = row.patterns.iter().map(|pattern| PatternWire {
            pattern: pattern.text.to_owned(),
            count: pattern.count,
            percent: percent(pattern.share),
            sample: pattern.sample.to_owned(),
            first_seen: ms(pattern.first),
            last_seen: ms(pattern.last),
        });
        let bursts = failure.bursts.iter().map(|burst| BurstWire {
            from: ms(burst.from),
            to: burst.to.and_then(ms),
            count: burst.count,
            peak_per_second: number(burst.peak),
        });
        let counts = entry.timeline.buckets().map(|(from, count): (Duration, u64)| (from.as_secs(), count));
        ErrorWire {
            r#type: key.kind,
            category: Some(key.category.word()),
            code: key.code,
            count: entry.count,
            percent: percent(Some(failure.share)),
            sample: Some(entry.sample.clone()),
            place: Some(key.place.to_string()).filter(|place| !place.is_empty()),
            operations: failure.operations.iter().map(|part| part.name.to_owned()).collect(),
            by_operation: PartWire::all(&failure.operations),
            by_scenario: PartWire::all(&failure.scenarios),
            users: entry.users().collect(),
            patterns: patterns.collect(),
            other_patterns: Some(row.other_patterns).filter(|many| *many > 0),
            over_time: Some(TimelineWire {
                interval_seconds: entry.timeline.width().as_secs(),
                counts: counts.collect(),
            }),
            bursts: bursts.collect(),
            first_seen: ms(entry.first),
            last_seen: ms(entry.last),
        }
    }

    fn unlisted(count: u64) -> ErrorWire {
        ErrorWire {
            r#type: "unlisted",
            category: None,
            code: 0,
            count,
            percent: None,
            sample: None,
            place: None,
            operations: Vec::new(),
            by_operation: Vec::new(),
            by_scenario: Vec::new(),
            users: Vec::new(),
            patterns: Vec::new(),
            other_patterns: None,
            over_time: None,
            bursts: Vec::new(),
            first_seen: None,
            last_seen: None,
        }
    }
}
