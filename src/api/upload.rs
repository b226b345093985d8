//! The row that takes scripts over HTTP, where that is enabled: whoever may send one may make this process do anything that a
//! script can, so it asks for more than every other change.
//!
//! It reads what was sent and tells what came of it; the door compiles and starts it (`intake`).

use super::Monitor;
use super::guard;
use super::intake::{Intake, Refusal};
use super::problem::{Fault, Problem};
use super::router::json;
use super::row::{Answer, Content, Row};
use super::session::Session;
use super::wire::StatusWire;
use crate::diagnostic::{Diagnostic, Severity};
use axum::extract::{Request, State};
use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Deserialize;
use serde_json::json as example;
use std::sync::Arc;

/// What a script without a name is called.
const NAMELESS: &str = "sent.rhai";
/// Longest name, characters.
const NAME: usize = 64;

/// A script to run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = example!({"script": "fn run() { http::get(\"http://127.0.0.1:8080/\"); }", "name": "home.rhai"}))]
struct Upload {
    /// Its text.
    script: String,
    /// What to call it, in the place of a path: `checkout.rhai`; `sent.rhai` where it is missing.
    #[schemars(length(min = 1, max = 64))]
    name: Option<String>,
}

/// The rows of this file.
pub(super) fn rows() -> Vec<Row> {
    let made = Answer {
        status: StatusCode::CREATED,
        about: "the new run",
        content: Content::Json(SchemaGenerator::subschema_for::<StatusWire>),
        headers: &[("Location", "where the new run is: `/api/sessions/ID`")],
    };
    vec![
        Row::post("/sessions", "Another run, of a script that is sent; off unless enabled", upload)
            .of_process()
            .by_token()
            .takes::<Upload>()
            .answer(made)
            .refuses(
                StatusCode::FORBIDDEN,
                "punk was started without `--monitor-upload`, or this is not the control token, which is needed at loopback too",
            )
            .refuses(StatusCode::CONFLICT, "too many runs go on, or the process is about to end")
            .refuses(
                StatusCode::UNPROCESSABLE_ENTITY,
                "something is wrong with the script: `errors` says what and where; or this machine cannot run it beside the others",
            )
            .refuses(StatusCode::TOO_MANY_REQUESTS, "too many scripts are being looked at")
            .refuses(StatusCode::INTERNAL_SERVER_ERROR, "the system refused what the run needs"),
    ]
}

/// `POST /sessions`
async fn upload(State(monitor): State<Arc<Monitor>>, request: Request) -> Result<Response, Problem> {
    let forbidden = |why: &str| Problem::new(StatusCode::FORBIDDEN, why);
    let Some(intake) = monitor.intake.clone() else {
        let why = "scripts are not taken over HTTP: start punk with `--monitor-upload` if they shall be, and read what that means; \
                   or start them together: `punk a.rhai b.rhai`";
        return Err(forbidden(why));
    };
    if !monitor.access.is_control(request.headers()) {
        let why = "a script may do anything that punk may, so that sending one needs the control token, at loopback and of our own page too: send `Authorization: Bearer TOKEN`";
        return Err(forbidden(why));
    }
    let Some(Upload { script, name }) = guard::json::<Upload>(request).await? else {
        return Err(Problem::bad("the body says what to run: `{\"script\": \"…\", \"name\": \"checkout.rhai\"}`"));
    };
    let name = called(name)?;
    // Whoever asked may go: the run that was begun for him is shown all the same.
    let begun = tokio::spawn(begin(monitor, intake, name, script));
    let session = begun.await.map_err(|_| failed("a bug in punk"))??;
    let snapshot = session.shows(|snapshot| snapshot.plan.is_some()).await;
    let mut response = json(StatusCode::CREATED, &StatusWire::new(&session, &snapshot));
    let place = HeaderValue::from_str(&format!("/api/sessions/{}", session.id()));
    response.headers_mut().insert(LOCATION, place.expect("an id is ASCII"));
    Ok(response)
}

