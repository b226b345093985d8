//! The handler of heatmaps: time by response time, or throughput and errors over time.

use super::problem::Problem;
use super::query::{Parameter, Query, words};
use super::range::{RANGE, range};
use super::router::{Chosen, json};
use super::row::Row;
use super::wire::HeatmapWire;
use crate::analysis::Heat;
use crate::diagnostic::did_you_mean;
use axum::extract::RawPathParams;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;

const QUERY: &[Parameter] = &[RANGE];
/// What there is, by its word in the path.
const KINDS: [(&str, Heat); 3] =
    [("latency", Heat::Latency), ("throughput", Heat::Throughput), ("errors", Heat::Errors)];
const WORDS: &[&str] = &words(&KINDS);
const KIND: &[Parameter] = &[Parameter::choice("kind", "what is shown", WORDS, None).required()];

/// The rows of this file.
pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::get("/metrics/heatmap/{kind}", "How much of what when, as cells to be coloured", answer)
            .path_parameters(KIND)
            .query(QUERY)
            .answers::<HeatmapWire>("cells that hold something, in order of time")
            .refuses(StatusCode::NOT_FOUND, "there is no such heatmap"),
    ]
}

/// `GET /metrics/heatmap/{kind}?range`
async fn answer(Chosen(session): Chosen, parameters: RawPathParams, query: Query) -> Result<Response, Problem> {
    let wanted = parameters.iter().find(|(name, _)| *name == "kind").map_or("", |(_, value)| value);
    let Some((word, kind)) = KINDS.into_iter().find(|(word, _)| *word == wanted) else {
        let meant = did_you_mean(wanted, WORDS.iter().copied()).map(|near| format!(": did you mean `{near}`?"));
        let others = || format!(": there are {}", WORDS.join(", "));
        return Err(Problem::missing(format!("there is no heatmap `{wanted}`{}", meant.unwrap_or_else(others))));
    };
    let wire = HeatmapWire::new(&session, &session.snapshot(), (word, kind), range(&query), Utc::now());
    Ok(json(StatusCode::OK, &wire))
}
