//! One user's HTTP: its connections, its cookies, its TLS sessions.
//!
//! Made by the script floor for each virtual user. All methods take `&self` and hold no borrow across an await, so that several requests
//! of one user may be in flight at once (`http::batch`), and dropping any of them at any point leaves the client in order: its
//! connection is closed, its place in the pool passed on.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, COOKIE, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use rustls::ClientConfig;

use super::body::Body;
use super::classify::classify;
use super::connection::{ActiveStream, H1, H2, Upload, start_h1, start_h2};
use super::cookies::Jar;
use super::deadline::Timer;
use super::exchange::{Exchange, Timings};
use super::options::Version;
use super::pool::{Held, Lease, Limits, Pool, Protocol};
use super::redirect;
use super::request::Request;
use super::shared::Shared;
use super::target::{Authority, Target};
use crate::protocol::net::{Dial, ErrorKind, Meter, Phase, Progress, TransportError, dial};

/// A connection that idled longer than this lets the shard see first whether the server closed it.
const SUSPECT_AFTER: Duration = Duration::from_millis(1);

/// One user's client.
#[derive(Debug)]
pub struct Client {
    shared: Rc<Shared>,
    pools: RefCell<Vec<Rc<Pool>>>,
    jar: RefCell<Jar>,
    tls: RefCell<Option<Arc<ClientConfig>>>,
    abandoned: RefCell<Vec<Abandoned>>,
}

/// A request that was sent, and whose future was dropped before its answer was whole: the server has counted it.
#[derive(Clone, Debug)]
pub struct Abandoned {
    /// The method.
    pub method: http::Method,
    /// Where it went.
    pub target: Rc<Target>,
    /// Bytes read from the socket on its behalf.
    pub bytes_in: u64,
    /// Bytes written likewise.
    pub bytes_out: u64,
}

impl Client {
    /// Opens nothing.
    pub fn new(shared: Rc<Shared>) -> Client {
        Client {
            shared,
            pools: RefCell::default(),
            jar: RefCell::default(),
            tls: RefCell::default(),
            abandoned: RefCell::default(),
        }
    }

    /// The requests whose futures were dropped after they were sent, since the last call.
    pub fn take_abandoned(&self) -> Vec<Abandoned> {
        std::mem::take(&mut *self.abandoned.borrow_mut())
    }

    /// What this user shares with the others.
    pub fn shared(&self) -> &Rc<Shared> {
        &self.shared
    }

    /// The user's cookies. Do not hold the borrow across a request.
    pub fn jar(&self) -> &RefCell<Jar> {
        &self.jar
    }

    /// Forgets cookies, connections and TLS sessions: a new visitor. Requests in flight end on their old connections.
    pub fn reset(&self) {
        self.close();
        self.jar.borrow_mut().clear();
        self.tls.take();
    }

    /// Closes the idle connections; those in use close when their requests end.
    pub fn close(&self) {
        let pools = std::mem::take(&mut *self.pools.borrow_mut());
        drop(pools);
    }

    /// Sends a request and follows redirects. `each` sees every hop as it ends, the last one included: each is a request of its own in
    /// the metrics.
    pub async fn fetch(&self, request: Request, each: &mut dyn FnMut(&Exchange)) -> Exchange {
        let exchange = self.send(&request).await;
        let limit = request.redirects.unwrap_or(self.shared.options.redirects);
        let redirects = matches!(exchange.status, 301 | 302 | 303 | 307 | 308);
        if !redirects || limit == 0 || exchange.error.is_some() {
            each(&exchange);
            return exchange;
        }
        // Boxed: most requests are not redirected and should not carry the room for it.
        Box::pin(self.follow(request, exchange, limit, each)).await
    }

    async fn follow(
        &self,
        mut request: Request,
        mut exchange: Exchange,
        limit: u32,
        each: &mut dyn FnMut(&Exchange),
    ) -> Exchange {
        for hop in 0.. {
            let from = exchange.url.clone();
            let next = match redirect::location(exchange.status, &exchange.headers, &from.url) {
                None => break,
                Some(_) if exchange.error.is_some() => break,
                Some(_) if hop >= limit => {
                    exchange.error = Some(TransportError::new(
                        ErrorKind::RedirectLoop,
                        Phase::Redirect,
                        format!("more than {limit} redirects"),
                    ));
                    break;
                }
                Some(next) => next.and_then(|url| {
                    let target = self.shared.target_of(url).map_err(|error| error.to_string());
                    target
                }),
            };
            match next {
                Ok(target) => {
                    each(&exchange);
                    redirect::rewrite(&mut request, exchange.status, &from.url, &target.url);
                    request.target = target;
                    exchange = self.send(&request).await;
                }
                Err(reason) => {
                    exchange.error = Some(TransportError::new(
                        ErrorKind::Protocol,
                        Phase::Redirect,
                        format!("redirected to a bad address: {reason}"),
                    ));
                    break;
                }
            }
        }
        each(&exchange);
        exchange
    }

