//! The handler of protocols: who speaks what, how much of it, and how well.

use super::router::{Chosen, json};
use super::row::Row;
use super::wire::ProtocolsWire;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;

/// The rows of this file.
pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::get("/metrics/protocols", "Requests by protocol, in the last minute", answer)
            .answers::<ProtocolsWire>("by protocol"),
    ]
}

/// `GET /metrics/protocols`
async fn answer(Chosen(session): Chosen) -> Response {
    let snapshot = session.snapshot();
    let wire = ProtocolsWire::new(&session.digest(&snapshot), &snapshot, Utc::now());
    json(StatusCode::OK, &wire)
}
