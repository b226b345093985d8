//! Runs that never happened, for the tests of this folder: real Catalogues, Recorders and Cells, with chosen numbers.

mod edited;

pub(super) use edited::edited;

use super::facts::{Facts, Outcome, Reason};
use super::page::Style;
use super::summary::Summary;
use crate::expr::{Abort, Catalog, Judgement, RuleOptions, RuleSeverity, Rules, ThresholdRule};
use crate::load::{Argument, Load, Model, build};
use crate::metrics::recorder::RequestSample;
use crate::metrics::{
    Catalogue, Category, ErrorKey, ErrorLog, MetricDef, MetricKind, Occurrence, Recorder, RequestSeries, Resolution,
    Sample, Scale, SeriesKey, TagSet, Trend, Unit, specs,
};
use crate::plan::{Backoff, Code, HttpSettings, Late, Life, Limits, Options, Plan, Scenario, Source, Work};
use crate::snapshot::{Generator, ScenarioState, Status};
use crate::snapshot::{Series, Snapshot, Verdict};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A finished run.
pub(super) struct Run {
    pub(super) plan: Plan,
    pub(super) snapshot: Snapshot,
    pub(super) facts: Facts,
}

impl Run {
    pub(super) fn summary(&self) -> Summary {
        Summary::new(&self.plan, &self.snapshot, &self.facts)
    }

    pub(super) fn text(&self, width: usize) -> String {
        super::text(&self.plan, &self.snapshot, &self.facts, Style { color: false, width, unicode: true })
    }
}

/// One shard that measures.
pub(super) struct Shard {
    catalogue: Catalogue,
    recorder: Recorder,
    keys: Vec<SeriesKey>,
    pub(super) errors: ErrorLog,
}

/// What became of a request.
#[derive(Clone, Copy)]
pub(super) enum Fate {
    Status(u16),
    Refused,
    TimedOut,
    Interrupted,
}

impl Shard {
    pub(super) fn new(plan: &Plan) -> Self {
        let named: Vec<&str> = plan.rules.thresholds.iter().flat_map(ThresholdRule::metrics).collect();
        let catalogue = Catalogue::new(specs(&plan.metrics, &named, 60), plan.options.limits.tag_sets);
        Shard { catalogue, recorder: Recorder::default(), keys: Vec::new(), errors: ErrorLog::default() }
    }

    /// One request that took `ms`; `base` are scenario or phase.
    pub(super) fn request(&mut self, base: &[(&str, &str)], method: &str, name: &str, fate: Fate, ms: f64) {
        let (status, code) = match fate {
            Fate::Status(status) => (status, if status >= 400 { 1000 + status } else { 0 }),
            Fate::Refused => (0, 1212),
            Fate::TimedOut => (0, 1050),
            Fate::Interrupted => (0, 1099),
        };
        let failed = code != 0;
        let mut tags: Vec<(String, String)> =
            base.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let more = [
            ("name", name.to_owned()),
            ("method", method.to_owned()),
            ("status", status.to_string()),
            ("expected_response", (!failed).to_string()),
            ("proto", "HTTP/1.1".to_owned()),
        ];
        tags.extend(more.map(|(name, value)| (name.to_owned(), value)));
        if failed {
            tags.push(("error_code".to_owned(), code.to_string()));
        }
        let tags = self.catalogue.tag_set(TagSet::new(tags));
        let series = RequestSeries::new(&mut self.catalogue, tags, base.iter().all(|(name, _)| *name != "phase"));
        self.recorder.extend(&self.catalogue);
        let none = f64::NAN;
        let written = !matches!(fate, Fate::Refused);
        let sample = match fate {
            Fate::Interrupted => RequestSample { phases: [none; 8], sent: 90, ..RequestSample::default() },
            _ if !written => RequestSample {
                failed: Some(true),
                unsent: true,
                phases: [ms, ms, 0.0, ms, 0.0, none, none, none],
                ..RequestSample::default()
            },
            _ => RequestSample {
                failed: Some(failed),
                duration: Some(ms),
                phases: [ms + 0.01, 0.01, 0.0, 0.0, 0.0, 0.05, ms - 0.15, 0.1],
                sent: 120,
                received: 2_048,
                ..RequestSample::default()
            },
        };
        self.recorder.request(series, &sample);
        if failed && !matches!(fate, Fate::Interrupted) {
            let (category, kind, reason) = match fate {
                Fate::Status(status) => (Category::of_status(status), "http", format!("status {status}")),
                Fate::Refused => (Category::Connect, "refused", "connection refused by 127.0.0.1:1".to_owned()),
                _ => (Category::Timeout, "timeout", "no answer within 60s".to_owned()),
            };
            let key = ErrorKey { category, kind, code, place: Box::default() };
            let one = Occurrence { reason: &reason, ..Self::occurrence(name, base, 2.5) };
            self.errors.add(key, &one, || format!("{method} http://shop.test/x: {reason}"));
        }
    }

