//! What all users of a shard share about HTTP: options, ready-made URLs, the TLS base, timers.
//!
//! Made once per shard and set of options; given to every [`super::Client`].

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use http::header::{ACCEPT_ENCODING, AUTHORIZATION, HOST, PROXY_AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Uri};
use rustc_hash::FxHashMap;
use url::Url;

use super::deadline::Timers;
use super::options::{HttpOptions, Version};
use super::request::basic_auth;
use super::target::{Authority, Target, TargetError, join, operation_path};
use crate::protocol::net;
use crate::protocol::net::proxy::ProxyKind;
use crate::protocol::net::resolver::host_matches;
use crate::protocol::net::{ErrorKind, Phase, TlsSetup, TransportError};

/// How many URLs are kept ready. URLs with ids in them come by the million; when the cache is full it starts anew.
const TARGETS_KEPT: usize = 4096;

/// What we can decode.
pub(super) const ENCODINGS: HeaderValue = HeaderValue::from_static("gzip, deflate, br, zstd");

/// The state of a shard.
#[derive(Debug)]
pub struct Shared {
    pub(super) net: Rc<net::Shared>,
    pub(super) options: HttpOptions,
    pub(super) timers: Rc<Timers>,
    targets: RefCell<FxHashMap<Box<str>, Rc<Target>>>,
    authorities: RefCell<Vec<Rc<Authority>>>,
    defaults: HeaderMap,
    tls: OnceCell<Result<TlsSetup, TransportError>>,
}

impl Shared {
    /// Does nothing yet: certificates are read at the first encrypted connection ([`Shared::check`] reads them at once).
    pub fn new(net: Rc<net::Shared>, options: HttpOptions) -> Rc<Shared> {
        let mut defaults = HeaderMap::new();
        if let Ok(agent) = HeaderValue::from_str(&options.user_agent)
            && !agent.is_empty()
        {
            defaults.insert(USER_AGENT, agent);
        }
        if options.compression {
            defaults.insert(ACCEPT_ENCODING, ENCODINGS);
        }
        for (name, value) in &options.headers {
            defaults.insert(name.clone(), value.clone());
        }
        Rc::new(Shared {
            net,
            options,
            timers: Rc::new(Timers::default()),
            targets: RefCell::default(),
            authorities: RefCell::default(),
            defaults,
            tls: OnceCell::new(),
        })
    }

    /// The options this was made with.
    pub fn options(&self) -> &HttpOptions {
        &self.options
    }

    /// Reads the certificates of the options: the check before a run starts.
    ///
    /// # Errors
    /// A fragment for a diagnostic.
    pub fn check(&self) -> Result<(), String> {
        self.tls_setup().map(drop).map_err(|error| error.message.into())
    }

    /// The TLS configuration that users start from.
    pub(super) fn tls_setup(&self) -> Result<&TlsSetup, TransportError> {
        let made = self.tls.get_or_init(|| {
            let alpn: &[&[u8]] = match self.options.version {
                Version::Auto => &[b"h2", b"http/1.1"],
                Version::Http1 => &[b"http/1.1"],
                Version::Http2 => &[b"h2"],
            };
            TlsSetup::new(&self.options.tls, alpn)
                .map_err(|message| TransportError::new(ErrorKind::Tls, Phase::Tls, message))
        });
        made.as_ref().map_err(Clone::clone)
    }

    /// A URL as a script writes it, made ready: relative ones are put behind `base_url`.
    ///
    /// # Errors
    /// A text that is no usable URL.
    pub fn target(&self, text: &str) -> Result<Rc<Target>, TargetError> {
        if let Some(ready) = self.targets.borrow().get(text) {
            return Ok(ready.clone());
        }
        let url = join(self.options.base_url.as_deref(), text)?;
        let target = Rc::new(self.prepare(url)?);
        self.keep(text, &target);
        Ok(target)
    }

