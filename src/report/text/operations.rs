//! The table of operations, and the account of what became of all requests.

use super::counted;
use crate::report::figures::{per_second, share, statistic};
use crate::report::operations::{Operation, total};
use crate::report::page::{Page, Piece, Table, Tint, percent, rate, time};
use crate::report::requests::Requests;
use crate::snapshot::Snapshot;
use crate::units::human;
use std::time::Duration;

/// Latency columns: k6's order, and the 99th percentile.
const LATENCY: [(&str, &str); 7] = [
    ("avg", "avg"),
    ("min", "min"),
    ("med", "med"),
    ("p90", "p(90)"),
    ("p95", "p(95)"),
    ("p99", "p(99)"),
    ("max", "max"),
];
const TRAFFIC: [&str; 4] = ["count", "rate/s", "errors", "error %"];
/// The narrowest column of names before the table is split in two.
const NAME: usize = 24;

/// One row per operation and one for all; on a narrow page as two tables.
pub(super) fn table(page: &mut Page, snapshot: &Snapshot, operations: &[Operation<'_>]) {
    if operations.is_empty() {
        return;
    }
    let latency: Vec<&str> = LATENCY.iter().map(|(title, _)| *title).collect();
    let mut wide = Table::new(1, &[&["operation"], &TRAFFIC[..], &latency].concat());
    let mut left = Table::new(1, &[&["operation"], &TRAFFIC[..]].concat());
    let mut right = Table::new(1, &[&["latency"], &latency[..]].concat());
    let mut add = |name: &str, operation: &Operation<'_>, tint: Tint| {
        let name = || vec![Piece::tinted(name, tint)];
        let (traffic, latency) = (traffic(operation, snapshot.measured()), latencies(operation));
        wide.row([name(), traffic.clone(), latency.clone()].concat());
        left.row([name(), traffic].concat());
        right.row([name(), latency].concat());
    };
    for operation in operations {
        add(&label(operation, operations), operation, Tint::Plain);
    }
    if operations.len() > 1 {
        add("all", &total(operations), Tint::Strong);
    }
    page.heading("OPERATIONS", "latency is sending + waiting + receiving");
    if page.fits(&wide, NAME) {
        page.table(&wide);
    } else {
        page.table(&left);
        page.line("");
        page.table(&right);
    }
}

/// The name, with what tells it from others of that name.
fn label(operation: &Operation<'_>, all: &[Operation<'_>]) -> String {
    let namesakes = || all.iter().filter(|other| other.name == operation.name);
    let mut label = operation.name.clone();
    if namesakes().any(|other| other.method != operation.method) && !operation.method.is_empty() {
        label += &format!(" {}", operation.method);
    }
    if namesakes().any(|other| other.protocol != operation.protocol) && !operation.protocol.is_empty() {
        label += &format!(" {}", operation.protocol);
    }
    label
}

fn traffic(operation: &Operation<'_>, elapsed: Duration) -> Vec<Piece> {
    let tint = if operation.errors > 0 { Tint::Bad } else { Tint::Dim };
    vec![
        operation.requests.to_string().into(),
        rate(per_second(operation.requests as f64, elapsed)).into(),
        Piece::tinted(&operation.errors.to_string(), tint),
        Piece::tinted(&percent(share(operation.errors, operation.judged)), tint),
    ]
}

fn latencies(operation: &Operation<'_>) -> Vec<Piece> {
    let value = |name: &str| operation.latency.as_ref().and_then(|trend| statistic(trend, name));
    LATENCY.iter().map(|(_, name)| time(value(name)).into()).collect()
}

/// What became of the requests, and the bytes they moved.
pub(super) fn account(page: &mut Page, snapshot: &Snapshot, operations: &[Operation<'_>]) {
    let requests = Requests::new(snapshot, operations);
    if requests.total == 0 && requests.apart.is_empty() {
        page.heading("REQUESTS", "none");
        return;
    }
    page.heading("REQUESTS", "");
    let mut parts = vec![
        format!("{} answered", requests.answered),
        format!("{} failed after sending", requests.failed_after_sending),
    ];
    parts.push(format!("{} interrupted at the end", requests.interrupted));
    parts.push(format!("{} never sent", requests.unsent));
    if requests.statusless > 0 {
        parts.push(format!("{} regrouped without status", requests.statusless));
    }
    page.pieces(
        2,
        4,
        &[Piece::tinted(&requests.total.to_string(), Tint::Strong), format!("= {}", parts.join(" + ")).into()],
    );
    for apart in &requests.apart {
        let mut parts = vec![counted(apart.requests, "request")];
        if apart.errors > 0 {
            parts.push(format!("{} failed", apart.errors));
        }
        if apart.unsent > 0 {
            parts.push(format!("{} never sent", apart.unsent));
        }
        if apart.passes + apart.fails > 0 {
            parts.push(format!("{} of {} passed", apart.passes, counted(apart.passes + apart.fails, "check")));
        }
        page.line(&format!("{}: {}; not in the numbers above", apart.phase, parts.join(", ")));
    }
    let all = total(operations);
    let bytes = |bytes: f64| match per_second(bytes, snapshot.measured()) {
        Some(rate) => format!("{} ({})", human::bytes(bytes), human::byte_rate(rate)),
        None => human::bytes(bytes),
    };
    page.line(&format!("data sent {}, received {}", bytes(all.sent), bytes(all.received)));
}