/// Has it run, and shows it.
async fn begin(monitor: Arc<Monitor>, intake: Intake, name: String, script: String) -> Result<Arc<Session>, Problem> {
    // Editors begin files with a byte order mark; Rhai takes it for a name.
    let text = script.strip_prefix('\u{feff}').unwrap_or(&script);
    match intake.send(name.clone(), text.to_owned()).await {
        Ok(session) => {
            let session = monitor.sessions.add(session);
            tracing::info!(target: "punk::monitor", script = name, session = session.id(), "a script was sent and runs");
            tokio::spawn(Arc::clone(&session).follow());
            Ok(session)
        }
        Err(refusal) => {
            let problem = refused(refusal, &name, &script);
            tracing::info!(target: "punk::monitor", script = name, status = problem.status().as_u16(), "a script was sent and refused");
            Err(problem)
        }
    }
}

/// What it is called, if it can be called so.
fn called(name: Option<String>) -> Result<String, Problem> {
    let Some(name) = name else { return Ok(NAMELESS.to_owned()) };
    let plain = |letter: char| !letter.is_control() && !"/\\".contains(letter);
    if !name.trim().is_empty() && name.chars().count() <= NAME && name.chars().all(plain) {
        return Ok(name);
    }
    let fault = Fault {
        pointer: "/name".to_owned(),
        detail: format!("a name has 1 to {NAME} characters, and neither slashes nor control characters"),
        help: Some("`checkout.rhai`".to_owned()),
        length: name.chars().count(),
        ..Fault::default()
    };
    let why = "the script cannot be called so: see `errors`; nothing was started";
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why).errors(vec![fault]))
}

fn refused(refusal: Refusal, name: &str, script: &str) -> Problem {
    match refusal {
        Refusal::Script(diagnostics) => {
            let why = "the script cannot be run: see `errors`; nothing was started";
            let faults = diagnostics.iter().map(|diagnostic| fault(diagnostic, name, script)).collect();
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why).errors(faults)
        }
        Refusal::Unfit(why) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why),
        Refusal::Conflict(why) => Problem::conflict(why),
        Refusal::Busy => {
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "other scripts are being looked at: wait a second")
                .header(RETRY_AFTER, HeaderValue::from_static("1"))
        }
        Refusal::Failed(why) => failed(&why),
    }
}

fn failed(why: &str) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the run cannot be started: {why}"))
}

/// What is wrong, in places of the text that was sent.
fn fault(diagnostic: &Diagnostic, name: &str, script: &str) -> Fault {
    // What is wrong elsewhere, in a library file, has no place in the script.
    let span = diagnostic.span.as_ref().filter(|span| span.path == name);
    let begins = |line: usize| -> usize {
        let before: usize =
            script.split_inclusive('\n').take(line.saturating_sub(1)).map(|line| line.chars().count()).sum();
        let mark = usize::from(script.starts_with('\u{feff}') && line == 1);
        before + mark
    };
    Fault {
        pointer: "/script".to_owned(),
        detail: diagnostic.message.clone(),
        severity: if diagnostic.severity == Severity::Warning { "warning" } else { "error" },
        label: diagnostic.label.clone(),
        help: diagnostic.help.clone(),
        offset: span.map_or(0, |span| begins(span.line) + span.column.saturating_sub(1)),
        length: span.map_or(0, |span| span.length),
        line: span.map(|span| span.line),
        column: span.map(|span| span.column),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;

    #[test]
    fn places_count_characters_of_what_was_sent() {
        for (script, line, column) in
            [("let ä = 1;\r\nü x", 2, 3), ("\u{feff}ü x", 1, 3), ("x", 1, 1), ("a\n\n\nx", 4, 1)]
        {
            let text = script.trim_start_matches('\u{feff}');
            let place = Span::in_source("a.rhai", text, line, column, 1);
            let fault = fault(&Diagnostic::error("no").at(place), "a.rhai", script);
            assert_eq!(script.chars().nth(fault.offset), Some('x'), "{script:?} {fault:?}");
            assert_eq!((fault.line, fault.column, fault.length), (Some(line), Some(column), 1));
        }
        let elsewhere = Diagnostic::error("no").at(Span::in_source("std/think", "x", 1, 1, 1));
        assert_eq!(fault(&elsewhere, "a.rhai", "x").line, None);
    }

    #[test]
    fn a_name_is_no_path() {
        assert_eq!(called(None).unwrap(), NAMELESS);
        assert_eq!(called(Some("Kasse 2.rhai".to_owned())).unwrap(), "Kasse 2.rhai");
        for wrong in ["", " ", "../a", "a\\b", "a\nb", &"x".repeat(65)] {
            assert_eq!(called(Some(wrong.to_owned())).unwrap_err().told().0, 422, "{wrong}");
        }
    }
}
