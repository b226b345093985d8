//! Figures over time as they go out: golden texts of a run that never happened.

use super::super::*;
use crate::api::Session;
use crate::metrics::{MetricId, TagSet, specs};
use crate::snapshot::{Recent, ScenarioState, Series, Snapshot, Status};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

fn noon() -> DateTime<Utc> {
    "2026-01-18T15:30:45Z".parse().unwrap()
}

fn json(wire: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(wire).unwrap()
}

/// Twelve seconds of a run of the open model: ten requests a second by HTTP/1.1 that take 10 ms and five by HTTP/2 of 40 ms, one of which
/// fails; three requests for each iteration.
fn run() -> (Session, Snapshot) {
    let mut snapshot =
        Snapshot { sequence: 24, status: Status::Running, metrics: specs(&[], &[], 60), ..Snapshot::default() };
    let places = [
        ("http_reqs", "HTTP/1.1", &[1.0; 10][..]),
        ("http_reqs", "HTTP/2.0", &[1.0; 5]),
        ("http_req_failed", "HTTP/1.1", &[0.0; 10]),
        ("http_req_failed", "HTTP/2.0", &[1.0, 0.0, 0.0, 0.0, 0.0]),
        ("http_req_duration", "HTTP/1.1", &[10.0; 10]),
        ("http_req_duration", "HTTP/2.0", &[40.0; 5]),
        ("iterations", "", &[1.0; 5]),
        ("vus", "", &[4.0]),
        ("punk_memory", "", &[50e6]),
        ("punk_cpu", "", &[0.25]),
    ];
    for (metric, proto, _) in places {
        let id = snapshot.metrics.iter().position(|spec| spec.def.name == metric).unwrap();
        let tags = if proto.is_empty() { TagSet::empty() } else { TagSet::new([("name", "a"), ("proto", proto)]) };
        let cell = snapshot.metrics[id].cell(&tags);
        snapshot.series.push(Arc::new(Series { metric: MetricId(id as u16), tags, cell }));
    }
    for second in 0..12 {
        let mut history = snapshot.history.write().unwrap();
        for (place, (_, _, values)) in places.iter().enumerate() {
            let series = Arc::make_mut(&mut snapshot.series[place]);
            let mut cell = snapshot.metrics[series.metric.0 as usize].cell(&series.tags);
            values.iter().for_each(|value| cell.add(*value));
            series.cell.merge(&cell);
            history.feed(Duration::from_secs(second), place, &cell);
        }
        history.close(Duration::from_secs(second + 1));
    }
    snapshot.elapsed = Duration::from_secs(12);
    snapshot.recent = Recent { requests: 15.0, failed: Some(0.07), p95: Some(40.0), iterations: 5.0 };
    snapshot.scenarios = vec![ScenarioState { users: 4, target_rate: Some(6.0), ..ScenarioState::default() }];
    let (_, snapshots) = watch::channel(Arc::new(Snapshot::default()));
    let session = Session::new("shop.rhai", noon(), snapshots, mpsc::unbounded_channel().0);
    session.diary().follow(&snapshot, noon() + chrono::TimeDelta::seconds(12));
    (session, snapshot)
}

