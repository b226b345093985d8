//! Where the time went: the phases of requests, and the groups of scripts.

use crate::metrics::{Cell, Trend};
use crate::report::checks::group_path;
use crate::report::figures::{statistic, trend};
use crate::report::operations::PHASES;
use crate::report::page::{Page, Piece, Table, time};
use crate::snapshot::Snapshot;

const TITLES: [&str; 4] = ["avg", "med", "p95", "max"];
const STATISTICS: [&str; 4] = ["avg", "med", "p(95)", "max"];

fn row(name: &str, trend: &Trend) -> Vec<Piece> {
    let cells = STATISTICS.iter().map(|name| time(statistic(trend, name)).into());
    std::iter::once(name.into()).chain(cells).collect()
}

/// The phases that took any time, over all requests.
pub(super) fn table(page: &mut Page, snapshot: &Snapshot) {
    let mut table = Table::new(1, &[&["phase"], &TITLES[..]].concat());
    let mut any = false;
    for (name, metric) in PHASES {
        if let Some(trend) = trend(snapshot.total(metric)).filter(|trend| trend.max().is_some_and(|max| max > 0.0)) {
            table.row(row(name, &trend));
            any = true;
        }
    }
    if let Some(trend) = trend(snapshot.total("http_req_total_duration")).filter(|_| any) {
        table.row(row("total", &trend));
    }
    if any {
        page.heading("PHASES", "over all requests, reused connections counting 0");
        page.table(&table);
    }
}

/// The durations of the groups.
pub(super) fn groups(page: &mut Page, snapshot: &Snapshot) {
    let mut groups: Vec<(String, Trend)> = Vec::new();
    for series in snapshot.series_of("group_duration").filter(|series| series.tags.get("phase").is_none()) {
        let (Some(group), Cell::Trend(trend)) = (series.tags.get("group"), &series.cell) else { continue };
        if trend.count() == 0 {
            continue;
        }
        match groups.iter_mut().find(|(known, _)| known == group) {
            Some((_, ours)) => ours.merge(trend),
            None => groups.push((group.to_owned(), trend.clone())),
        }
    }
    if groups.is_empty() {
        return;
    }
    page.heading("GROUPS", "sleeps included");
    let mut table = Table::new(1, &[&["group", "count"], &TITLES[..]].concat());
    for (group, trend) in &groups {
        let mut cells = row(&group_path(group), trend);
        cells.insert(1, trend.count().to_string().into());
        table.row(cells);
    }
    page.table(&table);
}
