//! What there is to listen to: each topic is one value of this table, and one line adds one.
//!
//! A topic says where it is, which parameters it takes, what its regular messages are made of and which events it tells. It is
//! made into bytes once for all of its clients, and only while it has any.

use super::event::Event;
use crate::api::Session;
use crate::api::logs::{LEVEL, level};
use crate::api::problem::Problem;
use crate::api::query::{Parameter, Query, words};
use crate::api::range::{RECENT, range};
use crate::api::router::bytes;
use crate::api::row::SchemaOf;
use crate::api::wire::{
    AlertsWire, ConnectionsWire, HealthWire, KpiWire, LatencyKpiWire, LogsWire, MetricsWire, RequestsWire,
};
use crate::snapshot::Snapshot;
use bytes::Bytes;
use chrono::Utc;
use schemars::{JsonSchema, SchemaGenerator};
use std::time::Duration;

/// Makes the data of a message, JSON.
type Make = fn(&Session, &Snapshot, &Query) -> Bytes;

/// What has come from a number on, if anything has, and the number to go on from. The first number is `u64::MAX`: there is
/// nothing new then.
type Since = fn(&Snapshot, &Query, u64) -> (Option<Bytes>, u64);

/// The longest that a client may ask for.
const LONGEST: u64 = 60;
/// Of every stream that is told as often as its client wants.
const EVERY: Parameter = Parameter::whole(
    "interval",
    "seconds from one message to the next; 2, or what the run's options say, when nobody says it",
    1,
    LONGEST,
    None,
);

/// Lengths in seconds.
const GRANULARITIES: [(&str, u64); 3] = [("second", 1), ("minute", 60), ("hour", 3_600)];
const GRANULARITY: Parameter =
    Parameter::choice("granularity", "how long a point is", &words(&GRANULARITIES), Some("second"));
/// Points of one message: 24 hours by the minute.
const POINTS: u64 = 1_440;
/// Entries of one message.
const ENTRIES: usize = 100;

/// Something to listen to.
#[derive(Debug)]
pub(in crate::api) struct Topic {
    /// `/ws/metrics`, at the root and under `/api`.
    pub(in crate::api) path: &'static str,
    /// Another path of the same.
    pub(in crate::api) alias: Option<&'static str>,
    /// What it is for: one line.
    pub(in crate::api) about: &'static str,
    /// The `type` of its regular messages.
    pub(in crate::api) message: &'static str,
    /// In the query.
    pub(in crate::api) query: &'static [Parameter],
    /// The events that it tells, beside the end of the run, which all do.
    pub(in crate::api) events: &'static [Event],
    /// What the `data` of its regular messages looks like.
    pub(in crate::api) schema: SchemaOf,
    /// Whether its first message has under `state` what events would have told.
    pub(in crate::api) with_state: bool,
    /// What its data is made of: all of it.
    pub(super) whole: Make,
    /// What is new, where it tells that instead, as it comes.
    pub(super) since: Option<Since>,
    /// Whether parameters go together; why they do not.
    pub(super) check: fn(&Query) -> Result<(), Problem>,
}

/// Everything that there is to listen to.
pub(in crate::api) static TOPICS: &[Topic] = &[
    Topic::new::<MetricsWire>("/ws/metrics", "metrics_update", "As `GET /metrics`, and every event", metrics)
        .with_state()
        .tells(&Event::ALL),
    Topic::new::<KpiWire>("/ws/metrics/rps", "rps_update", "As `GET /metrics/rps`", rps),
    Topic::new::<LatencyKpiWire>("/ws/metrics/latency", "latency_update", "As `GET /metrics/latency`", latency),
    Topic::new::<KpiWire>("/ws/metrics/memory", "memory_update", "As `GET /metrics/memory`", memory),
    Topic::new::<KpiWire>("/ws/metrics/cpu", "cpu_update", "As `GET /metrics/cpu`", cpu),
    Topic::new::<RequestsWire>(
        "/ws/metrics/requests",
        "requests_update",
        "How many requests there were when",
        requests,
    )
    .query(&[RECENT, GRANULARITY, EVERY], are_few),
    Topic::new::<ConnectionsWire>("/ws/connections", "connections_update", "As `GET /connections`", connections)
        .alias("/ws/connections/metrics"),
    Topic::new::<AlertsWire>("/ws/alerts", "alerts_update", "As `GET /alerts`, and each ringing and its end", alerts)
        .tells(&[Event::AlertFired, Event::AlertResolved]),
    Topic::new::<HealthWire>("/ws/system/health", "health_update", "As `GET /health`", health),
    Topic::new::<LogsWire>(
        "/ws/logs",
        "logs_update",
        "As `GET /logs`: first its last 100 entries, then each new one",
        logs,
    )
    .query(&[LEVEL], |_| Ok(()))
    .since(new_logs),
];

