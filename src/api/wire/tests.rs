//! The wire as it is: golden texts of what goes out for a run that never happened.

mod figures;

use super::*;
use crate::api::Session;
use crate::control::Author;
use crate::expr::Change;
use crate::metrics::{Cell, MetricId, Resolution, Scale, TagSet, Trend, specs};
use crate::snapshot::{
    AlertEvent, AlertPhase, AlertState, Edition, Ending, Intervention, Recent, Series, Snapshot, Status, Verdict,
    components,
};
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::{mpsc, watch};

fn noon() -> DateTime<Utc> {
    "2026-01-18T15:30:45Z".parse().unwrap()
}

fn session() -> Session {
    let (_, snapshots) = watch::channel(Arc::new(Snapshot::default()));
    Session::new("shop.rhai", noon(), snapshots, mpsc::unbounded_channel().0, crate::api::judgement::of_tests())
}

fn json(wire: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(wire).unwrap()
}

/// Two operations in ten seconds, one of them with an error.
fn snapshot() -> Snapshot {
    let metrics = specs(&[], &[], 60);
    let id = |name: &str| MetricId(metrics.iter().position(|spec| spec.def.name == name).unwrap() as u16);
    let trend = |values: &[f64]| {
        let mut trend = Trend::new(Scale::request(60), Resolution::ThreeDigits);
        values.iter().for_each(|value| trend.record(*value));
        Cell::Trend(trend)
    };
    let counter = |sum: f64| Cell::Counter { sum, samples: sum as u64 };
    let series = [
        ("http_reqs", "cart", counter(30.0)),
        ("http_reqs", "browse", counter(70.0)),
        ("http_req_failed", "cart", Cell::Rate { passes: 1, total: 30 }),
        ("http_req_failed", "browse", Cell::Rate { passes: 0, total: 70 }),
        ("http_req_duration", "cart", trend(&[10.0, 20.0, 30.0])),
        ("http_req_duration", "browse", trend(&[5.0])),
    ];
    let series = series.map(|(metric, name, cell)| {
        Arc::new(Series { metric: id(metric), tags: TagSet::new([("name", name), ("scenario", "s")]), cell })
    });
    Snapshot {
        sequence: 20,
        elapsed: Duration::from_secs(10),
        status: Status::Running,
        metrics: Arc::clone(&metrics),
        series: series.to_vec(),
        revision: 1,
        ..Snapshot::default()
    }
}

