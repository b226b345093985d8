//! The tool paths: echo, statuses, delays, bytes, redirects, cookies, encodings, auth, uploads and other corner cases.
//!
//! Called by `service` when the shop does not know a path. Every size is bounded; big bodies are made while they
//! are sent. It deliberately keeps no state.

use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, SET_COOKIE, WWW_AUTHENTICATE,
};
use http::{HeaderValue, StatusCode, Version};
use serde_json::{Map, Value, json};

use super::body::{Content, Pace};
use super::packing;
use super::reply::{Asked, Reply};
use super::upload;

/// Names of all tool paths, for the page at `/tools`.
const PATHS: &str = "/echo /status/{code} /delay/{ms} /bytes/{n} /drip?bytes=&ms= /redirect/{n} /redirect-loop \
    /redirect-to?url=&code= /cookies /cookies/set?k=v /gzip /brotli /deflate /zstd /bomb/gzip?mb= \
    /basic-auth/{user}/{password} /bearer /upload /headers/huge?kb= /json/deep?depth= /json/large?kb= /html /chunked \
    /no-content /close /stream/infinite?mb=";

/// The largest body: 1 GiB.
const LARGEST: u64 = 1 << 30;

/// Answers a tool's path.
pub fn tool(asked: &Asked<'_>) -> Reply {
    let path = asked.path().trim_start_matches('/');
    let (name, rest) = path.split_once('/').unwrap_or((path, ""));
    match (name, rest) {
        ("echo", _) => echo(asked),
        ("tools", "") => Reply::ok(&Value::from(PATHS.split_whitespace().collect::<Vec<_>>())),
        ("status", code) => status(code),
        ("delay", ms) => delay(ms),
        ("bytes", count) => number(count, LARGEST).map_or_else(bad_number, bytes),
        ("drip", "") => drip(asked),
        ("redirect", left) => match number(left, 1000) {
            None => bad_number(),
            Some(0) => Reply::ok(&json!({ "redirected": true })),
            Some(1) => Reply::redirect(StatusCode::FOUND, "/redirect/0"),
            Some(left) => Reply::redirect(StatusCode::FOUND, &format!("/redirect/{}", left - 1)),
        },
        ("redirect-loop", "") => Reply::redirect(StatusCode::FOUND, "/redirect-loop"),
        ("redirect-to", "") => redirect_to(asked),
        ("cookies", "set") => set_cookies(asked),
        ("cookies", "") => {
            let cookies: Map<String, Value> =
                asked.cookies().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
            Reply::ok(&json!({ "cookies": cookies }))
        }
        ("gzip", "") => packed("gzip", packing::gzip),
        ("deflate", "") => packed("deflate", packing::deflate),
        ("zstd", "") => packed("zstd", packing::zstd),
        ("brotli", "") => packed("br", packing::brotli),
        ("bomb", "gzip") => {
            let content = packing::bomb(asked.number("mb").unwrap_or(10).clamp(1, 10_240));
            let reply = Reply::content(StatusCode::OK, "application/octet-stream", content);
            reply.with(CONTENT_ENCODING, HeaderValue::from_static("gzip"))
        }
        ("basic-auth", pair) => basic_auth(asked, pair),
        ("bearer", "") => match asked.header(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ")) {
            Some(token) if !token.is_empty() => Reply::ok(&json!({ "authenticated": true, "token": token })),
            _ => Reply::error(StatusCode::UNAUTHORIZED, "no bearer token").with_text(WWW_AUTHENTICATE, "Bearer"),
        },
        ("upload", "") => upload::answer(asked),
        ("headers", "huge") => huge_headers(asked.number("kb").unwrap_or(64).clamp(1, 4096)),
        ("json", "deep") => {
            let depth = asked.number("depth").unwrap_or(100).clamp(1, 1_000_000) as usize;
            Reply::bytes(StatusCode::OK, "application/json", format!("{}{}", "[".repeat(depth), "]".repeat(depth)))
        }
        ("json", "large") => large_json(asked.number("kb").unwrap_or(100).clamp(1, 262_144)),
        ("html", "") => Reply::html(
            "<!doctype html><html><head><title>A page</title></head><body><h1>Herman</h1>\
             <p class=\"first\">Call me.</p><a href=\"/echo?from=html\">a link</a></body></html>"
                .to_owned(),
        ),
        ("chunked", "") => {
            let parts = ["third\n", "second\n", "first\n"].map(|part| Bytes::from_static(part.as_bytes()));
            Reply::content(StatusCode::OK, "text/plain", Content::Parts { reversed: parts.to_vec() })
        }
        ("no-content", "") => Reply::status(StatusCode::NO_CONTENT),
        ("close", "") => {
            let reply = Reply::ok(&json!({ "closing": true }));
            // HTTP/2 forbids the header.
            if asked.head.version == Version::HTTP_2 { reply } else { reply.with_text(CONNECTION, "close") }
        }
        ("stream", "infinite") => {
            let mebibytes = asked.number("mb").unwrap_or(10_240).clamp(1, 10_240);
            let middle = Bytes::from(vec![b'~'; 64 * 1024]);
            let content = Content::Sandwich { begin: Bytes::new(), middle, times: mebibytes * 16, end: Bytes::new() };
            Reply::content(StatusCode::OK, "application/octet-stream", content)
        }
        _ => Reply::not_found(),
    }
}

