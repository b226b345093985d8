//! The handler of the analysis: what is concluded of a run, and by which rules.

use super::router::{Chosen, json};
use super::row::Row;
use super::wire::AnalysisWire;
use crate::analysis::analysis;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;

/// The rows of this file.
pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::get("/analysis", "Trends, bottlenecks, scores, predictions and advice, each by its rule", answer)
            .answers::<AnalysisWire>("of the last hour at most, without the warm-up"),
    ]
}

/// `GET /analysis`
async fn answer(Chosen(session): Chosen) -> Response {
    let snapshot = session.snapshot();
    let concluded = analysis(&snapshot, &session.digest(&snapshot));
    json(StatusCode::OK, &AnalysisWire::new(&session.diary(), &concluded, Utc::now()))
}