    fn occurrence<'a>(operation: &'a str, base: &[(&str, &'a str)], at: f64) -> Occurrence<'a> {
        let scenario = base.iter().find(|(name, _)| *name == "scenario").map_or("setup", |(_, value)| value);
        Occurrence { operation, scenario, user: 7, at: Duration::from_secs_f64(at), reason: "" }
    }

    /// One sample of any other metric.
    pub(super) fn sample(&mut self, metric: &str, tags: &[(&str, &str)], value: f64) {
        let tags = self
            .catalogue
            .tag_set(TagSet::new(tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))));
        let metric = self.catalogue.metric(metric).expect("a known metric").0;
        let series = self.catalogue.series(metric, tags);
        self.recorder.extend(&self.catalogue);
        self.recorder.record(Sample { series, value });
    }

    /// The last Snapshot of a run of so many seconds.
    pub(super) fn snapshot(mut self, plan: &Plan, seconds: f64, users: u32) -> Snapshot {
        self.keys.extend(self.catalogue.untold());
        let named: Vec<&str> = plan.rules.thresholds.iter().flat_map(ThresholdRule::metrics).collect();
        let metrics = specs(&plan.metrics, &named, 60);
        let cells = self.recorder.cells().iter().cloned();
        let series: Vec<_> = self
            .keys
            .iter()
            .zip(cells)
            .map(|(key, cell)| Arc::new(Series { metric: key.metric, tags: key.tags.clone(), cell }))
            .collect();
        let mut lag = Trend::new(Scale::DAY, Resolution::TwoDigits);
        (0..100).for_each(|n| lag.record(0.1 + f64::from(n) / 1000.0));
        let mut snapshot = Snapshot {
            sequence: 60,
            elapsed: Duration::from_secs_f64(seconds),
            status: Status::Completed,
            metrics,
            generator: Generator {
                shards: 2,
                cpu_percent: Some(12.4),
                loop_lag: Some(lag),
                recent_lag_p99: Some(0.2),
                resident: Some(34_000_000),
                series: series.len(),
                ..Generator::default()
            },
            series,
            errors: Arc::new(self.errors),
            ..Snapshot::default()
        };
        let states = plan.scenarios.iter().map(|scenario| ScenarioState {
            name: scenario.name.clone(),
            users_max: users,
            iterations: snapshot.count("iterations", false, |tags| tags.get("scenario") == Some(&scenario.name)) as u64,
            progress: 1.0,
            done: true,
            ..ScenarioState::default()
        });
        snapshot.scenarios = states.collect();
        snapshot
    }
}

fn users(peak: f64, seconds: u64) -> Work {
    let steady = build("constant", &[Argument::Value(peak)]).expect("a good shape");
    let during = build("during", &[Argument::Shape(steady), Argument::Duration(Duration::from_secs(seconds))]);
    Work::Load(Load { model: Model::Users, shape: during.expect("a good shape") })
}

fn scenario(name: &str, work: Work) -> Scenario {
    Scenario {
        name: name.into(),
        work,
        starts: Duration::ZERO,
        after: None,
        objective: Vec::new(),
        warmup: false,
        graceful_stop: Duration::from_secs(30),
        tags: BTreeMap::new(),
        run: name.into(),
        life: Life::default(),
        start: None,
        stop: None,
        http: None,
        throw_errors: false,
        gone: false,
    }
}

