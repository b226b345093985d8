//! The head of an HTTP/1 answer: how its body is framed, whether the connection survives. Pure.
//!
//! Used by `http/reply.rs`. Syntax is httparse's business; what the fields mean (RFC 9112 §6) is decided here.

use std::mem::MaybeUninit;

use bytes::Bytes;
use http::{HeaderValue, Method, Version};

use crate::protocol::net::{ErrorKind, Phase, TransportError};

/// Fields parsed on the stack; answers with more take a second, dearer look.
const USUAL_FIELDS: usize = 64;
/// More fields than this are refused.
const MOST_FIELDS: usize = 10_000;

/// How long the body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// So many bytes; zero for none.
    Exact(u64),
    /// Chunked.
    Chunked,
    /// Until the connection ends.
    UntilClose,
}

/// What a head says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub status: u16,
    pub version: Version,
    pub length: Length,
    /// Whether the connection may carry another request.
    pub keep_alive: bool,
    /// Whether there is a `Set-Cookie`: seldom, and otherwise nobody need look.
    pub sets_cookies: bool,
    /// The value of `Content-Encoding`.
    pub encoding: Option<HeaderValue>,
    /// Its bytes, for the header map.
    pub raw: Bytes,
}

/// How far the bytes reach.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// Not to the end of the head.
    Partial,
    /// An interim answer (1xx) of so many bytes, to be skipped.
    Interim(usize),
    /// A head of so many bytes.
    Whole(Box<Head>, usize),
}

/// Parses the head at the start of `bytes`, the answer to a request with `method`.
pub(super) fn parse(bytes: &[u8], method: &Method) -> Result<Parsed, TransportError> {
    let mut fields = [const { MaybeUninit::uninit() }; USUAL_FIELDS];
    let mut response = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    match config.parse_response_with_uninit_headers(&mut response, bytes, &mut fields) {
        Ok(status) => understand(status, &response, bytes, method),
        Err(httparse::Error::TooManyHeaders) => {
            let mut fields = vec![httparse::EMPTY_HEADER; MOST_FIELDS];
            let mut response = httparse::Response::new(&mut fields);
            match response.parse(bytes) {
                Ok(status) => understand(status, &response, bytes, method),
                Err(error) => Err(invalid(&error.to_string())),
            }
        }
        Err(error) => Err(invalid(&error.to_string())),
    }
}

pub(super) fn invalid(detail: &str) -> TransportError {
    TransportError::new(ErrorKind::Protocol, Phase::Wait, format!("the answer is not valid HTTP: {detail}"))
}

