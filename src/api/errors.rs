//! The handler of errors: what went wrong, and what it has to do with operations, users and time.

use super::problem::Problem;
use super::query::Query;
use super::router::{Chosen, json};
use super::row::Row;
use super::wire::ErrorsWire;
use axum::http::{StatusCode, Uri};
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
async fn errors(Chosen(session): Chosen, uri: Uri) -> Result<Response, Problem> {
    Query::read(&uri, &[])?;
    Ok(json(StatusCode::OK, &ErrorsWire::new(&session, &session.snapshot(), Utc::now())))
}
