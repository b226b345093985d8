//! How a request becomes a stream: what RFC 6455 asks of it, a place for it, and the answer. Who may ask is the guard's.

use super::{TOPICS, Topic, client};
use crate::api::Monitor;
use crate::api::problem::Problem;
use crate::api::query::Query;
use crate::api::router::Chosen;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, CONNECTION, HeaderName, RETRY_AFTER, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Version};
use axum::response::Response;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tungstenite::handshake::derive_accept_key;

/// The only version of the protocol that there is.
const VERSION: &str = "13";
/// The subprotocol that is agreed on, if a client names any.
const PROTOCOL: &str = "punk.v1";
/// What a subprotocol begins with that is a token. Browsers let a page choose no other header.
pub(in crate::api) const BEARER: &str = "punk.bearer.";

/// All topics under their paths.
pub(in crate::api) fn routes() -> Router<Arc<Monitor>> {
    let mut router = Router::new();
    for topic in TOPICS {
        for path in topic.paths() {
            let handler = move |State(monitor): State<Arc<Monitor>>, Chosen(session): Chosen, request: Request| async move {
                upgrade(&monitor, session, topic, request)
            };
            router = router.route(path, get(handler));
        }
    }
    router
}

fn upgrade(
    monitor: &Monitor,
    session: Arc<crate::api::Session>,
    topic: &'static Topic,
    mut request: Request,
) -> Result<Response, Problem> {
    // A `HEAD` comes here, too, as it does for all that is got.
    if request.method() != Method::GET {
        return Err(Problem::of_status(StatusCode::METHOD_NOT_ALLOWED).header(ALLOW, HeaderValue::from_static("GET")));
    }
    if request.version() < Version::HTTP_11 {
        return Err(wanted("this is a WebSocket: speak HTTP/1.1"));
    }
    let query = Query::read(request.uri(), topic.query)?;
    (topic.check)(&query)?;
    let accept = accept(request.headers())?;
    let upgrading = request.extensions_mut().remove::<OnUpgrade>();
    let upgrading = upgrading.ok_or_else(|| wanted("this connection cannot become a WebSocket: speak HTTP/1.1"))?;
    let streams = &monitor.streams;
    let place = streams.enter().ok_or_else(|| {
        let why = "there are too many WebSockets: try again later";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, why).header(RETRY_AFTER, HeaderValue::from_static("5"))
    })?;
    let (streams, counts) = (Arc::clone(streams), Arc::clone(&session.counts));
    tokio::spawn(async move {
        // Whoever is gone before is not missed.
        if let Ok(upgraded) = upgrading.await {
            let joined = streams.join(session, topic, query);
            client::serve(TokioIo::new(upgraded), joined, counts, streams.pace, place).await;
        }
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    if protocols(request.headers()).any(|one| one == PROTOCOL) {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    }
    Ok(response)
}

/// The answer to the key of a request that is what it must be.
fn accept(headers: &HeaderMap) -> Result<HeaderValue, Problem> {
    if !tokens(headers, CONNECTION).any(|one| one.eq_ignore_ascii_case("upgrade"))
        || !tokens(headers, UPGRADE).any(|one| one.eq_ignore_ascii_case("websocket"))
    {
        return Err(wanted("this is a WebSocket: send `Connection: Upgrade` and `Upgrade: websocket`"));
    }
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != VERSION) {
        let problem = wanted("`Sec-WebSocket-Version: 13` is the only version");
        return Err(problem.header(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION)));
    }
    let mut keys = headers.get_all(SEC_WEBSOCKET_KEY).iter();
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Err(Problem::bad("one `Sec-WebSocket-Key` is wanted"));
    };
    if !STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16) {
        return Err(Problem::bad("`Sec-WebSocket-Key` is 16 bytes in base64"));
    }
    Ok(HeaderValue::from_str(&derive_accept_key(key.as_bytes())).expect("base64 is visible ASCII"))
}

/// 426: what this connection must become.
fn wanted(why: &str) -> Problem {
    Problem::new(StatusCode::UPGRADE_REQUIRED, why)
        .header(UPGRADE, HeaderValue::from_static("websocket"))
        .header(CONNECTION, HeaderValue::from_static("upgrade"))
}

/// The subprotocols that a client names.
pub(in crate::api) fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    tokens(headers, SEC_WEBSOCKET_PROTOCOL)
}

/// The parts of a header that is a list.
fn tokens(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The status of a refusal, 101 for none.
    fn asked(lines: &str) -> u16 {
        let mut headers = HeaderMap::new();
        for (name, value) in lines.lines().filter_map(|line| line.trim().split_once(": ")) {
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        accept(&headers).map_or_else(
            |problem| problem.told().0,
            |accept| {
                assert_eq!(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
                101
            },
        )
    }

    #[test]
    fn the_handshake_is_what_the_rfc_wants() {
        let upgrade = "connection: keep-alive, Upgrade\nupgrade: WebSocket";
        let version = "sec-websocket-version: 13";
        let key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
        assert_eq!(asked(&format!("{upgrade}\n{version}\n{key}")), 101);
        assert_eq!(asked(&format!("{version}\n{key}")), 426);
        assert_eq!(asked(&format!("connection: close\nupgrade: websocket\n{version}\n{key}")), 426);
        assert_eq!(asked(&format!("connection: upgrade\nupgrade: h2c\n{version}\n{key}")), 426);
        assert_eq!(asked(&format!("{upgrade}\nsec-websocket-version: 8\n{key}")), 426);
        assert_eq!(asked(&format!("{upgrade}\n{version}")), 400);
        assert_eq!(asked(&format!("{upgrade}\n{version}\n{key}\n{key}")), 400);
        assert_eq!(asked(&format!("{upgrade}\n{version}\nsec-websocket-key: c2hvcnQ=")), 400);
    }
}
