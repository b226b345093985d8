//! One request from parsed head to answer: count it, decide its fate, read its body, find its path, hold it, answer.
//!
//! Called by hyper through `connection`. It deliberately does not touch the socket: a spoiled answer is left with the
//! connection's `Link`, whose driver owns the socket.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use hyper::body::{Body, Incoming};

use super::admin;
use super::body::{Content, Pace, TargetBody};
use super::control::Control;
use super::dials::{Outcome, Override};
use super::fault::Fault;
use super::options::DialError;
use super::pages;
use super::reply::{Asked, Reply};
use super::ticket::{Link, Ticket};
use super::tools;
use super::worker::Worker;

/// What all requests of one connection share.
#[derive(Debug)]
pub struct Conversation {
    /// The thread that serves it.
    pub worker: Arc<Worker>,
    /// The whole target, for `/_target/`.
    pub control: Arc<Control>,
    /// Between service and driver.
    pub link: Arc<Link>,
    /// The client's address.
    pub peer: SocketAddr,
    /// HTTP/2 rather than HTTP/1.
    pub http2: bool,
}

/// The request has no answer: its body broke off, or (HTTP/2) its stream is reset on purpose.
#[derive(Debug, thiserror::Error)]
#[error("no answer")]
pub struct Unanswered;

/// How much of a request's body paths may look at; the rest is counted.
const KEPT: usize = 16 << 20;
/// The same for `/upload`, which parses what it gets.
const KEPT_OF_UPLOAD: usize = 256 << 20;