#[test]
fn a_kpi_with_what_is_planned() {
    let (session, snapshot) = run();
    insta::assert_snapshot!(json(&KpiWire::rps(&session, &snapshot, noon())), @r#"
    {
      "timestamp": "2026-01-18T15:30:45.000Z",
      "unit": "per_second",
      "current": 15,
      "target": 18,
      "target_from": "load",
      "trend": {
        "direction": "stable",
        "change_percent": 0,
        "noise_percent": 1,
        "seconds": 6
      },
      "bands": [],
      "history": [
        {
          "timestamp": "2026-01-18T15:30:45.000Z",
          "elapsed_seconds": 0,
          "value": 15
        },
        {
          "timestamp": "2026-01-18T15:30:50.000Z",
          "elapsed_seconds": 5,
          "value": 15
        }
      ]
    }
    "#);
}

#[test]
fn the_latency_with_its_distribution() {
    let (session, snapshot) = run();
    insta::assert_snapshot!(json(&LatencyKpiWire::new(&session, &snapshot, noon())), @r#"
    {
      "timestamp": "2026-01-18T15:30:45.000Z",
      "unit": "milliseconds",
      "current": 40,
      "trend": {
        "direction": "stable",
        "change_percent": 0,
        "noise_percent": 1,
        "seconds": 6
      },
      "bands": [],
      "history": [
        {
          "timestamp": "2026-01-18T15:30:45.000Z",
          "elapsed_seconds": 0,
          "value": 40
        },
        {
          "timestamp": "2026-01-18T15:30:50.000Z",
          "elapsed_seconds": 5,
          "value": 40
        }
      ],
      "p50": 10.007,
      "p95": 40,
      "p99": 40,
      "p999": 40,
      "last_minute": {
        "p50": 10.007,
        "p95": 40,
        "p99": 40,
        "p999": 40
      },
      "distribution": [
        {
          "from": 7,
          "to": 10,
          "count": 120
        },
        {
          "from": 30,
          "to": 50,
          "count": 60
        }
      ]
    }
    "#);
}

#[test]
fn what_punk_itself_takes() {
    let (session, snapshot) = run();
    let memory = KpiWire::memory(&session, &snapshot, noon());
    insta::assert_snapshot!(serde_json::to_string(&memory).unwrap(), @r#"{"timestamp":"2026-01-18T15:30:45.000Z","unit":"bytes","current":50000000,"trend":{"direction":"stable","change_percent":0,"noise_percent":1,"seconds":6},"bands":[],"history":[{"timestamp":"2026-01-18T15:30:45.000Z","elapsed_seconds":0,"value":50000000},{"timestamp":"2026-01-18T15:30:50.000Z","elapsed_seconds":5,"value":50000000}]}"#);
    let cpu = KpiWire::cpu(&session, &snapshot, noon());
    insta::assert_snapshot!(serde_json::to_string(&cpu).unwrap(), @r#"{"timestamp":"2026-01-18T15:30:45.000Z","unit":"percent","current":25,"trend":{"direction":"stable","change_percent":0,"noise_percent":1,"seconds":6},"bands":[],"history":[{"timestamp":"2026-01-18T15:30:45.000Z","elapsed_seconds":0,"value":25},{"timestamp":"2026-01-18T15:30:50.000Z","elapsed_seconds":5,"value":25}]}"#);
}

#[test]
fn a_kpi_of_nothing_has_no_value() {
    let (session, _) = run();
    let kpi = KpiWire::rps(&session, &Snapshot::default(), noon());
    insta::assert_snapshot!(serde_json::to_string(&kpi).unwrap(), @r#"{"timestamp":"2026-01-18T15:30:45.000Z","unit":"per_second","trend":{"direction":"unknown"},"bands":[],"history":[]}"#);
    let kpi = LatencyKpiWire::new(&session, &Snapshot::default(), noon());
    insta::assert_snapshot!(serde_json::to_string(&kpi).unwrap(), @r#"{"timestamp":"2026-01-18T15:30:45.000Z","unit":"milliseconds","trend":{"direction":"unknown"},"bands":[],"history":[],"last_minute":{},"distribution":[]}"#);
}

#[test]
fn nothing_is_planned_where_users_of_the_closed_model_ask_too() {
    let (session, mut snapshot) = run();
    let target = |snapshot: &Snapshot| {
        serde_json::to_value(KpiWire::rps(&session, snapshot, noon())).unwrap().get("target").cloned()
    };
    assert_eq!(target(&snapshot), Some(18.into()));
    let closed = ScenarioState { users: 1, target: Some(1), ..ScenarioState::default() };
    snapshot.scenarios.push(closed.clone());
    assert_eq!(target(&snapshot), None);
    snapshot.scenarios[1] = ScenarioState { done: true, ..closed };
    assert_eq!(target(&snapshot), Some(18.into()));
}
