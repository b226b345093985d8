//! The handler of what waits.

use super::router::{Chosen, json};
use super::row::Row;
use super::wire::QueuesWire;
use axum::http::StatusCode;
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
async fn queues(Chosen(session): Chosen) -> Response {
    json(StatusCode::OK, &QueuesWire::new(&session.snapshot(), &session.outputs(), Utc::now()))
}