pub(super) fn threshold(plan: &mut Plan, selector: &str, expression: &str, options: RuleOptions) {
    let catalog = Catalog { metrics: &plan.metrics, tags: &[], history: true };
    let (rule, problems) = ThresholdRule::parse(selector, expression, options, None, catalog);
    plan.rules.thresholds.push(rule.unwrap_or_else(|| panic!("{problems:?}")));
}

/// What the judge says of a rule.
pub(super) fn verdict(
    plan: &Plan,
    at: usize,
    passed: Option<bool>,
    observed: Option<f64>,
    breach: Option<f64>,
) -> Verdict {
    let rule = &plan.rules.thresholds[at];
    Verdict {
        selector: rule.selector.to_string(),
        expression: rule.source.clone(),
        scenario: rule.options.scenario.clone(),
        severity: if rule.options.severity == RuleSeverity::Warn { "warn" } else { "fail" },
        abort: rule.options.abort != Abort::No,
        passed,
        observed,
        observed_text: rule.condition.show(Judgement { passed, observed, part: 0 }),
        first_breach: breach.map(Duration::from_secs_f64),
        revision: 1,
        ..Verdict::default()
    }
}

/// Two scenarios, a threshold, custom metrics.
pub(super) fn plan() -> Plan {
    let metric = |name: &'static str, kind, unit| MetricDef::built_in(name, kind, unit, "");
    Plan {
        sources: vec![Source {
            path: "scripts/shop.rhai".into(),
            file: "scripts/shop.rhai".into(),
            text: "fn run() {}".into(),
            sha256: "6f5902ac237024bdd0c176cb93063dc4e2f3d2c1b1a09d7c8e9b0a1f2c3d4e5f".into(),
        }],
        options: Options {
            http: HttpSettings { base_url: Some("http://shop.test".into()), ..HttpSettings::default() },
            throw_errors: false,
            tags: BTreeMap::new(),
            declared_tags: Vec::new(),
            graceful_stop: Duration::from_secs(30),
            duration: None,
            warmup: Duration::ZERO,
            max_rate: None,
            setup_timeout: Duration::from_secs(60),
            teardown_timeout: Duration::from_secs(60),
            backoff: Backoff::default(),
            seed: 42,
            trend_stats: ["avg", "min", "med", "max", "p(95)", "count"].map(str::to_owned).to_vec(),
            limits: Limits::default(),
            observe: Vec::new(),
            monitor: crate::plan::monitor::MonitorSettings::default(),
        },
        scenarios: vec![
            scenario("browse", users(20.0, 30)),
            scenario(
                "checkout",
                Work::Iterations { users: 5, iterations: 100, max_duration: Duration::from_secs(600) },
            ),
        ],
        rules: Rules::default(),
        code: Code::default(),
        collects: Vec::new(),
        metrics: vec![
            metric("cart_value", MetricKind::Trend, Unit::Plain),
            metric("orders", MetricKind::Counter, Unit::Plain),
            metric("uploaded", MetricKind::Counter, Unit::Data),
            metric("bought", MetricKind::Rate, Unit::Plain),
            metric("queue", MetricKind::Gauge, Unit::Plain),
        ],
        feeds: Vec::new(),
        setup: true,
        teardown: true,
        summary: false,
        env: BTreeMap::new(),
        demo: false,
    }
}

pub(super) fn started() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-01-18T15:30:45.250Z").expect("a time").with_timezone(&Utc)
}

fn passed() -> Facts {
    Facts::passed(started(), Duration::from_secs(31))
}

const BROWSE: &[(&str, &str)] = &[("scenario", "browse")];
const CHECKOUT: &[(&str, &str)] = &[("scenario", "checkout")];

