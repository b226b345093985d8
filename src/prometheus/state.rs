//! What punk says of the run itself: where it is, its scenarios, what its rules say, what went wrong, whether the numbers may
//! be trusted, and of the answer to this scrape.

use super::buckets::distribution;
use super::family::{Family, Kind, Labels, Point, Value};
use super::monitor;
use super::name::Names;
use crate::metrics::{OTHER, Trend, Unit};
use crate::snapshot::{AlertPhase, ScenarioState, Snapshot, Status};
use prometheus_client::registry;
use rustc_hash::FxHashMap;

/// Every state of a run with its word.
const STATES: [(Status, &str); 7] = [
    (Status::Starting, "starting"),
    (Status::Setup, "setup"),
    (Status::Running, "running"),
    (Status::Paused, "paused"),
    (Status::Stopping, "stopping"),
    (Status::Teardown, "teardown"),
    (Status::Completed, "completed"),
];

/// What is known of an answer only when it is made; their names are taken before any metric's.
const SCRAPE: [(&str, &str); 2] = [
    ("scrape_series", "Time series of the run's metrics that this answer has room for."),
    ("scrape_series_left_out", "Time series of the run's metrics that this answer does not have: there were too many."),
];

/// Families while they are made.
struct Making<'a> {
    names: &'a mut Names,
    families: Vec<Family>,
}

impl Making<'_> {
    /// A family, when it has points; its name is taken in any case, so that no metric of a script gets it today and loses
    /// it tomorrow.
    fn family(
        &mut self,
        kind: Kind,
        (name, unit): (&str, Option<registry::Unit>),
        help: &str,
        points: impl IntoIterator<Item = Point>,
    ) {
        let points: Vec<Point> = points.into_iter().collect();
        let name = self.names.claim(name, kind, unit.as_ref());
        if !points.is_empty() {
            self.families.push(Family { name, unit, kind, help: help.to_owned(), points });
        }
    }

    fn gauge(&mut self, name: &str, help: &str, points: impl IntoIterator<Item = Point>) {
        self.family(Kind::Gauge, (name, None), help, points);
    }

    fn counter(&mut self, name: &str, help: &str, points: impl IntoIterator<Item = Point>) {
        self.family(Kind::Counter, (name, None), help, points);
    }

    fn in_unit(&mut self, name: &str, unit: &str, help: &str, points: impl IntoIterator<Item = Point>) {
        let unit = match unit {
            "seconds" => registry::Unit::Seconds,
            "bytes" => registry::Unit::Bytes,
            other => registry::Unit::Other(other.to_owned()),
        };
        self.family(Kind::Gauge, (name, Some(unit)), help, points);
    }
}

/// Of the run, in the order in which people ask.
pub(super) fn families(snapshot: &Snapshot, names: &mut Names) -> Vec<Family> {
    let mut making = Making { names, families: Vec::new() };
    run(snapshot, &mut making);
    scenarios(snapshot, &mut making);
    rules(snapshot, &mut making);
    errors(snapshot, &mut making);
    generator(snapshot, &mut making);
    for (name, kind, ..) in monitor::COUNTS {
        making.family(kind, (name, None), "", []);
    }
    for (name, _) in SCRAPE {
        making.gauge(name, "", []);
    }
    making.families
}

/// Of the answer itself, by [`SCRAPE`]: which it has, and which not.
pub(super) fn scrape(series: usize, left_out: usize) -> impl Iterator<Item = Family> {
    SCRAPE.into_iter().zip([series, left_out]).map(|((name, help), value)| Family {
        name: format!("punk_{name}"),
        unit: None,
        kind: Kind::Gauge,
        help: help.to_owned(),
        points: one(value as f64).into(),
    })
}

fn run(snapshot: &Snapshot, making: &mut Making<'_>) {
    let plan = snapshot.plan.as_deref();
    let info = plan.map(|plan| {
        let script = plan.sources.first().map_or("", |source| source.path.as_str());
        let sha256 = plan.sources.first().map_or("", |source| source.sha256.as_str());
        let seed = plan.options.seed.to_string();
        let version = env!("CARGO_PKG_VERSION");
        let pairs = [("version", version), ("script", script), ("script_sha256", sha256), ("seed", &seed)];
        point(Labels::new(pairs), 1.0)
    });
    let help = "What runs: punk's version, the script as it is now with its checksum, the seed.";
    making.family(Kind::Info, ("run", None), help, info);
    let states = STATES.map(|(status, word)| point(Labels::new([("status", word)]), truth(snapshot.status == status)));
    making.gauge("run_status", "1 for the state that the run is in, 0 for all others.", states);
    let help = "Run time: since the scenarios started, standing still in pauses.";
    making.in_unit("run_elapsed", "seconds", help, one(snapshot.elapsed.as_secs_f64()));
    let help = "The revision of the script that judges and runs; the script as it began is 1.";
    making.gauge("run_revision", help, one(snapshot.revision as f64));
}

