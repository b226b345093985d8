//! `GET /errors`: what went wrong, by kind and by what the messages have in common, and the last errors one by one.

use super::{number, percent, seconds, time};
use crate::api::Session;
use crate::api::diary::Diary;
use crate::metrics::{Category, ErrorEntry, ErrorKey, PatternEntry, RecentError};
use crate::snapshot::{Burst, Failure, Portion, Snapshot};
use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;
use std::cmp::Reverse;
use std::time::Duration;

/// Patterns of messages that are listed.
const PATTERNS: usize = 200;

/// Everything that went wrong since the start of the run. Messages and names come from scripts and targets: they are text, never
/// markup.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct ErrorsWire {
    /// When this was asked.
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// Errors in all: requests that failed and errors of the script. Failed checks are none.
    total_errors: u64,
    /// By kind, most frequent first.
    by_type: Vec<TypeWire>,
    /// Errors of further kinds, which are counted and not kept apart; they are in `total_errors`.
    unlisted_errors: u64,
    /// The last ones, at most 50, latest first.
    recent_errors: Vec<RecentWire>,
    /// What messages have in common (numbers, ids and quoted texts masked), most frequent first, at most 200.
    patterns: Vec<PatternWire>,
    /// Messages that belong to none of `patterns`, since there were too many.
    other_patterns: u64,
    /// Checks that failed, in all.
    failed_checks: u64,
    /// By check, most frequent first.
    checks: Vec<CheckWire>,
}

/// Errors that have something in common: their kind, their number, their time.
#[derive(Debug, Serialize, JsonSchema)]
struct GroupWire {
    /// The kind: `timeout`, `refused`, `tls_expired`, `http`, `script`, …
    r#type: &'static str,
    /// The drawer that it is in.
    category: CategoryWire,
    /// k6's error code (1000 and the status for answers); 0 where there is none.
    code: u16,
    /// How many.
    count: u64,
    /// Of all errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    percentage: Option<Number>,
    /// The first message, whole.
    sample_message: String,
    /// When the first came.
    #[schemars(extend("format" = "date-time"))]
    first_seen: String,
    /// When the last came.
    #[schemars(extend("format" = "date-time"))]
    last_seen: String,
}

/// All errors of one kind.
#[derive(Debug, Serialize, JsonSchema)]
struct TypeWire {
    #[serde(flatten)]
    group: GroupWire,
    /// `file:line:column` of a script error.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    /// The operations that had it, most errors first; of a script error, the scenarios.
    operations: Vec<String>,
    /// How much of it belongs to each of them.
    by_operation: Vec<PartWire>,
    /// How much of it belongs to each scenario.
    by_scenario: Vec<PartWire>,
    /// The workers (virtual users) that had it last, latest first; 0 is the one that runs `setup` and `teardown`.
    worker_ids: Vec<u64>,
    /// When it came.
    over_time: OverTimeWire,
    /// Stretches of the run in which it was unusually frequent.
    bursts: Vec<BurstWire>,
}

/// Which part of the way an error is about.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum CategoryWire {
    /// The name could not be looked up, or is not allowed.
    Dns,
    /// The connection could not be opened, or broke.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// A time limit ended it.
    Timeout,
    /// A status from 400 to 499 that the script did not expect.
    #[serde(rename = "http_4xx")]
    Http4xx,
    /// A status from 500 to 599 that the script did not expect.
    #[serde(rename = "http_5xx")]
    Http5xx,
    /// Any other status that the script did not expect.
    HttpOther,
    /// What was sent or received breaks the rules of the protocol.
    Protocol,
    /// The script itself.
    Script,
    /// A check that failed.
    Check,
}

impl CategoryWire {
    fn new(category: Category) -> Self {
        match category {
            Category::Dns => CategoryWire::Dns,
            Category::Connect => CategoryWire::Connect,
            Category::Tls => CategoryWire::Tls,
            Category::Timeout => CategoryWire::Timeout,
            Category::Http4xx => CategoryWire::Http4xx,
            Category::Http5xx => CategoryWire::Http5xx,
            Category::HttpOther => CategoryWire::HttpOther,
            Category::Protocol => CategoryWire::Protocol,
            Category::Script => CategoryWire::Script,
            Category::Check => CategoryWire::Check,
        }
    }
}

