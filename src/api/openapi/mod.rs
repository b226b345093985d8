//! The contract: an OpenAPI 3.1 document, made of the rows that are served, of their parameters and of the types of their
//! bodies, so that it cannot say anything else than the code does.
//!
//! Served at `/api/openapi.json` and committed as `docs/reference/openapi.json`; `docs` draws it for people. It knows nothing
//! of any run.

mod operation;
mod refusals;
mod schemas;
mod streams;

use super::problem;
use super::router::{self, sent};
use super::row::{Answer, Content, Row};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use schemas::Schemas;
use serde_json::{Map, Value, json};
use std::sync::OnceLock;

/// What stands before everything else.
const ABOUT: &str = "\
A run shows itself over HTTP while it goes on, and takes orders there.

Every path stands under `/api` and, the same, under `/api/v1`. Resources of a run stand there for the first run of the process \
and under `/sessions/{session}` for each of them.

Times are RFC 3339 in UTC; `…_seconds` is run time, which stands still in pauses; latencies are milliseconds, rates per second, \
shares percent from 0 to 100. What was not measured is absent, never zero.

Whatever is refused is refused with a reason (RFC 9457, `application/problem+json`). Beside the refusals of each row, a path \
that is not there answers 404 and a method that it does not take 405, with `Allow`. `HEAD` goes wherever `GET` does.

At loopback anybody may look; a change needs what a page of the monitor's own sends, `Origin` and `X-Punk: 1`, or the control \
token, and a script is taken from nobody without that token. Everywhere else every request needs a token. A `Host` that is not served is refused with 421, and there is no CORS. A \
monitor that is read-only refuses every change with 403.";

/// Groups of rows: the first part of their path, and what they are about.
const TAGS: &[(&str, &str)] = &[
    ("status", "Where a run is."),
    ("sessions", "The runs of this process."),
    ("metrics", "What was measured."),
    ("workers", "The users, one by one."),
    ("connections", "The connections to the target."),
    ("errors", "What went wrong, by kind."),
    ("logs", "What the run and its script said."),
    ("system", "This machine, and those that the script observes."),
    ("queues", "What waits."),
    ("health", "How the parts of punk and the target do."),
    ("thresholds", "The rules, what they say, and other rules."),
    ("alerts", "What rings and rang."),
    ("analysis", "What the figures mean."),
    ("export", "The run so far, to take along."),
    ("streams", "What is told over WebSocket as it happens: everything that there is to listen to, with its messages."),
    ("control", "Orders."),
    ("contract", "This document."),
];

/// The rows of this file.
pub(super) fn rows() -> Vec<Row> {
    vec![Row::get("/openapi.json", "This contract", serve).of_process().answer(Answer {
        status: StatusCode::OK,
        about: "OpenAPI 3.1",
        content: Content::Media(&["application/json"]),
        headers: &[],
    })]
}

/// `GET /openapi.json`
async fn serve() -> Response {
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    sent(StatusCode::OK, TEXT.get_or_init(|| Bytes::from(text())).clone())
}

/// The document as it is served and committed.
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(document()).expect("a value is always JSON");
    text.push('\n');
    text
}

/// The document, made once.
pub(super) fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| of(&router::rows()))
}

/// The group of a row.
fn tag(path: &str) -> &str {
    let first = path.split('/').find(|part| !part.is_empty()).unwrap_or_default();
    if ["openapi.json", "docs"].contains(&first) { "contract" } else { first }
}

/// The document of some rows.
fn of(rows: &[Row]) -> Value {
    let mut schemas = Schemas::new();
    let mut paths = Map::new();
    let mut add = |path: String, row: &Row, operation: Value| {
        let operations = paths.entry(path).or_insert_with(|| json!({}));
        operations[row.method.as_str().to_ascii_lowercase()] = operation;
    };
    for row in rows {
        add(row.path.to_owned(), row, operation::of(row, row.path, tag(row.path), &mut schemas));
    }
    for row in rows.iter().filter(|row| !row.of_process) {
        let path = format!("{}{}", operation::SESSION_PATH, row.path);
        add(path.clone(), row, operation::of(row, &path, tag(row.path), &mut schemas));
    }
    schemas.answer(problem::schema);
    let used = |name: &str| rows.iter().any(|row| tag(row.path) == name);
    let tags =
        TAGS.iter().filter(|(name, _)| used(name)).map(|(name, about)| json!({"name": name, "description": about}));
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "The monitor of punk",
            "summary": "What a load test shows while it runs, and how it is changed.",
            "description": ABOUT,
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE")},
        },
        "servers": [
            {"url": "/api", "description": "The newest version"},
            {"url": "/api/v1", "description": "This version, whatever comes"},
        ],
        "tags": tags.collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": {},
            "responses": refusals::components(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The control token may do everything, the read token may look.",
                },
                "page": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Punk",
                    "description": "`1`. No page of somebody else can send it. Counts at loopback only, beside `origin`.",
                },
                "origin": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Origin",
                    "description": "The monitor's own address, such as `http://127.0.0.1:9090`.",
                },
            },
        },
    });
    document["x-streams-about"] = streams::ABOUT.into();
    document["x-streams"] = streams::of(&mut schemas);
    schemas.settle(&mut document);
    document
}
