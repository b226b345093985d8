//! Where a redirect leads and what is sent there: pure rules, as browsers and Go (hence k6) have them.
//!
//! Used by [`super::Client::fetch`].
//!
//! | status | method | body |
//! |---|---|---|
//! | 301, 302, 303 | `HEAD` stays, everything else becomes `GET` | dropped |
//! | 307, 308 | stays | sent again |

use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, LOCATION,
    PROXY_AUTHORIZATION, WWW_AUTHENTICATE,
};
use http::{HeaderMap, Method};
use url::Url;

use super::request::Request;

/// Where an answer redirects to; `None` if it does not.
///
/// # Errors
/// A `Location` that is no URL.
pub fn location(status: u16, headers: &HeaderMap, from: &Url) -> Option<Result<Url, String>> {
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let value = headers.get(LOCATION)?;
    let joined = std::str::from_utf8(value.as_bytes())
        .map_err(|error| error.to_string())
        .and_then(|text| from.join(text).map_err(|error| error.to_string()));
    Some(joined.and_then(|mut url| {
        url.set_fragment(None);
        match url.scheme() {
            "http" | "https" => Ok(url),
            other => Err(format!("unknown scheme `{other}`")),
        }
    }))
}

/// Changes a request (all but its target) into the one that follows the redirect.
pub fn rewrite(request: &mut Request, status: u16, from: &Url, to: &Url) {
    if matches!(status, 301..=303) {
        if request.method != Method::HEAD {
            request.method = Method::GET;
        }
        request.body = bytes::Bytes::new();
        for name in [CONTENT_LENGTH, CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE] {
            request.headers.remove(name);
        }
    }
    let same_origin = (from.host_str(), from.port_or_known_default(), from.scheme())
        == (to.host_str(), to.port_or_known_default(), to.scheme());
    if !same_origin {
        // Secrets meant for one server are not for another.
        for name in [AUTHORIZATION, COOKIE, WWW_AUTHENTICATE, PROXY_AUTHORIZATION] {
            request.headers.remove(name);
        }
        request.cookies.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn at(status: u16, to: &str) -> Option<Result<Url, String>> {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, to.parse().unwrap());
        location(status, &headers, &url("http://a.test/x/y?z"))
    }

    #[test]
    fn locations_are_relative_to_where_we_were() {
        for (to, result) in [
            ("/b#f", "http://a.test/b"),
            ("c?d", "http://a.test/x/c?d"),
            ("//other.test", "http://other.test/"),
            ("https://b.test/", "https://b.test/"),
        ] {
            assert_eq!(at(302, to), Some(Ok(url(result))));
        }
        assert_eq!(at(304, "/b"), None);
        assert!(at(301, "ftp://x").unwrap().is_err());
        assert_eq!(location(302, &HeaderMap::new(), &url("http://a.test")), None);
    }
}
