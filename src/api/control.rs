//! The handlers that change a run: each sends one Command and says what came of it.

use super::Session;
use super::guard;
use super::problem::Problem;
use super::query::Parameter;
use super::router::{Chosen, json};
use super::row::Row;
use super::wire::{STATUSES, status};
use crate::control::{Author, Command};
use crate::diagnostic::did_you_mean;
use crate::plan::{Plan, Work};
use crate::snapshot::{Intervention, Snapshot, Status};
use axum::extract::{RawPathParams, Request};
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json as example;

/// Longest text that somebody may give as a reason or a name, in characters.
const WORDS: usize = 200;
/// Its characters: none that controls a terminal, so that it stays one line wherever it is shown.
const ONE_LINE: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";

/// What came of it.
#[derive(Debug, Serialize, JsonSchema)]
struct DoneWire {
    /// Where the run is then, as `GET /status` has it.
    #[schemars(extend("enum" = STATUSES))]
    status: &'static str,
    /// What was done, in words.
    message: String,
}

/// The body of what needs none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Why the run shall end.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = example!({"why": "seen enough"}))]
struct Stop {
    /// One line, for the report.
    #[schemars(length(max = 200), regex(pattern = ONE_LINE))]
    why: Option<String>,
}

/// Another load: `users` where a scenario has users, `rate` in the open model.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = example!({"scenario": "users", "users": 5}))]
struct Scale {
    /// Which scenario.
    scenario: String,
    /// How many users it shall have: a whole number from 0 to 1,000,000.
    users: Option<f64>,
    /// How many iterations shall start per second.
    rate: Option<f64>,
}

/// Who has seen it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = example!({"by": "Ada"}))]
struct Acknowledge {
    /// One line; `the API` where it is missing.
    #[schemars(length(max = 200), regex(pattern = ONE_LINE))]
    by: Option<String>,
}

/// The rows of this file.
pub(super) fn rows() -> Vec<Row> {
    const ALERT: &[Parameter] =
        &[Parameter::text("alert", "a ringing, as `GET /alerts` names it: `slow tail#2`").example("busy#1")];
    const OVER: &str = "the run is over, or in no state for it";
    let done = |row: Row| row.answers::<DoneWire>("what came of it").refuses(StatusCode::CONFLICT, OVER);
    vec![
        done(Row::post("/control/pause", "No iteration starts any more, and the run's clock stands still", pause))
            .may_take::<Nothing>(),
        done(Row::post("/control/resume", "The end of a pause", resume)).may_take::<Nothing>(),
        done(Row::post("/control/stop", "No new iterations; then teardown and report; exit code 103", stop))
            .may_take::<Stop>(),
        done(Row::post("/control/scale", "Another load for a scenario, from now on", scale))
            .takes::<Scale>()
            .refuses(StatusCode::UNPROCESSABLE_ENTITY, "there is no such scenario, or it cannot be scaled so"),
        done(Row::post("/alerts/{alert}/acknowledge", "Somebody has seen that an alert rings", acknowledge))
            .path_parameters(ALERT)
            .may_take::<Acknowledge>()
            .refuses(StatusCode::NOT_FOUND, "there is no such ringing"),
    ]
}

/// `POST /control/pause`
async fn pause(Chosen(session): Chosen, request: Request) -> Result<Response, Problem> {
    guard::json::<Nothing>(request).await?;
    let message = session.ask(Command::Pause { by: Author::Api }).await?;
    // Before the scenarios begin there is no pause to wait for: the message says when there will be.
    let waits = message == "paused";
    Ok(done(&session, message, |snapshot| !waits || snapshot.status == Status::Paused).await)
}

/// `POST /control/resume`
async fn resume(Chosen(session): Chosen, request: Request) -> Result<Response, Problem> {
    guard::json::<Nothing>(request).await?;
    let message = session.ask(Command::Resume { by: Author::Api }).await?;
    Ok(done(&session, message, |snapshot| snapshot.status != Status::Paused).await)
}

/// `POST /control/stop {why?}`
async fn stop(Chosen(session): Chosen, request: Request) -> Result<Response, Problem> {
    let why = guard::json::<Stop>(request).await?.and_then(|stop| stop.why);
    let why = words("why", why)?.unwrap_or_else(|| "asked for".to_owned());
    if session.snapshot().status == Status::Completed {
        return Err(Problem::conflict("the run is over"));
    }
    session.ask(Command::Stop { by: Author::Api, why }).await?;
    let message = "stopping: no new iterations, those that run may end within their graceful stop".to_owned();
    let stops = |status| matches!(status, Status::Stopping | Status::Teardown | Status::Completed);
    Ok(done(&session, message, |snapshot| stops(snapshot.status)).await)
}

