//! An answer before it is sent: status, headers, content, and how long or how slowly it should go out.
//!
//! Made by `shop`, `pages`, `tools` and `admin`; sent by `service`. It deliberately does not know the dials.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use http::{Method, Response, StatusCode};

use super::body::{Content, Pace};

/// What a path answers.
#[derive(Debug)]
pub struct Reply {
    /// Status, headers, content.
    pub response: Response<Content>,
    /// Held this much longer than the dials say.
    pub hold: Duration,
    /// Sent in pieces.
    pub pace: Option<Pace>,
}

/// A request's parts that a path may look at.
#[derive(Debug)]
pub struct Asked<'a> {
    /// Method, URI and headers.
    pub head: &'a http::request::Parts,
    /// The body as far as it was kept.
    pub body: &'a Bytes,
    /// How many bytes the body had in all.
    pub body_size: u64,
    /// Who asks.
    pub peer: std::net::SocketAddr,
}

impl Asked<'_> {
    /// The path, still percent-encoded.
    pub fn path(&self) -> &str {
        self.head.uri.path()
    }

    /// `GET`, or `HEAD`, which is answered alike.
    pub fn is_get(&self) -> bool {
        matches!(self.head.method, Method::GET | Method::HEAD)
    }

    /// `POST`.
    pub fn is_post(&self) -> bool {
        self.head.method == Method::POST
    }

    /// A header's text, if there is one.
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.head.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The query's pairs, decoded, in order.
    pub fn query(&self) -> Vec<(String, String)> {
        pairs(self.head.uri.query().unwrap_or_default().as_bytes())
    }

    /// The first value of a query parameter.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.query().into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// A query parameter as a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.parameter(name)?.parse().ok()
    }

    /// A cookie's value.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// All cookies in the order in which they were sent.
    pub fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        let values = self.head.headers.get_all(http::header::COOKIE).into_iter();
        values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| text.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
    }

    /// The body as a form's pairs.
    pub fn form(&self) -> Vec<(String, String)> {
        pairs(self.body)
    }
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

impl Reply {
    /// An answer with these bytes; `kind` is the content type.
    pub fn bytes(status: StatusCode, kind: &'static str, bytes: impl Into<Bytes>) -> Self {
        Self::content(status, kind, Content::Bytes(bytes.into()))
    }

    /// An answer with this content.
    pub fn content(status: StatusCode, kind: &'static str, content: Content) -> Self {
        let mut response = Response::new(content);
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        Self { response, hold: Duration::ZERO, pace: None }
    }

    /// A JSON answer.
    pub fn json(status: StatusCode, value: &serde_json::Value) -> Self {
        Self::bytes(status, "application/json", value.to_string())
    }

    /// A JSON answer with status 200.
    pub fn ok(value: &serde_json::Value) -> Self {
        Self::json(StatusCode::OK, value)
    }

    /// An HTML page.
    pub fn html(page: String) -> Self {
        Self::bytes(StatusCode::OK, "text/html; charset=utf-8", page)
    }

    /// A JSON answer that says what is wrong.
    pub fn error(status: StatusCode, why: &str) -> Self {
        Self::json(status, &serde_json::json!({ "error": why }))
    }

    /// Nothing stands at this path.
    pub fn not_found() -> Self {
        Self::error(StatusCode::NOT_FOUND, "not found")
    }

    /// Only a status.
    pub fn status(status: StatusCode) -> Self {
        let mut response = Response::new(Content::empty());
        *response.status_mut() = status;
        Self { response, hold: Duration::ZERO, pace: None }
    }

    /// A redirect.
    pub fn redirect(status: StatusCode, to: &str) -> Self {
        match HeaderValue::try_from(to) {
            Ok(to) => Self::status(status).with(LOCATION, to),
            Err(_) => Self::error(StatusCode::BAD_REQUEST, "the address is no header value"),
        }
    }

    /// One more header; an earlier one of this name stays (`Set-Cookie`).
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.response.headers_mut().append(name, value);
        self
    }

    /// One more header of text; text that is no header value is left out.
    pub fn with_text(self, name: HeaderName, text: &str) -> Self {
        match HeaderValue::try_from(text) {
            Ok(value) => self.with(name, value),
            Err(_) => self,
        }
    }

    /// Held longer.
    pub fn held(mut self, hold: Duration) -> Self {
        self.hold = hold;
        self
    }

    /// Sent in pieces.
    pub fn paced(mut self, pace: Pace) -> Self {
        self.pace = Some(pace);
        self
    }
}
