//! Metrics in k6's shape, with the parts that thresholds name.

use super::{number, value};
use crate::metrics::{Cell, MetricKind, TagSet};
use crate::plan::Plan;
use crate::report::figures::{per_second, statistic};
use crate::snapshot::Snapshot;
use serde::Serialize;
use serde_json::{Map, Value};

/// One metric.
#[derive(Debug, Serialize)]
pub(super) struct MetricWire {
    r#type: &'static str,
    unit: &'static str,
    values: Map<String, Value>,
    /// Its parts that a threshold names, by what stands between the braces: `name:product,scenario:browse`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    tags: Map<String, Value>,
}

#[derive(Debug, Serialize)]
struct Part {
    values: Map<String, Value>,
}

/// The statistics of every trend, in k6's order; those of `trend_stats` come after them.
const STATISTICS: [&str; 8] = ["avg", "min", "med", "max", "p(90)", "p(95)", "p(99)", "p(99.9)"];

impl MetricWire {
    /// Metrics that have data, built-in ones first, and all counters.
    pub(super) fn all(plan: &Plan, snapshot: &Snapshot) -> Vec<(String, MetricWire)> {
        let mut all = Vec::new();
        for spec in snapshot.metrics.iter() {
            let name = &*spec.def.name;
            let cell = snapshot.total(name);
            let tags = parts(plan, snapshot, name);
            if cell.is_none() && spec.def.kind != MetricKind::Counter && tags.is_empty() {
                continue;
            }
            let values = values(plan, snapshot, spec.def.kind, cell.as_ref());
            all.push((
                name.to_owned(),
                MetricWire { r#type: spec.def.kind.word(), unit: spec.def.unit.word(), values, tags },
            ));
        }
        all
    }
}

/// The parts of a metric that thresholds name, in the order of the script.
fn parts(plan: &Plan, snapshot: &Snapshot, metric: &str) -> Map<String, Value> {
    let mut parts = Map::new();
    for quantity in plan.rules.thresholds.iter().flat_map(|rule| rule.condition.quantities()) {
        let watched = &quantity.selector;
        if watched.metric() != metric || watched.tags().next().is_none() {
            continue;
        }
        let key: Vec<_> = watched.tags().map(|(tag, value)| format!("{tag}:{value}")).collect();
        let accept = |tags: &TagSet| watched.accepts(|tag| tags.get(tag));
        // A part without data is not there: the threshold itself says so.
        if let Some(cell) = snapshot.merged(metric, true, watched.tag("phase").is_some(), accept) {
            let values = values(plan, snapshot, quantity.kind, Some(&cell));
            parts.insert(key.join(","), value(&Part { values }));
        }
    }
    parts
}

fn values(plan: &Plan, snapshot: &Snapshot, kind: MetricKind, cell: Option<&Cell>) -> Map<String, Value> {
    let mut values = Map::new();
    let mut add = |name: &str, value: Option<f64>| {
        if let Some(number) = value.and_then(number) {
            values.insert(name.to_owned(), Value::Number(number));
        }
    };
    let elapsed = snapshot.measured();
    match cell {
        Some(Cell::Counter { sum, .. }) => {
            add("count", Some(*sum));
            add("rate", per_second(*sum, elapsed));
        }
        None if kind == MetricKind::Counter => {
            add("count", Some(0.0));
            add("rate", per_second(0.0, elapsed));
        }
        Some(Cell::Gauge(Some(gauge))) => {
            add("value", Some(gauge.last));
            add("min", Some(gauge.min));
            add("max", Some(gauge.max));
        }
        Some(Cell::Rate { passes, total }) => {
            add("rate", crate::report::figures::share(*passes, *total));
            add("passes", Some(*passes as f64));
            add("fails", Some((total - passes) as f64));
        }
        Some(Cell::Trend(trend)) => {
            add("count", Some(trend.count() as f64));
            add("rate", per_second(trend.count() as f64, elapsed));
            let more = plan.options.trend_stats.iter().map(String::as_str);
            for name in STATISTICS.into_iter().chain(more.filter(|name| !STATISTICS.contains(name) && *name != "count"))
            {
                add(name, statistic(trend, name));
            }
        }
        Some(Cell::Gauge(None)) | None => {}
    }
    values
}
