//! The handler of errors: what went wrong, and what it has to do with operations, users and time.

use super::router::{Chosen, json};
use super::row::Row;
use super::wire::ErrorsWire;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;

/// The rows of this file.
pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::get("/errors", "What went wrong: by kind, by pattern, and the last ones one by one", errors)
            .answers::<ErrorsWire>("since the start of the run"),
    ]
}

/// `GET /errors`
async fn errors(Chosen(session): Chosen) -> Response {
    json(StatusCode::OK, &ErrorsWire::new(&session, &session.snapshot(), Utc::now()))
}
