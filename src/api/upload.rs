//! The row that would take scripts over HTTP, and does not: whoever may run a script on a machine may send anything to anybody.

use super::problem::Problem;
use super::row::{Answer, Content, Row};
use super::wire::StatusWire;
use axum::http::StatusCode;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Deserialize;

/// A script to run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the contract says what a script would be; nobody reads one")]
struct Upload {
    /// Its text.
    script: String,
    /// What to call it.
    name: Option<String>,
}

/// The rows of this file.
pub(super) fn rows() -> Vec<Row> {
    let made = Answer {
        status: StatusCode::CREATED,
        about: "the new run, where taking scripts is enabled; this version has no way to enable it and always refuses (403)",
        content: Content::Json(SchemaGenerator::subschema_for::<StatusWire>),
        headers: &[],
    };
    vec![
        Row::post("/sessions", "Another run, of a script that is sent: off", upload)
            .of_process()
            .takes::<Upload>()
            .answer(made),
    ]
}

/// `POST /sessions`
async fn upload() -> Problem {
    let why = "scripts are not taken over HTTP: that is off, and this version has no flag that enables it; \
               start them together instead: `punk a.rhai b.rhai`";
    Problem::new(StatusCode::FORBIDDEN, why)
}
