//! Which request goes where: the resources of one session, under its id and, of the first one, without.

use super::problem::Problem;
use super::query::{Parameter, Query};
use super::row::Row;
use super::{Monitor, Session};
use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use serde::Serialize;
use std::sync::Arc;

/// Every row of the API.
pub(super) fn rows() -> Vec<Row> {
    let of_files: &[fn() -> Vec<Row>] = &[
        super::read::rows,
        super::timeline::rows,
        super::errors::rows,
        super::logs::rows,
        super::system::rows,
        super::queues::rows,
        super::performance::rows,
        super::export::rows,
        super::upload::rows,
        super::rules::rows,
        super::control::rows,
        super::openapi::rows,
        super::docs::rows,
        super::kpi::rows,
        super::heatmap::rows,
        super::historical::rows,
        super::protocols::rows,
        super::conclusions::rows,
        super::roster::rows,
        super::stream::rows,
    ];
    of_files.iter().flat_map(|rows| rows()).collect()
}

/// All routes, with what every request passes around them.
pub(super) fn router(monitor: Arc<Monitor>) -> Router {
    let (mut process, mut resources) = (Router::new(), Router::new());
    for row in rows() {
        let routes = if row.of_process { &mut process } else { &mut resources };
        let known = row.query;
        let handler = row.handler.route_layer(from_fn(move |request, next| within(known, request, next)));
        *routes = std::mem::take(routes).route(row.path, handler);
    }
    // Streams are no rows: the contract of requests cannot say what they are.
    resources = resources.merge(super::stream::routes());
    let api = process.merge(resources.clone()).nest("/sessions/{session}", resources);
    Router::new()
        .route("/metrics", get(super::read::scrape))
        .merge(super::stream::routes())
        .merge(super::docs::routes())
        .nest("/api", api.clone())
        .nest("/api/v1", api)
        .layer(from_fn_with_state(Arc::clone(&monitor), super::guard::guard))
        .with_state(monitor)
}

/// Reads the query for the handler, and refuses what the row does not know, also of rows without parameters.
async fn within(known: &'static [Parameter], mut request: Request, next: Next) -> Response {
    match Query::read(request.uri(), known) {
        Ok(query) => {
            request.extensions_mut().insert(query);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// The session of a request: that of its path, or the first one.
pub(super) struct Chosen(pub(super) Arc<Session>);

impl FromRequestParts<Arc<Monitor>> for Chosen {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, monitor: &Arc<Monitor>) -> Result<Self, Problem> {
        let parameters = RawPathParams::from_request_parts(parts, monitor).await;
        let parameters = parameters.map_err(|_| Problem::bad("the path is no text"))?;
        let wanted = parameters.iter().find(|(name, _)| *name == "session").map(|(_, value)| value);
        let found = match wanted {
            None => monitor.sessions.first(),
            Some(id) => monitor.sessions.find(id),
        };
        let missing = || Problem::missing("there is no such session: `GET /api/sessions` lists them");
        found.map(Chosen).ok_or_else(missing)
    }
}

/// An answer in JSON.
pub(super) fn json(status: StatusCode, wire: &impl Serialize) -> Response {
    sent(status, bytes(wire))
}

/// JSON as text.
pub(super) fn bytes(wire: &impl Serialize) -> Bytes {
    serde_json::to_vec(wire).expect("texts and finite numbers are always JSON").into()
}

/// An answer in JSON that is text already.
pub(super) fn sent(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