fn scenarios(snapshot: &Snapshot, making: &mut Making<'_>) {
    let of = |value: &dyn Fn(&ScenarioState) -> Option<f64>| -> Vec<Point> {
        let points = snapshot
            .scenarios
            .iter()
            .filter_map(|scenario| Some(point(Labels::new([("scenario", scenario.name.as_str())]), value(scenario)?)));
        points.collect()
    };
    making.gauge("scenario_users", "Users alive now.", of(&|s| Some(f64::from(s.users))));
    let help =
        "Users that the plan wants now; in the open model the most that it may take. Gone once the scenario is over.";
    making.gauge("scenario_users_target", help, of(&|s| s.target.map(f64::from)));
    making.gauge("scenario_users_peak", "Most users that were alive at once.", of(&|s| Some(f64::from(s.users_max))));
    let help = "Open model: iterations per second that the plan wants now.";
    making.gauge("scenario_rate_target", help, of(&|s| s.target_rate));
    let open = |s: &ScenarioState, value: u64| (s.target_rate.is_some() || s.arrivals > 0).then_some(value as f64);
    making.counter("scenario_arrivals", "Open model: arrivals that were due.", of(&|s| open(s, s.arrivals)));
    let help = "Open model: arrivals that wait for a user now.";
    making.gauge("scenario_arrivals_waiting", help, of(&|s| open(s, s.waiting)));
    let help = "Iterations that ran to their end.";
    making.counter("scenario_iterations", help, of(&|s| Some(s.iterations as f64)));
    let help = "Iterations that were due or promised and never started.";
    making.counter("scenario_iterations_dropped", help, of(&|s| Some(s.dropped as f64)));
    let help = "Iterations that were cut short by a stop.";
    making.counter("scenario_iterations_interrupted", help, of(&|s| Some(s.interrupted as f64)));
    let help = "How much of the scenario is done, of its time or of its iterations.";
    making.in_unit("scenario_progress", "ratio", help, of(&|s| Some(s.progress)));
    making.gauge("scenario_done", "Whether all users of the scenario have ended.", of(&|s| Some(truth(s.done))));
}

fn rules(snapshot: &Snapshot, making: &mut Making<'_>) {
    let mut seen = Copies::default();
    let thresholds: Vec<_> = snapshot
        .thresholds
        .iter()
        .map(|verdict| {
            let scenario = verdict.scenario.as_deref().unwrap_or("");
            let pairs =
                [("selector", &*verdict.selector), ("expression", &*verdict.expression), ("scenario", scenario)];
            (seen.tell_apart(&pairs), verdict)
        })
        .collect();
    let truths = |of: fn(&crate::snapshot::Verdict) -> Option<f64>| -> Vec<Point> {
        thresholds.iter().filter_map(|(labels, verdict)| Some(point(labels.clone(), of(verdict)?))).collect()
    };
    let help = "The verdict so far: 1 passed, 0 broken; absent while there is no data.";
    making.gauge("threshold_passed", help, truths(|verdict| verdict.passed.map(truth)));
    let help = "Whether the threshold holds at this moment; absent while there is no data.";
    making.gauge("threshold_holds", help, truths(|verdict| verdict.holds.map(truth)));
    let help = "How far the value of this moment is from failing, as a share of the limit; below 0 it is broken.";
    making.gauge("threshold_distance", help, truths(|verdict| verdict.distance));
    let help = "How often the threshold came to be broken.";
    making.counter("threshold_breaches", help, truths(|verdict| Some(verdict.breach_count as f64)));

    let mut seen = Copies::default();
    let alerts: Vec<_> = snapshot
        .alerts
        .iter()
        .map(|alert| (seen.tell_apart(&[("name", &*alert.name), ("severity", alert.severity.word())]), alert))
        .collect();
    let states = |of: fn(&crate::snapshot::AlertState) -> f64| -> Vec<Point> {
        alerts.iter().map(|(labels, alert)| point(labels.clone(), of(alert))).collect()
    };
    let help = "Whether the alert rings.";
    making.gauge("alert_firing", help, states(|alert| truth(alert.phase == AlertPhase::Firing)));
    let help = "Whether the alert's condition is true and has not lasted long enough.";
    making.gauge("alert_pending", help, states(|alert| truth(alert.phase == AlertPhase::Pending)));
    let help = "Whether somebody has seen that the alert rings.";
    making.gauge("alert_acknowledged", help, states(|alert| truth(alert.acknowledged_by.is_some())));
    making.counter("alert_fired", "How often the alert rang.", states(|alert| alert.fired as f64));
}

