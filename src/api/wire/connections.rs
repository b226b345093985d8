//! `GET /connections`: how the users are connected.

use super::{number, seconds, time};
use crate::metrics::Proto;
use crate::snapshot::Snapshot;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;
use std::collections::BTreeMap;

/// The connections of all users.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct ConnectionsWire {
    /// When this was said.
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// Connections that carry a request now.
    active: u64,
    /// Connections that are open and carry nothing. One that the server has closed counts until its user wants it again.
    idle: u64,
    /// Connections that were opened since the start of the run.
    total: u64,
    /// Attempts to open one that failed since the start of the run.
    failed: u64,
    /// Connections that the server ended while a user counted on them, since the start of the run.
    lost: u64,
    /// Connections opened per second, over the last seconds; absent at the very start.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<Number>,
    /// How many of them are well, and what went wrong in the last seconds.
    health: ConnectionHealthWire,
    /// The same of each protocol that was spoken.
    by_protocol: BTreeMap<&'static str, ProtocolConnectionsWire>,
}

/// Connections by how they are.
#[derive(Debug, Serialize, JsonSchema)]
struct ConnectionHealthWire {
    /// Open now, active or idle.
    healthy: u64,
    /// Ended by the server in the last seconds, amid an answer or before they were reused.
    warning: u64,
    /// Attempts to open one that failed in the last seconds: lookup, connect, proxy or TLS.
    error: u64,
    /// How long the last seconds are.
    window_seconds: Number,
}

/// Connections of one protocol.
#[derive(Debug, Serialize, JsonSchema)]
struct ProtocolConnectionsWire {
    /// Those that carry a request now; of HTTP/2, one or several.
    active: u64,
    /// Those that are open and carry nothing.
    idle: u64,
    /// Opened since the start of the run.
    total: u64,
    /// Ended by the server while a user counted on them, since the start of the run.
    lost: u64,
}

impl ConnectionsWire {
    pub(in crate::api) fn new(snapshot: &Snapshot, now: DateTime<Utc>) -> Self {
        let state = &snapshot.connections;
        let all = state.counts.all();
        let of = |proto: Proto| {
            let counts = state.counts.of(proto);
            let wire = ProtocolConnectionsWire {
                active: counts.active,
                idle: counts.idle(),
                total: counts.opened,
                lost: counts.lost,
            };
            (counts.opened > 0).then_some((proto.key(), wire))
        };
        ConnectionsWire {
            timestamp: time(now),
            active: all.active,
            idle: all.idle(),
            total: all.opened,
            failed: state.counts.failed,
            lost: all.lost,
            rate: state.rate().and_then(number),
            health: ConnectionHealthWire {
                healthy: all.open,
                warning: state.lost,
                error: state.failed,
                window_seconds: seconds(state.over),
            },
            by_protocol: Proto::ALL.into_iter().filter_map(of).collect(),
        }
    }
}
