//! A URL made ready once: parsed, with its host's headers, and with the name its operation gets in reports.
//!
//! Made and cached by [`super::Shared::target`]; the hot path only clones an `Rc`. Knows nothing of connections.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Uri};
use url::Url;

/// Where connections go: scheme, host and port. Interned per shard, so that equal ones are the same `Rc`.
#[derive(Debug)]
pub struct Authority {
    /// Host name or literal address (IPv6 in brackets).
    pub host: Box<str>,
    /// TCP port.
    pub port: u16,
    /// Whether connections are encrypted.
    pub is_tls: bool,
    /// Whether `allow_hosts` lets requests through.
    pub allowed: bool,
    /// Whether requests go through the proxy of the options.
    pub proxied: bool,
    /// The value of `Host`: without the port when it is the scheme's own.
    pub(super) host_header: HeaderValue,
}

/// A URL made ready.
#[derive(Debug)]
pub struct Target {
    /// The whole URL, without its fragment.
    pub url: Url,
    /// Where connections go.
    pub authority: Rc<Authority>,
    /// The path with what looks like an identifier replaced by `{id}`, without the query: the default name of the operation
    /// (after the method) in reports.
    pub operation_path: Rc<str>,
    /// Free for the caller: whatever it wants to find again without a lookup (the index of the operation).
    pub memo: Cell<u64>,
    /// Path and query as an HTTP/1.1 request line has them; absolute when a proxy forwards.
    pub(super) line: Box<str>,
    /// The head of a plain `GET`, ready to be written.
    pub(super) get_head: OnceCell<Bytes>,
    /// The whole as HTTP/2 needs it.
    pub(super) absolute: Uri,
    /// Host and default headers; cloned for each request.
    pub(super) headers: HeaderMap,
}

/// Why a text is no usable URL: a lowercase fragment for a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// A path alone, and no `base_url` to put before it.
    #[error("the URL is relative and there is no `base_url`")]
    Relative,
    /// Another scheme than `http` and `https`.
    #[error("unknown scheme `{0}`: http:: speaks `http` and `https`")]
    Scheme(String),
    /// Not a URL.
    #[error("bad URL: {0}")]
    Invalid(String),
}

/// Joins a URL as scripts write it with the base: relative ones get the base before them, with one `/` between.
pub(super) fn join(base: Option<&str>, text: &str) -> Result<Url, TargetError> {
    let has_scheme =
        text.split_once("://").is_some_and(|(scheme, _)| !scheme.is_empty() && !scheme.contains(['/', '?', '#']));
    let parsed = if has_scheme {
        Url::parse(text)
    } else {
        let base = base.ok_or(TargetError::Relative)?.trim_end_matches('/');
        let path = text.strip_prefix('/').unwrap_or(text);
        let between = if path.is_empty() || path.starts_with(['?', '#']) { "" } else { "/" };
        Url::parse(&format!("{base}{between}{path}"))
    };
    let mut url = parsed.map_err(|error| TargetError::Invalid(error.to_string()))?;
    url.set_fragment(None);
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(TargetError::Scheme(other.to_owned())),
    }
}

/// A path with every segment that looks like an identifier replaced by `{id}`.
pub fn operation_path(path: &str) -> String {
    let mut result = String::with_capacity(path.len());
    for (at, segment) in path.split('/').enumerate() {
        if at > 0 {
            result.push('/');
        }
        result.push_str(if is_identifier(segment) { "{id}" } else { segment });
    }
    result
}

/// Integers, UUIDs, and 16 or more characters of hex or base64. A long word in base64's alphabet is no identifier, nor are words
/// joined by `-` or `_`: those must mix letters with digits inside one word.
fn is_identifier(segment: &str) -> bool {
    let bytes = segment.as_bytes();
    if bytes.is_empty() {
        return false;
    }
    if bytes.iter().all(u8::is_ascii_digit) {
        return true;
    }
    let is_uuid = bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    if is_uuid {
        return true;
    }
    if bytes.len() < 16 {
        return false;
    }
    if bytes.iter().all(u8::is_ascii_hexdigit) {
        return true;
    }
    let body = segment.trim_end_matches('=');
    let in_alphabet = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+');
    let mixed = |word: &str| {
        word.bytes().any(|byte| byte.is_ascii_digit())
            && word.bytes().any(|byte| byte.is_ascii_alphabetic())
            && word.len() >= 8
    };
    body.bytes().all(in_alphabet) && body.split(['-', '_', '+']).any(mixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_replaced_and_words_are_not() {
        for (path, name) in [
            ("/", "/"),
            ("/users/42/orders/7", "/users/{id}/orders/{id}"),
            ("/v1/a", "/v1/a"),
            ("/o/9f1c2b3a-1111-2222-3333-444455556666/x", "/o/{id}/x"),
            ("/t/deadbeefdeadbeef", "/t/{id}"),
            ("/t/eyJhbGciOiJIUzI1NiJ9", "/t/{id}"),
            ("/internationalization", "/internationalization"),
            ("/posts/getting-started-with-load-2024", "/posts/getting-started-with-load-2024"),
        ] {
            assert_eq!(operation_path(path), name);
        }
    }

    #[test]
    fn the_base_is_a_prefix_joined_with_one_slash() {
        let base = Some("http://shop.test/api/");
        for (text, url) in [
            ("/items?a=1#x", "http://shop.test/api/items?a=1"),
            ("items", "http://shop.test/api/items"),
            ("", "http://shop.test/api"),
            ("?q=http://x", "http://shop.test/api?q=http://x"),
            ("https://other.test", "https://other.test/"),
        ] {
            assert_eq!(join(base, text).unwrap().as_str(), url);
        }
        assert_eq!(join(None, "/a"), Err(TargetError::Relative));
        assert_eq!(join(None, "ftp://a/b"), Err(TargetError::Scheme("ftp".to_owned())));
        assert!(matches!(join(None, "http://"), Err(TargetError::Invalid(_))));
    }
}