#[test]
fn metrics_in_all_and_by_operation() {
    insta::assert_snapshot!(json(&MetricsWire::new(&snapshot(), noon())), @r#"
    {
      "timestamp": "2026-01-18T15:30:45.000Z",
      "total": {
        "operations": 100,
        "errors": 1,
        "success_rate": 99,
        "throughput": 10,
        "latency": {
          "min": 5,
          "max": 30,
          "mean": 16.25,
          "stddev": 9.606249,
          "p50": 10.007,
          "p90": 30,
          "p95": 30,
          "p99": 30,
          "p999": 30
        }
      },
      "by_operation": {
        "browse": {
          "count": 70,
          "errors": 0,
          "throughput": 7,
          "latency": {
            "min": 5,
            "max": 5,
            "mean": 5,
            "stddev": 0,
            "p50": 5,
            "p90": 5,
            "p95": 5,
            "p99": 5,
            "p999": 5
          }
        },
        "cart": {
          "count": 30,
          "errors": 1,
          "throughput": 3,
          "latency": {
            "min": 10,
            "max": 30,
            "mean": 20,
            "stddev": 8.168232,
            "p50": 20.015,
            "p90": 30,
            "p95": 30,
            "p99": 30,
            "p999": 30
          }
        }
      }
    }
    "#);
}

#[test]
fn nothing_measured_is_absent() {
    insta::assert_snapshot!(json(&MetricsWire::new(&Snapshot::default(), noon())), @r#"
    {
      "timestamp": "2026-01-18T15:30:45.000Z",
      "total": {
        "operations": 0,
        "errors": 0
      },
      "by_operation": {}
    }
    "#);
}

#[test]
fn a_run_that_has_not_begun() {
    insta::assert_snapshot!(json(&StatusWire::new(&session(), &Snapshot::default())), @r#"
    {
      "session_id": "punk-20260118-153045",
      "status": "starting",
      "verdict": "passed",
      "start_time": "2026-01-18T15:30:45.000Z",
      "elapsed_seconds": 0,
      "progress": 0,
      "script": "shop.rhai",
      "script_revision": 1,
      "active_users": 0,
      "alerts_firing": 0,
      "config": {
        "workers": 0,
        "scenarios": []
      }
    }
    "#);
}

#[test]
fn the_word_for_where_a_run_is() {
    let session = session();
    let mut snapshot = snapshot();
    let mut word = |status_is: Status| {
        snapshot.status = status_is;
        status(&session, &snapshot)
    };
    assert_eq!([word(Status::Setup), word(Status::Running), word(Status::Paused)], ["starting", "running", "paused"]);
    assert_eq!([word(Status::Teardown), word(Status::Completed)], ["stopping", "completed"]);
    let stopped = Ending { stopped: Some((Author::Api, "enough".to_owned())), ..Ending::default() };
    let cancelled = Snapshot { status: Status::Completed, ending: Arc::new(stopped), ..Snapshot::default() };
    assert_eq!(status(&session, &cancelled), "cancelled");
    let verdict = Verdict { severity: "fail", passed: Some(false), ..Verdict::default() };
    let failed = Snapshot { status: Status::Completed, thresholds: vec![verdict], ..Snapshot::default() };
    assert_eq!(status(&session, &failed), "failed");
    let warming = Snapshot { status: Status::Running, warmup: Duration::from_secs(60), ..Snapshot::default() };
    assert_eq!(status(&session, &warming), "warmup");
}

#[test]
fn what_is_unwell_says_why() {
    let mut snapshot = snapshot();
    snapshot.generator.invalid.push("the generator was too slow".to_owned());
    (snapshot.generator.shards, snapshot.generator.late_shards) = (2, vec![1]);
    snapshot.recent = Recent { failed: Some(0.25), ..Recent::default() };
    snapshot.components = components(&snapshot);
    let later = noon() + chrono::TimeDelta::seconds(3);
    insta::assert_snapshot!(serde_json::to_string(&HealthWire::new(&session(), &snapshot, later)).unwrap(), @r#"{"timestamp":"2026-01-18T15:30:48.000Z","status":"error","components":{"shards":{"status":"error","reasons":["the generator was too slow","1 of 2 shards did not report in time"]},"collector":{"status":"warning","reasons":["the last snapshot is 3.0 s old"]},"monitor":{"status":"healthy","reasons":[],"streams":{"clients":0,"opened":0,"dropped":0,"refused":0,"messages_made":0,"messages_sent":0},"requests_refused":0,"connections_refused":0},"outputs":{"status":"healthy","reasons":[]},"target":{"status":"warning","reasons":["25% of the requests of the last seconds failed"]},"history":{"status":"healthy","reasons":[]}}}"#);
}

#[test]
fn alerts_are_told_by_their_ringings() {
    let time = SystemTime::from(noon());
    let event = |number: u64, firing, at: u64| {
        Arc::new(AlertEvent {
            number,
            id: format!("slow#{}", number.div_ceil(2)),
            name: "slow".to_owned(),
            firing,
            at: Duration::from_secs(at),
            time: time + Duration::from_secs(at),
            severity: Default::default(),
            when: "p(95) of http_req_duration > 300ms".to_owned(),
            value: Some(412.0),
            value_text: Some("412ms".to_owned()),
            description: "the tail".to_owned(),
            resolution: String::new(),
            because: None,
            acknowledged_by: None,
            notify: Arc::default(),
        })
    };
    let mut snapshot = snapshot();
    snapshot.alert_events = vec![event(1, true, 2), event(2, false, 5), event(3, true, 8)];
    Arc::make_mut(&mut snapshot.alert_events[0]).acknowledged_by = Some("Ada".to_owned());
    snapshot.alerts = vec![AlertState {
        name: "slow".to_owned(),
        phase: AlertPhase::Firing,
        fired: 2,
        value: Some(500.0),
        acknowledged_by: Some("me".to_owned()),
        ..AlertState::default()
    }];
    insta::assert_snapshot!(json(&AlertsWire::new(&snapshot)), @r#"
    {
      "alerts": [
        {
          "id": "slow#2",
          "name": "slow",
          "severity": "warning",
          "threshold": "p(95) of http_req_duration > 300ms",
          "current_value": 500,
          "timestamp": "2026-01-18T15:30:53.000Z",
          "elapsed_seconds": 8,
          "description": "the tail",
          "resolution": "",
          "state": "firing",
          "acknowledged_by": "me"
        },
        {
          "id": "slow#1",
          "name": "slow",
          "severity": "warning",
          "threshold": "p(95) of http_req_duration > 300ms",
          "current_value": 412,
          "value_text": "412ms",
          "timestamp": "2026-01-18T15:30:47.000Z",
          "elapsed_seconds": 2,
          "description": "the tail",
          "resolution": "",
          "state": "resolved",
          "resolved_at": "2026-01-18T15:30:50.000Z",
          "acknowledged_by": "Ada"
        }
      ]
    }
    "#);
}

#[test]
fn who_changed_what_and_when() {
    let mut snapshot = snapshot();
    snapshot.edits.push(Edition {
        revision: 2,
        code: 1,
        at: Duration::from_secs(4),
        time: SystemTime::from(noon()) + Duration::from_secs(4),
        by: Author::Api,
        changes: vec![Change { what: "threshold http_reqs".to_owned(), from: None, to: Some("count > 1".to_owned()) }],
        refused: Vec::new(),
        notes: Vec::new(),
    });
    snapshot.interventions.push(Intervention {
        at: Duration::from_secs(6),
        by: Author::Terminal,
        what: "paused".to_owned(),
        refused: None,
    });
    let session = session();
    session.diary().follow(&snapshot, noon() + chrono::TimeDelta::seconds(10));
    insta::assert_snapshot!(json(&RevisionsWire::new(&session.diary(), &snapshot)), @r#"
    {
      "revision": 1,
      "revisions": [
        {
          "revision": 2,
          "code": 1,
          "timestamp": "2026-01-18T15:30:49.000Z",
          "elapsed_seconds": 4,
          "by": "the API",
          "changes": [
            {
              "what": "threshold http_reqs",
              "to": "count > 1"
            }
          ],
          "refused": [],
          "notes": []
        }
      ],
      "unlisted_revisions": 0,
      "interventions": [
        {
          "timestamp": "2026-01-18T15:30:51.000Z",
          "elapsed_seconds": 6,
          "by": "the terminal",
          "what": "paused"
        }
      ],
      "unlisted_interventions": 0
    }
    "#);
}