/// A good run with a bit of everything.
pub(super) fn typical() -> Run {
    let mut plan = plan();
    threshold(&mut plan, "http_req_failed", "rate < 5%", RuleOptions::default());
    threshold(
        &mut plan,
        "http_req_duration{name:product}",
        "p(95) < 300ms",
        RuleOptions { abort: Abort::Run, ..RuleOptions::default() },
    );
    let mut shard = Shard::new(&plan);
    shard.request(&[("phase", "setup")], "POST", "POST /api/login", Fate::Status(200), 40.0);
    for n in 0..400 {
        let ms = 10.0 + f64::from(n) / 4.0;
        shard.request(BROWSE, "GET", "product", Fate::Status(200), ms);
        shard.request(
            BROWSE,
            "GET",
            "GET /api/products/{id}/reviews",
            Fate::Status(if n % 50 == 0 { 503 } else { 200 }),
            ms * 2.0,
        );
        for (name, held) in [("status is 200", true), ("has a price", n % 40 != 0)] {
            shard.sample("checks", &[("scenario", "browse"), ("check", name)], f64::from(u8::from(held)));
        }
        shard.sample("iterations", BROWSE, 1.0);
        shard.sample("iteration_duration", BROWSE, ms * 3.0 + 1000.0);
    }
    for n in 0..100 {
        let fate = match n {
            7 => Fate::TimedOut,
            8..=10 => Fate::Refused,
            _ => Fate::Status(201),
        };
        shard.request(CHECKOUT, "POST", "cart", fate, 55.5);
        shard.sample("checks", &[("scenario", "checkout"), ("group", "::checkout"), ("check", "cart accepted")], 1.0);
        shard.sample("group_duration", &[("scenario", "checkout"), ("group", "::checkout")], 60.0);
        shard.sample("iterations", CHECKOUT, 1.0);
        shard.sample("iteration_duration", CHECKOUT, 61.0);
        shard.sample("cart_value", CHECKOUT, f64::from(n) + 0.5);
        shard.sample("orders", CHECKOUT, 1.0);
        shard.sample("uploaded", CHECKOUT, 150_000.0);
        shard.sample("bought", CHECKOUT, f64::from(n % 2));
    }
    shard.request(CHECKOUT, "GET", "cart", Fate::Status(200), 5.0);
    shard.request(BROWSE, "GET", "product", Fate::Interrupted, 0.0);
    shard.request(&[("phase", "teardown")], "POST", "POST /api/reset", Fate::Status(204), 4.0);
    shard.sample("script_errors", CHECKOUT, 1.0);
    let place = "scripts/shop.rhai:12:5".into();
    let key = ErrorKey { category: Category::Script, kind: "script", code: 0, place };
    let reason = "index 3 out of bounds: only 2 elements in array";
    let one = Occurrence { reason, ..Shard::occurrence("checkout", CHECKOUT, 12.5) };
    shard.errors.add(key, &one, || reason.to_owned());
    shard.errors.add_check("has a price", &Shard::occurrence("browse", BROWSE, 1.0));
    let mut snapshot = shard.snapshot(&plan, 30.0, 20);
    snapshot.scenarios[0].interrupted = 1;
    snapshot.thresholds =
        vec![verdict(&plan, 0, Some(true), Some(0.0133), None), verdict(&plan, 1, Some(true), Some(105.0), None)];
    Run { plan, snapshot, facts: passed() }
}

/// A run of these requests: a fate, an operation, and whether it was in setup; nothing of it may matter to the laws.
pub(super) fn of_requests(requests: &[(usize, usize, bool)], name: &str, seconds: f64, cap: usize) -> Run {
    let mut plan = plan();
    plan.options.limits.tag_sets = cap;
    let mut shard = Shard::new(&plan);
    for (fate, operation, setup) in requests {
        let answered = [Fate::Status(200), Fate::Status(404), Fate::Status(500)];
        let fate = answered
            .into_iter()
            .chain([Fate::Refused, Fate::TimedOut, Fate::Interrupted])
            .cycle()
            .nth(*fate)
            .expect("a cycle");
        let base: &[(&str, &str)] = if *setup { &[("phase", "setup")] } else { BROWSE };
        shard.request(base, "GET", &format!("{name}{operation}"), fate, 3.0);
        shard.sample("checks", &[base[0], ("check", name)], f64::from(u8::from(*operation > 1)));
        shard.sample("cart_value", base, 1e300 * *operation as f64);
        shard.sample("queue", base, -(*operation as f64));
    }
    Run { snapshot: shard.snapshot(&plan, seconds, 1), plan, facts: passed() }
}

/// A script that asked for nothing.
pub(super) fn empty() -> Run {
    let mut plan = plan();
    plan.scenarios.truncate(1);
    plan.metrics.clear();
    let mut snapshot = Shard::new(&plan).snapshot(&plan, 0.0, 0);
    snapshot.generator = Generator { shards: 1, ..Generator::default() };
    Run { plan, snapshot, facts: passed() }
}

