//! The road under every protocol: name → address → TCP → TLS, each step timed, each failure classed.
//!
//! `http/` (and later protocols) ask [`dial::dial`] for a connection. One [`Shared`] per shard, never sent to another thread. It
//! knows nothing of requests, users or metrics.

pub mod census;
pub mod dial;
pub mod error;
pub mod proxy;
pub mod resolver;
pub mod stream;
pub mod tcp;
pub mod tls;

use std::net::IpAddr;
use std::rc::Rc;

pub use census::{Census, Counted};
pub use dial::{Dial, Dialed, Progress, dial};
pub use error::{ErrorKind, Phase, TransportError, status_code};
pub use proxy::Proxy;
pub use resolver::{DnsOptions, Resolver};
pub use stream::{Meter, Scratch, Stream};
pub use tcp::Sources;
pub use tls::{TlsOptions, TlsSetup, UserTls};

/// What all connections of a shard share: the resolver's cache, the source addresses, one read buffer and the census.
#[derive(Debug)]
pub struct Shared {
    resolver: Resolver,
    sources: Sources,
    scratch: Rc<Scratch>,
    census: Rc<Census>,
}

impl Shared {
    /// Does nothing yet: the resolver reads the system's configuration at the first name that needs it.
    pub fn new(dns: DnsOptions, source_ips: Vec<IpAddr>, census: Rc<Census>) -> Rc<Shared> {
        Rc::new(Shared {
            resolver: Resolver::new(dns),
            sources: Sources::new(source_ips),
            scratch: Rc::new(Scratch::default()),
            census,
        })
    }

    /// Where connections are counted.
    pub fn census(&self) -> &Rc<Census> {
        &self.census
    }
}
