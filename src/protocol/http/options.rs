//! What a script may set about HTTP, as plain data.
//!
//! Filled by the script floor from its options map, read by [`super::Shared`]. Knows nothing of how any of it is done.

use http::{HeaderName, HeaderValue};

pub use crate::plan::{HttpVersion as Version, Timeouts};
use crate::protocol::net::{Proxy, TlsOptions};

/// Everything a scenario may set about HTTP.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpOptions {
    /// Put before relative URLs with exactly one `/` between.
    pub base_url: Option<String>,
    /// Which HTTP to speak.
    pub version: Version,
    /// Certificates and names.
    pub tls: TlsOptions,
    /// Go through this proxy.
    pub proxy: Option<Proxy>,
    /// Hosts (exact or `*.domain`) that bypass the proxy.
    pub no_proxy: Vec<String>,
    /// Time limits.
    pub timeouts: Timeouts,
    /// How many redirects are followed.
    pub redirects: u32,
    /// Keep cookies per user.
    pub cookies: bool,
    /// Ask for compressed answers.
    pub compression: bool,
    /// Connections per user and host with HTTP/1.1.
    pub connections_per_user: u16,
    /// Connections per user and host with HTTP/2, which carries many requests on each.
    pub h2_connections_per_user: u16,
    /// `User-Agent`; none is sent when empty.
    pub user_agent: String,
    /// Sent with every request that does not set them itself.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// How much of a body is kept; the rest is counted and discarded.
    pub body_limit: usize,
    /// How large the head of an answer may be.
    pub header_limit: usize,
    /// Hosts (exact or `*.domain`) that requests may go to; empty allows all.
    pub allow_hosts: Vec<String>,
}

impl Default for HttpOptions {
    fn default() -> HttpOptions {
        HttpOptions {
            base_url: None,
            version: Version::Auto,
            tls: TlsOptions::default(),
            proxy: None,
            no_proxy: Vec::new(),
            timeouts: Timeouts::default(),
            redirects: 10,
            cookies: true,
            compression: true,
            connections_per_user: 6,
            h2_connections_per_user: 1,
            user_agent: concat!("punk/", env!("CARGO_PKG_VERSION")).to_owned(),
            headers: Vec::new(),
            body_limit: 16 * 1024 * 1024,
            header_limit: 256 * 1024,
            allow_hosts: Vec::new(),
        }
    }
}
