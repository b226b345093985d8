//! How the generator did: whether these numbers may be trusted, and how precise they are.

use super::counted;
use crate::report::facts::Facts;
use crate::report::figures::{clipped, finite};
use crate::report::page::{Page, Piece, Tint, time};
use crate::snapshot::Snapshot;
use crate::units::human;

/// Health of our own, precision, files written.
pub(super) fn section(page: &mut Page, snapshot: &Snapshot, facts: &Facts) {
    let generator = &snapshot.generator;
    let valid = generator.invalid.is_empty();
    page.heading("GENERATOR", if valid { "the measurement is valid" } else { "the measurement is not valid" });
    for why in &generator.invalid {
        page.pieces(2, 4, &[Piece::tinted("✗", Tint::Bad), why.as_str().into()]);
    }
    for why in &generator.warnings {
        page.pieces(2, 4, &[Piece::tinted("!", Tint::Notable), why.as_str().into()]);
    }
    let mut parts = vec![counted(generator.shards as u64, "shard")];
    if let Some(percent) = generator.cpu_percent.and_then(finite) {
        parts.push(format!("CPU {percent:.0}%"));
    }
    if let Some(lag) = generator.loop_lag.as_ref().and_then(|lag| lag.percentile(99.0)) {
        // The second is what of the arrivals' lateness is our own fault.
        let arrivals = generator.lateness.as_ref().and_then(|late| late.percentile(99.0));
        let arrivals = arrivals.map_or(String::new(), |late| format!(", of arrivals {}", time(Some(late))));
        parts.push(format!("own lateness p99 {}{arrivals}", time(Some(lag))));
    }
    if let Some(bytes) = generator.resident {
        parts.push(format!("memory {}", human::bytes(bytes as f64)));
    }
    parts.push(format!("{} series", generator.series));
    if generator.regrouped > 0 {
        parts.push(format!("{} regrouped as `__other__`", counted(generator.regrouped, "sample")));
    }
    if generator.lost > 0 {
        parts.push(format!("{} lost", counted(generator.lost, "sample")));
    }
    page.pieces(2, 2, &[Piece::tinted(&parts.join(" · "), Tint::Dim)]);
    let mut precision =
        "percentiles are nearest-rank, within 0.1% (1% for custom metrics that no threshold names)".to_owned();
    let clipped = clipped(snapshot);
    if clipped > 0 {
        precision += &format!("; {} beyond the range, exact in avg and max only", counted(clipped, "value"));
    }
    page.pieces(2, 2, &[Piece::tinted(&precision, Tint::Dim)]);
    for file in &facts.written {
        page.line(&format!("written: {file}"));
    }
}