/// A request that hyper has just parsed. It is counted at once, not when its future is first polled: a client that
/// leaves right after sending may end the connection before that.
pub fn answer(
    conversation: &Arc<Conversation>,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<TargetBody>, Unanswered>> + Send + use<> {
    let arrived = Instant::now();
    let counted = !request.uri().path().starts_with("/_target/");
    let ticket = counted.then(|| Ticket::open(&conversation.worker, &request, arrived));
    let conversation = Arc::clone(conversation);
    async move {
        match ticket {
            Some(ticket) => counted_answer(&conversation, request, ticket, arrived).await,
            None => admin_answer(&conversation, request).await,
        }
    }
}

async fn counted_answer(
    conversation: &Conversation,
    request: Request<Incoming>,
    mut ticket: Ticket,
    arrived: Instant,
) -> Result<Response<TargetBody>, Unanswered> {
    let Conversation { worker, link, http2, .. } = conversation;
    let number = link.next_request();
    let over = wishes(&request);
    let decision = worker.decide(over.as_ref().unwrap_or(&Override::default()), arrived);
    let (head, body) = request.into_parts();
    let keep = if head.uri.path() == "/upload" { KEPT_OF_UPLOAD } else { KEPT };
    let (body, body_size) = read(body, keep).await?;

    let asked = Asked { head: &head, body: &body, body_size, peer: conversation.peer };
    let outcome = decision.fate.outcome;
    let reply = match (&over, outcome) {
        (Err(error), _) => Reply::error(StatusCode::BAD_REQUEST, &error.to_string()),
        (Ok(_), Outcome::Error) => Reply::error(StatusCode::INTERNAL_SERVER_ERROR, "an error by the dials"),
        (Ok(_), Outcome::Spoil(_)) => Reply::status(StatusCode::OK),
        (Ok(_), Outcome::Answer) => find(worker, &asked),
    };

    let mut due = arrived + decision.fate.latency + reply.hold;
    if let Some((from, to)) = decision.stall {
        let leaves = due.max(Instant::now());
        if (from..to).contains(&leaves) {
            due = to;
        }
    }
    if due > arrived {
        worker.alarm().hold_until(due).await;
    }
    if let Outcome::Spoil(fault) = outcome {
        return spoil(fault, ticket, conversation).await;
    }

    let mut response = reply.response;
    if let Some(most) = decision.requests_per_connection
        && number >= most
    {
        if *http2 {
            link.end_soon();
        } else {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
    if head.method == Method::HEAD {
        if let Some(length) = response.body().length() {
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        *response.body_mut() = Content::empty();
    }
    ticket.set_status(response.status().as_u16());
    let pace = reply.pace.or(decision.body_rate.map(Pace::bytes_per_second));
    let link = (!http2).then(|| Arc::clone(link));
    Ok(response.map(|content| {
        let body = TargetBody::new(content);
        let body = if let Some(pace) = pace { body.paced(pace, worker.alarm()) } else { body };
        body.with_ticket(ticket, link)
    }))
}

fn find(worker: &Worker, asked: &Asked<'_>) -> Reply {
    let shop = &worker.shop;
    shop.api(asked).or_else(|| pages::page(shop, asked)).unwrap_or_else(|| tools::tool(asked))
}

async fn spoil(fault: Fault, ticket: Ticket, conversation: &Conversation) -> Result<Response<TargetBody>, Unanswered> {
    let Conversation { worker, link, http2, .. } = conversation;
    let framed = fault.framed().filter(|_| *http2);
    match fault {
        Fault::BlackHole => ticket.spoil(fault),
        Fault::ResetStream if *http2 => {
            ticket.spoil(fault);
            return Err(Unanswered);
        }
        Fault::HugeHeaders if *http2 => {
            ticket.spoil(fault);
            return Ok(tools::huge_headers(1024).response.map(TargetBody::new));
        }
        _ => match framed {
            None => link.spoil(fault, ticket),
            Some((text, length)) => {
                let content = Content::Bytes(Bytes::from_static(text.as_bytes()));
                if fault == Fault::LongContentLength {
                    ticket.spoil(fault);
                    let mut response = Response::new(TargetBody::new(content));
                    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
                    return Ok(response);
                }
                let missing = (length - text.len()) as u64;
                let link = Arc::clone(link);
                let body = TargetBody::severed(content, missing, fault, ticket, link, worker.alarm());
                return Ok(Response::new(body));
            }
        },
    }
    // The driver ends the connection, and this future with it; in a black hole the client does.
    std::future::pending().await
}

async fn admin_answer(
    conversation: &Conversation,
    request: Request<Incoming>,
) -> Result<Response<TargetBody>, Unanswered> {
    let (head, body) = request.into_parts();
    let (body, body_size) = read(body, KEPT).await?;
    let asked = Asked { head: &head, body: &body, body_size, peer: conversation.peer };
    Ok(admin::admin(&conversation.control, &asked).response.map(TargetBody::new))
}

/// What the request asks for itself; looks only where a dial's name stands.
fn wishes<B>(request: &Request<B>) -> Result<Override, DialError> {
    let mut over = Override::default();
    let query = request.uri().query().unwrap_or_default();
    if ["latency=", "fault=", "body_rate="].iter().any(|name| query.contains(name)) {
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            over.take(&name, &value)?;
        }
    }
    for (header, name) in
        [("x-target-latency", "latency"), ("x-target-fault", "fault"), ("x-target-body-rate", "body_rate")]
    {
        if let Some(value) = request.headers().get(header) {
            over.take(name, &String::from_utf8_lossy(value.as_bytes()))?;
        }
    }
    Ok(over)
}

/// Reads a body to its end; keeps its first `keep` bytes and counts all.
async fn read(body: Incoming, keep: usize) -> Result<(Bytes, u64), Unanswered> {
    if body.is_end_stream() {
        return Ok((Bytes::new(), 0));
    }
    let mut body = pin!(body);
    let mut kept = BytesMut::new();
    let mut size = 0;
    while let Some(frame) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let frame = frame.map_err(|_| Unanswered)?;
        if let Ok(data) = frame.into_data() {
            size += data.len() as u64;
            let room = keep - kept.len();
            kept.extend_from_slice(&data[..data.len().min(room)]);
        }
    }
    Ok((kept.freeze(), size))
}
