//! What a receiver gets: the JSON of one edge of an alert. `docs/webhooks.md` is its promise.

use crate::snapshot::AlertEvent;
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use url::Url;

/// Grows when a field changes its meaning or goes; new fields do not change it.
const VERSION: u32 = 1;

/// One message, the same for every receiver and every try.
#[derive(Debug, Clone)]
pub(super) struct Message {
    /// By which a receiver knows a message that it has seen: the same in every try.
    pub(super) key: String,
    /// The JSON.
    pub(super) body: Bytes,
}

#[derive(Serialize)]
struct Wire<'a> {
    version: u32,
    run: &'a str,
    status: &'static str,
    id: &'a str,
    name: &'a str,
    severity: &'static str,
    when: &'a str,
    value: Option<f64>,
    value_text: Option<&'a str>,
    description: &'a str,
    resolution: &'a str,
    at_seconds: f64,
    time: String,
    because: Option<&'a str>,
}

impl Message {
    pub(super) fn new(run: &str, event: &AlertEvent) -> Self {
        let wire = Wire {
            version: VERSION,
            run,
            status: if event.firing { "firing" } else { "resolved" },
            id: &event.id,
            name: &event.name,
            severity: event.severity.word(),
            when: &event.when,
            value: event.value.filter(|value| value.is_finite()),
            value_text: event.value_text.as_deref(),
            description: &event.description,
            resolution: &event.resolution,
            at_seconds: event.at.as_secs_f64(),
            time: DateTime::<Utc>::from(event.time).to_rfc3339_opts(SecondsFormat::Millis, true),
            because: event.because.as_deref(),
        };
        let body = serde_json::to_vec(&wire).expect("texts and finite numbers are always JSON");
        Message { key: format!("{run}-{}", event.number), body: body.into() }
    }
}

/// A receiver as reports may name it: no user, no password, no path, no query, any of which may be a secret.
pub(super) fn shown(url: &str) -> String {
    let Ok(url) = Url::parse(url) else { return "an address that cannot be read".to_owned() };
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}