fn errors(snapshot: &Snapshot, making: &mut Making<'_>) {
    // Places in scripts are no labels: errors that differ in nothing else are one.
    let mut kinds: Vec<((&str, u16, &str), u64)> = Vec::new();
    let mut at = FxHashMap::default();
    for (key, entry) in snapshot.errors.sorted() {
        let other = (OTHER, entry.operations.other());
        let operations = entry.operations.names().into_iter().chain(std::iter::once(other));
        for (operation, count) in operations.filter(|(_, count)| *count > 0) {
            let kind = (key.kind, key.code, operation);
            let place = *at.entry(kind).or_insert(kinds.len());
            match kinds.get_mut(place) {
                Some((_, all)) => *all += count,
                None => kinds.push((kind, count)),
            }
        }
    }
    let points = kinds.into_iter().map(|((kind, code, operation), count)| {
        let code = code.to_string();
        point(Labels::new([("type", kind), ("code", &code), ("operation", operation)]), count as f64)
    });
    making.counter("errors", "Errors, by category, error code and operation.", points);
    let help = "Errors that are counted here only, because there were too many kinds.";
    making.counter("errors_unlisted", help, one(snapshot.errors.unlisted() as f64));
}

fn generator(snapshot: &Snapshot, making: &mut Making<'_>) {
    let generator = &snapshot.generator;
    let help = "Whether the measurement can be trusted; 0 makes the run invalid.";
    making.gauge("generator_valid", help, one(truth(generator.invalid.is_empty())));
    let help = "Things to look at that do not make the run invalid.";
    making.gauge("generator_warnings", help, one(generator.warnings.len() as f64));
    making.gauge("generator_shards", "Threads that run users.", one(generator.shards as f64));
    let help = "Threads whose samples of the last tick are missing.";
    making.gauge("generator_shards_late", help, one(generator.late_shards.len() as f64));
    let help = "Own CPU over the last ticks, as a share of the cores that users may use.";
    making.in_unit("generator_cpu", "ratio", help, generator.cpu_percent.map(|cpu| point(Labels::none(), cpu / 100.0)));
    let resident = generator.resident.map(|bytes| point(Labels::none(), bytes as f64));
    making.in_unit("generator_memory", "bytes", "Own resident memory.", resident);
    making.gauge("generator_series", "Series that the run keeps.", one(generator.series as f64));
    let help = "Samples whose tags were regrouped as `__other__`, because there were too many tag sets.";
    making.counter("generator_samples_regrouped", help, one(generator.regrouped as f64));
    let help = "Samples that were lost; any makes the run invalid.";
    making.counter("generator_samples_lost", help, one(generator.lost as f64));
    let lag = |trend: &Option<Trend>| {
        let trend = trend.as_ref().filter(|trend| trend.count() > 0)?;
        let value = Value::Distribution(distribution(trend, Unit::Time, false));
        Some(Point { labels: Labels::none(), value })
    };
    let seconds = || Some(registry::Unit::Seconds);
    let help = "How late the loops of the shards ran.";
    making.family(Kind::Histogram, ("generator_loop_lag", seconds()), help, lag(&generator.loop_lag));
    let help = "Open model: how late the shards noticed that arrivals were due.";
    making.family(Kind::Histogram, ("generator_lateness", seconds()), help, lag(&generator.lateness));
}

/// Labels that were given, with how often.
#[derive(Default)]
struct Copies(FxHashMap<Labels, u64>);

impl Copies {
    /// Two rules may be written alike; the second one gets `copy="2"`.
    fn tell_apart(&mut self, pairs: &[(&str, &str)]) -> Labels {
        let labels = Labels::new(pairs.iter().copied());
        let count = self.0.entry(labels.clone()).or_default();
        *count += 1;
        if *count == 1 {
            return labels;
        }
        let copy = count.to_string();
        Labels::new(pairs.iter().copied().chain([("copy", copy.as_str())]))
    }
}

fn one(value: f64) -> [Point; 1] {
    [point(Labels::none(), value)]
}

fn point(labels: Labels, value: f64) -> Point {
    Point { labels, value: Value::Number(value) }
}

fn truth(truth: bool) -> f64 {
    f64::from(u8::from(truth))
}