    /// Sends a request: one hop. Never fails as a future; what went wrong is in the exchange.
    pub async fn send(&self, request: &Request) -> Exchange {
        let shared = &*self.shared;
        let started = Instant::now();
        let total = request.timeout.unwrap_or(shared.options.timeouts.total);
        let mut flight = Flight { client: self, hop: None };
        let hop = flight.hop.insert(Hop {
            timer: Timer::new(&shared.timers),
            started,
            deadline: started + total,
            first_byte: request
                .first_byte_timeout
                .or(shared.options.timeouts.first_byte),
            idle: shared.options.timeouts.idle,
            body_limit: shared.options.body_limit,
            exchange: Exchange {
                url: request.target.clone(),
                method: request.method.clone(),
                status: 0,
                version: http::Version::HTTP_11,
                headers: HeaderMap::new(),
                body: Body::default(),
                body_length: 0,
                truncated: false,
                timings: Timings::default(),
                bytes_in: 0,
                bytes_out: 0,
                reused: false,
                written: false,
                error: None,
                remote_addr: None,
                tls_version: None,
            },
            carrier: None,
        });
        if let Err(error) = self.attempt(request, hop).await {
            hop.exchange.error = Some(error);
        }
        if request.jar && shared.options.cookies && hop.exchange.status != 0 {
            let mut jar = self.jar.borrow_mut();
            jar.store(&hop.exchange.headers, &request.target.url);
        }
        flight.hop.take().expect("it was put there above").exchange
    }

    /// Gets a connection and sends; again with another one while the connection turns out to have been closed before.
    async fn attempt(&self, request: &Request, hop: &mut Hop) -> Result<(), TransportError> {
        let authority = &request.target.authority;
        if !authority.allowed {
            return Err(TransportError::new(
                ErrorKind::BlockedHost,
                Phase::Blocked,
                "the host is not among `allow_hosts`",
            ));
        }
        let pool = self.pool(authority);
        let mut got = hop.started;
        loop {
            let mut lease = match pool.try_take() {
                Some(lease) => lease,
                None => {
                    let lease = hop.timer.race(hop.deadline, pool.take()).await;
                    got = Instant::now();
                    lease.map_err(|_| hop.gave_up(Phase::Blocked, got))?
                }
            };
            if let Held::Idle(h1) = &mut lease.held {
                // A server's FIN is only seen when the shard looks at its sockets: let it, before trusting an idle connection.
                let suspect = hop.started.saturating_duration_since(h1.idle_since) > SUSPECT_AFTER;
                if suspect || !h1.sender.is_ready() {
                    if suspect {
                        tokio::task::yield_now().await;
                    }
                    let ready = hop.timer.race(hop.deadline, h1.sender.ready()).await;
                    got = Instant::now();
                    let ready = ready.map_err(|_| hop.gave_up(Phase::Blocked, got))?;
                    if ready.is_err() {
                        lease.discard();
                    }
                }
            }
            let fresh = matches!(lease.held, Held::Place);
            if fresh {
                // Boxed: dialing needs kilobytes of state, and is rare.
                Box::pin(self.open(authority, &mut lease, hop)).await?;
                got = Instant::now();
            }
            hop.exchange.timings.blocked = got.saturating_duration_since(hop.started);
            hop.exchange.reused = !fresh;
            let sent = match &mut lease.held {
                Held::Idle(h1) => {
                    let message = self.message(request, http::Version::HTTP_11);
                    hop.over_h1(h1, message, got).await
                }
                Held::Share(h2) => {
                    let message = self.message(request, http::Version::HTTP_2);
                    let h2 = h2.clone();
                    hop.over_h2(h2, message, got).await
                }
                Held::Place | Held::Nothing => unreachable!("a place was filled above"),
            };
            match sent {
                Sent::Done(outcome) => return outcome,
                Sent::NotWritten(error) if fresh => return Err(error),
                Sent::NotWritten(_) => {
                    lease.discard();
                }
            }
        }
    }

