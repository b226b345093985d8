//! The handlers that only look.

use super::Monitor;
use super::router::{Chosen, json};
use super::wire::{HealthWire, MetricsWire, SessionsWire, StatusWire};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;
use std::sync::Arc;

pub(super) async fn status(Chosen(session): Chosen) -> Response {
    json(StatusCode::OK, &StatusWire::new(&session, &session.snapshot()))
}

pub(super) async fn metrics(Chosen(session): Chosen) -> Response {
    json(StatusCode::OK, &MetricsWire::new(&session.snapshot(), Utc::now()))
}

pub(super) async fn health(Chosen(session): Chosen) -> Response {
    json(StatusCode::OK, &HealthWire::new(&session, &session.snapshot(), Utc::now()))
}

pub(super) async fn sessions(State(monitor): State<Arc<Monitor>>) -> Response {
    let wire = |session: &Arc<super::Session>| StatusWire::new(session, &session.snapshot());
    json(StatusCode::OK, &SessionsWire { sessions: monitor.sessions.iter().map(wire).collect() })
}
