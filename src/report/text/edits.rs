//! What was edited while the run went on, and how each revision of the code did.

use super::at;
use crate::metrics::Snapshot;
use crate::report::figures::{share, statistic};
use crate::report::page::{Page, Piece, Table, Tint, percent, time};

/// Changes of one edit that are listed; the JSON summary has all.
const LISTED: usize = 10;

/// Each edit: revision, time, who, what changed, what was refused.
pub(super) fn list(page: &mut Page, snapshot: &Snapshot) {
    if snapshot.edits.is_empty() && snapshot.broken_edit.is_none() {
        return;
    }
    page.heading("EDITS", "while the run went on; totals hold the samples of all revisions");
    for edit in &snapshot.edits {
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

/// The revisions of the code side by side.
pub(super) fn code(page: &mut Page, snapshot: &Snapshot) {
    if snapshot.code_revisions.is_empty() {
        return;
    }
    page.heading("CODE REVISIONS", "what users did under each; latency is http_req_duration");
    let titles = ["code", "since", "iterations", "script errors", "requests", "errors", "error %", "p50", "p95", "p99"];
    let mut table = Table::new(1, &titles);
    for code in &snapshot.code_revisions {
        let name = if code.merged { format!("up to {}", code.revision) } else { code.revision.to_string() };
        let latency = |name| time(statistic(&code.duration, name)).into();
        table.row(vec![
            name.into(),
            at(code.since).into(),
            code.iterations.to_string().into(),
            code.script_errors.to_string().into(),
            code.requests.to_string().into(),
            code.failed.to_string().into(),
            percent(share(code.failed, code.requests)).into(),
            latency("med"),
            latency("p(95)"),
            latency("p(99)"),
        ]);
    }
    page.table(&table);
}