    fn pool(&self, authority: &Rc<Authority>) -> Rc<Pool> {
        let mut pools = self.pools.borrow_mut();
        if let Some(pool) = pools.iter().find(|pool| Rc::ptr_eq(&pool.authority, authority)) {
            return pool.clone();
        }
        let options = &self.shared.options;
        let protocol = match (options.version, authority.is_tls) {
            (Version::Http2, _) => Some(Protocol::H2),
            (Version::Http1, _) | (Version::Auto, false) => Some(Protocol::H1),
            (Version::Auto, true) => None,
        };
        let limits = Limits {
            h1: options.connections_per_user,
            h2: options.h2_connections_per_user,
        };
        let pool = Pool::new(authority.clone(), limits, protocol);
        pools.push(pool.clone());
        pool
    }

    /// The user's TLS: made at its first encrypted connection, sessions kept for the later ones.
    fn tls_config(&self) -> Result<Arc<ClientConfig>, TransportError> {
        if let Some(config) = &*self.tls.borrow() {
            return Ok(config.clone());
        }
        let config = self.shared.tls_setup()?.for_user();
        *self.tls.borrow_mut() = Some(config.clone());
        Ok(config)
    }

    async fn open(
        &self,
        authority: &Authority,
        lease: &mut Lease,
        hop: &mut Hop,
    ) -> Result<(), TransportError> {
        let shared = &*self.shared;
        let options = &shared.options;
        let tls = if authority.is_tls { Some(self.tls_config()?) } else { None };
        let order = Dial {
            host: &authority.host,
            port: authority.port,
            tls: tls.as_ref(),
            server_name: options.tls.server_name.as_deref(),
            proxy: options.proxy.as_ref().filter(|_| authority.proxied),
            forward: !authority.is_tls && shared.forwards(),
            connect_timeout: options.timeouts.connect,
            tls_timeout: options.timeouts.tls,
        };
        let progress = Progress::start(Instant::now());
        let opening = async {
            let dialed = dial(&shared.net, &order, &progress).await?;
            let h2 = dialed.h2 || options.version == Version::Http2;
            if h2 {
                lease.fill_h2(start_h2(dialed, options.header_limit).await?);
            } else {
                lease.fill_h1(start_h1(dialed, options.header_limit).await?);
            }
            Ok(())
        };
        let opened = hop.timer.race(hop.deadline, opening).await;
        let now = Instant::now();
        let timings = &mut hop.exchange.timings;
        (timings.dns, timings.connect, timings.tls) = progress.phases(now);
        let result = opened.unwrap_or_else(|_| Err(total_timeout(progress.phase())));
        if result.is_err() {
            timings.blocked = now.saturating_duration_since(hop.started);
            timings.total = timings.blocked;
        }
        result
    }

    /// The request as hyper takes it.
    fn message(&self, request: &Request, version: http::Version) -> http::Request<Upload> {
        let target = &request.target;
        let mut headers = target.headers.clone();
        if !request.headers.is_empty() {
            for name in request.headers.keys() {
                headers.remove(name);
            }
            for (name, value) in &request.headers {
                // The length is ours to count: a wrong one would leave the connection waiting.
                if name != CONTENT_LENGTH && name != TRANSFER_ENCODING {
                    headers.append(name, value.clone());
                }
            }
        }
        match request.compression {
            Some(true) => drop(headers.entry(ACCEPT_ENCODING).or_insert(super::shared::ENCODINGS)),
            Some(false) if !request.headers.contains_key(ACCEPT_ENCODING) => {
                headers.remove(ACCEPT_ENCODING);
            }
            _ => {}
        }
        let jar = self.jar.borrow();
        let use_jar = request.jar && self.shared.options.cookies && !jar.is_empty();
        if (use_jar || !request.cookies.is_empty()) && !request.headers.contains_key(COOKIE) {
            let cookie = if use_jar {
                jar.header(&target.url, &request.cookies)
            } else {
                Jar::default().header(&target.url, &request.cookies)
            };
            if let Some(cookie) = cookie {
                headers.insert(COOKIE, cookie);
            }
        }
        let mut message = http::Request::new(Full::new(request.body.clone()));
        *message.method_mut() = request.method.clone();
        *message.version_mut() = version;
        *message.uri_mut() = if version == http::Version::HTTP_2 {
            headers.remove(HOST);
            target.absolute.clone()
        } else {
            target.line.clone()
        };
        *message.headers_mut() = headers;
        message
    }
}

