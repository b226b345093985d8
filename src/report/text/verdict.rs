//! The verdict and what it rests on: reasons, checks.

use super::counted;
use crate::plan::Plan;
use crate::report::checks::{checks as rows, group_path};
use crate::report::facts::{Facts, Outcome};
use crate::report::figures::share;
use crate::report::page::{Page, Piece, Table, Tint, percent};
use crate::snapshot::Snapshot;
use crate::snapshot::Status;
use crate::units::human;

/// The verdict with its reasons, and which run this was.
pub(super) fn head(page: &mut Page, plan: &Plan, snapshot: &Snapshot, facts: &Facts) {
    let running = snapshot.status != Status::Completed;
    let (word, tint) = match facts.outcome {
        // An interim report has no verdict yet.
        Outcome::Passed if running => ("RUNNING", Tint::Notable),
        Outcome::Passed => ("PASSED", Tint::Good),
        Outcome::Failed => ("FAILED", Tint::Bad),
        Outcome::Invalid => ("INVALID", Tint::Notable),
    };
    let code = if facts.exit_code == 0 { String::new() } else { format!("(exit code {})", facts.exit_code) };
    let mut reasons = facts.reasons.iter();
    let why = match reasons.next() {
        Some(reason) => format!("because {}", reason.message),
        None if facts.exit_code != 0 => String::new(),
        None if running => format!("– so far {}", held(snapshot)),
        None => format!("– {}", held(snapshot)),
    };
    page.pieces(0, 4, &[Piece::tinted(word, tint), code.into(), why.into()]);
    for reason in reasons {
        page.pieces(4, 4, &[format!("and because {}", reason.message).into()]);
    }
    // What a reason says already is not said twice.
    let told = |why: &str| facts.reasons.iter().any(|reason| reason.message.contains(why));
    if let Some(stopped) = facts.stopped.as_ref().filter(|stopped| !told(&stopped.why)) {
        let how = if stopped.killed { "ended at once by" } else { "stopped by" };
        page.line(&format!("{how} {}: {}", stopped.by, stopped.why));
    }
    if let Some(why) = facts.marked_failed.as_ref().filter(|why| !told(why)) {
        page.line(&format!("marked failed by the script: {why}"));
    }
    for error in facts.hook_errors.iter().filter(|error| !told(&error.message)) {
        let place = if error.place.is_empty() { String::new() } else { format!(" ({})", error.place) };
        page.line(&format!("error in `{}`: {}{place}", error.hook, error.message));
    }
    let script = plan.sources.first().map_or("no script", |source| &source.path);
    let mut facts_line = vec![
        script.to_owned(),
        human::duration(snapshot.elapsed),
        facts.started_at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        format!("seed {}", plan.options.seed),
        concat!("punk ", env!("CARGO_PKG_VERSION")).to_owned(),
    ];
    if snapshot.revision > 1 || !snapshot.edits.is_empty() {
        let edits = counted(snapshot.edits.numbered(), "edit");
        facts_line.push(format!("judged by revision {}; {edits}", snapshot.revision.max(1)));
    }
    page.pieces(2, 2, &[Piece::tinted(&facts_line.join(" · "), Tint::Dim)]);
}

/// What a passed run may say of itself.
fn held(snapshot: &Snapshot) -> String {
    let warned = snapshot.thresholds.iter().filter(|verdict| verdict.passed == Some(false)).count() as u64;
    let unjudged = snapshot.thresholds.iter().filter(|verdict| verdict.passed.is_none()).count() as u64;
    let all = snapshot.thresholds.len() as u64;
    let mut text = match all {
        0 => "no thresholds were declared".to_owned(),
        _ if warned + unjudged == 0 && all == 1 => "the threshold held".to_owned(),
        _ if warned + unjudged == 0 => format!("all {all} thresholds held"),
        _ => format!("{} of {} held", all - warned - unjudged, counted(all, "threshold")),
    };
    if warned > 0 {
        text += &format!(", {} only", counted(warned, "warning"));
    }
    if unjudged > 0 {
        text += &format!(", {unjudged} had no data");
    }
    text
}

/// Each check with how often it held.
pub(super) fn checks(page: &mut Page, snapshot: &Snapshot) {
    let rows = rows(snapshot);
    if rows.is_empty() {
        return;
    }
    let passes: u64 = rows.iter().map(|check| check.passes).sum();
    let all: u64 = rows.iter().map(|check| check.passes + check.fails).sum();
    page.heading("CHECKS", &format!("{} passed, {passes} of {all}", percent(share(passes, all))));
    let mut table = Table::new(2, &["", "check", "passed", "failed", "passed %"]);
    for check in &rows {
        let (sign, tint) = if check.fails == 0 { ("✓", Tint::Good) } else { ("✗", Tint::Bad) };
        let group = group_path(&check.group);
        let name = if group.is_empty() { check.name.clone() } else { format!("{group} / {}", check.name) };
        let fails = if check.fails == 0 { Tint::Dim } else { Tint::Bad };
        table.row(vec![
            Piece::tinted(sign, tint),
            name.into(),
            check.passes.to_string().into(),
            Piece::tinted(&check.fails.to_string(), fails),
            percent(share(check.passes, check.passes + check.fails)).into(),
        ]);
    }
    page.table(&table);
}
