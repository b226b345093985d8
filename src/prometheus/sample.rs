//! Runs that never happened, for the tests of this folder: a compiled script, and chosen values in real cells.

use crate::expr::AlertSeverity;
use crate::metrics::{Category, ErrorKey, ErrorLog, MetricId, Occurrence, Resolution, Scale, TagSet, Trend, specs};
use crate::script::compile::compile_text;
use crate::script::overrides::Overrides;
use crate::snapshot::{AlertPhase, AlertState, Generator, ScenarioState, Series, Snapshot, Status, Verdict};
use std::sync::Arc;
use std::time::Duration;

const SCRIPT: &str = r#"
    options(#{ seed: 7 });
    metric::trend("cart_value");
    metric::counter("uploaded", #{ unit: "data" });
    metric::gauge("orders_total");
    metric::rate("bought");
    scenario("browse", #{ users: 20, duration: 30.s, run: browse });
    fn browse() { http::get("http://127.0.0.1:1/") }
"#;

/// A run of `script` that has measured nothing.
pub(super) fn of_script(script: &str) -> Snapshot {
    let compiled = compile_text("shop.rhai", script.to_owned(), &Overrides::default());
    let plan = compiled.plan.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
    Snapshot { metrics: specs(&plan.metrics, &[], 60), plan: Some(Arc::new(plan)), ..Snapshot::default() }
}

/// Adds values of a metric under tags; a further call is a further series.
pub(super) fn add(snapshot: &mut Snapshot, metric: &str, tags: &[(&str, &str)], values: &[f64]) {
    let at = snapshot.metrics.iter().position(|spec| spec.def.name == metric).expect("a known metric");
    let tags = TagSet::new(tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let mut cell = snapshot.metrics[at].cell(&tags);
    values.iter().for_each(|value| cell.add(*value));
    snapshot.series.push(Arc::new(Series { metric: MetricId(at as u16), tags, cell }));
}

/// A bit of everything.
pub(super) fn typical() -> Snapshot {
    let mut snapshot = of_script(SCRIPT);
    let product: &[(&str, &str)] = &[("name", "GET /products/{id}"), ("scenario", "browse"), ("status", "200")];
    add(&mut snapshot, "vus", &[], &[3.0, 20.0, 18.0]);
    add(&mut snapshot, "iterations", &[("scenario", "browse")], &[1.0; 40]);
    add(&mut snapshot, "http_reqs", product, &[1.0; 4]);
    add(&mut snapshot, "http_req_failed", product, &[0.0, 0.0, 1.0, 0.0]);
    add(&mut snapshot, "http_req_duration", product, &[0.25, 12.5, 100.0, 61_000.0]);
    add(&mut snapshot, "http_req_blocked", product, &[0.0, 0.5]);
    add(&mut snapshot, "http_req_blocked", &[], &[0.0, 0.5]);
    add(&mut snapshot, "http_req_dns", product, &[]);
    add(&mut snapshot, "data_sent", &[("scenario", "browse")], &[480.0, 20.0]);
    add(&mut snapshot, "system_cpu", &[], &[0.375]);
    add(&mut snapshot, "punk_loop_lag_p99", &[], &[0.2]);
    add(&mut snapshot, "checks", &[("check", "says \"hi\"\\\nand goes"), ("scenario", "browse")], &[1.0, 1.0, 0.0]);
    add(&mut snapshot, "cart_value", &[("scenario", "browse"), ("my-tag", "é")], &[19.5, 0.0, 1e7]);
    add(&mut snapshot, "uploaded", &[], &[150_000.0]);
    add(&mut snapshot, "orders_total", &[], &[-2.5]);
    add(&mut snapshot, "bought", &[], &[1.0, 0.0]);
    snapshot.elapsed = Duration::from_millis(12_500);
    snapshot.status = Status::Running;
    snapshot.revision = 2;
    snapshot.scenarios = vec![ScenarioState {
        name: "browse".into(),
        users: 18,
        users_max: 20,
        target: Some(20),
        iterations: 40,
        dropped: 1,
        interrupted: 2,
        progress: 0.4166,
        ..ScenarioState::default()
    }];
    let verdict = |passed, distance| Verdict {
        selector: "http_req_duration{name:product*}".into(),
        expression: "p(95) < 300ms".into(),
        passed,
        holds: passed,
        distance,
        breach_count: 1,
        ..Verdict::default()
    };
    let narrowed = Verdict { scenario: Some("browse".into()), ..verdict(None, None) };
    snapshot.thresholds = vec![verdict(Some(true), Some(0.25)), verdict(Some(false), Some(-0.5)), narrowed];
    let alert = |name: &str, phase| AlertState {
        name: name.into(),
        severity: AlertSeverity::Critical,
        phase,
        fired: 2,
        ..AlertState::default()
    };
    snapshot.alerts = vec![alert("slow tail", AlertPhase::Firing), alert("empty", AlertPhase::Pending)];
    let mut errors = ErrorLog::default();
    for place in ["a.rhai:1:1", "a.rhai:2:1"] {
        let key = ErrorKey { category: Category::Script, kind: "script", code: 0, place: place.into() };
        let one =
            Occurrence { operation: "browse", scenario: "browse", user: 1, at: Duration::ZERO, reason: "no reason" };
        errors.add(key, &one, String::new);
    }
    snapshot.errors = Arc::new(errors);
    let mut lag = Trend::new(Scale::DAY, Resolution::TwoDigits);
    [0.1, 0.2, 7.0].iter().for_each(|ms| lag.record(*ms));
    snapshot.generator = Generator {
        shards: 2,
        cpu_percent: Some(12.5),
        loop_lag: Some(lag),
        resident: Some(34_000_000),
        series: snapshot.series.len(),
        regrouped: 3,
        warnings: vec!["few ports".into()],
        ..Generator::default()
    };
    snapshot
}