/// How an attempt on a connection ended.
enum Sent {
    /// With an answer or an error: this is the request's outcome.
    Done(Result<(), TransportError>),
    /// The connection was dead before anything was written.
    NotWritten(TransportError),
}

/// A request under way: its limits and its record so far.
struct Hop {
    timer: Timer,
    started: Instant,
    deadline: Instant,
    first_byte: Option<Duration>,
    idle: Option<Duration>,
    body_limit: usize,
    exchange: Exchange,
    /// The connection that it was handed to.
    carrier: Option<Rc<Meter>>,
}

/// Notices that a request's future is dropped while the request is on a connection.
struct Flight<'a> {
    client: &'a Client,
    hop: Option<Hop>,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let Some(hop) = self.hop.take() else { return };
        let Some(meter) = &hop.carrier else { return };
        let (bytes_in, bytes_out) = meter.take(1);
        // Handed over but not written: the server knows nothing of it.
        if bytes_out > 0 || meter.last_write().is_some() {
            let Exchange { method, url, .. } = hop.exchange;
            self.client.abandoned.borrow_mut().push(Abandoned { method, target: url, bytes_in, bytes_out });
        }
    }
}

impl Hop {
    async fn over_h1(
        &mut self,
        h1: &mut H1,
        message: http::Request<Upload>,
        got: Instant,
    ) -> Sent {
        let meter = h1.link.meter.clone();
        meter.start_exchange();
        self.carrier = Some(meter.clone());
        self.exchange.remote_addr = Some(h1.link.remote);
        self.exchange.tls_version = h1.link.tls_version;
        h1.busy = true;
        h1.used = true;
        let (limit, kind) = self.head_limit(got);
        let answer = self
            .timer
            .race(limit, h1.sender.try_send_request(message))
            .await;
        let outcome = match answer {
            Ok(Ok(response)) => self.read(response).await,
            Ok(Err(mut error)) => {
                let classified = classify(error.error(), Phase::Wait);
                if error.take_message().is_some() {
                    return Sent::NotWritten(classified);
                }
                Err(classified)
            }
            Err(_) => Err(timeout(kind, Phase::Wait)),
        };
        let end = Instant::now();
        self.exchange.written = meter.last_write().is_some();
        self.split(got, meter.last_write(), meter.first_read(), end);
        (self.exchange.bytes_in, self.exchange.bytes_out) = meter.take(1);
        h1.idle_since = end;
        h1.busy = outcome.is_err();
        Sent::Done(outcome.map_err(|error| self.place(error)))
    }

    async fn over_h2(
        &mut self,
        h2: Rc<H2>,
        message: http::Request<Upload>,
        got: Instant,
    ) -> Sent {
        let meter = h2.link.meter.clone();
        let stream = ActiveStream::start(&h2);
        let alone = h2.active.get() == 1;
        if alone {
            meter.start_exchange();
        }
        let out_before = meter.total().1;
        self.carrier = Some(meter.clone());
        self.exchange.remote_addr = Some(h2.link.remote);
        self.exchange.tls_version = h2.link.tls_version;
        self.exchange.version = http::Version::HTTP_2;
        self.exchange.reused = h2.used.replace(true);
        let (limit, kind) = self.head_limit(got);
        let mut sender = h2.sender.clone();
        let answer = self
            .timer
            .race(limit, sender.try_send_request(message))
            .await;
        let head = Instant::now();
        // Only a request that is alone on its connection knows which write was its last.
        let last_write = if alone { meter.last_write() } else { Some(got) };
        let mut first_read = None;
        let outcome = match answer {
            Ok(Ok(response)) => {
                first_read = Some(head);
                self.read(response).await
            }
            Ok(Err(mut error)) => {
                let classified = classify(error.error(), Phase::Wait);
                if error.take_message().is_some() {
                    return Sent::NotWritten(classified);
                }
                Err(classified)
            }
            Err(_) => Err(timeout(kind, Phase::Wait)),
        };
        let end = Instant::now();
        self.exchange.written = first_read.is_some() || meter.total().1 > out_before;
        self.split(got, last_write, first_read, end);
        (self.exchange.bytes_in, self.exchange.bytes_out) = meter.take(h2.active.get());
        drop(stream);
        Sent::Done(outcome.map_err(|error| self.place(error)))
    }