impl Topic {
    /// Told every `interval`, whole. A `T` is what its data looks like.
    pub(super) const fn new<T: JsonSchema>(
        path: &'static str,
        message: &'static str,
        about: &'static str,
        whole: Make,
    ) -> Self {
        Topic {
            path,
            alias: None,
            about,
            message,
            query: &[EVERY],
            events: &[],
            schema: SchemaGenerator::subschema_for::<T>,
            with_state: false,
            whole,
            since: None,
            check: |_| Ok(()),
        }
    }

    /// It tells these events, as they come.
    const fn tells(mut self, events: &'static [Event]) -> Self {
        self.events = events;
        self
    }

    /// It has another path, too.
    const fn alias(mut self, path: &'static str) -> Self {
        self.alias = Some(path);
        self
    }

    /// With these parameters, if they go together.
    const fn query(mut self, query: &'static [Parameter], check: fn(&Query) -> Result<(), Problem>) -> Self {
        (self.query, self.check) = (query, check);
        self
    }

    /// It tells what is new, as it comes, and all of it in its first message alone.
    const fn since(mut self, since: Since) -> Self {
        self.since = Some(since);
        self
    }

    /// Its first message has what events would have told.
    const fn with_state(mut self) -> Self {
        self.with_state = true;
        self
    }

    /// Under which paths it is.
    pub(in crate::api) fn paths(&self) -> impl Iterator<Item = &'static str> {
        [self.path].into_iter().chain(self.alias)
    }

    /// How often it tells all of it.
    pub(super) fn interval(query: &Query, session: &Session) -> Duration {
        query.whole(EVERY.name).map_or(session.preferences.interval, Duration::from_secs)
    }

    /// What tells one stream of it from another one: its parameters, said or not.
    pub(super) fn key(&self, query: &Query, session: &Session) -> String {
        let said = |one: &Parameter| {
            let value = match query.whole(one.name) {
                _ if one.name == EVERY.name => Some(format!("{:?}", Topic::interval(query, session))),
                Some(number) => Some(number.to_string()),
                None => query.text(one.name).map(str::to_owned),
            };
            value.map_or_else(String::new, |value| format!("{}={value}&", one.name))
        };
        self.query.iter().map(said).collect()
    }
}

fn metrics(session: &Session, snapshot: &Snapshot, _: &Query) -> Bytes {
    session.said(snapshot, || bytes(&MetricsWire::new(snapshot, Utc::now())))
}

fn rps(session: &Session, snapshot: &Snapshot, _: &Query) -> Bytes {
    bytes(&KpiWire::rps(session, snapshot, Utc::now()))
}

fn latency(session: &Session, snapshot: &Snapshot, _: &Query) -> Bytes {
    bytes(&LatencyKpiWire::new(session, snapshot, Utc::now()))
}

fn memory(session: &Session, snapshot: &Snapshot, _: &Query) -> Bytes {
    bytes(&KpiWire::memory(session, snapshot, Utc::now()))
}

fn cpu(session: &Session, snapshot: &Snapshot, _: &Query) -> Bytes {
    bytes(&KpiWire::cpu(session, snapshot, Utc::now()))
}

