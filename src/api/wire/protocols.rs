//! `GET /metrics/protocols`: who speaks what, how much of it, and how well.

use super::{number, percent, seconds, time};
use crate::analysis::{Digest, Measure};
use crate::metrics::Proto;
use crate::snapshot::Snapshot;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;
use std::time::Duration;

/// What the figures are of.
const MINUTE: Duration = Duration::from_secs(60);
/// When the protocols come that punk does not speak.
const LATER: &str = "a later version";

/// The last minute by protocol. A request that never had a connection has no protocol.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct ProtocolsWire {
    /// When it was said.
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// How long the stretch is that the figures are of: the last minute, or the whole run while it is younger.
    window_seconds: Number,
    /// HTTP/1.1.
    http1: ProtocolWire,
    /// HTTP/2.
    http2: ProtocolWire,
    /// HTTP/3.
    http3: ProtocolWire,
    /// WebSocket.
    websocket: ProtocolWire,
    /// gRPC.
    grpc: ProtocolWire,
    /// Requests of each protocol in percent of those of all; empty where there were none.
    distribution: ShareWire,
}

/// One protocol.
#[derive(Debug, Serialize, JsonSchema)]
struct ProtocolWire {
    /// How it does.
    status: ProtocolStatus,
    /// Requests per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    rps: Option<Number>,
    /// Mean response time, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    avg_latency: Option<Number>,
    /// Failed requests in percent of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_rate: Option<Number>,
    /// Connections that carry a request now.
    #[serde(skip_serializing_if = "Option::is_none")]
    active_connections: Option<u64>,
    /// When it will be there; absent where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    available_from: Option<&'static str>,
    /// Why it is not there; absent where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// How a protocol does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ProtocolStatus {
    /// It was spoken in the last minute.
    Active,
    /// It was spoken in this run, and not in the last minute.
    Idle,
    /// Nobody has spoken it in this run.
    Unused,
    /// Punk does not speak it.
    Unavailable,
}

/// Shares of protocols in percent.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct ShareWire {
    /// HTTP/1.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    http1: Option<Number>,
    /// HTTP/2.
    #[serde(skip_serializing_if = "Option::is_none")]
    http2: Option<Number>,
}

impl ProtocolsWire {
    pub(in crate::api) fn new(digest: &Digest, snapshot: &Snapshot, now: DateTime<Utc>) -> Self {
        let (from, to) = (digest.end().saturating_sub(MINUTE), digest.end());
        let requests = |proto| digest.sum(Measure::RequestsBy(proto), from, to).map_or(0.0, |(sum, _)| sum);
        let all: f64 = Proto::ALL.into_iter().map(requests).sum();
        let spoken = |proto| ProtocolWire::spoken(digest, snapshot, proto, (from, to));
        ProtocolsWire {
            timestamp: time(now),
            window_seconds: seconds(to - from),
            http1: spoken(Proto::Http1),
            http2: spoken(Proto::Http2),
            http3: ProtocolWire::unavailable("HTTP/3"),
            websocket: ProtocolWire::unavailable("WebSocket"),
            grpc: ProtocolWire::unavailable("gRPC"),
            distribution: ShareWire {
                http1: percent(requests(Proto::Http1), all),
                http2: percent(requests(Proto::Http2), all),
            },
        }
    }
}

impl ProtocolWire {
    fn spoken(digest: &Digest, snapshot: &Snapshot, proto: Proto, (from, to): (Duration, Duration)) -> Self {
        let is_known = digest.is_known(Measure::RequestsBy(proto));
        let requests = digest.sum(Measure::RequestsBy(proto), from, to).map(|(sum, _)| sum);
        let rate = requests.unwrap_or(0.0) / digest.counted(from, to);
        let latency = digest.sum(Measure::LatencyBy(proto), from, to).map(|(sum, count)| sum / count as f64);
        let failed = digest.share(Measure::FailedBy(proto), from, to);
        let connections = snapshot.connections.counts.of(proto);
        ProtocolWire {
            status: match (is_known, requests) {
                (_, Some(_)) => ProtocolStatus::Active,
                (true, None) => ProtocolStatus::Idle,
                (false, None) => ProtocolStatus::Unused,
            },
            rps: number(rate).filter(|_| is_known),
            avg_latency: latency.and_then(number),
            error_rate: failed.and_then(|(failed, all)| percent(failed as f64, all as f64)),
            active_connections: (is_known || connections.opened > 0).then_some(connections.active),
            available_from: None,
            reason: None,
        }
    }

    fn unavailable(name: &str) -> Self {
        ProtocolWire {
            status: ProtocolStatus::Unavailable,
            rps: None,
            avg_latency: None,
            error_rate: None,
            active_connections: None,
            available_from: Some(LATER),
            reason: Some(format!("punk does not speak {name} yet")),
        }
    }
}
