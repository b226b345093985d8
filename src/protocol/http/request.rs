//! A request as the script floor hands it over, and the header values it most often needs.

use std::rc::Rc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::InvalidHeaderValue;
use http::{HeaderMap, HeaderValue, Method};

use super::target::Target;

/// One request; a plain `GET` costs no allocation.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The URL made ready.
    pub target: Rc<Target>,
    /// Headers; each replaces the default of the same name.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
    /// Instead of the options' total time limit.
    pub timeout: Option<Duration>,
    /// Instead of the options' limit for the first byte.
    pub first_byte_timeout: Option<Duration>,
    /// Instead of the options' number of redirects to follow.
    pub redirects: Option<u32>,
    /// Instead of the options' wish for compressed answers.
    pub compression: Option<bool>,
    /// Cookies for this request alone; they replace those of the jar with the same name.
    pub cookies: Vec<(String, String)>,
    /// Whether the user's jar is read and written (the options may have switched it off altogether).
    pub jar: bool,
}

impl Request {
    /// A request without headers or body.
    pub fn new(method: Method, target: Rc<Target>) -> Request {
        Request {
            method,
            target,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout: None,
            first_byte_timeout: None,
            redirects: None,
            compression: None,
            cookies: Vec::new(),
            jar: true,
        }
    }

    /// A plain `GET`.
    pub fn get(target: Rc<Target>) -> Request {
        Request::new(Method::GET, target)
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Request {
        self.body = body.into();
        self
    }
}

/// The value of `Authorization` for basic authentication.
pub fn basic_auth(user: &str, password: &str) -> HeaderValue {
    let text = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    sensitive(HeaderValue::try_from(text)).expect("base64 is valid in a header")
}

/// The value of `Authorization` for a bearer token; `None` if the token cannot stand in a header.
pub fn bearer_auth(token: &str) -> Option<HeaderValue> {
    sensitive(HeaderValue::try_from(format!("Bearer {token}")))
}

fn sensitive(value: Result<HeaderValue, InvalidHeaderValue>) -> Option<HeaderValue> {
    let mut value = value.ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorization() {
        assert_eq!(basic_auth("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(bearer_auth("abc").unwrap(), "Bearer abc");
        assert_eq!(bearer_auth("a\nb"), None);
    }
}
