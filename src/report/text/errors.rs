//! What went wrong, by type, with a sample of each.

use crate::report::errors::errors;
use crate::report::page::{Page, Piece, Tint, time};
use crate::snapshot::Snapshot;
use std::time::Duration;

/// Kinds shown; the JSON summary has all.
const SHOWN: usize = 20;
/// Operations named per kind.
const NAMED: usize = 3;
/// How much of a sample is shown, in characters.
const SAMPLE: usize = 300;

/// Errors, most frequent first.
pub(super) fn list(page: &mut Page, snapshot: &Snapshot) {
    let rows = errors(&snapshot.errors);
    let unlisted = snapshot.errors.unlisted();
    if rows.is_empty() && unlisted == 0 {
        return;
    }
    let all = rows.iter().map(|row| row.count).sum::<u64>() + unlisted;
    page.heading("ERRORS", &format!("{all} in all"));
    for row in rows.iter().take(SHOWN) {
        let code = if row.code == 0 { String::new() } else { format!(" {}", row.code) };
        let mut named: Vec<String> = row
            .operations
            .iter()
            .take(NAMED)
            .map(|(name, count)| if row.operations.len() == 1 { name.clone() } else { format!("{name} ({count})") })
            .collect();
        if row.operations.len() > NAMED {
            named.push(format!("and {} more", row.operations.len() - NAMED));
        }
        page.pieces(
            2,
            6,
            &[
                Piece::tinted(&format!("{} × {}{code}", row.count, row.kind), Tint::Bad),
                named.join(", ").into(),
                Piece::tinted(&seen(row.first, row.last), Tint::Dim),
            ],
        );
        let sample: String = row.sample.chars().take(SAMPLE).collect();
        let place = if row.place.is_empty() { String::new() } else { format!("{}: ", row.place) };
        page.pieces(6, 6, &[Piece::tinted(&format!("{place}{sample}"), Tint::Dim)]);
    }
    let rest = &rows[rows.len().min(SHOWN)..];
    let more = rest.iter().map(|row| row.count).sum::<u64>() + unlisted;
    if more > 0 {
        page.line(&format!("and {more} of further kinds; the JSON summary (--summary FILE.json) lists more"));
    }
}

fn seen(first: Duration, last: Duration) -> String {
    let at = |time_of: Duration| time(Some(time_of.as_secs_f64() * 1e3));
    if first == last { format!("at {}", at(first)) } else { format!("from {} to {}", at(first), at(last)) }
}
