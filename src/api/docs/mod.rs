//! `/docs`: the contract as a page for people, made of the document that `/api/openapi.json` serves.
//!
//! It is one file of text, without a script, and loads nothing: its style stands in it, and the policy of the page allows that
//! one by its hash. It knows the document alone, so what is not in the contract is not on the page.

mod example;
mod fields;
mod html;
mod page;

use super::Monitor;
use super::openapi::document;
use super::row::{Answer, Content, Row};
use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::sync::{Arc, OnceLock};

/// How the page looks.
const STYLE: &str = include_str!("style.css");

/// The rows of this file.
pub(super) fn rows() -> Vec<Row> {
    vec![Row::get("/docs", "This contract, for people", docs).of_process().answer(Answer {
        status: StatusCode::OK,
        about: "a page",
        content: Content::Media(&["text/html"]),
        headers: &[],
    })]
}

/// The page at the root, and the way to it.
pub(super) fn routes() -> Router<Arc<Monitor>> {
    Router::new().route("/docs", get(docs)).route("/", get(to_docs))
}

/// `GET /docs`
async fn docs() -> Response {
    static PAGE: OnceLock<(Bytes, HeaderValue)> = OnceLock::new();
    let (page, policy) = PAGE.get_or_init(|| (Bytes::from(page::of(document(), STYLE)), policy(STYLE)));
    let mut response = Response::new(Body::from(page.clone()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, policy.clone());
    response
}

/// `GET /`
async fn to_docs() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, HeaderValue::from_static("/docs"));
    response
}

/// What the page may load: nothing but its own style.
fn policy(style: &str) -> HeaderValue {
    let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).expect("a hash in base64 can stand in a header")
}
