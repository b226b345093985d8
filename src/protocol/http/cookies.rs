//! A user's cookie jar.
//!
//! Empty jars cost nothing: the store is made at the first `Set-Cookie`. There is no public suffix list, so a server may set a cookie
//! for `co.uk`; load tests talk to their own servers.

use std::fmt::Write as _;

use cookie_store::CookieStore;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};
use url::Url;

/// The cookies of one user.
#[derive(Debug, Default)]
pub struct Jar {
    store: Option<Box<CookieStore>>,
}

impl Jar {
    /// Whether no cookie was ever set.
    pub fn is_empty(&self) -> bool {
        self.store.is_none()
    }

    /// Keeps what an answer sets.
    pub fn store(&mut self, headers: &HeaderMap, url: &Url) {
        let store = self.store.get_or_insert_default();
        for value in headers.get_all(SET_COOKIE) {
            if let Ok(text) = std::str::from_utf8(value.as_bytes()) {
                // A cookie that the rules refuse (foreign domain, expired) is dropped in silence, as browsers do.
                let _ = store.parse(text, url);
            }
        }
    }

    /// Sets a cookie as if `url` had answered with `Set-Cookie: text`. `false` if the rules refuse it.
    pub fn set(&mut self, text: &str, url: &Url) -> bool {
        self.store.get_or_insert_default().parse(text, url).is_ok()
    }

    /// The cookies that a request to `url` would carry.
    pub fn get(&self, url: &Url) -> Vec<(String, String)> {
        let Some(store) = &self.store else {
            return Vec::new();
        };
        store.get_request_values(url).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.store = None;
    }

    /// The `Cookie` header for a request: the jar's, with `extra` replacing those of the same name.
    pub(super) fn header(&self, url: &Url, extra: &[(String, String)]) -> Option<HeaderValue> {
        let mut text = String::new();
        let mut push = |name: &str, value: &str| {
            let between = if text.is_empty() { "" } else { "; " };
            let _ = write!(text, "{between}{name}={value}");
        };
        if let Some(store) = &self.store {
            for (name, value) in store.get_request_values(url) {
                if !extra.iter().any(|(other, _)| other == name) {
                    push(name, value);
                }
            }
        }
        for (name, value) in extra {
            push(name, value);
        }
        if text.is_empty() {
            return None;
        }
        HeaderValue::try_from(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_go_back_where_they_came_from() {
        let url = |text: &str| Url::parse(text).unwrap();
        let mut jar = Jar::default();
        assert!(jar.is_empty());
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, "a=1; Path=/".parse().unwrap());
        headers.append(SET_COOKIE, "b=2; Path=/cart".parse().unwrap());
        headers.append(SET_COOKIE, "c=3; Domain=other.test".parse().unwrap());
        headers.append(SET_COOKIE, "d=4; Secure".parse().unwrap());
        jar.store(&headers, &url("http://shop.test/login"));
        let header = |at: &str, extra: &[(String, String)]| {
            let mut parts: Vec<String> = jar
                .header(&url(at), extra)
                .map(|value| value.to_str().unwrap().split("; ").map(str::to_owned).collect())
                .unwrap_or_default();
            parts.sort();
            parts.join("; ")
        };
        assert_eq!(header("http://shop.test/", &[]), "a=1");
        assert_eq!(header("http://shop.test/cart/1", &[]), "a=1; b=2");
        assert_eq!(header("http://elsewhere.test/", &[]), "");
        let extra = [("a".to_owned(), "9".to_owned())];
        assert_eq!(header("http://shop.test/", &extra), "a=9");
    }
}
