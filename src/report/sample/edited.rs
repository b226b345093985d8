//! A run whose rules were edited while it went on: breaches, alerts, revisions, webhooks.

use super::{Run, failed, typical};
use crate::control::Author;
use crate::expr::{AlertSeverity, Change};
use crate::metrics::{Resolution, Scale, Trend};
use crate::snapshot::{AlertEvent, AlertPhase, AlertState, Breach, CodeRevision, Delivery, Edition};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn wall(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_768_750_245 + seconds)
}

fn change(what: &str, from: Option<&str>, to: Option<&str>) -> Change {
    Change { what: what.into(), from: from.map(str::to_owned), to: to.map(str::to_owned) }
}

fn event(number: u64, name: &str, firing: bool, seconds: u64, value: f64) -> Arc<AlertEvent> {
    Arc::new(AlertEvent {
        number,
        id: format!("{name}#{}", number / 2 + 1),
        name: name.into(),
        firing,
        at: Duration::from_secs(seconds),
        time: wall(seconds),
        severity: AlertSeverity::Critical,
        when: "p(99) over 10s > 800ms".into(),
        value: Some(value),
        value_text: Some(format!("{value}ms")),
        description: String::new(),
        resolution: String::new(),
        because: (name == "gone" && !firing).then(|| "removed by revision 3".into()),
        acknowledged_by: None,
        notify: [].into(),
    })
}

fn code(revision: u64, since: f64, ms: f64) -> CodeRevision {
    let mut duration = Trend::new(Scale::DAY, Resolution::TwoDigits);
    (0..100).for_each(|n| duration.record(ms + f64::from(n)));
    CodeRevision {
        revision,
        merged: revision == 1,
        since: at(since),
        iterations: 250,
        script_errors: revision - 1,
        requests: 451,
        failed: 6 * revision,
        duration,
    }
}

/// `typical`, with everything that edits, thresholds with windows and alerts may bring.
pub(in crate::report) fn edited() -> Run {
    let mut run = typical();
    let snapshot = &mut run.snapshot;
    snapshot.revision = 3;
    let [first, second] = &mut snapshot.thresholds[..] else { panic!("two thresholds") };
    (first.distance, first.holds, first.observed, first.observed_text) =
        (Some(0.12), Some(true), Some(0.044), Some("4.4%".into()));
    let breach =
        |from: f64, to: Option<f64>, text: &str| Breach { from: at(from), to: to.map(at), observed_text: text.into() };
    second.abort = false;
    second.expression = "p(95) over 5s < 250ms".into();
    (second.passed, second.holds, second.revision, second.since) = (Some(false), Some(true), 2, at(15.0));
    (second.observed, second.observed_text, second.now_text) =
        (Some(412.0), Some("412ms".into()), Some("105ms".into()));
    (second.first_breach, second.recovered, second.breach_count) = (Some(at(12.0)), Some(at(26.5)), 3);
    second.breaches =
        vec![breach(12.0, Some(14.0), "271ms"), breach(18.2, Some(20.0), "412ms"), breach(25.0, Some(26.5), "300ms")];
    let mut third = first.clone();
    (third.selector, third.expression, third.severity) = ("tail".into(), "|m| m.p(95) < 300".into(), "warn");
    (third.passed, third.holds, third.observed, third.observed_text) = (Some(false), Some(false), None, None);
    third.closure = true;
    (third.distance, third.revision, third.since) = (None, 3, at(20.0));
    (third.first_breach, third.breach_count) = (Some(at(28.0)), 1);
    third.breaches = vec![breach(28.0, None, "")];
    snapshot.thresholds.push(third);
    let alert = |name: &str, fired: u64, phase: AlertPhase| AlertState {
        name: name.into(),
        when: "p(99) over 10s > 800ms".into(),
        severity: AlertSeverity::Critical,
        phase,
        fired,
        since: at(24.0),
        revision: 1,
        ..AlertState::default()
    };
    snapshot.alerts = vec![
        AlertState {
            description: "the tail is slow".into(),
            resolution: "look at the pool".into(),
            value: Some(1000.5),
            value_text: Some("1s".into()),
            acknowledged_by: Some("ann".into()),
            ..alert("slow tail", 2, AlertPhase::Firing)
        },
        AlertState { revision: 3, would_have: vec![at(3.0), at(9.5)], ..alert("quiet one", 0, AlertPhase::Quiet) },
    ];
    snapshot.alert_events = vec![
        event(0, "slow tail", true, 12, 912.5),
        event(1, "slow tail", false, 14, 640.0),
        event(2, "gone", true, 16, 900.0),
        event(3, "gone", false, 20, 900.0),
        event(4, "slow tail", true, 24, 1000.5),
    ];
    let edition = |revision: u64, seconds: u64, by: Author, changes: Vec<Change>| Edition {
        revision,
        code: revision - 1,
        at: Duration::from_secs(seconds),
        time: wall(seconds),
        by,
        changes,
        refused: Vec::new(),
        notes: Vec::new(),
    };
    let tightened =
        change("threshold http_req_duration{name:product}", Some("p(95) < 300ms"), Some("p(95) over 5s < 250ms"));
    snapshot.edits = vec![
        edition(2, 15, Author::File, vec![tightened]),
        Edition {
            refused: vec!["base_url: it cannot change while a run goes on".into()],
            notes: vec!["undoes revision 2 by the API".into()],
            ..edition(
                3,
                20,
                Author::Api,
                vec![
                    change("threshold tail", None, Some("|m| m.p(95) < 300")),
                    change("alert gone", Some("p(99) over 10s > 800ms"), None),
                    change("fn browse", None, None),
                ],
            )
        },
    ]
    .into();
    snapshot.code_revisions = vec![code(1, 0.0, 10.0), code(2, 20.0, 5.0)];
    let delivery = Delivery { receiver: "https://hooks.test".into(), sent: 5, ..Delivery::default() };
    run.facts =
        failed(99, "threshold `http_req_duration{name:product}: p(95) over 5s < 250ms` was broken: observed 412ms");
    run.facts.deliveries = vec![
        delivery,
        Delivery {
            receiver: "http://127.0.0.1:1".into(),
            failed: 3,
            undelivered: 2,
            retries: 12,
            last_error: Some("Connection refused (os error 111)".into()),
            ..Delivery::default()
        },
    ];
    run
}
