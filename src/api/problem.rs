//! What is wrong with a request, as RFC 9457 has it: `application/problem+json` with a reason that a person can act on.
//!
//! The answer of every handler and guard that refuses.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

/// The media type of a problem.
pub(super) const MEDIA: &str = "application/problem+json";

/// A refusal.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
    errors: Vec<Fault>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// One of several things that are wrong with a body, and where.
#[derive(Debug, Serialize, PartialEq, JsonSchema)]
pub(super) struct Fault {
    /// JSON pointer into the body.
    pub(super) pointer: String,
    /// What is wrong.
    pub(super) detail: String,
    /// Whether it must be mended.
    #[schemars(extend("enum" = ["error", "warning"]))]
    pub(super) severity: &'static str,
    /// What to write beside the place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) label: Option<String>,
    /// What would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) help: Option<String>,
    /// Where in the text that the pointer names, in characters.
    pub(super) offset: usize,
    /// How many of them.
    pub(super) length: usize,
    /// The line of a script that the place is in, from 1 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<usize>,
    /// The character of the line, from 1 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) column: Option<usize>,
}

/// Why something was refused, as RFC 9457 has it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
struct Wire<'a> {
    /// Always `about:blank`: the status says what it is.
    #[schemars(extend("const" = "about:blank"))]
    r#type: &'static str,
    /// The name of the status.
    title: &'a str,
    /// The status of the answer.
    #[schemars(range(min = 400, max = 599))]
    status: u16,
    /// What is wrong, and what would be right.
    detail: &'a str,
    /// Each thing that is wrong with a body, and where.
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    errors: &'a [Fault],
}

/// The schema of every refusal.
pub(super) fn schema(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Wire<'static>>()
}

impl Default for Fault {
    /// Of nothing: an error at the beginning.
    fn default() -> Self {
        Fault {
            pointer: String::new(),
            detail: String::new(),
            severity: "error",
            label: None,
            help: None,
            offset: 0,
            length: 0,
            line: None,
            column: None,
        }
    }
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Problem { status, detail: detail.into(), errors: Vec::new(), headers: Vec::new() }
    }

    /// 400.
    pub(super) fn bad(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 404.
    pub(super) fn missing(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::NOT_FOUND, detail)
    }

    /// 409: the run is not in a state for it.
    pub(super) fn conflict(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::CONFLICT, detail)
    }

    /// Of a response without a reason.
    pub(super) fn of_status(status: StatusCode) -> Self {
        let detail = match status {
            StatusCode::NOT_FOUND => "there is nothing here: `GET /api/sessions` lists the runs of this process",
            StatusCode::METHOD_NOT_ALLOWED => "this resource does not take this method; `Allow` says which it takes",
            _ => "it cannot be answered",
        };
        Problem::new(status, detail)
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(super) fn errors(mut self, errors: Vec<Fault>) -> Self {
        self.errors = errors;
        self
    }

    #[cfg(test)]
    pub(super) fn told(&self) -> (u16, &str) {
        (self.status.as_u16(), &self.detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Refused");
        let wire = Wire {
            r#type: "about:blank",
            title,
            status: self.status.as_u16(),
            detail: &self.detail,
            errors: &self.errors,
        };
        let body = serde_json::to_vec(&wire).expect("texts and numbers are always JSON");
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA));
        response.headers_mut().extend(self.headers.into_iter().map(|(name, value)| (Some(name), value)));
        response
    }
}
