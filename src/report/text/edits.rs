//! What was edited while the run went on, and how each revision of the code did.

use super::{at, counted};
use crate::report::figures::{share, statistic};
use crate::report::page::{Page, Piece, Table, Tint, percent, time};
use crate::snapshot::{CodeRevision, Snapshot};

/// Changes of one edit that are listed; the JSON summary has all.
const LISTED: usize = 10;

/// Each edit: revision, time, who, what changed, what was refused.
pub(super) fn list(page: &mut Page, snapshot: &Snapshot) {
    if snapshot.edits.is_empty() && snapshot.broken_edit.is_none() {
        return;
    }
    page.heading("EDITS", "while the run went on; totals hold the samples of all revisions");
    if snapshot.edits.lost() > 0 {
        let before = format!("and {} before these", counted(snapshot.edits.lost(), "edit"));
        page.pieces(2, 4, &[Piece::tinted(&before, Tint::Notable)]);
    }
    for edit in snapshot.edits.iter() {
        let head = format!("revision {}", edit.revision);
        let when = format!("at {} by {}", at(edit.at), edit.by);
        let code = if edit.changes.is_empty() { "nothing changed" } else { "" };
        page.pieces(2, 4, &[Piece::tinted(&head, Tint::Strong), when.into(), Piece::tinted(code, Tint::Dim)]);
        for change in edit.changes.iter().take(LISTED) {
            page.pieces(4, 8, &[change.to_string().into()]);
        }
        if edit.changes.len() > LISTED {
            page.pieces(4, 8, &[format!("and {} more changes", edit.changes.len() - LISTED).into()]);
        }
        for refused in &edit.refused {
            page.pieces(4, 8, &[Piece::tinted(&format!("refused: {refused}"), Tint::Notable)]);
        }
        for note in &edit.notes {
            page.pieces(4, 8, &[Piece::tinted(note, Tint::Dim)]);
        }
    }
    if let Some(broken) = &snapshot.broken_edit {
        let head = format!("an edit at {} by {} could not be used and was never mended:", at(broken.at), broken.by);
        page.pieces(2, 4, &[Piece::tinted(&head, Tint::Notable)]);
        for line in broken.text.trim_end().lines() {
            page.drawn("  ", &Piece::tinted(line, Tint::Plain));
        }
    }
}

/// The revisions of the code side by side; counts and latency beneath each other where the lines are short.
pub(super) fn code(page: &mut Page, snapshot: &Snapshot) {
    if snapshot.code_revisions.is_empty() {
        return;
    }
    page.heading("CODE REVISIONS", "p50, p95 and p99 of http_req_duration");
    let counts = ["since", "iterations", "script errors", "requests", "errors", "error %"];
    let latency = ["p50", "p95", "p99"];
    let whole = table(snapshot, &[&counts[..], &latency].concat(), |code| [count(code), times(code)].concat());
    // The names of revisions are short: they are not cut.
    if page.fits(&whole, usize::MAX) {
        page.table(&whole);
    } else {
        page.table(&table(snapshot, &counts, count));
        page.table(&table(snapshot, &latency, times));
    }
}

fn table(snapshot: &Snapshot, titles: &[&str], cells: impl Fn(&CodeRevision) -> Vec<Piece>) -> Table {
    let mut table = Table::new(1, &[&["code"], titles].concat());
    for code in &snapshot.code_revisions {
        let name = if code.merged { format!("up to {}", code.revision) } else { code.revision.to_string() };
        table.row(std::iter::once(name.into()).chain(cells(code)).collect());
    }
    table
}

fn count(code: &CodeRevision) -> Vec<Piece> {
    let since = at(code.since);
    let counts = [code.iterations, code.script_errors, code.requests, code.failed].map(|count| count.to_string());
    let share = percent(share(code.failed, code.requests));
    std::iter::once(since).chain(counts).chain([share]).map(Piece::from).collect()
}

fn times(code: &CodeRevision) -> Vec<Piece> {
    ["med", "p(95)", "p(99)"].map(|name| time(statistic(&code.duration, name)).into()).to_vec()
}