fn requests(session: &Session, snapshot: &Snapshot, query: &Query) -> Bytes {
    bytes(&RequestsWire::new(session, snapshot, stretch(query), Utc::now()))
}

/// Range and length of a point.
fn stretch(query: &Query) -> (Duration, Duration) {
    let (_, point) = query.chosen(GRANULARITY.name, &GRANULARITIES);
    (range(query).1, Duration::from_secs(point))
}

/// Whether not too many points are wanted, and at least one.
fn are_few(query: &Query) -> Result<(), Problem> {
    let (range, interval) = stretch(query);
    let points = range.as_secs() / interval.as_secs();
    match points {
        1..=POINTS => Ok(()),
        0 => Err(Problem::bad("`granularity` is longer than `range`: choose a finer one")),
        _ => Err(Problem::bad(format!(
            "{points} points are too many, {POINTS} is the most: choose a coarser `granularity`"
        ))),
    }
}

fn connections(_: &Session, snapshot: &Snapshot, _: &Query) -> Bytes {
    bytes(&ConnectionsWire::new(snapshot, Utc::now()))
}

fn alerts(_: &Session, snapshot: &Snapshot, _: &Query) -> Bytes {
    bytes(&AlertsWire::new(snapshot))
}

fn health(session: &Session, snapshot: &Snapshot, _: &Query) -> Bytes {
    bytes(&HealthWire::new(session, snapshot, Utc::now()))
}

fn logs(_: &Session, snapshot: &Snapshot, query: &Query) -> Bytes {
    bytes(&LogsWire::new(snapshot, level(query), None, ENTRIES))
}

fn new_logs(snapshot: &Snapshot, query: &Query, since: u64) -> (Option<Bytes>, u64) {
    let numbered = snapshot.logs.numbered();
    if since >= numbered {
        return (None, numbered);
    }
    let page = LogsWire::new(snapshot, level(query), Some(since), ENTRIES);
    ((!page.logs.is_empty()).then(|| bytes(&page)), page.next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Preferences;

    #[test]
    fn paths_and_types_are_unique_and_one_key_is_one_stream() {
        let mut paths: Vec<&str> = TOPICS.iter().flat_map(Topic::paths).collect();
        paths.sort_unstable();
        assert!(paths.windows(2).all(|pair| pair[0] != pair[1]) && paths.iter().all(|path| path.starts_with("/ws/")));
        let topic = &TOPICS[0];
        let session = super::super::tests::session().1;
        let query = |text: &str| Query::read(&format!("/a?{text}").parse().unwrap(), topic.query).unwrap();
        let key = |text: &str| topic.key(&query(text), &session);
        assert_eq!((key("").as_str(), key("interval=2").as_str()), ("interval=2s&", "interval=2s&"));
        let often = super::super::tests::session()
            .1
            .preferring(Preferences { interval: Duration::from_millis(500), ..Preferences::default() });
        assert_eq!(Topic::interval(&query(""), &often), Duration::from_millis(500));
        assert_eq!(Topic::interval(&query("interval=3"), &often), Duration::from_secs(3));
        assert_ne!(key(""), key("interval=1"));
    }

    #[test]
    fn requests_are_told_in_as_many_points_as_a_message_may_have() {
        let topic = TOPICS.iter().find(|topic| topic.path == "/ws/metrics/requests").unwrap();
        let asked = |query: &str| {
            let query = Query::read(&format!("/a?{query}").parse().unwrap(), topic.query).unwrap();
            (topic.check)(&query).map(|()| stretch(&query)).map_err(|problem| problem.told().1.to_owned())
        };
        let of = |range, interval| Ok((Duration::from_secs(range), Duration::from_secs(interval)));
        assert_eq!(asked(""), of(300, 1));
        assert_eq!(asked("range=24h&granularity=minute"), of(86_400, 60));
        assert_eq!(asked("range=6h&granularity=hour"), of(21_600, 3_600));
        assert!(asked("range=1h").unwrap_err().starts_with("3600 points are too many"));
        assert!(asked("range=5m&granularity=hour").unwrap_err().contains("finer"));
    }
}
