//! One exchange over HTTP/2, through hyper.
//!
//! Used by [`super::Client`]. Exchanges of one connection share its bytes and its writes: bytes are given out in shares
//! ([`crate::protocol::net::Meter::take`]), and only an exchange that is alone knows when its last byte was written; with others beside
//! it, `send` is zero and `wait` starts when the request is handed over.

use std::rc::Rc;
use std::time::Instant;

use http::header::{CONNECTION, CONTENT_ENCODING, HOST, SET_COOKIE};
use http::{HeaderMap, HeaderName, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};

use super::classify::classify;
use super::connection::{ActiveStream, H2, Upload};
use super::headers::Headers;
use super::hop::{Hop, Sent, timeout};
use super::reply::Kept;
use super::request::Request;
use crate::protocol::net::{Phase, TransportError};

/// The request as hyper takes it.
pub(super) fn message(request: &Request, headers: Option<HeaderMap>) -> http::Request<Upload> {
    let target = &request.target;
    let mut headers = headers.unwrap_or_else(|| target.headers.clone());
    // What belongs to a connection of HTTP/1 (RFC 9113 §8.2.2); the host is in the URL.
    const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
    for name in [HOST, CONNECTION, KEEP_ALIVE] {
        headers.remove(name);
    }
    let mut message = http::Request::new(Full::new(request.body.clone()));
    *message.method_mut() = request.method.clone();
    *message.version_mut() = http::Version::HTTP_2;
    *message.uri_mut() = target.absolute.clone();
    *message.headers_mut() = headers;
    message
}

/// Sends and reads the answer into the hop's record.
pub(super) async fn exchange(hop: &mut Hop, h2: Rc<H2>, message: http::Request<Upload>, got: Instant) -> Sent {
    let meter = h2.link.meter.clone();
    let stream = ActiveStream::start(&h2);
    let alone = h2.active.get() == 1;
    if alone {
        meter.start_exchange();
    }
    let out_before = meter.total().1;
    hop.carrier = Some(meter.clone());
    hop.exchange.remote_addr = Some(h2.link.remote);
    hop.exchange.tls_version = h2.link.tls_version;
    hop.exchange.version = http::Version::HTTP_2;
    hop.exchange.reused = h2.used.replace(true);
    let (limit, kind) = hop.head_limit(got);
    let mut sender = h2.sender.clone();
    let answer = hop.timer.race(limit, sender.try_send_request(message)).await;
    let head = Instant::now();
    let last_write = if alone { meter.last_write() } else { Some(got) };
    let mut first_read = None;
    let outcome = match answer {
        Ok(Ok(response)) => {
            first_read = Some(head);
            read(hop, response).await
        }
        Ok(Err(mut error)) => {
            let classified = meter.tls_failure().unwrap_or_else(|| classify(error.error(), Phase::Wait));
            if error.take_message().is_some() {
                return Sent::NotWritten(classified);
            }
            Err(classified)
        }
        Err(_) => Err(timeout(kind, Phase::Wait)),
    };
    let end = Instant::now();
    hop.exchange.written = first_read.is_some() || meter.total().1 > out_before;
    hop.split(got, last_write, first_read, end);
    (hop.exchange.bytes_in, hop.exchange.bytes_out) = meter.take(h2.active.get());
    drop(stream);
    Sent::Done(outcome.map_err(|error| hop.place(error)))
}

async fn read(hop: &mut Hop, response: Response<Incoming>) -> Result<(), TransportError> {
    let (head, mut incoming) = response.into_parts();
    hop.exchange.status = head.status.as_u16();
    let encoding = head.headers.get(CONTENT_ENCODING).cloned();
    hop.sets_cookies = head.headers.contains_key(SET_COOKIE);
    hop.exchange.headers = Headers::from(head.headers);
    let mut kept = Kept::new(hop.body_limit);
    kept.expect(incoming.size_hint().exact().unwrap_or(0));
    let mut outcome = Ok(());
    while !incoming.is_end_stream() {
        let (limit, kind) = hop.body_limit();
        match hop.timer.race(limit, incoming.frame()).await {
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    kept.add(&data);
                }
            }
            Ok(Some(Err(error))) => {
                outcome = Err(classify(&error, Phase::Receive));
                break;
            }
            Ok(None) => break,
            Err(_) => {
                outcome = Err(timeout(kind, Phase::Receive));
                break;
            }
        }
    }
    hop.keep_body(kept, encoding, outcome.is_ok());
    outcome
}
