//! The handlers that only look.

use super::Monitor;
use super::router::{Chosen, bytes, json, sent};
use super::wire::{HealthWire, MetricsWire, SessionsWire, StatusWire};
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use chrono::Utc;
use std::sync::Arc;

pub(super) async fn status(Chosen(session): Chosen) -> Response {
    json(StatusCode::OK, &StatusWire::new(&session, &session.snapshot()))
}

pub(super) async fn metrics(Chosen(session): Chosen) -> Response {
    let snapshot = session.snapshot();
    sent(StatusCode::OK, session.said(&snapshot, || bytes(&MetricsWire::new(&snapshot, Utc::now()))))
}

/// For Prometheus, in the format that it asks for; of the first session.
pub(super) async fn scrape(
    State(monitor): State<Arc<Monitor>>,
    Chosen(session): Chosen,
    headers: HeaderMap,
) -> Response {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let (content_type, body) = (monitor.scrape)(&session.snapshot(), accept);
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub(super) async fn health(Chosen(session): Chosen) -> Response {
    json(StatusCode::OK, &HealthWire::new(&session, &session.snapshot(), Utc::now()))
}

pub(super) async fn sessions(State(monitor): State<Arc<Monitor>>) -> Response {
    let wire = |session: &Arc<super::Session>| StatusWire::new(session, &session.snapshot());
    json(StatusCode::OK, &SessionsWire { sessions: monitor.sessions.iter().map(wire).collect() })
}
