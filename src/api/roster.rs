//! The handlers of who is at work: users and their connections.

use super::query::{Parameter, Query};
use super::router::{Chosen, json};
use super::row::Row;
use super::wire::{ConnectionsWire, WorkersWire};
use crate::roster::Doing;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;

/// The parameters of `GET /workers`.
const WORKERS: &[Parameter] = &[
    Parameter::whole("offset", "how many users to pass over", 0, u32::MAX as u64, Some(0)),
    Parameter::whole("limit", "how many users to list at most", 1, 1_000, Some(20)),
    Parameter::choice(
        "status",
        "only users of this status; `active` are all that are not idle",
        &["active", "idle", "running", "waiting", "sleeping", "stopping"],
        None,
    ),
];

/// The rows of this file.
pub(super) fn rows() -> Vec<Row> {
    let connections = |path| {
        Row::get(path, "How the users are connected", connections)
            .answers::<ConnectionsWire>("now, and since the start")
    };
    vec![
        Row::get("/workers", "The users that are there, one by one", workers)
            .query(WORKERS)
            .answers::<WorkersWire>("their number, and a part of them"),
        connections("/connections"),
        connections("/connections/metrics"),
    ]
}

async fn connections(Chosen(session): Chosen) -> Response {
    json(StatusCode::OK, &ConnectionsWire::new(&session.snapshot(), Utc::now()))
}

async fn workers(Chosen(session): Chosen, query: Query) -> Response {
    let (offset, limit) = (query.whole("offset").unwrap_or(0), query.whole("limit").unwrap_or(20));
    let wanted = query.text("status");
    let matches = |doing: Doing| match wanted {
        None => true,
        Some("active") => doing != Doing::Idle,
        Some(word) => doing.word() == word,
    };
    let snapshot = session.snapshot();
    let listing = snapshot.roster.list(matches, offset as usize, limit as usize);
    json(StatusCode::OK, &WorkersWire::new(&snapshot, listing, (offset, limit), Utc::now()))
}
