//! Names to addresses: overrides first, then the system's name servers with their TTLs honoured.
//!
//! Called by `net/dial.rs`. hickory instead of `getaddrinfo`, which would sit on a pool of threads, hide the TTL and mix its
//! queue into the measured lookup time. Literal addresses and `localhost` never leave this file.

use std::cell::{Cell, OnceCell};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig, ServerOrderingStrategy,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;

use super::error::{ErrorKind, Phase, TransportError};

/// How names are looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsOptions {
    /// Host (exact, or `*.domain` for everything below it) to addresses; asked before any name server.
    pub hosts: Vec<(String, Vec<IpAddr>)>,
    /// How long an answer is kept instead of its own TTL; zero asks every time.
    pub ttl: Option<Duration>,
    /// Name servers to ask instead of the system's.
    pub servers: Vec<SocketAddr>,
    /// How long one query may take; there are two attempts.
    pub timeout: Duration,
}

impl Default for DnsOptions {
    fn default() -> DnsOptions {
        DnsOptions { hosts: Vec::new(), ttl: None, servers: Vec::new(), timeout: Duration::from_secs(5) }
    }
}

/// The resolver of a shard.
#[derive(Debug)]
pub struct Resolver {
    options: DnsOptions,
    hickory: OnceCell<TokioResolver>,
    turn: Cell<usize>,
}

impl Resolver {
    /// Does nothing until the first lookup.
    pub fn new(options: DnsOptions) -> Resolver {
        Resolver { options, hickory: OnceCell::new(), turn: Cell::new(0) }
    }

    /// The addresses that need no name server: literals, overrides, `localhost`.
    pub fn known(&self, host: &str) -> Option<Vec<IpAddr>> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(literal) = bare.parse::<IpAddr>() {
            return Some(vec![literal]);
        }
        let found = self.options.hosts.iter().find(|(pattern, _)| host_matches(pattern, host));
        if let Some((_, addresses)) = found {
            return Some(self.rotated(addresses.clone()));
        }
        host.eq_ignore_ascii_case("localhost")
            .then(|| vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)])
    }

    /// All addresses of a host, starting with another one each time (as name servers do), so that users spread over them.
    ///
    /// # Errors
    /// `dns_not_found`, `dns_timeout`, `dns_servfail` or `dns`.
    pub async fn lookup(&self, host: &str) -> Result<Vec<IpAddr>, TransportError> {
        if let Some(known) = self.known(host) {
            return Ok(known);
        }
        let hickory = self.hickory()?;
        let answer = hickory.lookup_ip(host).await.map_err(|error| classify(&error))?;
        let addresses: Vec<IpAddr> = answer.iter().collect();
        if addresses.is_empty() {
            return Err(not_found());
        }
        Ok(self.rotated(addresses))
    }

    fn rotated(&self, mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
        let turn = self.turn.get();
        self.turn.set(turn.wrapping_add(1));
        if !addresses.is_empty() {
            let start = turn % addresses.len();
            addresses.rotate_left(start);
        }
        addresses
    }

    fn hickory(&self) -> Result<&TokioResolver, TransportError> {
        if let Some(ready) = self.hickory.get() {
            return Ok(ready);
        }
        let failed = |error: NetError| {
            TransportError::new(ErrorKind::Dns, Phase::Dns, format!("the resolver cannot start: {error}"))
        };
        let mut builder = if self.options.servers.is_empty() {
            TokioResolver::builder_tokio().map_err(failed)?
        } else {
            let servers = self.options.servers.iter().map(name_server).collect();
            TokioResolver::builder_with_config(
                ResolverConfig::from_name_servers(servers),
                TokioRuntimeProvider::default(),
            )
        };
        let settings = builder.options_mut();
        settings.timeout = self.options.timeout;
        settings.attempts = 2;
        settings.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        settings.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
        if let Some(ttl) = self.options.ttl {
            settings.positive_min_ttl = Some(ttl);
            settings.positive_max_ttl = Some(ttl);
            if ttl.is_zero() {
                settings.cache_size = 0;
            }
        }
        let built = builder.build().map_err(failed)?;
        Ok(self.hickory.get_or_init(|| built))
    }
}

/// Whether a host is meant by a pattern: the name itself, or `*.domain` for everything below the domain.
pub fn host_matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(tail) => {
            host.len() > tail.len()
                && host.is_char_boundary(host.len() - tail.len())
                && host[host.len() - tail.len()..].eq_ignore_ascii_case(tail)
        }
        None => pattern.eq_ignore_ascii_case(host),
    }
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let mut udp = ConnectionConfig::udp();
    udp.port = address.port();
    let mut tcp = ConnectionConfig::tcp();
    tcp.port = address.port();
    NameServerConfig::new(address.ip(), true, vec![udp, tcp])
}

