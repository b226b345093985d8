//! Figures over time as they go out: golden texts of a run that never happened.

use super::super::*;
use crate::analysis::{Figure, Heat, analysis};
use crate::api::{Preferences, Session};
use crate::metrics::{MetricId, TagSet, specs};
use crate::snapshot::{Recent, ScenarioState, Series, Snapshot, Status};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

const HOUR: (&str, Duration) = ("1h", Duration::from_secs(3_600));

fn noon() -> DateTime<Utc> {
    "2026-01-18T15:30:45Z".parse().unwrap()
}

fn json(wire: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(wire).unwrap()
}

/// Twelve seconds of a run of the open model: ten requests a second by HTTP/1.1 that take 10 ms and five by HTTP/2 of 40 ms, one of which
/// fails; three requests for each iteration.
fn run() -> (Session, Snapshot) {
    told(12)
}

/// The same of so many seconds.
fn told(seconds: u64) -> (Session, Snapshot) {
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
    for second in 0..seconds {
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
    snapshot.elapsed = Duration::from_secs(seconds);
    snapshot.recent = Recent { requests: 15.0, failed: Some(0.07), p95: Some(40.0), iterations: 5.0 };
    snapshot.scenarios = vec![ScenarioState { users: 4, target_rate: Some(6.0), ..ScenarioState::default() }];
    let (_, snapshots) = watch::channel(Arc::new(Snapshot::default()));
    let session =
        Session::new("shop.rhai", noon(), snapshots, mpsc::unbounded_channel().0, crate::api::judgement::of_tests());
    session.diary().follow(&snapshot, noon() + chrono::TimeDelta::seconds(seconds as i64));
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

#[test]
fn a_heatmap_of_latency_and_one_of_errors() {
    let (session, snapshot) = told(6);
    let wire = |word, kind| {
        let range = ("1h", Duration::from_secs(3));
        serde_json::to_string(&HeatmapWire::new(&session, &snapshot, (word, kind), range, noon())).unwrap()
    };
    insta::assert_snapshot!(wire("latency", Heat::Latency), @r#"{"timestamp":"2026-01-18T15:30:45.000Z","kind":"latency","range":"1h","unit":"responses","interval_seconds":1,"buckets":[{"bucket":12,"from":7,"to":10},{"bucket":16,"from":30,"to":50}],"grid":[{"timestamp":"2026-01-18T15:30:48.000Z","elapsed_seconds":3,"bucket":12,"value":10},{"timestamp":"2026-01-18T15:30:48.000Z","elapsed_seconds":3,"bucket":16,"value":5},{"timestamp":"2026-01-18T15:30:49.000Z","elapsed_seconds":4,"bucket":12,"value":10},{"timestamp":"2026-01-18T15:30:49.000Z","elapsed_seconds":4,"bucket":16,"value":5},{"timestamp":"2026-01-18T15:30:50.000Z","elapsed_seconds":5,"bucket":12,"value":10},{"timestamp":"2026-01-18T15:30:50.000Z","elapsed_seconds":5,"bucket":16,"value":5}]}"#);
    insta::assert_snapshot!(wire("errors", Heat::Errors), @r#"{"timestamp":"2026-01-18T15:30:45.000Z","kind":"errors","range":"1h","unit":"percent","interval_seconds":1,"buckets":[{"bucket":0}],"grid":[{"timestamp":"2026-01-18T15:30:48.000Z","elapsed_seconds":3,"bucket":0,"value":6.666667},{"timestamp":"2026-01-18T15:30:49.000Z","elapsed_seconds":4,"bucket":0,"value":6.666667},{"timestamp":"2026-01-18T15:30:50.000Z","elapsed_seconds":5,"bucket":0,"value":6.666667}]}"#);
}

/// Run times of the points of each answer about the past.
fn told_of(session: &Session, snapshot: &Snapshot) -> [Vec<u64>; 5] {
    let (figure, heat) = (("rps", Figure::Throughput), ("throughput", Heat::Throughput));
    let stretch = (HOUR.1, Duration::from_secs(5));
    let of = |wire: Result<serde_json::Value, serde_json::Error>, points: &str| -> Vec<u64> {
        let wire = wire.unwrap();
        let points = wire[points].as_array().unwrap().iter();
        points.map(|point| point["elapsed_seconds"].as_u64().unwrap()).collect()
    };
    [
        of(serde_json::to_value(KpiWire::rps(session, snapshot, noon())), "history"),
        of(serde_json::to_value(LatencyKpiWire::new(session, snapshot, noon())), "history"),
        of(serde_json::to_value(RequestsWire::new(session, snapshot, stretch, noon())), "data_points"),
        of(serde_json::to_value(HistoricalWire::new(session, snapshot, figure, HOUR, noon())), "time_series"),
        of(serde_json::to_value(HeatmapWire::new(session, snapshot, heat, HOUR, noon())), "grid"),
    ]
}

#[test]
fn answers_about_the_past_reach_back_as_far_as_is_wanted() {
    let (session, snapshot) = told(30);
    let pieces = |from: u64, every: usize| -> Vec<u64> { (from..30).step_by(every).collect() };
    let all = [pieces(0, 5), pieces(0, 5), pieces(0, 5), pieces(0, 1), pieces(0, 1)];
    assert_eq!(told_of(&session, &snapshot), all);
    let retaining = |seconds| Preferences { retention: Some(Duration::from_secs(seconds)), ..Preferences::default() };
    let session = session.preferring(retaining(10));
    let last = [pieces(20, 5), pieces(20, 5), pieces(20, 5), pieces(20, 1), pieces(20, 1)];
    assert_eq!(told_of(&session, &snapshot), last);
    let reason = |session: &Session| {
        let figure = ("rps", Figure::Throughput);
        let wire = serde_json::to_value(HistoricalWire::new(session, &snapshot, figure, HOUR, noon())).unwrap();
        (wire["reason"].as_str().unwrap().to_owned(), wire.get("available_from").is_some())
    };
    assert_eq!(reason(&session), ("`retention` is 10s: nothing older is told".to_owned(), false));
    let young = reason(&session.preferring(retaining(60)));
    assert!(young.0.starts_with("this run is 30s old") && young.1, "{young:?}");
}

#[test]
fn a_range_of_a_figure() {
    let (session, snapshot) = told(3);
    let wire = HistoricalWire::new(&session, &snapshot, ("errors", Figure::Errors), HOUR, noon());
    insta::assert_snapshot!(json(&wire), @r#"
    {
      "timestamp": "2026-01-18T15:30:45.000Z",
      "metric": "errors",
      "range": "1h",
      "unit": "percent",
      "average": 6.666667,
      "peak": 6.666667,
      "low": 6.666667,
      "standard_deviation": 0,
      "interval_seconds": 1,
      "resolution_seconds": 1,
      "time_series": [
        {
          "timestamp": "2026-01-18T15:30:45.000Z",
          "elapsed_seconds": 0,
          "seconds": 1,
          "value": 6.666667
        },
        {
          "timestamp": "2026-01-18T15:30:46.000Z",
          "elapsed_seconds": 1,
          "seconds": 1,
          "value": 6.666667
        },
        {
          "timestamp": "2026-01-18T15:30:47.000Z",
          "elapsed_seconds": 2,
          "seconds": 1,
          "value": 6.666667
        }
      ],
      "insights": [],
      "reason": "this run is 3s old, and earlier runs are kept nowhere yet",
      "available_from": "the version that keeps runs"
    }
    "#);
}

#[test]
fn protocols_that_are_spoken_and_that_are_not() {
    let (session, mut snapshot) = run();
    snapshot.connections.counts.of_mut(crate::metrics::Proto::Http1).active = 3;
    let wire = ProtocolsWire::new(&session.digest(&snapshot), &snapshot, noon());
    insta::assert_snapshot!(serde_json::to_string(&wire).unwrap(), @r#"{"timestamp":"2026-01-18T15:30:45.000Z","window_seconds":12,"http1":{"status":"active","rps":10,"avg_latency":10,"error_rate":0,"active_connections":3},"http2":{"status":"active","rps":5,"avg_latency":40,"error_rate":20,"active_connections":0},"http3":{"status":"unavailable","available_from":"a later version","reason":"punk does not speak HTTP/3 yet"},"websocket":{"status":"unavailable","available_from":"a later version","reason":"punk does not speak WebSocket yet"},"grpc":{"status":"unavailable","available_from":"a later version","reason":"punk does not speak gRPC yet"},"distribution":{"http1":66.666667,"http2":33.333333}}"#);
}

#[test]
fn conclusions_with_their_rules() {
    let (session, snapshot) = told(120);
    let concluded = analysis(&snapshot, &session.digest(&snapshot));
    insta::assert_snapshot!(json(&AnalysisWire::new(&session.diary(), &concluded, noon())), @r#"
    {
      "timestamp": "2026-01-18T15:30:45.000Z",
      "from_seconds": 0,
      "to_seconds": 120,
      "trends": [
        {
          "metric": "throughput",
          "direction": "stable",
          "change_percent": 0,
          "per_minute": 0,
          "low": 0,
          "high": 0,
          "p": 1,
          "points": 120,
          "rule": "trend"
        },
        {
          "metric": "latency_p95",
          "direction": "stable",
          "change_percent": 0,
          "per_minute": 0,
          "low": 0,
          "high": 0,
          "p": 1,
          "points": 120,
          "rule": "trend"
        },
        {
          "metric": "error_rate",
          "direction": "stable",
          "change_percent": 0,
          "per_minute": 0,
          "low": 0,
          "high": 0,
          "p": 1,
          "points": 120,
          "rule": "trend"
        },
        {
          "metric": "active_users",
          "direction": "stable",
          "change_percent": 0,
          "per_minute": 0,
          "low": 0,
          "high": 0,
          "p": 1,
          "points": 120,
          "rule": "trend"
        },
        {
          "metric": "memory",
          "direction": "stable",
          "change_percent": 0,
          "per_minute": 0,
          "low": 0,
          "high": 0,
          "p": 1,
          "points": 120,
          "rule": "trend"
        },
        {
          "metric": "cpu",
          "direction": "stable",
          "change_percent": 0,
          "per_minute": 0,
          "low": 0,
          "high": 0,
          "p": 1,
          "points": 120,
          "rule": "trend"
        }
      ],
      "bottlenecks": [],
      "scores": [
        {
          "component": "latency",
          "score": 80.020191,
          "rule": "score-latency",
          "formula": "100·(1 - (log2(p99/p50) - 1) / 5), within 0 and 100: 100 up to twice the median, 0 from 64 times on"
        },
        {
          "component": "errors",
          "score": 0,
          "rule": "score-errors",
          "formula": "100·(1 - share of failed requests / 0.05), within 0 and 100: 1 % of failures is 80"
        },
        {
          "component": "throughput",
          "score": 100,
          "rule": "score-throughput",
          "formula": "100·(1 - 1.4826·MAD / 0.5), within 0 and 100; MAD is the median distance from the Theil-Sen line, as a share of the median throughput"
        }
      ],
      "predictions": [
        {
          "metric": "throughput",
          "timestamp": "2026-01-18T15:33:44.000Z",
          "at_seconds": 179,
          "value": 15,
          "low": 15,
          "high": 15,
          "rule": "forecast"
        },
        {
          "metric": "latency_p95",
          "timestamp": "2026-01-18T15:33:44.000Z",
          "at_seconds": 179,
          "value": 40,
          "low": 40,
          "high": 40,
          "rule": "forecast"
        },
        {
          "metric": "error_rate",
          "timestamp": "2026-01-18T15:33:44.000Z",
          "at_seconds": 179,
          "value": 6.666667,
          "low": 6.666667,
          "high": 6.666667,
          "rule": "forecast"
        },
        {
          "metric": "active_users",
          "timestamp": "2026-01-18T15:33:44.000Z",
          "at_seconds": 179,
          "value": 4,
          "low": 4,
          "high": 4,
          "rule": "forecast"
        },
        {
          "metric": "memory",
          "timestamp": "2026-01-18T15:33:44.000Z",
          "at_seconds": 179,
          "value": 50000000,
          "low": 50000000,
          "high": 50000000,
          "rule": "forecast"
        },
        {
          "metric": "cpu",
          "timestamp": "2026-01-18T15:33:44.000Z",
          "at_seconds": 179,
          "value": 25,
          "low": 25,
          "high": 25,
          "rule": "forecast"
        }
      ],
      "recommendations": [
        {
          "rule": "score-errors",
          "message": "look at the errors first: failed requests are often fast and flatter everything else",
          "because": "errors scores 0 of 100"
        }
      ]
    }
    "#);
}

/// A run that was warmed up for five of twelve seconds, answered until the ninth, and stalled until it ended within the twelfth.
fn stalled() -> (Session, Snapshot) {
    let (session, full) = told(12);
    let snapshot = Snapshot { warmup: Duration::from_secs(5), ..told(0).1 };
    for second in 0..12 {
        let (from, to) = (Duration::from_secs(second), Duration::from_secs(second + 1));
        let mut history = snapshot.history.write().unwrap();
        for (place, series) in full.series.iter().enumerate() {
            let metric = &*full.metrics[series.metric.0 as usize].def.name;
            if ["vus", "punk_memory", "punk_cpu"].contains(&metric) || (5..9).contains(&second) || second == 11 {
                history.feed(from, place, &full.history.read().unwrap().window(&[place], from, to).unwrap().cell);
            }
        }
        history.close(to);
    }
    let (series, scenarios) = (full.series, full.scenarios);
    (session, Snapshot { series, scenarios, elapsed: Duration::from_millis(11_500), ..snapshot })
}

/// A field of each point, by its beginning.
fn field(points: &serde_json::Value, name: &str) -> Vec<(u64, Option<f64>)> {
    let points = points.as_array().unwrap().iter();
    points.map(|point| (point["elapsed_seconds"].as_u64().unwrap(), point[name].as_f64())).collect()
}

#[test]
fn the_timeline_tells_a_stall_as_zero_and_the_warm_up_not_at_all() {
    let (session, snapshot) = stalled();
    let digest = session.digest(&snapshot);
    let point = |from| PointWire::new(&digest, Duration::from_secs(from), Duration::from_secs(from + 1), None);
    let points = serde_json::to_value((0..12).map(point).collect::<Vec<_>>()).unwrap();
    let throughput: Vec<_> = field(&points, "throughput").into_iter().map(|(_, value)| value).collect();
    let (none, full, stall, last) = (None, Some(15.0), Some(0.0), Some(30.0));
    assert_eq!(throughput, [none, none, none, none, none, full, full, full, full, stall, stall, last]);
    let (stall, warm) = (&points[9], &points[0]);
    assert!(stall["iterations"] == 0 && stall.get("latency_p95").is_none() && stall.get("error_rate").is_none());
    assert!(warm.get("iterations").is_none() && warm["active_users"] == 4 && stall.get("bytes_sent").is_none());
}

#[test]
fn requests_and_kpis_begin_where_the_warm_up_ends() {
    let (session, snapshot) = stalled();
    let second = Duration::from_secs(1);
    let wire = serde_json::to_value(RequestsWire::new(&session, &snapshot, (HOUR.1, second), noon())).unwrap();
    let told = field(&wire["data_points"], "throughput");
    assert_eq!((told.len(), told[0], told[4], told[6]), (7, (5, Some(15.0)), (9, Some(0.0)), (11, Some(30.0))));
    let rps = serde_json::to_value(KpiWire::rps(&session, &snapshot, noon())).unwrap();
    assert_eq!(field(&rps["history"], "value"), [(5, Some(12.0))]);
    let memory = serde_json::to_value(KpiWire::memory(&session, &snapshot, noon())).unwrap();
    assert_eq!(field(&memory["history"], "value"), [(0, Some(5e7)), (5, Some(5e7))]);
}

#[test]
fn a_rate_is_a_share_from_0_to_1_and_of_nothing_absent() {
    let told = |passes, total| {
        let wire = ValuesWire::new(&crate::metrics::Cell::Rate { passes, total }, Duration::from_secs(10));
        serde_json::to_string(&wire).unwrap()
    };
    assert_eq!([told(1, 4), told(0, 0)], [r#"{"count":4,"rate":0.25}"#, r#"{"count":0}"#]);
}
