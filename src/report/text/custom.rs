//! Custom metrics, a table per kind.

use crate::expr::Dimension;
use crate::metrics::{Cell, MetricDef, MetricKind, Unit};
use crate::plan::Plan;
use crate::report::figures::{per_second, share, statistic};
use crate::report::page::{NONE, Page, Piece, Table, percent, time};
use crate::snapshot::Snapshot;

/// All custom metrics in the order of the script; those without data say so.
pub(super) fn tables(page: &mut Page, plan: &Plan, snapshot: &Snapshot) {
    if plan.metrics.is_empty() {
        return;
    }
    page.heading("CUSTOM METRICS", "");
    let stats: Vec<&str> = plan.options.trend_stats.iter().map(String::as_str).collect();
    let titles: Vec<String> = stats.iter().map(|stat| stat.replace(['(', ')'], "")).collect();
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let kinds: [(MetricKind, Vec<&str>); 4] = [
        (MetricKind::Trend, [&["trend"], &titles[..]].concat()),
        (MetricKind::Counter, vec!["counter", "sum", "per second"]),
        (MetricKind::Rate, vec!["rate", "share", "hits", "of"]),
        (MetricKind::Gauge, vec!["gauge", "last", "min", "max"]),
    ];
    for (kind, titles) in kinds {
        let mut table = Table::new(1, &titles);
        let declared: Vec<&MetricDef> = plan.metrics.iter().filter(|def| def.kind == kind).collect();
        for def in &declared {
            let cells = values(def, snapshot, &stats);
            let mut row: Vec<Piece> = vec![(&*def.name).into()];
            row.extend(cells.unwrap_or_else(|| vec![NONE.into(); titles.len() - 1]));
            table.row(row);
        }
        if !declared.is_empty() {
            page.table(&table);
        }
    }
}

fn values(def: &MetricDef, snapshot: &Snapshot, stats: &[&str]) -> Option<Vec<Piece>> {
    let show = |value: f64| show(def.unit, value);
    Some(match snapshot.total(&def.name) {
        Some(Cell::Trend(trend)) => {
            let cell = |stat: &&str| match (*stat, statistic(&trend, stat)) {
                ("count", _) => trend.count().to_string().into(),
                (_, value) => value.map_or(NONE.into(), |value| show(value).into()),
            };
            stats.iter().map(cell).collect()
        }
        Some(Cell::Counter { sum, .. }) => {
            let rate = per_second(sum, snapshot.measured()).map(|rate| match rate.abs() >= HUGE {
                true => format!("{rate:.2e}/s"),
                false => Dimension::PerSecond(def.unit).show(rate),
            });
            vec![show(sum).into(), rate.as_deref().unwrap_or(NONE).into()]
        }
        Some(Cell::Rate { passes, total }) => {
            vec![percent(share(passes, total)).into(), passes.to_string().into(), total.to_string().into()]
        }
        Some(Cell::Gauge(Some(gauge))) => [gauge.last, gauge.min, gauge.max].map(|value| show(value).into()).to_vec(),
        Some(Cell::Gauge(None)) => return None,
        // A Counter that counted nothing is 0, as thresholds see it.
        None if def.kind == MetricKind::Counter => vec![show(0.0).into(), NONE.into()],
        None => return None,
    })
}

/// From here on digits say nothing and columns burst.
const HUGE: f64 = 1e15;

fn show(unit: Unit, value: f64) -> String {
    match unit {
        _ if value.is_finite() && value.abs() >= HUGE => format!("{value:.2e}"),
        Unit::Time => time(Some(value)),
        unit => Dimension::of(unit).show(value),
    }
}
