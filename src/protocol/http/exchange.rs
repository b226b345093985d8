//! What one request and its answer came to: the record that scripts read and metrics are taken from.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use http::{Method, Version};

use super::body::Body;
use super::headers::Headers;
use super::target::Target;
use crate::protocol::net::{TransportError, status_code};

/// The phases of a request, with k6's meanings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// From wanting a connection to having one: waiting for the pool, and on a new connection lookup, TCP and TLS as well.
    pub blocked: Duration,
    /// Looking the host up; zero on a reused connection, as the next two.
    pub dns: Duration,
    /// Opening the TCP connection, proxy handshake included.
    pub connect: Duration,
    /// The TLS handshake.
    pub tls: Duration,
    /// From having the connection to the last byte written.
    pub send: Duration,
    /// From the last byte written to the first byte of the answer.
    pub wait: Duration,
    /// From the first byte to the last.
    pub receive: Duration,
    /// From wanting a connection to the last byte, or to giving up.
    pub total: Duration,
}

impl Timings {
    /// `http_req_duration`: send + wait + receive.
    pub fn duration(&self) -> Duration {
        self.send + self.wait + self.receive
    }
}

/// One hop: a request and what came of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Where it went.
    pub url: Rc<Target>,
    /// The method (a redirect may have changed it).
    pub method: Method,
    /// The status; 0 when no head arrived.
    pub status: u16,
    /// The protocol of the answer, else of the connection.
    pub version: Version,
    /// Headers of the answer; a map is made of them at first use.
    pub headers: Headers,
    /// What was kept of the body.
    pub body: Body,
    /// The size of the body as sent, discarded part included.
    pub body_length: u64,
    /// Whether part of the body was discarded.
    pub truncated: bool,
    /// The phases.
    pub timings: Timings,
    /// Bytes read from the socket on behalf of this request: exact with HTTP/1.1; with HTTP/2 its share of the connection's bytes.
    pub bytes_in: u64,
    /// Bytes written to the socket likewise.
    pub bytes_out: u64,
    /// Whether the connection had served a request before.
    pub reused: bool,
    /// Whether any of the request was written; if not, it gives no `http_req_duration` sample.
    pub written: bool,
    /// Why there is no whole answer.
    pub error: Option<TransportError>,
    /// The address at the other end of the connection.
    pub remote_addr: Option<SocketAddr>,
    /// `tls1.2` or `tls1.3`.
    pub tls_version: Option<&'static str>,
}

impl Exchange {
    /// k6's `error_code`: the transport error's, else the status' (1400 to 1599), else 0.
    pub fn error_code(&self) -> u16 {
        match &self.error {
            Some(error) => error.code,
            None => status_code(self.status).unwrap_or(0),
        }
    }

    /// The `proto` tag as k6 writes it: `HTTP/1.1`, `HTTP/2.0`.
    pub fn proto(&self) -> &'static str {
        match self.version {
            Version::HTTP_10 => "HTTP/1.0",
            Version::HTTP_2 => "HTTP/2.0",
            _ => "HTTP/1.1",
        }
    }

    /// The first value of a header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
