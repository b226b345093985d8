//! The handlers of who is at work: users and their connections.

use super::router::{Chosen, json};
use super::row::Row;
use super::wire::ConnectionsWire;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;

/// The rows of this file.
pub(super) fn rows() -> Vec<Row> {
    let connections = |path| {
        Row::get(path, "How the users are connected", connections)
            .answers::<ConnectionsWire>("now, and since the start")
    };
    vec![connections("/connections"), connections("/connections/metrics")]
}

async fn connections(Chosen(session): Chosen) -> Response {
    json(StatusCode::OK, &ConnectionsWire::new(&session.snapshot(), Utc::now()))
}
