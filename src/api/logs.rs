//! The handler of the log: its last entries, or page by page.

use super::query::{Parameter, Query};
use super::router::{Chosen, json};
use super::row::Row;
use super::wire::{LEVELS, LogsWire};
use crate::logs::Level;
use axum::http::StatusCode;
use axum::response::Response;

/// Entries of one answer.
const MOST: u64 = 1_000;

/// The largest number that every reader of JSON can say.
const LARGEST: u64 = (1 << 53) - 1;

/// `level=info`: of the log and of its stream.
pub(super) const LEVEL: Parameter = Parameter::choice("level", "from which level on", &LEVELS, Some("info"));
const LOGS: &[Parameter] = &[
    LEVEL,
    Parameter::whole("limit", "most entries", 1, MOST, Some(100)),
    Parameter::whole(
        "since",
        "the first ones from this number on (`next` of the page before) instead of the last ones",
        0,
        LARGEST,
        None,
    ),
];

/// The rows of this file.
pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::get("/logs", "What scripts said and what happened to the run", logs)
            .query(LOGS)
            .answers::<LogsWire>("the last entries, or those from `since` on"),
    ]
}

/// `GET /logs?level&limit&since`
async fn logs(Chosen(session): Chosen, query: Query) -> Response {
    let most = query.whole("limit").unwrap_or(MOST);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    json(StatusCode::OK, &LogsWire::new(&session.snapshot(), level(&query), query.whole("since"), most))
}

/// From which level on.
pub(super) fn level(query: &Query) -> Level {
    query.text(LEVEL.name).and_then(|word| word.parse().ok()).unwrap_or_default()
}
