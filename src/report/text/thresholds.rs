//! Thresholds: what decided each, and what it went through.

use super::{at, times};
use crate::report::page::{NONE, Page, Piece, Table, Tint};
use crate::snapshot::{Breach, Snapshot, Verdict};
use crate::units::human;

/// Breaches of one threshold that are listed.
const LISTED: usize = 4;
/// A threshold that held and is nearer to its limit than this share of it was close.
const CLOSE: f64 = 0.2;

/// Each threshold with the observed value against its limit.
pub(super) fn table(page: &mut Page, snapshot: &Snapshot) {
    if snapshot.thresholds.is_empty() {
        return;
    }
    page.heading("THRESHOLDS", "");
    let mut table = Table::new(3, &["", "selector", "limit", "observed"]);
    for verdict in &snapshot.thresholds {
        let (sign, tint) = match verdict.passed {
            Some(true) => ("✓", Tint::Good),
            Some(false) if verdict.severity == "warn" => ("✗", Tint::Notable),
            Some(false) => ("✗", Tint::Bad),
            None => (NONE, Tint::Notable),
        };
        let observed = observed(verdict).unwrap_or("no data".to_owned());
        table.row(vec![
            Piece::tinted(sign, tint),
            selected(verdict).into(),
            verdict.expression.as_str().into(),
            Piece::tinted(&observed, tint),
        ]);
        let remarks = remarks(verdict);
        if !remarks.is_empty() {
            table.note(&remarks.join(", "));
        }
        if verdict.breaches.len() > 1 {
            table.note(&breaches(verdict));
        }
    }
    page.table(&table);
}

fn selected(verdict: &Verdict) -> String {
    match &verdict.scenario {
        Some(scenario) => format!("{} in {scenario}", verdict.selector),
        None => verdict.selector.clone(),
    }
}

/// The observed value for people; none when it is not a number, which an empty histogram may give.
fn observed(verdict: &Verdict) -> Option<String> {
    match verdict.observed {
        None if !verdict.closure => None,
        Some(value) if !value.is_finite() => None,
        value => verdict.decided().or_else(|| value.map(human::number)),
    }
}

fn remarks(verdict: &Verdict) -> Vec<String> {
    let mut remarks = Vec::new();
    if verdict.severity == "warn" {
        remarks.push("warning only".to_owned());
    }
    if verdict.abort && verdict.passed == Some(false) {
        remarks.push("ends the run".to_owned());
    }
    if let Some(first) = verdict.first_breach {
        // It judges what was before it came, too.
        let would = if first < verdict.since { "would have been broken first at" } else { "first broken at" };
        remarks.push(format!("{would} {}", at(first)));
    }
    if let Some(recovered) = verdict.recovered.filter(|_| verdict.holds != Some(false)) {
        remarks.push(format!("held again from {}", at(recovered)));
    }
    if verdict.breach_count > 1 {
        remarks.push(format!("broken {}", times(verdict.breach_count)));
    }
    if let Some(now) = verdict.now_text.as_ref().filter(|now| Some(*now) != verdict.observed_text.as_ref()) {
        remarks.push(format!("at the end {now}"));
    }
    let close = verdict.distance.filter(|distance| (0.0..CLOSE).contains(distance) && verdict.passed == Some(true));
    remarks.extend(close.map(|distance| format!("only {} from its limit", human::percent(distance))));
    if verdict.revision > 1 {
        remarks.push(format!("since revision {} at {}", verdict.revision, at(verdict.since)));
    }
    remarks.extend(verdict.note.clone());
    remarks
}

/// `12s to 20s: 412ms`, each.
fn breaches(verdict: &Verdict) -> String {
    let one = |breach: &Breach| {
        let to = breach.to.map_or_else(|| "the end".to_owned(), at);
        let value = if breach.observed_text.is_empty() { String::new() } else { format!(": {}", breach.observed_text) };
        format!("{} to {to}{value}", at(breach.from))
    };
    let mut all: Vec<_> = verdict.breaches.iter().take(LISTED).map(one).collect();
    let more = verdict.breach_count.max(verdict.breaches.len() as u64).saturating_sub(all.len() as u64);
    all.extend((more > 0).then(|| format!("and {} more", times(more))));
    all.join(" · ")
}
