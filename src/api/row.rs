//! One row of the API: its path, its parameters, what it takes and answers, and who answers it.
//!
//! A file of handlers gives its rows; `router` makes the routes of all of them and `openapi` the contract, so that neither
//! can say what the other does not.

use super::Monitor;
use super::query::Parameter;
use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::sync::Arc;

/// Makes the schema of a type.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What a row answers in the body of one status.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// JSON of this schema.
    Json(SchemaOf),
    /// Something else, of these media types.
    Media(&'static [&'static str]),
}

/// What a request carries in its body.
#[derive(Debug, Clone)]
pub(super) struct Body {
    pub(super) schema: SchemaOf,
    /// Whether it may be left out.
    pub(super) required: bool,
}

/// One answer that is no refusal.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) about: &'static str,
    pub(super) content: Content,
    /// Headers that come with it: name and meaning.
    pub(super) headers: &'static [(&'static str, &'static str)],
}

/// A refusal of this row: a status and when it comes. Those that every row may give stand in `openapi`.
pub(super) type Refusal = (StatusCode, &'static str);

/// A row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) method: Method,
    /// Under `/api`, `/metrics/timeline`; parts in braces are parameters.
    pub(super) path: &'static str,
    /// Whether it is of the process and not of one session.
    pub(super) of_process: bool,
    /// Whether it asks for the control token, of the monitor's own page too. Its handler does; the contract says so.
    pub(super) by_token: bool,
    /// What it is for: one line.
    pub(super) about: &'static str,
    /// In the query.
    pub(super) query: &'static [Parameter],
    /// In the path, beside the session.
    pub(super) path_parameters: &'static [Parameter],
    /// Headers of the request.
    pub(super) headers: &'static [Parameter],
    pub(super) body: Option<Body>,
    pub(super) answers: Vec<Answer>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) handler: MethodRouter<Arc<Monitor>>,
}

impl Row {
    /// A row that is only looked at.
    pub(super) fn get<H: Handler<T, Arc<Monitor>>, T: 'static>(
        path: &'static str,
        about: &'static str,
        handler: H,
    ) -> Self {
        Row::new(Method::GET, path, about, on(MethodFilter::GET, handler))
    }

    /// A row that does something.
    pub(super) fn post<H: Handler<T, Arc<Monitor>>, T: 'static>(
        path: &'static str,
        about: &'static str,
        handler: H,
    ) -> Self {
        Row::new(Method::POST, path, about, on(MethodFilter::POST, handler))
    }

    /// A row that replaces something.
    pub(super) fn put<H: Handler<T, Arc<Monitor>>, T: 'static>(
        path: &'static str,
        about: &'static str,
        handler: H,
    ) -> Self {
        Row::new(Method::PUT, path, about, on(MethodFilter::PUT, handler))
    }

    fn new(method: Method, path: &'static str, about: &'static str, handler: MethodRouter<Arc<Monitor>>) -> Self {
        Row {
            method,
            path,
            of_process: false,
            by_token: false,
            about,
            query: &[],
            path_parameters: &[],
            headers: &[],
            body: None,
            answers: Vec::new(),
            refusals: Vec::new(),
            handler,
        }
    }

    /// It is of the process: there is no such row under a session's id.
    pub(super) fn of_process(mut self) -> Self {
        self.of_process = true;
        self
    }

    /// Nobody may do it without the control token.
    pub(super) fn by_token(mut self) -> Self {
        self.by_token = true;
        self
    }

    /// What its query may hold.
    pub(super) fn query(mut self, parameters: &'static [Parameter]) -> Self {
        self.query = parameters;
        self
    }

    /// What the braces of its path hold.
    pub(super) fn path_parameters(mut self, parameters: &'static [Parameter]) -> Self {
        self.path_parameters = parameters;
        self
    }

    /// Headers that it reads.
    pub(super) fn headers(mut self, headers: &'static [Parameter]) -> Self {
        self.headers = headers;
        self
    }

    /// It takes JSON, if any is sent.
    pub(super) fn may_take<T: JsonSchema>(mut self) -> Self {
        self.body = Some(Body { schema: SchemaGenerator::subschema_for::<T>, required: false });
        self
    }

    /// It takes JSON.
    pub(super) fn takes<T: JsonSchema>(mut self) -> Self {
        self.body = Some(Body { schema: SchemaGenerator::subschema_for::<T>, required: true });
        self
    }

    /// Its answer is JSON.
    pub(super) fn answers<T: JsonSchema>(self, about: &'static str) -> Self {
        self.answer(Answer {
            status: StatusCode::OK,
            about,
            content: Content::Json(SchemaGenerator::subschema_for::<T>),
            headers: &[],
        })
    }

    /// One more answer.
    pub(super) fn answer(mut self, answer: Answer) -> Self {
        self.answers.push(answer);
        self
    }

    /// When it refuses, beside what every row refuses.
    pub(super) fn refuses(mut self, status: StatusCode, when: &'static str) -> Self {
        self.refusals.push((status, when));
        self
    }
}