fn number(text: &str, most: u64) -> Option<u64> {
    text.parse().ok().filter(|&number| number <= most)
}

fn bad_number() -> Reply {
    Reply::error(StatusCode::BAD_REQUEST, "the number in the path is missing or too large")
}

fn echo(asked: &Asked<'_>) -> Reply {
    let mut headers = Map::new();
    for (name, value) in &asked.head.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        match headers.get_mut(name.as_str()) {
            Some(Value::String(before)) => {
                before.push_str(", ");
                before.push_str(&value);
            }
            _ => {
                headers.insert(name.as_str().to_owned(), Value::String(value));
            }
        }
    }
    let query: Map<String, Value> = asked.query().into_iter().map(|(key, value)| (key, Value::from(value))).collect();
    Reply::ok(&json!({
        "method": asked.head.method.as_str(),
        "path": asked.path(),
        "query": query,
        "headers": headers,
        "version": format!("{:?}", asked.head.version),
        "peer": asked.peer.to_string(),
        "body": String::from_utf8_lossy(asked.body),
        "body_size": asked.body_size,
    }))
}

fn status(code: &str) -> Reply {
    match code.parse::<u16>().ok().and_then(|code| StatusCode::from_u16(code).ok()) {
        Some(code) if code.as_u16() >= 200 => {
            if matches!(code, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
                Reply::status(code)
            } else {
                Reply::json(code, &json!({ "status": code.as_u16() }))
            }
        }
        _ => Reply::error(StatusCode::BAD_REQUEST, "a status lies between 200 and 999"),
    }
}

fn delay(ms: &str) -> Reply {
    match number(ms, 3_600_000) {
        Some(ms) => Reply::ok(&json!({ "delayed_ms": ms })).held(Duration::from_millis(ms)),
        None => bad_number(),
    }
}

fn bytes(left: u64) -> Reply {
    static PATTERN: [u8; 64 * 1024] = [b'.'; 64 * 1024];
    let content = Content::Repeat { left, pattern: Bytes::from_static(&PATTERN) };
    Reply::content(StatusCode::OK, "application/octet-stream", content)
}

fn drip(asked: &Asked<'_>) -> Reply {
    let count = asked.number("bytes").unwrap_or(10).clamp(1, 1 << 20);
    let every = Duration::from_millis(asked.number("ms").unwrap_or(100).min(60_000));
    bytes(count).paced(Pace { piece: 1, every })
}

fn redirect_to(asked: &Asked<'_>) -> Reply {
    let code = asked.number("code").unwrap_or(302);
    match (asked.parameter("url"), u16::try_from(code).ok().and_then(|code| StatusCode::from_u16(code).ok())) {
        (Some(url), Some(code)) if code.is_redirection() => Reply::redirect(code, &url),
        _ => Reply::error(StatusCode::BAD_REQUEST, "give `url`, and a `code` between 300 and 399"),
    }
}

fn set_cookies(asked: &Asked<'_>) -> Reply {
    let mut reply = Reply::redirect(StatusCode::FOUND, "/cookies");
    for (name, value) in asked.query() {
        reply = reply.with_text(SET_COOKIE, &format!("{name}={value}; Path=/"));
    }
    reply
}

fn packed(encoding: &'static str, pack: fn(&[u8]) -> Vec<u8>) -> Reply {
    let text = json!({ "encoding": encoding, "packed": true, "padding": "again and ".repeat(20) }).to_string();
    Reply::bytes(StatusCode::OK, "application/json", pack(text.as_bytes()))
        .with(CONTENT_ENCODING, HeaderValue::from_static(encoding))
}

fn basic_auth(asked: &Asked<'_>, pair: &str) -> Reply {
    let wanted = pair.replacen('/', ":", 1);
    let given = asked.header(AUTHORIZATION).and_then(|value| value.strip_prefix("Basic "));
    let given = given.and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
    if given.as_deref() == Some(wanted.as_bytes()) {
        let user = wanted.split(':').next().unwrap_or_default();
        Reply::ok(&json!({ "authenticated": true, "user": user }))
    } else {
        let reply = Reply::error(StatusCode::UNAUTHORIZED, "wrong user or password");
        reply.with_text(WWW_AUTHENTICATE, "Basic realm=\"target\"")
    }
}

/// An answer with `kb` headers of about 1 KiB each.
pub fn huge_headers(kb: u64) -> Reply {
    let mut reply = Reply::ok(&json!({ "header_kb": kb }));
    let value = HeaderValue::try_from("h".repeat(1000)).expect("letters are a header value");
    for index in 0..kb {
        let name = HeaderName::try_from(format!("x-huge-{index:05}")).expect("letters and digits are a name");
        reply = reply.with(name, value.clone());
    }
    reply
}

fn large_json(kb: u64) -> Reply {
    // 64 bytes an entry, 16 entries a KiB.
    let entry = Bytes::from_static(
        br#"{"id":1234567,"name":"an entry of sixty-four bytes","ok":true},
"#,
    );
    debug_assert_eq!(entry.len(), 64);
    let last = Bytes::from_static(br#"{"id":0,"name":"the last","ok":true}]"#);
    let content = Content::Sandwich { begin: Bytes::from_static(b"["), middle: entry, times: kb * 16 - 1, end: last };
    let mut reply = Reply::content(StatusCode::OK, "application/json", content);
    reply.response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}