    /// A URL that a redirect leads to.
    pub(super) fn target_of(&self, url: Url) -> Result<Rc<Target>, TargetError> {
        if let Some(ready) = self.targets.borrow().get(url.as_str()) {
            return Ok(ready.clone());
        }
        let text: Box<str> = url.as_str().into();
        let target = Rc::new(self.prepare(url)?);
        self.keep(&text, &target);
        Ok(target)
    }

    fn keep(&self, text: &str, target: &Rc<Target>) {
        let mut targets = self.targets.borrow_mut();
        if targets.len() >= TARGETS_KEPT {
            targets.clear();
        }
        targets.insert(text.into(), target.clone());
    }

    fn prepare(&self, url: Url) -> Result<Target, TargetError> {
        let invalid = |what: &dyn std::fmt::Display| TargetError::Invalid(what.to_string());
        let authority = self.authority(&url)?;
        let mut headers = HeaderMap::with_capacity(self.defaults.len() + 2);
        headers.insert(HOST, authority.host_header.clone());
        headers.extend(self.defaults.clone());
        if !url.username().is_empty() && !headers.contains_key(AUTHORIZATION) {
            let decode = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
            let user = decode(url.username());
            let password = decode(url.password().unwrap_or_default());
            headers.insert(AUTHORIZATION, basic_auth(&user, &password));
        }

        let host = authority.host_header.to_str().map_err(|error| invalid(&error))?;
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let absolute: Uri = format!("{}://{host}{path}", url.scheme())
            .parse()
            .map_err(|error: http::uri::InvalidUri| invalid(&error))?;
        let forwarded = authority.proxied && !authority.is_tls && self.forwards();
        let line = if forwarded {
            let proxy = self.options.proxy.as_ref();
            if let Some(value) = proxy.and_then(net::Proxy::authorization) {
                let value = HeaderValue::try_from(value).map_err(|error| invalid(&error))?;
                headers.insert(PROXY_AUTHORIZATION, value);
            }
            absolute.to_string()
        } else {
            path
        };
        Ok(Target {
            operation_path: operation_path(url.path()).into(),
            authority,
            memo: std::cell::Cell::new(0),
            line: line.into(),
            get_head: OnceCell::new(),
            absolute,
            headers,
            url,
        })
    }

    /// Whether the proxy forwards plain requests itself instead of opening a tunnel. HTTP/2 needs the tunnel.
    pub(super) fn forwards(&self) -> bool {
        let is_http = |proxy: &net::Proxy| proxy.kind == ProxyKind::Http;
        self.options.version != Version::Http2 && self.options.proxy.as_ref().is_some_and(is_http)
    }

    fn authority(&self, url: &Url) -> Result<Rc<Authority>, TargetError> {
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or_else(|| TargetError::Invalid("empty host".to_owned()))?;
        let is_tls = url.scheme() == "https";
        let port = url.port().unwrap_or(if is_tls { 443 } else { 80 });
        let mut authorities = self.authorities.borrow_mut();
        let known =
            authorities.iter().find(|known| known.port == port && known.is_tls == is_tls && *known.host == *host);
        if let Some(known) = known {
            return Ok(known.clone());
        }
        if authorities.len() >= TARGETS_KEPT {
            authorities.retain(|known| Rc::strong_count(known) > 1);
        }
        let host_header = match url.port() {
            Some(port) => HeaderValue::try_from(format!("{host}:{port}")),
            None => HeaderValue::from_str(host),
        };
        let options = &self.options;
        let among = |patterns: &[String]| patterns.iter().any(|one| host_matches(one, host));
        let fresh = Rc::new(Authority {
            host: host.into(),
            port,
            is_tls,
            allowed: options.allow_hosts.is_empty() || among(&options.allow_hosts),
            proxied: options.proxy.is_some() && !among(&options.no_proxy),
            host_header: host_header.map_err(|error| TargetError::Invalid(error.to_string()))?,
        });
        authorities.push(fresh.clone());
        Ok(fresh)
    }
}