    /// Until when the head of the answer must be there, and what it is called if it is not.
    fn head_limit(&self, got: Instant) -> (Instant, ErrorKind) {
        match self.first_byte.map(|limit| got + limit) {
            Some(at) if at < self.deadline => (at, ErrorKind::FirstByteTimeout),
            _ => (self.deadline, ErrorKind::Timeout),
        }
    }

    /// Takes head and body into the record.
    async fn read(&mut self, response: Response<Incoming>) -> Result<(), TransportError> {
        let (head, mut incoming) = response.into_parts();
        self.exchange.status = head.status.as_u16();
        self.exchange.version = head.version;
        self.exchange.headers = head.headers;
        let mut kept = Kept::new(self.body_limit, incoming.size_hint().exact());
        let mut outcome = Ok(());
        while !incoming.is_end_stream() {
            let (limit, kind) = match self.idle.map(|idle| Instant::now() + idle) {
                Some(at) if at < self.deadline => (at, ErrorKind::IdleTimeout),
                _ => (self.deadline, ErrorKind::Timeout),
            };
            match self.timer.race(limit, incoming.frame()).await {
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        kept.add(data);
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
        let (raw, length) = kept.finish();
        let truncated = length > raw.len() as u64;
        let encoding = self.exchange.headers.get(CONTENT_ENCODING).cloned();
        self.exchange.body_length = length;
        self.exchange.truncated = truncated;
        self.exchange.body = Body::new(raw, encoding, truncated || outcome.is_err());
        outcome
    }

    /// The phases from the marks. Their sum is the time from having the connection to the end.
    fn split(&mut self, got: Instant, sent: Option<Instant>, first: Option<Instant>, end: Instant) {
        let timings = &mut self.exchange.timings;
        timings.total = end.saturating_duration_since(self.started);
        let Some(sent) = sent else {
            timings.send = end.saturating_duration_since(got);
            return;
        };
        let sent = sent.clamp(got, end);
        timings.send = sent - got;
        match first {
            None => timings.wait = end - sent,
            Some(first) => {
                let first = first.clamp(sent, end);
                timings.wait = first - sent;
                timings.receive = end - first;
            }
        }
    }

    /// The total deadline passed before there was a connection.
    fn gave_up(&mut self, phase: Phase, now: Instant) -> TransportError {
        self.exchange.timings.blocked = now.saturating_duration_since(self.started);
        self.exchange.timings.total = self.exchange.timings.blocked;
        total_timeout(phase)
    }

    /// A request that was not even written failed in sending.
    fn place(&self, mut error: TransportError) -> TransportError {
        if error.phase == Phase::Wait && !self.exchange.written {
            error.phase = Phase::Send;
        }
        error
    }
}

fn total_timeout(phase: Phase) -> TransportError {
    timeout(ErrorKind::Timeout, phase)
}

fn timeout(kind: ErrorKind, phase: Phase) -> TransportError {
    let message = match kind {
        ErrorKind::FirstByteTimeout => "no first byte in time",
        ErrorKind::IdleTimeout => "the body stood still for too long",
        _ => "request timeout",
    };
    TransportError::new(kind, phase, message)
}

/// A body as it arrives: the first piece as it is, more of them joined, the excess counted.
struct Kept {
    limit: usize,
    expected: Option<u64>,
    length: u64,
    first: Bytes,
    joined: Vec<u8>,
}

impl Kept {
    fn new(limit: usize, expected: Option<u64>) -> Kept {
        Kept {
            limit,
            expected,
            length: 0,
            first: Bytes::new(),
            joined: Vec::new(),
        }
    }

    fn add(&mut self, mut piece: Bytes) {
        let before = usize::try_from(self.length).unwrap_or(usize::MAX);
        self.length += piece.len() as u64;
        piece.truncate(self.limit.saturating_sub(before));
        if piece.is_empty() {
            return;
        }
        if before == 0 {
            self.first = piece;
            return;
        }
        if self.joined.is_empty() {
            let expected = self.expected.unwrap_or(0).min(self.limit as u64);
            // A server may announce more than it sends: reserve what is announced only up to a megabyte.
            self.joined.reserve(expected.min(1024 * 1024) as usize);
            self.joined.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.joined.extend_from_slice(&piece);
    }

    fn finish(self) -> (Bytes, u64) {
        let raw = if self.joined.is_empty() {
            self.first
        } else {
            self.joined.into()
        };
        (raw, self.length)
    }
}
