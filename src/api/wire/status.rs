//! `GET /status` and `GET /sessions`: where a run is.

use super::words::{MODELS, STATUSES, VERDICTS};
use super::{number, seconds, time};
use crate::api::{Judgement, Session};
use crate::load::Shape;
use crate::plan::Plan;
use crate::snapshot::{AlertPhase, ScenarioState, Snapshot, Status};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;
use std::time::Duration;

/// Where one run is.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct StatusWire {
    /// What the paths under `/sessions/` name.
    session_id: String,
    /// What tells this run from the others of the process, in all that people read; absent where there is no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    /// Where it is. `ramping`: a load is about to be another one; `failed`: it is over, and its verdict says so; `cancelled`:
    /// the same, and only because somebody ended it early.
    #[schemars(extend("enum" = STATUSES))]
    status: &'static str,
    /// What it would be if the run ended now; of one that is over, what its summary says.
    #[schemars(extend("enum" = VERDICTS))]
    verdict: &'static str,
    /// When it began.
    #[schemars(extend("format" = "date-time"))]
    start_time: String,
    /// Run time: it stands still in pauses.
    elapsed_seconds: Number,
    /// How much of the plan is done, in percent.
    #[schemars(range(min = 0, max = 100))]
    progress: Number,
    /// Where its script is.
    script: String,
    /// How often the run was edited, and 1.
    script_revision: u64,
    /// Users of all scenarios at this moment.
    active_users: u32,
    /// Alerts that ring.
    alerts_firing: usize,
    /// What was planned, and where each scenario is.
    config: ConfigWire,
}

/// What was planned.
#[derive(Debug, Serialize, JsonSchema)]
struct ConfigWire {
    /// Planned, in seconds; absent where the plan has no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<Number>,
    /// Most users at once.
    workers: u64,
    /// The first of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    scenario: Option<String>,
    /// All of them, in the order of the script.
    scenarios: Vec<ScenarioWire>,
}

/// One scenario.
#[derive(Debug, Serialize, JsonSchema)]
struct ScenarioWire {
    /// Its name in the script.
    name: String,
    /// What it shall do, in words.
    work: String,
    /// How its load becomes iterations.
    #[schemars(extend("enum" = MODELS))]
    model: &'static str,
    /// Users at this moment.
    users: u32,
    /// Most users at once.
    workers: u32,
    /// How many users there should be now.
    #[serde(skip_serializing_if = "Option::is_none")]
    target_users: Option<u32>,
    /// How many iterations should start per second now.
    #[serde(skip_serializing_if = "Option::is_none")]
    target_rate: Option<Number>,
    /// Iterations that are done.
    iterations: u64,
    /// Iterations that were due and could not start.
    dropped: u64,
    /// How much of it is done, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    progress: Option<Number>,
    /// Whether it is over.
    done: bool,
}

impl StatusWire {
    pub(in crate::api) fn new(session: &Session, snapshot: &Snapshot) -> Self {
        let plan = snapshot.plan.as_deref();
        StatusWire {
            session_id: session.id.clone(),
            session: session.name().map(str::to_owned),
            status: status(session, snapshot),
            verdict: session.judgement(snapshot).verdict,
            start_time: time(session.started_at),
            elapsed_seconds: seconds(snapshot.elapsed),
            progress: progress(plan, snapshot),
            script: session.script.clone(),
            script_revision: snapshot.edits.last().map_or(1, |edition| edition.revision),
            active_users: snapshot.scenarios.iter().map(|scenario| scenario.users).sum(),
            alerts_firing: snapshot.alerts.iter().filter(|alert| alert.phase == AlertPhase::Firing).count(),
            config: ConfigWire::new(plan, snapshot),
        }
    }
}

impl ConfigWire {
    fn new(plan: Option<&Plan>, snapshot: &Snapshot) -> Self {
        let planned = plan.map(|plan| &plan.scenarios[..]).unwrap_or_default();
        let scenarios = planned.iter().zip(&snapshot.scenarios).map(|(planned, state)| ScenarioWire {
            name: planned.name.clone(),
            work: planned.work.to_string(),
            model: planned.work.word(),
            users: state.users,
            workers: planned.work.users_max(),
            target_users: state.target,
            target_rate: state.target_rate.and_then(number),
            iterations: state.iterations,
            dropped: state.dropped,
            progress: number(state.progress * 100.0),
            done: state.done,
        });
        ConfigWire {
            duration: plan.and_then(|plan| duration(plan, &snapshot.scenarios)).map(seconds),
            workers: planned.iter().map(|scenario| u64::from(scenario.work.users_max())).sum(),
            scenario: planned.first().map(|scenario| scenario.name.clone()),
            scenarios: scenarios.collect(),
        }
    }
}

/// The runs of this process.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct SessionsWire {
    /// In the order of the command line; the short paths are those of the first.
    pub(in crate::api) sessions: Vec<StatusWire>,
}

