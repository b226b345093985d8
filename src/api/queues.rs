//! The handler of what waits.

use super::problem::Problem;
use super::query::Query;
use super::router::{Chosen, json};
use super::row::Row;
use super::wire::QueuesWire;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use chrono::Utc;

/// The rows of this file.
pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::get("/queues", "What waits: arrivals, messages about alerts, entries of the log", queues)
            .answers::<QueuesWire>("now"),
    ]
}

/// `GET /queues`
async fn queues(Chosen(session): Chosen, uri: Uri) -> Result<Response, Problem> {
    Query::read(&uri, &[])?;
    Ok(json(StatusCode::OK, &QueuesWire::new(&session.snapshot(), &session.outputs(), Utc::now())))
}