/// How much of one kind belongs to one operation, or to one scenario.
#[derive(Debug, Serialize, JsonSchema)]
struct PartWire {
    /// The operation or scenario.
    name: String,
    /// Errors of this kind there.
    count: u64,
    /// Of all errors of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    percentage: Option<Number>,
    /// Of the requests there, in percent; absent where they are not known apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    error_rate: Option<Number>,
    /// Its share of this kind against its share of all requests: 1 is what chance would give, 5 is five times as many.
    #[serde(skip_serializing_if = "Option::is_none")]
    lift: Option<Number>,
}

/// When errors came, in buckets that grow with the run.
#[derive(Debug, Serialize, JsonSchema)]
struct OverTimeWire {
    /// How long each bucket is.
    interval_seconds: u64,
    /// Buckets that are not empty.
    counts: Vec<ErrorBucketWire>,
}

/// One bucket of a timeline.
#[derive(Debug, Serialize, JsonSchema)]
struct ErrorBucketWire {
    /// Run time at which it begins.
    elapsed_seconds: u64,
    /// Errors in it.
    count: u64,
}

/// A stretch of the run in which an error was unusually frequent.
#[derive(Debug, Serialize, JsonSchema)]
struct BurstWire {
    /// When it began.
    #[schemars(extend("format" = "date-time"))]
    from: String,
    /// When it was over; absent while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    to: Option<String>,
    /// Errors in it.
    count: u64,
    /// The most of them per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_per_second: Option<Number>,
}

/// One error.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct RecentWire {
    /// When it came.
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// The same as run time.
    elapsed_seconds: Number,
    /// The kind: `timeout`, `refused`, `http`, `script`, …
    r#type: &'static str,
    /// The drawer that it is in.
    category: CategoryWire,
    /// k6's error code; 0 where there is none.
    code: u16,
    /// The whole of it, within bounds.
    message: String,
    /// The operation; of a script error, the scenario.
    operation: String,
    /// The scenario.
    scenario: String,
    /// The virtual user; 0 is the one that runs `setup` and `teardown`.
    worker_id: u64,
}

/// All messages of one pattern.
#[derive(Debug, Serialize, JsonSchema)]
struct PatternWire {
    /// What they have in common: `order <n> was lost`.
    pattern: String,
    #[serde(flatten)]
    group: GroupWire,
}

/// One check that failed.
#[derive(Debug, Serialize, JsonSchema)]
struct CheckWire {
    /// Its name.
    name: String,
    /// How often it failed.
    count: u64,
    /// When it first did.
    #[schemars(extend("format" = "date-time"))]
    first_seen: String,
    /// When it last did.
    #[schemars(extend("format" = "date-time"))]
    last_seen: String,
    /// The scenarios in which it did, most often first.
    scenarios: Vec<String>,
    /// The workers (virtual users) that it failed for last, latest first.
    worker_ids: Vec<u64>,
}

/// Turns run time into time by the wall.
struct Wall<'a> {
    diary: &'a Diary,
    started_at: DateTime<Utc>,
}

impl Wall<'_> {
    /// What came before the scenarios began came at the start, as far as anybody knows.
    fn at(&self, at: Duration) -> String {
        let early = || self.started_at + TimeDelta::from_std(at).unwrap_or_default();
        time(self.diary.wall(at).unwrap_or_else(early))
    }
}

impl ErrorsWire {
    pub(in crate::api) fn new(session: &Session, snapshot: &Snapshot, now: DateTime<Utc>) -> Self {
        let diary = session.diary();
        let wall = Wall { diary: &diary, started_at: session.started_at };
        let (errors, failures) = (&snapshot.errors, snapshot.failures());
        let total = errors.total();
        let most = session.preferences.max_errors;
        let (patterns, other_patterns) = patterns(&failures, &wall, total, most.min(PATTERNS));
        let left_out: u64 = failures.iter().skip(most).map(|failure| failure.entry.count).sum();
        ErrorsWire {
            timestamp: time(now),
            total_errors: total,
            by_type: failures.iter().take(most).map(|failure| TypeWire::new(failure, total, &wall)).collect(),
            unlisted_errors: errors.unlisted() + left_out,
            recent_errors: errors.recent().rev().map(|error| RecentWire::new(error, &wall)).collect(),
            patterns,
            other_patterns,
            failed_checks: errors.failed_checks(),
            checks: errors.checks().into_iter().map(|(name, entry)| CheckWire::new(name, entry, &wall)).collect(),
        }
    }
}