/// The word for where a run is.
pub(in crate::api) fn status(session: &Session, snapshot: &Snapshot) -> &'static str {
    match snapshot.status {
        Status::Starting | Status::Setup => "starting",
        Status::Running if snapshot.elapsed < snapshot.warmup => "warmup",
        Status::Running if is_ramping(snapshot) => "ramping",
        Status::Running => "running",
        Status::Paused => "paused",
        Status::Stopping | Status::Teardown => "stopping",
        Status::Completed => match session.judgement(snapshot) {
            Judgement { cancelled: true, .. } => "cancelled",
            Judgement { verdict: "failed", .. } => "failed",
            Judgement { .. } => "completed",
        },
    }
}

/// Whether any load is about to be another one.
fn is_ramping(snapshot: &Snapshot) -> bool {
    let Some(plan) = &snapshot.plan else { return false };
    let mut scenarios = plan.scenarios.iter().zip(&snapshot.scenarios);
    scenarios
        .any(|(planned, state)| planned.work.load().is_some_and(|load| ramps(&*load.shape, state, snapshot.elapsed)))
}

/// Whether a load is another one a second later than it is now, whole users or not: a slow ramp is one all the time. What
/// somebody scaled stays where they put it.
fn ramps(shape: &dyn Shape, state: &ScenarioState, elapsed: Duration) -> bool {
    let begun = state.begins.filter(|_| !state.done && !state.scaled).and_then(|begins| elapsed.checked_sub(begins));
    let Some(at) = begun else { return false };
    let soon = at + Duration::from_secs(1);
    // In its last second it is compared with its end.
    let soon = shape.target(soon).unwrap_or_else(|| shape.before(shape.duration().unwrap_or(soon)));
    shape.target(at).is_some_and(|now| now != soon)
}

/// The mean of all scenarios' progress, each as heavy as it is long.
fn progress(plan: Option<&Plan>, snapshot: &Snapshot) -> Number {
    if snapshot.status == Status::Completed {
        return Number::from(100);
    }
    let planned = plan.map(|plan| &plan.scenarios[..]).unwrap_or_default();
    let parts = planned.iter().zip(&snapshot.scenarios).map(|(planned, state)| {
        let weight = planned.work.duration().map_or(1.0, |duration| duration.as_secs_f64().max(1e-3));
        (weight * state.progress, weight)
    });
    let (done, all) = parts.fold((0.0, 0.0), |(done, all), (part, weight)| (done + part, all + weight));
    number(if all > 0.0 { 100.0 * done / all } else { 0.0 }).unwrap_or_else(|| Number::from(0))
}

/// How long the whole run is planned to start iterations; `None` without end.
fn duration(plan: &Plan, states: &[ScenarioState]) -> Option<Duration> {
    fn end(plan: &Plan, states: &[ScenarioState], at: usize, depth: usize) -> Option<Duration> {
        let scenario = &plan.scenarios[at];
        let begins = match (states.get(at).and_then(|state| state.begins), &scenario.after) {
            (Some(begins), _) => begins,
            (None, None) => scenario.starts,
            // A circle is refused by the script's check.
            (None, Some(_)) if depth == 0 => return None,
            (None, Some(after)) => {
                let before = plan.scenarios.iter().position(|other| other.name == *after)?;
                end(plan, states, before, depth - 1)? + scenario.starts
            }
        };
        begins.checked_add(scenario.work.duration()?)
    }
    let ends = (0..plan.scenarios.len()).map(|at| end(plan, states, at, plan.scenarios.len()));
    ends.collect::<Option<Vec<_>>>()?.into_iter().max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Argument, build};

    /// How often it ramps of 120 looks, two in a second.
    fn looks(from: f64, to: f64, state: &ScenarioState) -> usize {
        let minute = Argument::Duration(Duration::from_secs(60));
        let shape = build("ramp", &[Argument::Value(from), Argument::Value(to), minute]).unwrap();
        (0..120).filter(|half| ramps(&*shape, state, Duration::from_millis(half * 500))).count()
    }

    #[test]
    fn a_slow_ramp_of_users_is_one_all_the_time() {
        let begun = ScenarioState { begins: Some(Duration::ZERO), ..ScenarioState::default() };
        assert_eq!([looks(1.0, 10.0, &begun), looks(10.0, 10.0, &begun)], [120, 0]);
        let scaled = ScenarioState { scaled: true, ..begun.clone() };
        assert_eq!(looks(1.0, 10.0, &scaled), 0, "somebody holds it where it is");
        let late = ScenarioState { begins: Some(Duration::from_secs(30)), ..begun.clone() };
        let waits = ScenarioState { begins: None, ..begun };
        assert_eq!([looks(1.0, 10.0, &late), looks(1.0, 10.0, &waits)], [60, 0]);
    }
}