fn not_found() -> TransportError {
    TransportError::new(ErrorKind::DnsNotFound, Phase::Dns, "lookup: no such host")
}

fn classify(error: &NetError) -> TransportError {
    let code = match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => Some(none.response_code),
        NetError::Dns(DnsError::ResponseCode(code)) => Some(*code),
        _ => None,
    };
    match (code, error) {
        (Some(ResponseCode::NXDomain | ResponseCode::NoError), _) => not_found(),
        (Some(code), _) => TransportError::new(
            ErrorKind::DnsServfail,
            Phase::Dns,
            format!("lookup: the name server answered `{code}`"),
        ),
        (None, NetError::Timeout) => {
            TransportError::new(ErrorKind::DnsTimeout, Phase::Dns, "lookup: the name servers did not answer in time")
        }
        (None, _) => TransportError::new(ErrorKind::Dns, Phase::Dns, format!("lookup: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::UdpSocket;

    fn resolver(hosts: &[(&str, &str)], servers: Vec<SocketAddr>, ttl: Option<u64>) -> Resolver {
        Resolver::new(DnsOptions {
            hosts: hosts.iter().map(|(host, ip)| ((*host).to_owned(), vec![ip.parse().unwrap()])).collect(),
            ttl: ttl.map(Duration::from_secs),
            servers,
            timeout: Duration::from_millis(200),
        })
    }

    #[test]
    fn patterns() {
        assert!(host_matches("shop.test", "SHOP.test"));
        assert!(host_matches("*.test", "a.b.test"));
        assert!(!host_matches("*.test", ".test"));
        assert!(!host_matches("*.test", "atest"));
    }

    #[tokio::test]
    async fn literals_overrides_and_localhost_need_no_server() {
        let resolver = resolver(&[("shop.test", "10.0.0.7"), ("*.wild", "10.0.0.8")], vec![], None);
        for (host, ip) in [
            ("127.0.0.9", "127.0.0.9"),
            ("[::1]", "::1"),
            ("shop.test", "10.0.0.7"),
            ("deep.wild", "10.0.0.8"),
            ("localhost", "127.0.0.1"),
        ] {
            assert_eq!(resolver.lookup(host).await.unwrap()[0].to_string(), ip);
        }
    }

    /// Answers every query with `rcode` and, when it is zero, one A record of the given TTL; counts the A queries.
    async fn stub(rcode: u8, ttl: u32) -> (SocketAddr, std::rc::Rc<Cell<u32>>) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let asked = std::rc::Rc::new(Cell::new(0));
        let count = asked.clone();
        tokio::task::spawn_local(async move {
            let mut query = [0u8; 512];
            while let Ok((_, peer)) = socket.recv_from(&mut query).await {
                let mut end = 12;
                while query[end] != 0 {
                    end += 1 + query[end] as usize;
                }
                let is_a = query[end + 2] == 1;
                end += 5;
                let answers = u8::from(rcode == 0 && is_a);
                count.set(count.get() + u32::from(is_a));
                let mut reply = query[..end].to_vec();
                reply[2] = 0x81;
                reply[3] = 0x80 | rcode;
                reply[6..12].copy_from_slice(&[0, answers, 0, 0, 0, 0]);
                if answers == 1 {
                    reply.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1]);
                    reply.extend_from_slice(&ttl.to_be_bytes());
                    reply.extend_from_slice(&[0, 4, 127, 0, 0, 77]);
                }
                socket.send_to(&reply, peer).await.unwrap();
            }
        });
        (address, asked)
    }

    async fn local<F: Future>(work: F) -> F::Output {
        tokio::task::LocalSet::new().run_until(work).await
    }

    #[tokio::test]
    async fn three_classes_of_failure() {
        local(async {
            for (rcode, kind) in [(3, ErrorKind::DnsNotFound), (2, ErrorKind::DnsServfail)] {
                let (server, _) = stub(rcode, 60).await;
                let error = resolver(&[], vec![server], None).lookup("shop.test.").await.unwrap_err();
                assert_eq!(error.kind, kind, "{error}");
            }
            let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let error = resolver(&[], vec![silent.local_addr().unwrap()], None).lookup("shop.test.").await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::DnsTimeout, "{error}");
        })
        .await;
    }

    #[tokio::test]
    async fn answers_are_kept_for_their_ttl_or_for_ours() {
        local(async {
            for (server_ttl, ours, queries) in [(60, None, 1), (60, Some(0), 3), (0, Some(60), 1)] {
                let (server, asked) = stub(0, server_ttl).await;
                let resolver = resolver(&[], vec![server], ours);
                for _ in 0..3 {
                    let found = resolver.lookup("shop.test.").await.unwrap();
                    assert_eq!(found[0].to_string(), "127.0.0.77");
                }
                assert_eq!(asked.get(), queries, "ttl {server_ttl}, ours {ours:?}");
            }
        })
        .await;
    }
}
