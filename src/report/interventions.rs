//! What somebody changed while a run went on: who, when, what, and what was refused.

use super::page::{Page, Piece, Tint};
use crate::snapshot::Intervention;
use crate::snapshot::Snapshot;
use crate::units::human;
use serde::Serialize;

/// One line for people: `12.5s: browse: 50 users (by the terminal)`.
pub fn intervention(intervention: &Intervention) -> String {
    let Intervention { at, by, what, refused } = intervention;
    let at = human::duration(*at);
    match refused {
        None => format!("{at}: {what} (by {by})"),
        Some(why) => format!("{at}: refused {what}, asked for by {by}: {why}"),
    }
}

/// That some are no longer kept, in words; `None` while all are.
pub(super) fn lost(snapshot: &Snapshot) -> Option<String> {
    let lost = Some(snapshot.interventions.lost()).filter(|lost| *lost > 0)?;
    Some(format!(
        "and {lost} more, for which there is no room: what was refused and what the load did itself goes first"
    ))
}

/// All that are kept, in order.
pub(super) fn list(page: &mut Page, snapshot: &Snapshot) {
    if snapshot.interventions.is_empty() {
        return;
    }
    page.heading("CHANGES", "while the run went on; run time stands still in a pause");
    if let Some(lost) = lost(snapshot) {
        page.pieces(2, 4, &[Piece::tinted(&lost, Tint::Notable)]);
    }
    for one in snapshot.interventions.iter() {
        let tint = if one.refused.is_some() { Tint::Dim } else { Tint::Plain };
        page.pieces(2, 4, &[Piece::tinted(&intervention(one), tint)]);
    }
}

/// The same for programs.
#[derive(Debug, Serialize)]
pub(super) struct InterventionWire {
    at_seconds: f64,
    by: String,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

impl InterventionWire {
    pub(super) fn all(snapshot: &Snapshot) -> Vec<Self> {
        let wire = |one: &Intervention| InterventionWire {
            at_seconds: one.at.as_secs_f64(),
            by: one.by.to_string(),
            what: one.what.clone(),
            refused: one.refused.clone(),
        };
        snapshot.interventions.iter().map(wire).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Author;
    use std::time::Duration;

    #[test]
    fn who_when_what_and_why_not() {
        let mut one = Intervention {
            at: Duration::from_millis(12_500),
            by: Author::Terminal,
            what: "browse: 50 users".to_owned(),
            refused: None,
        };
        insta::assert_snapshot!(intervention(&one), @"12.5s: browse: 50 users (by the terminal)");
        one.refused = Some("the run is ending".to_owned());
        insta::assert_snapshot!(intervention(&one), @"12.5s: refused browse: 50 users, asked for by the terminal: the run is ending");
    }
}
