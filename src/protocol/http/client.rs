//! One user's HTTP: its connections, its cookies, its TLS sessions.
//!
//! Made by the script floor for each virtual user. All methods take `&self` and hold no borrow across an await, so that several requests
//! of one user may be in flight at once (`http::batch`), and dropping any of them at any point leaves the client in order: its
//! connection is closed, its place in the pool passed on.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, COOKIE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue};

use super::abandoned::{Abandoned, Flight};
use super::connection::{start_h1, start_h2};
use super::cookies::Jar;
use super::exchange::Exchange;
use super::hop::{Hop, Sent};
use super::options::Version;
use super::pool::{Held, Lease, Limits, Pool, Protocol};
use super::redirect;
use super::request::Request;
use super::shared::Shared;
use super::target::Authority;
use super::{hop, over_h1, over_h2};
use crate::protocol::net::{Dial, ErrorKind, Phase, Progress, TransportError, UserTls, dial};

/// A connection that idled longer than this lets the shard see first whether the server closed it.
const SUSPECT_AFTER: Duration = Duration::from_millis(1);

/// So many connections in a row may turn out dead before anything was written.
const MOST_DEAD: u32 = 8;

/// One user's client.
pub struct Client {
    shared: Rc<Shared>,
    pools: RefCell<Vec<Rc<Pool>>>,
    jar: RefCell<Jar>,
    tls: RefCell<Option<Rc<UserTls>>>,
    abandoned: Cell<Vec<Abandoned>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("pools", &self.pools).field("jar", &self.jar).finish_non_exhaustive()
    }
}

impl Client {
    /// Opens nothing.
    pub fn new(shared: Rc<Shared>) -> Client {
        Client {
            shared,
            pools: RefCell::default(),
            jar: RefCell::default(),
            tls: RefCell::default(),
            abandoned: Cell::default(),
        }
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
        self.disconnect();
        self.jar.borrow_mut().clear();
    }

    /// Closes the connections and forgets the TLS sessions; cookies stay.
    pub fn disconnect(&self) {
        self.close();
        self.tls.take();
    }

    /// The requests whose futures were dropped after something of them was written, since the last call.
    pub fn take_abandoned(&self) -> Vec<Abandoned> {
        self.abandoned.take()
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
                    let target = self.shared.target_of(url);
                    target.map_err(|error| error.to_string())
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
        let mut flight = Flight::new(Hop::start(shared, request), &self.abandoned);
        let outcome = self.attempt(request, flight.hop()).await;
        let mut hop = flight.land();
        hop.exchange.error = outcome.err().map(|error| self.explained(error, &hop.exchange));
        if hop.exchange.tls_version.is_some() && hop.exchange.status != 0 {
            self.tls.borrow().iter().for_each(|tls| tls.served());
        }
        if hop.exchange.timings.total.is_zero() {
            hop.exchange.timings.total = hop.started.elapsed();
        }
        if request.jar && shared.options.cookies && hop.sets_cookies {
            let mut jar = self.jar.borrow_mut();
            jar.store(&hop.exchange.headers, &request.target.url);
        }
        hop.exchange
    }

    fn explained(&self, error: TransportError, exchange: &Exchange) -> TransportError {
        match &*self.tls.borrow() {
            Some(tls) if exchange.tls_version.is_some() && !exchange.reused => tls.explained(error),
            _ => error,
        }
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
        let mut dead = 0;
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
                if hop.started.saturating_duration_since(h1.idle_since) > SUSPECT_AFTER {
                    tokio::task::yield_now().await;
                    got = Instant::now();
                }
                if !h1.is_alive().await {
                    h1.counted.lost();
                    lease.discard_h1();
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
                    let head = over_h1::head(request, || self.headers(request));
                    over_h1::exchange(hop, h1, head, request.body.clone(), got).await
                }
                Held::Share(h2) => {
                    let message = over_h2::message(request, self.headers(request));
                    let h2 = h2.clone();
                    over_h2::exchange(hop, h2, message, got).await
                }
                Held::Place | Held::Nothing => unreachable!("a place was filled above"),
            };
            match sent {
                Sent::Done(outcome) => return outcome,
                Sent::NotWritten(error) if fresh || dead == MOST_DEAD => return Err(error),
                Sent::NotWritten(_) => {
                    dead += 1;
                    lease.discard_h1();
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
        let limits = Limits { h1: options.connections_per_user, h2: options.h2_connections_per_user };
        let pool = Pool::new(authority.clone(), limits, protocol);
        pools.push(pool.clone());
        pool
    }

    /// The user's TLS: made at its first encrypted connection, sessions kept for the later ones.
    fn user_tls(&self) -> Result<Rc<UserTls>, TransportError> {
        if let Some(tls) = &*self.tls.borrow() {
            return Ok(tls.clone());
        }
        let tls = Rc::new(self.shared.tls_setup()?.for_user());
        *self.tls.borrow_mut() = Some(tls.clone());
        Ok(tls)
    }

    async fn open(&self, authority: &Authority, lease: &mut Lease, hop: &mut Hop) -> Result<(), TransportError> {
        let shared = &*self.shared;
        let options = &shared.options;
        let tls = if authority.is_tls { Some(self.user_tls()?) } else { None };
        let order = Dial {
            host: &authority.host,
            port: authority.port,
            tls: tls.as_ref().map(|tls| tls.config()),
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
                lease.fill_h2(start_h2(dialed, options.header_limit, shared.net.census()).await?);
            } else {
                lease.fill_h1(start_h1(dialed, shared.net.census()));
            }
            Ok(())
        };
        let opened = hop.timer.race(hop.deadline, opening).await;
        let now = Instant::now();
        let timings = &mut hop.exchange.timings;
        (timings.dns, timings.connect, timings.tls) = progress.phases(now);
        let result = opened.unwrap_or_else(|_| Err(hop::timeout(ErrorKind::Timeout, progress.phase())));
        if result.is_err() {
            shared.net.census().failed();
            timings.blocked = now.saturating_duration_since(hop.started);
            timings.total = timings.blocked;
        }
        result
    }

    /// The headers of a request: the target's, the request's, the jar's. `None` if they are just the target's.
    fn headers(&self, request: &Request) -> Option<HeaderMap> {
        let target = &request.target;
        let cookie = self.cookie(request);
        if request.headers.is_empty() && request.compression.is_none() && cookie.is_none() {
            return None;
        }
        let mut headers = target.headers.clone();
        for name in request.headers.keys() {
            headers.remove(name);
        }
        for (name, value) in &request.headers {
            // The length is ours to count: a wrong one would leave the connection waiting.
            if name != CONTENT_LENGTH && name != TRANSFER_ENCODING {
                headers.append(name, value.clone());
            }
        }
        match request.compression {
            Some(true) => drop(headers.entry(ACCEPT_ENCODING).or_insert(super::shared::ENCODINGS)),
            Some(false) if !request.headers.contains_key(ACCEPT_ENCODING) => {
                headers.remove(ACCEPT_ENCODING);
            }
            _ => {}
        }
        if let Some(cookie) = cookie {
            headers.insert(COOKIE, cookie);
        }
        Some(headers)
    }

    fn cookie(&self, request: &Request) -> Option<HeaderValue> {
        if request.headers.contains_key(COOKIE) {
            return None;
        }
        let jar = self.jar.borrow();
        if request.jar && self.shared.options.cookies {
            if jar.is_empty() && request.cookies.is_empty() {
                return None;
            }
            jar.header(&request.target.url, &request.cookies)
        } else {
            Jar::default().header(&request.target.url, &request.cookies)
        }
    }
}
