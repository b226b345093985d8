//! The scenarios: what was planned, what happened.

use super::counted;
use crate::plan::Plan;
use crate::report::figures::{per_second, statistic, trend};
use crate::report::page::{Page, Piece, Tint, time};
use crate::snapshot::Snapshot;
use crate::units::human;

/// Each scenario in a few lines.
pub(super) fn list(page: &mut Page, plan: &Plan, snapshot: &Snapshot) {
    if snapshot.scenarios.is_empty() {
        return;
    }
    page.heading("SCENARIOS", "");
    for state in &snapshot.scenarios {
        let plan = plan.scenarios.iter().find(|scenario| scenario.name == state.name);
        let planned = plan.map_or(String::new(), |scenario| scenario.work.to_string());
        page.pieces(2, 6, &[Piece::tinted(&state.name, Tint::Strong), Piece::tinted(&planned, Tint::Dim)]);

        let rate = per_second(state.iterations as f64, snapshot.elapsed)
            .map_or(String::new(), |rate| format!(" ({})", human::rate(rate)));
        let mut pieces = vec![
            Piece::from(format!("{}{rate},", counted(state.iterations, "iteration"))),
            format!("{} at most,", counted(u64::from(state.users_max), "user")).into(),
        ];
        let here =
            |metric: &str| snapshot.count(metric, false, |tags| tags.get("scenario") == Some(&state.name)) as u64;
        for (count, what) in [
            (state.interrupted, "interrupted,"),
            (state.dropped, "dropped,"),
            (here("script_errors"), "with script errors"),
        ] {
            let tint = if count == 0 { Tint::Dim } else { Tint::Notable };
            pieces.push(Piece::tinted(&format!("{count} {what}"), tint));
        }
        page.pieces(6, 6, &pieces);

        if let Some(found) = &state.found {
            page.pieces(6, 6, &[Piece::tinted(&found.to_string(), Tint::Strong)]);
        }
        for (metric, what) in [("iteration_duration", "iteration took"), ("backoff_duration", "backed off for")] {
            let of_here = snapshot.merged(metric, true, false, |tags| tags.get("scenario") == Some(&state.name));
            if let Some(trend) = trend(of_here) {
                let value = |name: &str| time(statistic(&trend, name));
                let text = [("avg", "avg"), ("med", "med"), ("p95", "p(95)"), ("max", "max")]
                    .map(|(title, name)| format!("{title} {}", value(name)));
                page.pieces(6, 6, &[Piece::tinted(what, Tint::Dim), text.join(", ").into()]);
            }
        }
    }
}
