//! The handler of alerts about performance.

use super::router::{Chosen, json};
use super::row::Row;
use super::wire::PerformanceWire;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;

/// The rows of this file.
pub(super) fn rows() -> Vec<Row> {
    let about =
        "Alerts about latency, throughput, errors, users, cpu, memory or connections that ring, rang or would have";
    vec![Row::get("/alerts/performance", about, performance).answers::<PerformanceWire>("each alert once")]
}

/// `GET /alerts/performance`
async fn performance(Chosen(session): Chosen) -> Response {
    json(StatusCode::OK, &PerformanceWire::new(&session, &session.snapshot(), Utc::now()))
}
