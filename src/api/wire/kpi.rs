//! `GET /metrics/rps`, `/latency`, `/memory`, `/cpu`, and the streams of the same names: one figure, what it should be, where it goes.
//!
//! Made of a Session and a Snapshot by the handlers and by whoever streams.

use super::band::{BandWire, asked, bands};
use super::distribution::{BucketWire, distribution};
use super::{number, seconds, time};
use crate::analysis::{Change, Digest, Direction, Figure, Measure, change};
use crate::api::Session;
use crate::expr::Method;
use crate::metrics::{Cell, Trend};
use crate::snapshot::{Snapshot, Status};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;
use std::time::Duration;

/// How far back the history of a KPI goes, and the length of one point of it.
const HISTORY: Duration = Duration::from_secs(300);
const INTERVAL: Duration = Duration::from_secs(5);
/// Of what the percentiles of now are.
const MINUTE: Duration = Duration::from_secs(60);
/// Requests and iterations that are needed to tell how many of the ones an iteration of the others makes.
const ITERATIONS: u64 = 10;

/// One figure of the run, now and in the last five minutes.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct KpiWire {
    /// When it was said.
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// What `current`, `target`, the limits and the history are in.
    unit: KpiUnit,
    /// The value of now; absent where nothing was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<Number>,
    /// What it should be; absent where neither the load nor a threshold says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Number>,
    /// Why that: `load`, or the threshold's expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    target_from: Option<String>,
    /// Where it goes.
    trend: TrendWire,
    /// From which values on rules call it bad.
    bands: Vec<BandWire>,
    /// Points of five seconds, the oldest first; where nothing was measured there is none.
    history: Vec<KpiPointWire>,
}

/// The unit of a KPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum KpiUnit {
    PerSecond,
    Milliseconds,
    Bytes,
    Percent,
}

/// A minute of a figure against the minute before; of a run that is shorter, its halves.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct TrendWire {
    /// `stable` within what it varies by, `unknown` with too little data.
    direction: DirectionWire,
    /// By how much the mean of the points changed, in percent of the mean before.
    #[serde(skip_serializing_if = "Option::is_none")]
    change_percent: Option<Number>,
    /// Up to which change it is `stable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    noise_percent: Option<Number>,
    /// How long either stretch is; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<Number>,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum DirectionWire {
    Up,
    Down,
    Stable,
    Unknown,
}

/// A point of a figure.
#[derive(Debug, Serialize, JsonSchema)]
struct KpiPointWire {
    /// When it begins; absent before the scenarios have begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    timestamp: Option<String>,
    /// The same in run time.
    elapsed_seconds: Number,
    /// The figure in these seconds.
    value: Number,
}

/// The response time, with its distribution.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct LatencyKpiWire {
    #[serde(flatten)]
    kpi: KpiWire,
    #[serde(flatten)]
    percentiles: PercentilesWire,
    /// The percentiles of the last minute that is over.
    last_minute: PercentilesWire,
    /// How many responses took how long, in the whole run without its warm-up; what is empty is left out.
    distribution: Vec<BucketWire>,
}

/// Percentiles of the response time, milliseconds; those of the whole run unless said otherwise.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct PercentilesWire {
    /// The median.
    #[serde(skip_serializing_if = "Option::is_none")]
    p50: Option<Number>,
    /// The 95th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    p95: Option<Number>,
    /// The 99th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    p99: Option<Number>,
    /// The 99.9th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    p999: Option<Number>,
}

impl PercentilesWire {
    fn new(percentile: impl Fn(f64) -> Option<f64>) -> Self {
        let [p50, p95, p99, p999] = [50.0, 95.0, 99.0, 99.9].map(|percent| percentile(percent).and_then(number));
        PercentilesWire { p50, p95, p99, p999 }
    }
}

/// What a KPI is made of.
struct Kpi {
    unit: KpiUnit,
    figure: Figure,
    /// One of the figure in the unit of the KPI.
    by: f64,
    metric: &'static str,
    /// How a threshold calls what `current` is.
    asked: &'static str,
    more_is_better: bool,
    /// What of the metric has the unit of the KPI.
    shows: fn(Method) -> bool,
}

const RPS: Kpi = Kpi {
    unit: KpiUnit::PerSecond,
    figure: Figure::Throughput,
    by: 1.0,
    metric: "http_reqs",
    asked: "rate",
    more_is_better: true,
    shows: |method| method == Method::Rate,
};
const LATENCY: Kpi = Kpi {
    unit: KpiUnit::Milliseconds,
    figure: Figure::Percentile(95),
    by: 1.0,
    metric: "http_req_duration",
    asked: "p(95)",
    more_is_better: false,
    shows: |method| !matches!(method, Method::Count | Method::Rate | Method::Value),
};
const MEMORY: Kpi = Kpi {
    unit: KpiUnit::Bytes,
    figure: Figure::Memory,
    by: 1.0,
    metric: "punk_memory",
    asked: "value",
    more_is_better: false,
    shows: |_| true,
};
const CPU: Kpi = Kpi { unit: KpiUnit::Percent, figure: Figure::Cpu, by: 100.0, metric: "punk_cpu", ..MEMORY };

impl KpiWire {
    /// Requests per second; what is asked of it is what the open model plans.
    pub(in crate::api) fn rps(session: &Session, snapshot: &Snapshot, now: DateTime<Utc>) -> Self {
        let digest = session.digest(snapshot);
        let known = digest.is_known(Measure::Requests) || snapshot.recent.requests > 0.0;
        let current = Some(snapshot.recent.requests).filter(|_| known && goes_on(snapshot));
        let planned = planned(snapshot, &digest);
        KpiWire::new(&RPS, session, snapshot, &digest, now, current, planned)
    }

