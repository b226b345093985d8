//! What happens in a run, as streams tell it: the difference between two Snapshots.

use crate::api::Session;
use crate::api::router::bytes;
use crate::api::row::SchemaOf;
use crate::api::wire::{AlertWire, ErrorsNewsWire, StatusChangeWire, StatusWire, ThresholdNewsWire, status};
use crate::snapshot::{AlertEvent, Snapshot};
use bytes::Bytes;
use schemars::SchemaGenerator;
use std::sync::Arc;

/// The message that ends every stream of a run.
pub(in crate::api) const COMPLETED: &str = "benchmark_completed";

/// A kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum Event {
    StatusChange,
    ErrorOccurred,
    ThresholdChanged,
    AlertFired,
    AlertResolved,
}

impl Event {
    /// All, in the order in which those of one Snapshot are told.
    pub(super) const ALL: [Event; 5] =
        [Event::StatusChange, Event::ErrorOccurred, Event::ThresholdChanged, Event::AlertFired, Event::AlertResolved];

    /// The `type` of its messages.
    pub(in crate::api) fn word(self) -> &'static str {
        match self {
            Event::StatusChange => "status_change",
            Event::ErrorOccurred => "error_occurred",
            Event::ThresholdChanged => "threshold_changed",
            Event::AlertFired => "alert_fired",
            Event::AlertResolved => "alert_resolved",
        }
    }

    /// What its `data` looks like.
    pub(in crate::api) fn schema(self) -> SchemaOf {
        match self {
            Event::StatusChange => SchemaGenerator::subschema_for::<StatusChangeWire>,
            Event::ErrorOccurred => SchemaGenerator::subschema_for::<ErrorsNewsWire>,
            Event::ThresholdChanged => SchemaGenerator::subschema_for::<ThresholdNewsWire>,
            Event::AlertFired | Event::AlertResolved => SchemaGenerator::subschema_for::<AlertWire>,
        }
    }
}

/// Who compares Snapshots; one for each stream.
#[derive(Debug)]
pub(super) struct Watch {
    last: Arc<Snapshot>,
    status: &'static str,
    /// The number of the next edge of an alert.
    edge: u64,
}

impl Watch {
    /// From this Snapshot on.
    pub(super) fn new(session: &Session, snapshot: Arc<Snapshot>) -> Self {
        Watch { status: status(session, &snapshot), edge: next_edge(&snapshot), last: snapshot }
    }

    /// The Snapshot that was looked at last.
    pub(super) fn last(&self) -> &Arc<Snapshot> {
        &self.last
    }

    /// What has happened of these kinds: the type of each message and its data.
    pub(super) fn news(&mut self, session: &Session, snapshot: Arc<Snapshot>, wanted: &[Event]) -> Vec<(Event, Bytes)> {
        let before = std::mem::replace(&mut self.last, Arc::clone(&snapshot));
        let previous = std::mem::replace(&mut self.status, status(session, &snapshot));
        let edge = self.edge;
        self.edge = edge.max(next_edge(&snapshot));
        let mut news = Vec::new();
        for event in Event::ALL.into_iter().filter(|event| wanted.contains(event)) {
            let mut tell = |data: Option<Bytes>| news.extend(data.map(|data| (event, data)));
            match event {
                Event::StatusChange if previous == self.status => {}
                Event::StatusChange => {
                    let status = StatusWire::new(session, &snapshot);
                    tell(Some(bytes(&StatusChangeWire { previous, status })));
                }
                Event::ErrorOccurred => tell(ErrorsNewsWire::new(session, &before, &snapshot).map(|wire| bytes(&wire))),
                Event::ThresholdChanged => tell(ThresholdNewsWire::new(&before, &snapshot).map(|wire| bytes(&wire))),
                Event::AlertFired | Event::AlertResolved => {
                    let firing = event == Event::AlertFired;
                    let new = |one: &&Arc<AlertEvent>| one.number >= edge && one.firing == firing;
                    for edge in snapshot.alert_events.iter().filter(new) {
                        tell(Some(bytes(&AlertWire::new(edge, &snapshot))));
                    }
                }
            }
        }
        news
    }
}

fn next_edge(snapshot: &Snapshot) -> u64 {
    snapshot.alert_events.last().map_or(0, |edge| edge.number + 1)
}

/// What the last message of a stream tells.
pub(super) fn completed(session: &Session, snapshot: &Snapshot) -> Bytes {
    bytes(&StatusWire::new(session, snapshot))
}