/// The patterns of all kinds, and how many messages are in none that is listed.
fn patterns(failures: &[Failure<'_>], wall: &Wall<'_>, total: u64, most: usize) -> (Vec<PatternWire>, u64) {
    let of = |failure: &Failure<'_>| failure.entry.patterns.other();
    let kept = |failure| -> Vec<(&ErrorKey, &str, &PatternEntry)> {
        let Failure { key, entry, .. }: &Failure<'_> = failure;
        entry.patterns.iter().map(|(pattern, one)| (*key, &**pattern, one)).collect()
    };
    let mut all: Vec<_> = failures.iter().flat_map(kept).collect();
    all.sort_by_key(|(_, _, one)| Reverse(one.count));
    let unlisted: u64 = all.iter().skip(most).map(|(_, _, one)| one.count).sum();
    all.truncate(most);
    let wire = |(key, pattern, one): (&ErrorKey, &str, &PatternEntry)| PatternWire {
        pattern: pattern.to_owned(),
        group: GroupWire::new(key, (one.count, total), &one.sample, (one.first, one.last), wall),
    };
    (all.into_iter().map(wire).collect(), unlisted + failures.iter().map(of).sum::<u64>())
}

impl GroupWire {
    /// So many of all errors, the first message, and when the first and the last came.
    fn new(
        key: &ErrorKey,
        (count, total): (u64, u64),
        sample: &str,
        (first, last): (Duration, Duration),
        wall: &Wall<'_>,
    ) -> Self {
        GroupWire {
            r#type: key.kind,
            category: CategoryWire::new(key.category),
            code: key.code,
            count,
            percentage: percent(count as f64, total as f64),
            sample_message: sample.to_owned(),
            first_seen: wall.at(first),
            last_seen: wall.at(last),
        }
    }
}

impl TypeWire {
    fn new(failure: &Failure<'_>, total: u64, wall: &Wall<'_>) -> Self {
        let (key, entry) = (failure.key, failure.entry);
        let counts =
            entry.timeline.buckets().map(|(from, count)| ErrorBucketWire { elapsed_seconds: from.as_secs(), count });
        TypeWire {
            group: GroupWire::new(key, (entry.count, total), &entry.sample, (entry.first, entry.last), wall),
            place: Some(key.place.to_string()).filter(|place| !place.is_empty()),
            operations: failure.operations.iter().map(|part| part.name.to_owned()).collect(),
            by_operation: failure.operations.iter().map(PartWire::new).collect(),
            by_scenario: failure.scenarios.iter().map(PartWire::new).collect(),
            worker_ids: entry.users().collect(),
            over_time: OverTimeWire { interval_seconds: entry.timeline.width().as_secs(), counts: counts.collect() },
            bursts: failure.bursts.iter().map(|burst| BurstWire::new(burst, wall)).collect(),
        }
    }
}

impl PartWire {
    fn new(part: &Portion<'_>) -> Self {
        PartWire {
            name: part.name.to_owned(),
            count: part.count,
            percentage: number(part.share * 100.0),
            error_rate: part.rate.and_then(|rate| number(rate * 100.0)),
            lift: part.lift.and_then(number),
        }
    }
}

impl BurstWire {
    fn new(burst: &Burst, wall: &Wall<'_>) -> Self {
        BurstWire {
            from: wall.at(burst.from),
            to: burst.to.map(|to| wall.at(to)),
            count: burst.count,
            peak_per_second: number(burst.peak),
        }
    }
}

impl RecentWire {
    /// As it stands among the recent errors of a run.
    pub(in crate::api) fn of(session: &Session, error: &RecentError) -> Self {
        RecentWire::new(error, &Wall { diary: &session.diary(), started_at: session.started_at })
    }

    fn new(error: &RecentError, wall: &Wall<'_>) -> Self {
        RecentWire {
            timestamp: wall.at(error.at),
            elapsed_seconds: seconds(error.at),
            r#type: error.kind,
            category: CategoryWire::new(error.category),
            code: error.code,
            message: error.message.to_string(),
            operation: error.operation.to_string(),
            scenario: error.scenario.to_string(),
            worker_id: error.user,
        }
    }
}

impl CheckWire {
    fn new(name: &str, entry: &ErrorEntry, wall: &Wall<'_>) -> Self {
        CheckWire {
            name: name.to_owned(),
            count: entry.count,
            first_seen: wall.at(entry.first),
            last_seen: wall.at(entry.last),
            scenarios: entry.scenarios.names().into_iter().map(|(name, _)| name.to_owned()).collect(),
            worker_ids: entry.users().collect(),
        }
    }
}