    /// Resident memory of this process.
    pub(in crate::api) fn memory(session: &Session, snapshot: &Snapshot, now: DateTime<Utc>) -> Self {
        let digest = session.digest(snapshot);
        KpiWire::new(&MEMORY, session, snapshot, &digest, now, gauge(snapshot, MEMORY.metric), None)
    }

    /// CPU time of this process, in percent of the cores that its shards may use.
    pub(in crate::api) fn cpu(session: &Session, snapshot: &Snapshot, now: DateTime<Utc>) -> Self {
        let digest = session.digest(snapshot);
        KpiWire::new(&CPU, session, snapshot, &digest, now, gauge(snapshot, CPU.metric), None)
    }

    fn new(
        kpi: &Kpi,
        session: &Session,
        snapshot: &Snapshot,
        digest: &Digest,
        now: DateTime<Utc>,
        current: Option<f64>,
        planned: Option<f64>,
    ) -> Self {
        let bands = bands(snapshot.plan.as_deref().map(|plan| &plan.rules), kpi.metric, kpi.by, kpi.shows);
        let asked = asked(&bands, kpi.asked, kpi.more_is_better).map(|(limit, rule)| (limit.clone(), rule.to_owned()));
        let planned = planned.and_then(number).map(|planned| (planned, "load".to_owned()));
        let (target, target_from) = planned.or(asked).unzip();
        let told = |value: f64| number(value * kpi.by);
        let diary = session.diary();
        let point = |(from, to): (Duration, Duration)| {
            let value = kpi.figure.value(digest, from, to).and_then(told)?;
            Some(KpiPointWire { timestamp: diary.wall(from).map(time), elapsed_seconds: seconds(from), value })
        };
        let pieces = digest.last(session.preferences.within(HISTORY), INTERVAL).into_iter();
        // The last one may not be over yet.
        let history = pieces.filter(|(from, to)| *to - *from >= INTERVAL).filter_map(point).collect();
        let trend = TrendWire::new(change(digest, kpi.figure));
        let current = current.and_then(told);
        KpiWire { timestamp: time(now), unit: kpi.unit, current, target, target_from, trend, bands, history }
    }
}

impl LatencyKpiWire {
    /// The response time: `current` is the 95th percentile of the last two seconds.
    pub(in crate::api) fn new(session: &Session, snapshot: &Snapshot, now: DateTime<Utc>) -> Self {
        let whole = match snapshot.total(LATENCY.metric) {
            Some(Cell::Trend(trend)) => Some(trend),
            _ => None,
        };
        let percentiles = PercentilesWire::new(|percent| whole.as_ref().and_then(|whole| whole.percentile(percent)));
        let digest = session.digest(snapshot);
        let minute = digest.latency(digest.end().saturating_sub(MINUTE), digest.end());
        let last_minute = PercentilesWire::new(|percent| minute.as_ref().and_then(|minute| minute.percentile(percent)));
        let current = snapshot.recent.p95.filter(|_| goes_on(snapshot));
        let kpi = KpiWire::new(&LATENCY, session, snapshot, &digest, now, current, None);
        let distribution = whole.as_ref().map(|whole: &Trend| distribution(whole)).unwrap_or_default();
        LatencyKpiWire { kpi, percentiles, last_minute, distribution }
    }
}

impl TrendWire {
    fn new(change: Change) -> Self {
        TrendWire {
            direction: match change.direction {
                Direction::Up => DirectionWire::Up,
                Direction::Down => DirectionWire::Down,
                Direction::Stable => DirectionWire::Stable,
                Direction::Unknown => DirectionWire::Unknown,
            },
            change_percent: change.percent.and_then(number),
            noise_percent: change.noise.and_then(number),
            seconds: Some(change.over).filter(|over| !over.is_zero()).map(seconds),
        }
    }
}

/// Whether there is a now: before the scenarios begin and after the run there is none.
fn goes_on(snapshot: &Snapshot) -> bool {
    !snapshot.elapsed.is_zero() && snapshot.status != Status::Completed
}

/// The last value of a gauge.
fn gauge(snapshot: &Snapshot, metric: &str) -> Option<f64> {
    match snapshot.total(metric)? {
        Cell::Gauge(gauge) => gauge.map(|gauge| gauge.last),
        _ => None,
    }
}

/// Requests per second that the open model plans: arrivals per second, each with as many requests as an iteration made in the last
/// minute. `None` where users of the closed model make some of them, or where it is not known how many one makes.
fn planned(snapshot: &Snapshot, digest: &Digest) -> Option<f64> {
    let mut arrivals = None;
    for scenario in snapshot.scenarios.iter().filter(|scenario| !scenario.done) {
        match scenario.target_rate {
            Some(rate) => arrivals = Some(arrivals.unwrap_or(0.0) + rate),
            None if scenario.users > 0 || scenario.target.is_some_and(|target| target > 0) => return None,
            None => {}
        }
    }
    let (from, to) = (digest.end().saturating_sub(MINUTE), digest.end());
    let (requests, _) = digest.sum(Measure::Requests, from, to)?;
    let (iterations, _) = digest.sum(Measure::Iterations, from, to)?;
    (iterations >= ITERATIONS as f64).then_some(arrivals? * requests / iterations)
}
