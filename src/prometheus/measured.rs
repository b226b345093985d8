//! What was measured, as families: every metric of the run, built-in and the script's own, under its tags.
//!
//! A counter is a counter, a gauge a gauge, a trend a histogram. A rate is two counters, of all samples and of those that
//! were true, so that a share over any stretch of time is their quotient. Totals that the Snapshot keeps beside tagged
//! series have a family of their own (`…_overall`): a sum over labels counts nothing twice.

use super::buckets::{distribution, per_base, series};
use super::family::{Family, Kind, Labels, Point, Value};
use super::name::{Names, TagNames};
use super::sessions::SESSION;
use crate::metrics::{Cell, MetricDef, MetricKind, MetricSpec, SYSTEM_TAGS, TagSet, Trend, Unit, built_in};
use crate::snapshot::{Series, Snapshot};
use prometheus_client::registry;
use rustc_hash::FxHashMap;

/// What came of it.
pub(super) struct Measured {
    /// Those that have points, in the order of the metrics.
    pub(super) families: Vec<Family>,
    /// How many time series they are.
    pub(super) series: usize,
    /// How many time series the limit left out.
    pub(super) left_out: usize,
}

/// Every series of the Snapshot while there is room for `most` time series. A series is there whole or not at all, and one
/// that is there stays: those that come later come behind it.
pub(super) fn families(snapshot: &Snapshot, names: &mut Names, most: usize, native: bool) -> Measured {
    let mut metrics: Vec<Vec<Family>> = snapshot.metrics.iter().map(|spec| empty(spec, names)).collect();
    let mut labels = LabelSets::new();
    let (mut room, mut left_out) = (most, 0);
    for one in &snapshot.series {
        let Some(spec) = snapshot.metrics.get(usize::from(one.metric.0)) else { continue };
        let size = size(&one.cell, spec.def.unit);
        if size > room {
            left_out += if one.cell.is_empty() { 0 } else { size };
            continue;
        }
        // Also for a series without values: it may have some at the next scrape, and must not push others out then.
        room -= size;
        if !one.cell.is_empty() {
            add(&mut metrics[usize::from(one.metric.0)], spec, one, labels.of(&one.tags), native);
        }
    }
    let families: Vec<Family> = metrics.into_iter().flatten().filter(|family| !family.points.is_empty()).collect();
    Measured { families, series: most - room, left_out }
}

/// How many time series one of the Snapshot becomes.
fn size(cell: &Cell, unit: Unit) -> usize {
    match cell {
        Cell::Counter { .. } | Cell::Gauge(_) => 1,
        Cell::Rate { .. } => 2,
        Cell::Trend(trend) => series(trend, unit),
    }
}

/// The families of one metric, without points.
fn empty(spec: &MetricSpec, names: &mut Names) -> Vec<Family> {
    let def = &spec.def;
    let mut family = |name: &str, kind: Kind, more: &str| {
        let unit = unit(def.unit);
        let name = names.claim(name, kind, unit.as_ref());
        Family { name, unit, kind, help: format!("{}{more}", help(def)), points: Vec::new() }
    };
    match def.kind {
        MetricKind::Counter => vec![family(&def.name, Kind::Counter, "")],
        MetricKind::Gauge => vec![family(&def.name, Kind::Gauge, "")],
        MetricKind::Rate => vec![
            family(&format!("{}_true", def.name), Kind::Counter, " As a counter: samples that were true."),
            family(&format!("{}_samples", def.name), Kind::Counter, " As a counter: all samples."),
        ],
        MetricKind::Trend if spec.has_total => vec![
            family(&def.name, Kind::Histogram, ""),
            family(&format!("{}_overall", def.name), Kind::Histogram, " Over all operations, with buckets."),
        ],
        MetricKind::Trend => vec![family(&def.name, Kind::Histogram, "")],
    }
}

/// Puts a series into the families of its metric.
fn add(families: &mut [Family], spec: &MetricSpec, series: &Series, labels: Labels, native: bool) {
    let base = per_base(spec.def.unit);
    let of = |trend: &Trend| Value::Distribution(distribution(trend, spec.def.unit, native));
    let values = match &series.cell {
        Cell::Counter { sum, .. } => vec![(0, Value::Number(sum / base))],
        Cell::Gauge(gauge) => gauge.iter().map(|gauge| (0, Value::Number(gauge.last / base))).collect(),
        Cell::Rate { passes, total } => {
            vec![(0, Value::Number(*passes as f64)), (1, Value::Number(*total as f64))]
        }
        Cell::Trend(trend) => vec![(usize::from(spec.has_total && series.tags.is_empty()), of(trend))],
    };
    for (family, value) in values {
        // A cell of another kind than its metric would have no family.
        let Some(family) = families.get_mut(family) else { continue };
        family.points.push(Point { labels: labels.clone(), value });
    }
}

fn unit(unit: Unit) -> Option<registry::Unit> {
    match unit {
        Unit::Time => Some(registry::Unit::Seconds),
        Unit::Data => Some(registry::Unit::Bytes),
        Unit::Share => Some(registry::Unit::Other("ratio".to_owned())),
        Unit::Plain => None,
    }
}

fn help(def: &MetricDef) -> String {
    if built_in(&def.name).is_some() {
        return def.help.clone().into_owned();
    }
    let help = format!("{} Its name in the script: `{}`.", def.help, def.name);
    help.trim_start().to_owned()
}

/// Tag sets as labels, each made once for all the series that share it.
struct LabelSets {
    names: TagNames,
    known: FxHashMap<TagSet, Labels>,
}

/// Tells `{a: ""}` from `{}`, which are one to Prometheus.
const EMPTY: &str = "empty_tags";

impl LabelSets {
    fn new() -> Self {
        let mut names = TagNames::new(&["le", "quantile", EMPTY, SESSION]);
        SYSTEM_TAGS.iter().for_each(|tag| drop(names.label(tag)));
        LabelSets { names, known: FxHashMap::default() }
    }

    fn of(&mut self, tags: &TagSet) -> Labels {
        if let Some(labels) = self.known.get(tags) {
            return labels.clone();
        }
        let mut pairs: Vec<_> = tags.iter().map(|(tag, value)| (self.names.label(tag), value)).collect();
        let empty: Vec<String> =
            pairs.iter().filter(|(_, value)| value.is_empty()).map(|(label, _)| label.to_string()).collect();
        let empty = empty.join(",");
        pairs.push((EMPTY.into(), &empty));
        let labels = Labels::new(pairs.iter().map(|(label, value)| (&**label, *value)));
        self.known.insert(tags.clone(), labels.clone());
        labels
    }
}