/// `POST /control/scale {scenario, users|rate}`
async fn scale(Chosen(session): Chosen, request: Request) -> Result<Response, Problem> {
    let Some(scale) = guard::json::<Scale>(request).await? else {
        return Err(Problem::bad("the body says what: `{\"scenario\": \"browse\", \"users\": 50}`"));
    };
    let before = session.snapshot();
    let to = target(&scale, before.plan.as_deref())?;
    let message = session.ask(Command::Scale { by: Author::Api, scenario: scale.scenario, to }).await?;
    let own = |one: &Intervention| one.by == Author::Api && one.what == message;
    let known = before.interventions.numbered();
    Ok(done(&session, message.clone(), |snapshot| snapshot.interventions.since(known).any(own)).await)
}

/// What a load shall be, if its scenario is there and is scaled so.
fn target(scale: &Scale, plan: Option<&Plan>) -> Result<f64, Problem> {
    let plan = plan.ok_or_else(|| Problem::conflict("the run has not begun yet"))?;
    let name = &scale.scenario;
    let there = || plan.scenarios.iter().filter(|scenario| !scenario.gone);
    let wrong = |why: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why);
    let Some(scenario) = there().find(|scenario| scenario.name == *name) else {
        let names: Vec<&str> = there().map(|scenario| scenario.name.as_str()).collect();
        let meant = match did_you_mean(name, names.iter().copied()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("there is {}", names.join(", ")),
        };
        return Err(wrong(format!("there is no scenario `{name}`: {meant}")));
    };
    match (&scenario.work, scale.users, scale.rate) {
        (_, Some(_), Some(_)) => Err(wrong("`users` or `rate`, not both".to_owned())),
        (_, None, None) => Err(wrong("`users` or `rate` is missing".to_owned())),
        (Work::Load(_), Some(to), None) | (Work::Arrivals { .. }, None, Some(to)) => {
            scenario.work.takes(to).map(|()| to).map_err(wrong)
        }
        (Work::Load(_), ..) => Err(wrong(format!("`{name}` has users, and no rate: give `users`"))),
        (Work::Arrivals { .. }, ..) => Err(wrong(format!("`{name}` has a rate: give `rate`, per second"))),
        _ => Err(wrong(format!("`{name}` has a fixed number of iterations: there is nothing to scale"))),
    }
}

/// `POST /alerts/{id}/acknowledge {by?}`
async fn acknowledge(Chosen(session): Chosen, path: RawPathParams, request: Request) -> Result<Response, Problem> {
    let by = guard::json::<Acknowledge>(request).await?.and_then(|one| one.by);
    let who = words("by", by)?.unwrap_or_else(|| Author::Api.to_string());
    let id = path.iter().find(|(name, _)| *name == "alert").map(|(_, id)| id.to_owned()).unwrap_or_default();
    let snapshot = session.snapshot();
    if !snapshot.alert_events.iter().any(|event| event.id == id) {
        return Err(Problem::missing(format!("there is no alert `{id}`: `GET /api/alerts` lists their ids")));
    }
    let last = |snapshot: &Snapshot| {
        snapshot.alerts.iter().find(|state| format!("{}#{}", state.name, state.fired) == id).cloned()
    };
    if last(&snapshot).is_none() {
        return Err(Problem::conflict(format!("`{id}` is not the last ringing of its alert")));
    }
    let message = format!("`{id}` is acknowledged by {who}");
    session.ask(Command::Acknowledge { by: Author::Api, alert: id.clone(), who: who.clone() }).await?;
    let seen = |snapshot: &Snapshot| last(snapshot).is_some_and(|state| state.acknowledged_by.as_deref() == Some(&who));
    Ok(done(&session, message, seen).await)
}

/// The answer, once a Snapshot shows what was done.
async fn done(session: &Session, message: String, shown: impl Fn(&Snapshot) -> bool) -> Response {
    let snapshot = session.shows(shown).await;
    json(StatusCode::OK, &DoneWire { status: status(session, &snapshot), message })
}

/// A text that somebody gives for others to read: one line, and not without end.
fn words(name: &str, text: Option<String>) -> Result<Option<String>, Problem> {
    let Some(text) = text else { return Ok(None) };
    if text.chars().count() > WORDS || text.chars().any(char::is_control) {
        return Err(Problem::bad(format!("`{name}` is one line of at most {WORDS} characters")));
    }
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}
