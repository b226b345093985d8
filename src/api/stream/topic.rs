//! What there is to listen to: each topic is one value of this table, and one line adds one.
//!
//! A topic says where it is, which parameters it takes, what its regular messages are made of and which events it tells. It is
//! made into bytes once for all of its clients, and only while it has any.

use super::event::Event;
use crate::api::Session;
use crate::api::problem::Problem;
use crate::api::query::{Parameter, Query};
use crate::api::router::bytes;
use crate::api::row::SchemaOf;
use crate::api::wire::{AlertsWire, HealthWire, MetricsWire};
use crate::snapshot::Snapshot;
use bytes::Bytes;
use chrono::Utc;
use schemars::{JsonSchema, SchemaGenerator};

/// Makes the data of a message, JSON.
type Make = fn(&Session, &Snapshot, &Query) -> Bytes;

/// How often a stream tells all of it, in seconds, when nobody says it.
pub(super) const INTERVAL: u64 = 2;
/// The longest that a client may ask for.
const LONGEST: u64 = 60;
/// Of every stream that is told as often as its client wants.
const EVERY: Parameter =
    Parameter::whole("interval", "seconds from one message to the next", 1, LONGEST, Some(INTERVAL));

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
    /// Whether parameters go together; why they do not.
    pub(super) check: fn(&Query) -> Result<(), Problem>,
}

/// Everything that there is to listen to.
pub(in crate::api) static TOPICS: &[Topic] = &[
    Topic::new::<MetricsWire>(
        "/ws/metrics",
        "metrics_update",
        "Everything that changes: `GET /metrics`, and each event",
        metrics,
    )
    .with_state()
    .tells(&Event::ALL),
    Topic::new::<AlertsWire>("/ws/alerts", "alerts_update", "`GET /alerts`, and each ringing and its end", alerts)
        .tells(&[Event::AlertFired, Event::AlertResolved]),
    Topic::new::<HealthWire>("/ws/system/health", "health_update", "`GET /health`", health),
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
            check: |_| Ok(()),
        }
    }

    /// It tells these events, as they come.
    const fn tells(mut self, events: &'static [Event]) -> Self {
        self.events = events;
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

    /// What tells one stream of it from another one: its parameters, said or not.
    pub(super) fn key(&self, query: &Query) -> String {
        let said = |one: &Parameter| match query.whole(one.name) {
            Some(number) => format!("{}={number}&", one.name),
            None => query.text(one.name).map_or_else(String::new, |text| format!("{}={text}&", one.name)),
        };
        self.query.iter().map(said).collect()
    }
}

fn metrics(session: &Session, snapshot: &Snapshot, _: &Query) -> Bytes {
    session.said(snapshot, || bytes(&MetricsWire::new(snapshot, Utc::now())))
}

fn alerts(_: &Session, snapshot: &Snapshot, _: &Query) -> Bytes {
    bytes(&AlertsWire::new(snapshot))
}

fn health(session: &Session, snapshot: &Snapshot, _: &Query) -> Bytes {
    bytes(&HealthWire::new(session, snapshot, Utc::now()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_types_are_unique_and_one_key_is_one_stream() {
        let mut paths: Vec<&str> = TOPICS.iter().flat_map(Topic::paths).collect();
        paths.sort_unstable();
        assert!(paths.windows(2).all(|pair| pair[0] != pair[1]) && paths.iter().all(|path| path.starts_with("/ws/")));
        let topic = &TOPICS[0];
        let key = |query: &str| topic.key(&Query::read(&format!("/a?{query}").parse().unwrap(), topic.query).unwrap());
        assert_eq!((key("").as_str(), key("interval=2").as_str()), ("interval=2&", "interval=2&"));
        assert_ne!(key(""), key("interval=1"));
    }
}
