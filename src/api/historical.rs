//! The handler of one figure over a range of the run: its average, its extremes, its points and what they show.

use super::query::{Parameter, Query, words};
use super::range::{RANGE, range};
use super::router::{Chosen, json};
use super::row::Row;
use super::wire::HistoricalWire;
use crate::analysis::Figure;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;

const METRIC: Parameter =
    Parameter::choice("metric", "which figure; `latency` is its mean", &words(&Figure::NAMED), Some("latency"));
const QUERY: &[Parameter] = &[RANGE, METRIC];

/// The rows of this file.
pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::get("/metrics/historical", "One figure over a range of the run, and what it shows", answer)
            .query(QUERY)
            .answers::<HistoricalWire>("as far back as this run goes"),
    ]
}

/// `GET /metrics/historical?range&metric`
async fn answer(Chosen(session): Chosen, query: Query) -> Response {
    let figure = query.chosen(METRIC.name, &Figure::NAMED);
    let wire = HistoricalWire::new(&session, &session.snapshot(), figure, range(&query), Utc::now());
    json(StatusCode::OK, &wire)
}
