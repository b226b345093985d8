//! The headers of an answer, parsed when someone looks.
//!
//! Most answers of a load test are judged by their status; building a map for each costs more than reading it off the socket.

use std::cell::OnceCell;
use std::ops::Deref;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

/// A header map that is made at first use.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    head: Bytes,
    map: OnceCell<HeaderMap>,
}

impl Headers {
    /// `head` is a whole, valid HTTP/1 head, status line included.
    pub(super) fn lazy(head: Bytes) -> Headers {
        Headers { head, map: OnceCell::new() }
    }
}

impl From<HeaderMap> for Headers {
    fn from(map: HeaderMap) -> Headers {
        Headers { head: Bytes::new(), map: OnceCell::from(map) }
    }
}

impl Deref for Headers {
    type Target = HeaderMap;

    fn deref(&self) -> &HeaderMap {
        self.map.get_or_init(|| parse(&self.head))
    }
}

fn parse(head: &Bytes) -> HeaderMap {
    if head.is_empty() {
        return HeaderMap::new();
    }
    let lines = head.iter().filter(|&&byte| byte == b'\n').count();
    let mut fields = vec![httparse::EMPTY_HEADER; lines];
    let mut response = httparse::Response::new(&mut fields);
    // It was parsed before, so it parses now.
    let _ = response.parse(head);
    let mut map = HeaderMap::with_capacity(response.headers.len());
    for field in response.headers.iter() {
        let value = HeaderValue::from_maybe_shared(head.slice_ref(field.value));
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(field.name.as_bytes()), value) {
            map.append(name, value);
        }
    }
    map
}
