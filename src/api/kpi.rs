//! The handlers of KPIs: one figure, what it should be, where it goes.

use super::router::{Chosen, json};
use super::row::Row;
use super::wire::{KpiWire, LatencyKpiWire};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;

/// The rows of this file.
pub(super) fn rows() -> Vec<Row> {
    let about = "now, what it should be, where it goes";
    vec![
        Row::get("/metrics/rps", "Requests per second against what is planned", rps).answers::<KpiWire>(about),
        Row::get("/metrics/latency", "Response times: percentiles and their distribution", latency)
            .answers::<LatencyKpiWire>(about),
        Row::get("/metrics/memory", "Resident memory of punk itself", memory).answers::<KpiWire>(about),
        Row::get("/metrics/cpu", "CPU of punk itself, of the cores that its shards may use", cpu)
            .answers::<KpiWire>(about),
    ]
}

async fn rps(Chosen(session): Chosen) -> Response {
    json(StatusCode::OK, &KpiWire::rps(&session, &session.snapshot(), Utc::now()))
}

async fn latency(Chosen(session): Chosen) -> Response {
    json(StatusCode::OK, &LatencyKpiWire::new(&session, &session.snapshot(), Utc::now()))
}

async fn memory(Chosen(session): Chosen) -> Response {
    json(StatusCode::OK, &KpiWire::memory(&session, &session.snapshot(), Utc::now()))
}

async fn cpu(Chosen(session): Chosen) -> Response {
    json(StatusCode::OK, &KpiWire::cpu(&session, &session.snapshot(), Utc::now()))
}
