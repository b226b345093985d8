//! The handler of downloads: the run so far as a file, in the formats that the report has.

use super::problem::Problem;
use super::query::{Parameter, Query, words};
use super::router::Chosen;
use super::row::{Answer, Content, Row};
use crate::snapshot::{Outputs, Snapshot};
use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use chrono::{DateTime, Utc};

/// What a run can be downloaded as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The summary that `--summary` writes.
    Json,
    /// Every metric and each of its series.
    Csv,
    /// A page to read.
    Html,
    /// The thresholds as test cases.
    Junit,
}

/// The run so far, of which a file is made.
#[derive(Debug, Clone, Copy)]
pub struct SoFar<'a> {
    /// The latest.
    pub snapshot: &'a Snapshot,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// What was written and sent elsewhere.
    pub outputs: &'a Outputs,
    /// Whether a measurement that cannot be trusted fails it.
    pub invalid_fails: bool,
}

/// Makes the file; `None` before there is a Plan. Lent by the door, since windows do not know each other.
pub type Export = fn(Format, SoFar<'_>) -> Option<String>;

/// Each format by its word: the media type and the end of the file's name.
const FORMATS: [(&str, (Format, &str, &str)); 4] = [
    ("json", (Format::Json, "application/json", "json")),
    ("csv", (Format::Csv, "text/csv; charset=utf-8; header=present", "csv")),
    ("html", (Format::Html, "text/html; charset=utf-8", "html")),
    ("junit", (Format::Junit, "application/xml", "xml")),
];
const EXPORT: &[Parameter] = &[Parameter::choice("format", "as what", &words(&FORMATS), Some("json"))];

/// The rows of this file.
pub(super) fn rows() -> Vec<Row> {
    let file = Answer {
        status: StatusCode::OK,
        about: "a file: the summary (json), all metrics (csv), a page (html) or the thresholds as test cases (junit)",
        content: Content::Media(&["application/json", "text/csv", "text/html", "application/xml"]),
        headers: &[("Content-Disposition", "that it is a file, and its name")],
    };
    vec![
        Row::get("/export", "The run so far as a file", export)
            .query(EXPORT)
            .answer(file)
            .refuses(StatusCode::CONFLICT, "the run has not begun yet"),
    ]
}

/// `GET /export?format`
async fn export(Chosen(session): Chosen, query: Query) -> Result<Response, Problem> {
    let (_, (format, media, end)) = query.chosen("format", &FORMATS);
    let file =
        session.export(format, &session.snapshot()).ok_or_else(|| Problem::conflict("the run has not begun yet"))?;
    let mut response = Response::new(Body::from(file));
    let name = format!("attachment; filename=\"{}.{end}\"", session.id());
    let name = HeaderValue::from_str(&name).expect("an id is made of letters, digits and dashes");
    // It shows nothing but its own style, even where it is opened in place.
    let policy =
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox");
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response.headers_mut().insert(CONTENT_DISPOSITION, name);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}