fn understand(
    parsed: httparse::Status<usize>,
    response: &httparse::Response<'_, '_>,
    bytes: &[u8],
    method: &Method,
) -> Result<Parsed, TransportError> {
    let httparse::Status::Complete(size) = parsed else {
        return Ok(Parsed::Partial);
    };
    let (Some(status), Some(minor)) = (response.code, response.version) else {
        return Err(invalid("no status line"));
    };
    if !(100..1000).contains(&status) {
        return Err(invalid("a status outside 100 to 999"));
    }
    if status < 200 && status != 101 {
        return Ok(Parsed::Interim(size));
    }
    let mut keep_alive = minor == 1;
    let mut length = None;
    let mut transfer = None;
    let mut sets_cookies = false;
    let mut encoding: Option<HeaderValue> = None;
    for field in response.headers.iter() {
        let name = field.name;
        match name.len() {
            10 if name.eq_ignore_ascii_case("set-cookie") => sets_cookies = true,
            10 if name.eq_ignore_ascii_case("connection") => {
                for option in field.value.split(|&byte| byte == b',') {
                    let option = option.trim_ascii();
                    if option.eq_ignore_ascii_case(b"close") {
                        keep_alive = false;
                    } else if option.eq_ignore_ascii_case(b"keep-alive") && minor == 0 {
                        keep_alive = true;
                    }
                }
            }
            14 if name.eq_ignore_ascii_case("content-length") => {
                for value in field.value.split(|&byte| byte == b',') {
                    let value = decimal(value.trim_ascii())?;
                    if length.replace(value).is_some_and(|before| before != value) {
                        return Err(invalid("two different content lengths"));
                    }
                }
            }
            16 if name.eq_ignore_ascii_case("content-encoding") => {
                let joined = match &encoding {
                    Some(first) => [first.as_bytes(), b", ", field.value].concat(),
                    None => field.value.to_vec(),
                };
                encoding = HeaderValue::from_bytes(&joined).ok();
            }
            17 if name.eq_ignore_ascii_case("transfer-encoding") => {
                let last = field.value.rsplit(|&byte| byte == b',').next();
                let last = last.unwrap_or_default().trim_ascii();
                transfer = Some(last.eq_ignore_ascii_case(b"chunked"));
            }
            _ => {}
        }
    }
    let bodiless = *method == Method::HEAD || matches!(status, 101 | 204 | 304);
    let length = match (transfer, length) {
        _ if bodiless => Length::Exact(0),
        (Some(true), both) => {
            // Two framings may be two answers smuggled into one: trust the connection no further.
            keep_alive &= both.is_none();
            Length::Chunked
        }
        (None, Some(length)) => Length::Exact(length),
        (Some(false), _) | (None, None) => Length::UntilClose,
    };
    keep_alive &= length != Length::UntilClose && status != 101;
    let head = Head {
        status,
        version: if minor == 1 { Version::HTTP_11 } else { Version::HTTP_10 },
        length,
        keep_alive,
        sets_cookies,
        encoding,
        raw: Bytes::copy_from_slice(&bytes[..size]),
    };
    Ok(Parsed::Whole(Box::new(head), size))
}

fn decimal(digits: &[u8]) -> Result<u64, TransportError> {
    let text = std::str::from_utf8(digits).ok();
    let all_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    text.filter(|_| all_digits)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| invalid("a content length that is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str, method: &Method) -> Head {
        match parse(text.as_bytes(), method) {
            Ok(Parsed::Whole(head, size)) if size == text.len() => *head,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn framing() {
        use Length::{Chunked, Exact, UntilClose};
        for (fields, length, keep_alive) in [
            ("Content-Length: 5", Exact(5), true),
            ("content-length: 5\r\nContent-Length: 5, 5", Exact(5), true),
            ("Transfer-Encoding: gzip, Chunked", Chunked, true),
            ("Transfer-Encoding: chunked\r\nContent-Length: 3", Chunked, false),
            ("Transfer-Encoding: gzip", UntilClose, false),
            ("X: y", UntilClose, false),
            ("Content-Length: 0\r\nConnection: x, CLOSE", Exact(0), false),
        ] {
            let head = head(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n"), &Method::GET);
            assert_eq!((head.length, head.keep_alive), (length, keep_alive), "{fields}");
        }
        let old = head("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", &Method::GET);
        assert!(!old.keep_alive && old.version == Version::HTTP_10);
        for (text, method) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", Method::HEAD),
            ("HTTP/1.1 304 X\r\nContent-Length: 9\r\n\r\n", Method::GET),
            ("HTTP/1.1 204\r\n\r\n", Method::GET),
        ] {
            let head = head(text, &method);
            assert_eq!((head.length, head.keep_alive), (Exact(0), true));
        }
        assert_eq!(parse(b"HTTP/1.1 100 Continue\r\n\r\nHTTP", &Method::GET), Ok(Parsed::Interim(25)));
    }

    #[test]
    fn many_fields() {
        let many = "a: b\r\n".repeat(5_000);
        let head = head(&format!("HTTP/1.1 200 OK\r\n{many}\r\n"), &Method::GET);
        let headers = super::super::headers::Headers::lazy(head.raw);
        assert_eq!(headers.get_all("a").iter().count(), 5_000);
        let more = "a: b\r\n".repeat(MOST_FIELDS + 1);
        assert!(parse(format!("HTTP/1.1 200 OK\r\n{more}\r\n").as_bytes(), &Method::GET).is_err());
    }
}
