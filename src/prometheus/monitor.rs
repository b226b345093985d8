//! What punk says of its monitor: who listens, and who was refused. It is of the process: of several runs there is one.

use super::family::{Family, Kind, Labels, Point, Value};
use crate::snapshot::Served;

/// A count, by its name.
type Count = (&'static str, Kind, &'static str, fn(&Served) -> u64);

/// All of them; their names are taken before any metric's.
pub(super) const COUNTS: [Count; 8] = [
    ("monitor_clients", Kind::Gauge, "WebSocket clients of the monitor now.", |served| served.clients),
    ("monitor_clients_opened", Kind::Counter, "WebSocket clients so far.", |served| served.opened),
    (
        "monitor_clients_dropped",
        Kind::Counter,
        "WebSocket clients that were dropped because they were too slow or silent.",
        |served| served.dropped,
    ),
    ("monitor_clients_refused", Kind::Counter, "WebSocket clients that found no room.", |served| served.refused),
    (
        "monitor_messages_made",
        Kind::Counter,
        "Messages of streams that were made, each once for all clients.",
        |served| served.messages_made,
    ),
    ("monitor_messages_sent", Kind::Counter, "Messages of streams that were sent, each to one client.", |served| {
        served.messages_sent
    }),
    (
        "monitor_requests_refused",
        Kind::Counter,
        "Requests that the monitor answered 429, because there were too many.",
        |served| served.requests_refused,
    ),
    (
        "monitor_connections_refused",
        Kind::Counter,
        "Connections that the monitor answered 503, because there were too many.",
        |served| served.connections_refused,
    ),
];

/// Of one monitor.
pub(super) fn families(served: &Served) -> impl Iterator<Item = Family> {
    COUNTS.into_iter().map(|(name, kind, help, of)| Family {
        name: format!("punk_{name}"),
        unit: None,
        kind,
        help: help.to_owned(),
        points: vec![Point { labels: Labels::none(), value: Value::Number(of(served) as f64) }],
    })
}
