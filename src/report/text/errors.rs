//! What went wrong, by kind, with a sample of each, what the messages have in common, and when it came in a burst.

use crate::report::errors::{Error, errors};
use crate::report::page::{Page, Piece, Tint, time};
use crate::snapshot::{Burst, Snapshot};
use crate::units::human;
use std::time::Duration;

/// Kinds shown; the JSON summary has all.
const SHOWN: usize = 20;
/// Operations named per kind.
const NAMED: usize = 3;
/// Patterns shown per kind that has several.
const PATTERNS: usize = 3;
/// How much of a sample is shown, in characters.
const SAMPLE: usize = 300;

/// Errors, most frequent first.
pub(super) fn list(page: &mut Page, snapshot: &Snapshot) {
    let rows = errors(snapshot);
    let unlisted = snapshot.errors.unlisted();
    if rows.is_empty() && unlisted == 0 {
        return;
    }
    page.heading("ERRORS", &format!("{} in all", snapshot.errors.total()));
    rows.iter().take(SHOWN).for_each(|row| kind(page, row));
    let rest = &rows[rows.len().min(SHOWN)..];
    let more = rest.iter().map(|row| row.failure.entry.count).sum::<u64>() + unlisted;
    if more > 0 {
        page.line(&format!("and {more} of further kinds; the JSON summary (--summary FILE.json) lists more"));
    }
}

fn kind(page: &mut Page, row: &Error<'_>) {
    let (key, entry, operations) = (row.failure.key, row.failure.entry, &row.failure.operations);
    let code = if key.code == 0 { String::new() } else { format!(" {}", key.code) };
    let one =
        |name: &str, count: u64| if operations.len() == 1 { name.to_owned() } else { format!("{name} ({count})") };
    let mut named: Vec<String> = operations.iter().take(NAMED).map(|part| one(part.name, part.count)).collect();
    if operations.len() > NAMED {
        named.push(format!("and {} more", operations.len() - NAMED));
    }
    page.pieces(
        2,
        6,
        &[
            Piece::tinted(&format!("{} × {}{code}", entry.count, key.kind), Tint::Bad),
            named.join(", ").into(),
            Piece::tinted(&seen(entry.first, entry.last), Tint::Dim),
        ],
    );
    let sample: String = entry.sample.chars().take(SAMPLE).collect();
    let place = if key.place.is_empty() { String::new() } else { format!("{}: ", key.place) };
    page.pieces(6, 6, &[Piece::tinted(&format!("{place}{sample}"), Tint::Dim)]);
    if row.patterns.len() > 1 {
        for pattern in row.patterns.iter().take(PATTERNS) {
            let when = Piece::tinted(&seen(pattern.first, pattern.last), Tint::Dim);
            page.pieces(6, 8, &[format!("{} × {}", pattern.count, pattern.text).into(), when]);
        }
        let rest = row.patterns.iter().skip(PATTERNS).map(|pattern| pattern.count).sum::<u64>() + row.other_patterns;
        if rest > 0 {
            page.pieces(6, 8, &[Piece::tinted(&format!("{rest} × other messages"), Tint::Dim)]);
        }
    }
    if let Some(burst) = row.burst() {
        page.pieces(6, 8, &[burst_of(burst, row.failure.bursts.len()).into()]);
    }
}

fn burst_of(burst: &Burst, many: usize) -> String {
    let until = burst.to.map_or_else(|| "the end".to_owned(), at);
    let more = if many > 1 { format!(", the largest of {many} bursts") } else { String::new() };
    let peak = human::number(burst.peak);
    format!("{} of them from {} to {until}, up to {peak}/s{more}", burst.count, at(burst.from))
}

fn seen(first: Duration, last: Duration) -> String {
    if first == last { format!("at {}", at(first)) } else { format!("from {} to {}", at(first), at(last)) }
}

fn at(time_of: Duration) -> String {
    time(Some(time_of.as_secs_f64() * 1e3))
}
