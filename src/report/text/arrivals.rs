//! The open model: figures from the slot beside the plain ones, and what became of the arrivals.

use crate::metrics::Trend;
use crate::plan::{Late, Plan, Scenario};
use crate::report::arrivals::{Arrivals, Waits};
use crate::report::facts::Facts;
use crate::report::figures::{share, statistic};
use crate::report::page::{Page, Piece, Table, Tint, percent, time};
use crate::snapshot::ScenarioState;
use crate::snapshot::Snapshot;

const COLUMNS: [(&str, &str); 6] =
    [("avg", "avg"), ("med", "med"), ("p90", "p(90)"), ("p95", "p(95)"), ("p99", "p(99)"), ("max", "max")];

/// A block for each scenario whose iterations start by a rate.
pub(super) fn blocks(page: &mut Page, plan: &Plan, snapshot: &Snapshot, facts: &Facts) {
    let mut first = true;
    for state in &snapshot.scenarios {
        let Some(scenario) = plan.scenarios.iter().find(|scenario| scenario.name == state.name) else { continue };
        let Some(arrivals) = Arrivals::of(scenario, state) else { continue };
        if std::mem::take(&mut first) {
            page.heading("ARRIVALS", "`scheduled` counts from when each was due, waiting included");
        }
        block(page, scenario, state, &arrivals, &Waits::of(snapshot, &state.name), facts);
    }
}

fn block(
    page: &mut Page,
    scenario: &Scenario,
    state: &ScenarioState,
    arrivals: &Arrivals,
    waits: &Waits,
    facts: &Facts,
) {
    let mut parts = vec![format!("{} started", arrivals.started)];
    let mut tint = Tint::Plain;
    if arrivals.dropped > 0 {
        tint = Tint::Notable;
    }
    parts.push(format!("{} dropped", arrivals.dropped));
    if arrivals.waiting > 0 {
        parts.push(format!("{} waiting", arrivals.waiting));
    }
    let planned = planned(scenario).filter(|_| facts.stopped.is_some());
    let planned = planned.map_or(String::new(), |planned| format!("of {planned} planned"));
    page.pieces(
        2,
        6,
        &[
            Piece::tinted(&state.name, Tint::Strong),
            format!("{} due {planned} =", arrivals.due).into(),
            Piece::tinted(&parts.join(" + "), tint),
        ],
    );
    let titles: Vec<&str> = ["", "count"].into_iter().chain(COLUMNS.map(|(title, _)| title)).collect();
    let mut table = Table::new(1, &titles);
    let rows = [
        ("http_req_duration", &waits.request, Tint::Plain),
        ("http_req_scheduled_duration", &waits.scheduled_request, Tint::Strong),
        ("iteration_duration", &waits.iteration, Tint::Plain),
        ("iteration_scheduled_duration", &waits.scheduled_iteration, Tint::Strong),
        ("iteration_lateness", &waits.lateness, Tint::Plain),
    ];
    let mut any = false;
    for (name, trend, tint) in rows {
        if let Some(trend) = trend {
            table.row(row(name, trend, tint));
            any = true;
        }
    }
    if any {
        page.table(&table);
    }
    for sentence in sentences(arrivals, waits) {
        page.pieces(2, 4, &[Piece::tinted("!", Tint::Notable), sentence.into()]);
    }
    if any && state.users_max >= arrivals.max_users {
        let text = format!("all {} users were taken at times", arrivals.max_users);
        page.pieces(2, 4, &[Piece::tinted(&text, Tint::Dim)]);
    }
}

fn row(name: &str, trend: &Trend, tint: Tint) -> Vec<Piece> {
    let cells = COLUMNS.iter().map(|(_, name)| time(statistic(trend, name)).into());
    [Piece::tinted(name, tint), trend.count().to_string().into()].into_iter().chain(cells).collect()
}

/// What a reader of the plain figures alone would not know.
fn sentences(arrivals: &Arrivals, waits: &Waits) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(hidden) = waits.hidden() {
        let (plain, scheduled) = (time(Some(hidden.plain)), time(Some(hidden.scheduled)));
        let truth = match hidden.share {
            "" => format!("the longest took {scheduled}"),
            share => format!("{share} of {} took longer than {scheduled}", hidden.what),
        };
        sentences
            .push(format!("the plain {} of {plain} hides waiting: counted from its slot, {truth}", hidden.statistic));
    }
    let never = arrivals.dropped;
    if never > 0 {
        let who = if never == 1 { "1 arrival".to_owned() } else { format!("{never} arrivals") };
        let part = percent(share(never, arrivals.due));
        let longest = waits.censored.as_ref().and_then(Trend::max);
        sentences.push(match (arrivals.late, longest) {
            (Late::Drop, _) => {
                format!(
                    "{who} ({part}) found all {} users busy and never started: no time knows them",
                    arrivals.max_users
                )
            }
            (Late::Wait, Some(longest)) => {
                let had = if never == 1 { "it had waited" } else { "they had waited up to" };
                format!("{who} ({part}) never started; {had} {} when the load ended", time(Some(longest)))
            }
            (Late::Wait, None) => format!("{who} ({part}) never started"),
        });
    }
    sentences
}

/// Arrivals that the plan has in all; `None` without end.
fn planned(scenario: &Scenario) -> Option<u64> {
    let shape = &scenario.work.load()?.shape;
    Some(shape.integral(shape.duration()?).round() as u64)
}
