//! What the streams tell beside what every request may ask for: the envelope of their messages, and what has just happened.

use super::{AlertsWire, RecentWire, StatusWire, ThresholdsWire, time};
use crate::api::Session;
use crate::metrics::RecentError;
use crate::snapshot::Snapshot;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

/// Errors that one message shows.
const SHOWN: usize = 10;

/// What has been said of a run by events, for a client that was not there: the first message of `/ws/metrics` has it.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct StateWire {
    /// As `GET /status`.
    status: StatusWire,
    /// As `GET /thresholds`.
    thresholds: ThresholdsWire,
    /// As `GET /alerts`.
    alerts: AlertsWire,
}

impl StateWire {
    pub(in crate::api) fn new(session: &Session, snapshot: &Snapshot) -> Self {
        StateWire {
            status: StatusWire::new(session, snapshot),
            thresholds: ThresholdsWire::new(snapshot),
            alerts: AlertsWire::new(snapshot),
        }
    }
}

/// The run is somewhere else than it was.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct StatusChangeWire {
    /// The word of `status` before.
    pub(in crate::api) previous: &'static str,
    /// As `GET /status`.
    #[serde(flatten)]
    pub(in crate::api) status: StatusWire,
}

/// Errors since the last message of this type, at most one message for each snapshot.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct ErrorsNewsWire {
    /// Errors of the whole run.
    total_errors: u64,
    /// How many of them are new.
    new_errors: u64,
    /// The last of the new ones, at most 10, latest first.
    errors: Vec<RecentWire>,
}

impl ErrorsNewsWire {
    /// What is in a Snapshot and was not in the one before; `None` without new errors.
    pub(in crate::api) fn new(session: &Session, before: &Snapshot, snapshot: &Snapshot) -> Option<Self> {
        let total = snapshot.errors.total();
        let new_errors = total.saturating_sub(before.errors.total());
        let known: Vec<&Arc<RecentError>> = before.errors.recent().collect();
        let is_new = |error: &&Arc<RecentError>| !known.iter().any(|other| Arc::ptr_eq(other, error));
        let wire = |error: &Arc<RecentError>| RecentWire::of(session, error);
        let errors = || snapshot.errors.recent().rev().filter(is_new).take(SHOWN).map(wire).collect();
        (new_errors > 0).then(|| ErrorsNewsWire { total_errors: total, new_errors, errors: errors() })
    }
}

/// Somebody changed the rules, or a threshold says something else than before.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct ThresholdNewsWire {
    /// `rules`: all of them, as somebody has edited them. `verdict`: those thresholds alone that turned, and no alerts.
    because: &'static str,
    /// As `GET /thresholds`.
    #[serde(flatten)]
    rules: ThresholdsWire,
}

impl ThresholdNewsWire {
    /// What is in a Snapshot and was not in the one before; `None` where every rule is as it was.
    pub(in crate::api) fn new(before: &Snapshot, snapshot: &Snapshot) -> Option<Self> {
        if before.revision != snapshot.revision {
            // The rules as the run began with them were edited by nobody.
            let edited = before.revision > 0;
            return edited.then(|| ThresholdNewsWire { because: "rules", rules: ThresholdsWire::new(snapshot) });
        }
        let (old, new) = (&before.thresholds, &snapshot.thresholds);
        let turned = |at: usize| {
            let says = |verdicts: &[crate::snapshot::Verdict]| verdicts.get(at).map(|one| (one.passed, one.holds));
            says(old) != says(new)
        };
        // The same rules have the same places.
        let any = old.len() == new.len() && (0..new.len()).any(turned);
        any.then(|| ThresholdNewsWire { because: "verdict", rules: ThresholdsWire::new(snapshot).only(turned) })
    }
}

/// What every message of a stream is wrapped in.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct EnvelopeWire {
    /// What it tells: the regular message of its stream, such as `metrics_update`, or an event.
    r#type: &'static str,
    /// When it was made.
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// Grows by one with each message of the stream. The first message has the number of the last one that it includes.
    sequence: u64,
    /// Whether it is the whole state, for a client that has just come.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    full: bool,
    /// In the first message of `/ws/metrics`: what its events would have told.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<StateWire>,
    /// Of that type.
    data: serde_json::Value,
}

/// A message around what is JSON already. It is `EnvelopeWire` as text, so that data which is there is not made again.
pub(in crate::api) fn envelope(
    kind: &str,
    sequence: u64,
    now: DateTime<Utc>,
    full: Option<&[u8]>,
    data: &[u8],
) -> Vec<u8> {
    let timestamp = time(now);
    let mut text = format!(r#"{{"type":"{kind}","timestamp":"{timestamp}","sequence":{sequence}"#).into_bytes();
    if let Some(state) = full {
        text.extend_from_slice(br#","full":true"#);
        if !state.is_empty() {
            text.extend_from_slice(br#","state":"#);
            text.extend_from_slice(state);
        }
    }
    text.extend_from_slice(br#","data":"#);
    text.extend_from_slice(data);
    text.push(b'}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_as_text_is_the_envelope_as_a_type() {
        let now: DateTime<Utc> = "2026-01-18T15:30:45.123Z".parse().unwrap();
        let wire = EnvelopeWire {
            r#type: "rps_update",
            timestamp: time(now),
            sequence: 7,
            full: true,
            state: None,
            data: serde_json::json!({ "current": 5 }),
        };
        let text = envelope("rps_update", 7, now, Some(&[]), br#"{"current":5}"#);
        assert_eq!(String::from_utf8(text).unwrap(), serde_json::to_string(&wire).unwrap());
        let text = envelope("x", 1, now, Some(b"{}"), b"null");
        insta::assert_snapshot!(String::from_utf8(text).unwrap(), @r#"{"type":"x","timestamp":"2026-01-18T15:30:45.123Z","sequence":1,"full":true,"state":{},"data":null}"#);
        let text = envelope("x", 1, now, None, b"null");
        insta::assert_snapshot!(String::from_utf8(text).unwrap(), @r#"{"type":"x","timestamp":"2026-01-18T15:30:45.123Z","sequence":1,"data":null}"#);
    }
}