/// A target that is not there.
pub(super) fn refused() -> Run {
    let mut plan = plan();
    plan.metrics.clear();
    plan.scenarios.truncate(1);
    threshold(&mut plan, "http_req_failed", "rate < 1%", RuleOptions::default());
    threshold(&mut plan, "http_req_duration", "p(95) < 300ms", RuleOptions::default());
    let mut shard = Shard::new(&plan);
    (0..250).for_each(|_| shard.request(BROWSE, "GET", "GET /", Fate::Refused, 0.2));
    let mut snapshot = shard.snapshot(&plan, 5.0, 20);
    snapshot.thresholds =
        vec![verdict(&plan, 0, Some(false), Some(1.0), Some(0.5)), verdict(&plan, 1, None, None, None)];
    snapshot.thresholds[1].note = Some("no data: nothing was measured under this name".into());
    let facts = failed(99, "threshold `http_req_failed: rate < 1%` was broken: observed 100%");
    Run { plan, snapshot, facts }
}

pub(super) fn failed(code: u8, why: &str) -> Facts {
    let reasons = vec![Reason { code, message: why.into() }];
    Facts { outcome: Outcome::Failed, exit_code: code, reasons, ..passed() }
}

/// 20 s at 500/s by at most 50 users against a server that answers in 5 ms and freezes from second 8 to 10; the last 38
/// arrivals find no user.
pub(super) fn stalled(late: Late) -> Run {
    let mut plan = plan();
    plan.metrics.clear();
    let steady = build("constant", &[Argument::Value(500.0)]).expect("a good shape");
    let during = build("during", &[Argument::Shape(steady), Argument::Duration(Duration::from_secs(20))]);
    let load = Load { model: Model::Rate, shape: during.expect("a good shape") };
    plan.scenarios = vec![scenario("visit", Work::Arrivals { load, max_users: 50, late })];
    let mut shard = Shard::new(&plan);
    let visit: &[(&str, &str)] = &[("scenario", "visit")];
    for slot in 0..10_000u32 {
        let due = f64::from(slot) * 2.0;
        if slot >= 9_962 {
            shard.sample("dropped_iterations", visit, 1.0);
            if late == Late::Wait {
                shard.sample("iteration_lateness_censored", visit, 20_000.0 - due + 1_130.0);
            }
            continue;
        }
        let (lateness, took) = match slot {
            // Taken by a user before the freeze, or in it while there were users.
            4_000..=4_049 => (0.05, 10_000.0 - due + 5.0),
            4_050..=4_999 => (10_000.0 - due + f64::from(slot - 4_050) / 10.0, 5.0),
            _ => (0.05, 5.0),
        };
        shard.request(visit, "GET", "GET /", Fate::Status(200), took);
        shard.sample("iterations", visit, 1.0);
        shard.sample("iteration_lateness", visit, lateness);
        shard.sample("iteration_duration", visit, took + 0.02);
        shard.sample("iteration_scheduled_duration", visit, lateness + took + 0.02);
        shard.sample("http_req_scheduled_duration", visit, lateness + took + 0.01);
    }
    let mut snapshot = shard.snapshot(&plan, 20.0, 50);
    let mut own = Trend::new(Scale::DAY, Resolution::TwoDigits);
    (0..1_000).for_each(|n| own.record(0.02 + f64::from(n) / 10_000.0));
    snapshot.generator.lateness = Some(own);
    let state = &mut snapshot.scenarios[0];
    (state.arrivals, state.dropped) = (10_000, 38);
    Run { plan, snapshot, facts: passed() }
}

/// A run of one operation per name.
pub(super) fn of_operations(names: &[&str]) -> Run {
    let mut plan = plan();
    plan.scenarios.truncate(1);
    plan.metrics.clear();
    let mut shard = Shard::new(&plan);
    for (at, name) in names.iter().enumerate() {
        (1..=4).for_each(|n| shard.request(BROWSE, "GET", name, Fate::Status(200), (at + 1) as f64 * f64::from(n)));
    }
    Run { snapshot: shard.snapshot(&plan, 2.0, 1), plan, facts: passed() }
}
