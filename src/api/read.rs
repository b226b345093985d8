//! The handlers that only look.

use super::Monitor;
use super::answers::Counted;
use super::problem::Problem;
use super::router::{Chosen, bytes, json, sent};
use super::row::Row;
use super::wire::{HealthWire, MetricsWire, SessionsWire, StatusWire};
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use chrono::Utc;
use std::sync::Arc;

/// The rows of this file.
pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::get("/status", "Where the run is, and how it would end now", status).answers::<StatusWire>("where it is"),
        Row::get("/metrics", "Counts, errors, throughput and latency, in all and by operation", metrics)
            .answers::<MetricsWire>("since the start of the run"),
        Row::get("/health", "How the parts of punk and the target do, and why", health)
            .answers::<HealthWire>("by component"),
        Row::get("/sessions", "The runs of this process", sessions).of_process().answers::<SessionsWire>("all of them"),
    ]
}

async fn status(Chosen(session): Chosen) -> Response {
    json(StatusCode::OK, &StatusWire::new(&session, &session.snapshot()))
}

async fn metrics(Chosen(session): Chosen) -> Response {
    let snapshot = session.snapshot();
    sent(StatusCode::OK, session.said(&snapshot, || bytes(&MetricsWire::new(&snapshot, Utc::now()))))
}

/// For Prometheus, in the format that it asks for; of all sessions.
pub(super) async fn scrape(State(monitor): State<Arc<Monitor>>, headers: HeaderMap) -> Result<Response, Problem> {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let sessions = monitor.sessions.all();
    let runs: Vec<_> = sessions.iter().map(|session| (&**session, session.snapshot())).collect();
    let served = monitor.sessions.counts().served();
    let (content_type, body) = monitor.scraped.told((&runs, served, accept), || {
        let runs: Vec<_> = runs.iter().map(|(session, snapshot)| (session.name(), &**snapshot)).collect();
        let (content_type, body) = (monitor.scrape)(&runs, &served, accept);
        Ok((content_type, monitor.answers.hold(body.into())?))
    })?;
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.extensions_mut().insert(Counted);
    Ok(response)
}

async fn health(Chosen(session): Chosen) -> Response {
    json(StatusCode::OK, &HealthWire::new(&session, &session.snapshot(), Utc::now()))
}

async fn sessions(State(monitor): State<Arc<Monitor>>) -> Response {
    let wire = |session: &Arc<super::Session>| StatusWire::new(session, &session.snapshot());
    json(StatusCode::OK, &SessionsWire { sessions: monitor.sessions.all().iter().map(wire).collect() })
}
