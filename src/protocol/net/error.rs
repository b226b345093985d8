//! Why a request got no (whole) answer: classes for people, k6's `error_code` numbers for dashboards.
//!
//! Used by everything below `protocol/`; carried by `http::Exchange` to the script and to the metrics. Knows nothing of HTTP
//! libraries: hyper's errors are translated in `http/classify.rs`, rustls' in `net/tls.rs`.

use crate::metrics::Category;
use std::fmt;
use std::io;

/// The step of a request that was under way when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Waiting for a free connection of the user's pool.
    Blocked,
    /// Looking the host up.
    Dns,
    /// Opening the TCP connection, proxy handshake included.
    Connect,
    /// The TLS handshake.
    Tls,
    /// Writing the request.
    Send,
    /// Waiting for the first byte of the answer.
    Wait,
    /// Reading the answer.
    Receive,
    /// Deciding where a redirect leads.
    Redirect,
    /// Decoding the body's content encoding.
    Decode,
}

impl Phase {
    /// The name shown to people and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Blocked => "blocked",
            Phase::Dns => "dns",
            Phase::Connect => "connect",
            Phase::Tls => "tls",
            Phase::Send => "send",
            Phase::Wait => "wait",
            Phase::Receive => "receive",
            Phase::Redirect => "redirect",
            Phase::Decode => "decode",
        }
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident => ($name:literal, $code:literal),)*) => {
        /// The class of a transport error: what an error table groups by.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorKind { $($(#[$doc])* $variant,)* }

        impl ErrorKind {
            /// Every class, in the order of their codes.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$variant,)*];

            /// The name shown to people and used as a tag (`refused`, `tls_expired`, …).
            pub fn name(self) -> &'static str {
                match self { $(ErrorKind::$variant => $name,)* }
            }

            /// k6's `error_code` for this class (its `lib/netext/httpext/error_codes.go`), before any HTTP/2 offset.
            pub fn code(self) -> u16 {
                match self { $(ErrorKind::$variant => $code,)* }
            }
        }
    };
}

kinds! {
    /// Nothing more precise is known.
    Other => ("other", 1000),
    /// The request cannot be sent as written (a header with a line break, an empty host).
    InvalidRequest => ("invalid_request", 1000),
    /// What the server sent is not HTTP, or more header than the cap allows.
    Protocol => ("protocol", 1000),
    /// More redirects than allowed.
    RedirectLoop => ("redirect_loop", 1000),
    /// The total timeout of the request.
    Timeout => ("timeout", 1050),
    /// No first byte within its own limit.
    FirstByteTimeout => ("first_byte_timeout", 1050),
    /// The body stood still for longer than its limit.
    IdleTimeout => ("idle_timeout", 1050),
    /// The lookup failed in another way than the next three.
    Dns => ("dns", 1100),
    /// The name servers did not answer in time.
    DnsTimeout => ("dns_timeout", 1100),
    /// The name server could not answer (SERVFAIL, REFUSED).
    DnsServfail => ("dns_servfail", 1100),
    /// There is no such host, or it has no address.
    DnsNotFound => ("dns_not_found", 1101),
    /// The host is not among the allowed ones.
    BlockedHost => ("blocked_host", 1111),
    /// Another failure of the TCP connection.
    Tcp => ("tcp", 1200),
    /// Writing to a connection that the peer had closed.
    BrokenPipe => ("broken_pipe", 1201),
    /// The connection could not be opened.
    Connect => ("connect", 1210),
    /// The proxy refused or spoke nonsense.
    Proxy => ("proxy", 1210),
    /// The connection was not open in time.
    ConnectTimeout => ("connect_timeout", 1211),
    /// Connection refused.
    Refused => ("refused", 1212),
    /// No route to the host or network.
    Unreachable => ("unreachable", 1213),
    /// This machine has no file descriptor left: our fault, never the target's.
    LocalFdLimit => ("local_fd_limit", 1213),
    /// This machine has no source port left towards the target: our fault.
    LocalPortExhausted => ("local_port_exhausted", 1213),
    /// The connection ended before the head of the answer was complete.
    ResetBeforeHeaders => ("reset_before_headers", 1220),
    /// The connection ended inside the body.
    ResetInBody => ("reset_in_body", 1220),
    /// Another TLS failure.
    Tls => ("tls", 1300),
    /// The handshake was not done in time.
    TlsTimeout => ("tls_timeout", 1300),
    /// The peer does not speak TLS.
    TlsGarbage => ("tls_garbage", 1300),
    /// No TLS version or cipher in common.
    TlsVersion => ("tls_version", 1300),
    /// The certificate is no longer valid.
    TlsExpired => ("tls_expired", 1300),
    /// The certificate is not valid yet.
    TlsNotYetValid => ("tls_not_yet_valid", 1300),
    /// The server wants a client certificate, or refuses ours.
    TlsClientCertificate => ("tls_client_certificate", 1300),
    /// Signed by an authority that we do not know.
    TlsUnknownAuthority => ("tls_unknown_authority", 1310),
    /// Signed by itself.
    TlsSelfSigned => ("tls_self_signed", 1310),
    /// Made for another host name.
    TlsWrongName => ("tls_wrong_name", 1311),
    /// HTTP/2: the server sent GOAWAY (code 1610, or 1611 + its reason).
    Http2GoAway => ("http2_goaway", 1610),
    /// HTTP/2: the stream was reset (1630, or 1631 + reason).
    Http2Stream => ("http2_stream", 1630),
    /// HTTP/2: the connection broke a rule (1650, or 1651 + reason).
    Http2Connection => ("http2_connection", 1650),
    /// The body's content encoding is broken or unknown.
    Decompress => ("decompress", 1701),
    /// The decoded body is beyond 16 MiB, or beyond 100 times what was received.
    DecompressLimit => ("decompress_limit", 1701),
}

impl ErrorKind {
    /// The drawer that it is in for people: a time limit is a time limit, whatever was under way.
    pub fn category(self) -> Category {
        match self {
            kind if kind.is_timeout() => Category::Timeout,
            ErrorKind::Dns | ErrorKind::DnsServfail | ErrorKind::DnsNotFound | ErrorKind::BlockedHost => Category::Dns,
            ErrorKind::Tcp
            | ErrorKind::BrokenPipe
            | ErrorKind::Connect
            | ErrorKind::Proxy
            | ErrorKind::Refused
            | ErrorKind::Unreachable
            | ErrorKind::LocalFdLimit
            | ErrorKind::LocalPortExhausted
            | ErrorKind::ResetBeforeHeaders
            | ErrorKind::ResetInBody => Category::Connect,
            ErrorKind::Tls
            | ErrorKind::TlsGarbage
            | ErrorKind::TlsVersion
            | ErrorKind::TlsExpired
            | ErrorKind::TlsNotYetValid
            | ErrorKind::TlsClientCertificate
            | ErrorKind::TlsUnknownAuthority
            | ErrorKind::TlsSelfSigned
            | ErrorKind::TlsWrongName => Category::Tls,
            _ => Category::Protocol,
        }
    }

    /// Whether this machine, not the target, is to blame; such a run is not to be trusted.
    pub fn is_local(self) -> bool {
        matches!(self, ErrorKind::LocalFdLimit | ErrorKind::LocalPortExhausted)
    }

    /// Whether a time limit ended the request.
    pub fn is_timeout(self) -> bool {
        matches!(
            self,
            ErrorKind::Timeout
                | ErrorKind::FirstByteTimeout
                | ErrorKind::IdleTimeout
                | ErrorKind::DnsTimeout
                | ErrorKind::ConnectTimeout
                | ErrorKind::TlsTimeout
        )
    }
}

/// Why a request got no whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportError {
    /// The class.
    pub kind: ErrorKind,
    /// k6's `error_code`.
    pub code: u16,
    /// What was being done.
    pub phase: Phase,
    /// A lowercase fragment for people; holds nothing that differs per request, so that equal errors group.
    pub message: Box<str>,
}

impl TransportError {
    /// An error with the code of its class.
    pub fn new(kind: ErrorKind, phase: Phase, message: impl Into<Box<str>>) -> TransportError {
        TransportError { kind, code: kind.code(), phase, message: message.into() }
    }

    /// The same with another code: HTTP/2 reasons, and connections that ended without a reset (k6 calls those 1000).
    pub fn with_code(mut self, code: u16) -> TransportError {
        self.code = code;
        self
    }

    /// Translates an error of the operating system that happened while connecting.
    pub fn from_connect(error: &io::Error) -> TransportError {
        let phase = Phase::Connect;
        if let Some(local) = local_cause(error, phase) {
            return local;
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused => TransportError::new(ErrorKind::Refused, phase, "connection refused"),
            io::ErrorKind::TimedOut => TransportError::new(ErrorKind::ConnectTimeout, phase, "connecting timed out"),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                TransportError::new(ErrorKind::Unreachable, phase, describe(error))
            }
            io::ErrorKind::ConnectionReset => TransportError::new(
                ErrorKind::ResetBeforeHeaders,
                phase,
                "connection reset by the server while connecting",
            ),
            _ => TransportError::new(ErrorKind::Connect, phase, describe(error)),
        }
    }

    /// Translates an error of the operating system on an open connection. `phase` tells a reset before the answer from
    /// one inside the body.
    pub fn from_stream(error: &io::Error, phase: Phase) -> TransportError {
        if let Some(local) = local_cause(error, phase) {
            return local;
        }
        let in_body = phase == Phase::Receive;
        let ended = if in_body { ErrorKind::ResetInBody } else { ErrorKind::ResetBeforeHeaders };
        match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
                TransportError::new(ended, phase, "connection reset by the server")
            }
            // h2 calls a connection that ended in good order a broken pipe of its own making.
            io::ErrorKind::BrokenPipe if error.raw_os_error().is_none() => TransportError::closed(phase),
            io::ErrorKind::BrokenPipe => TransportError::new(
                ErrorKind::BrokenPipe,
                phase,
                "the server closed the connection while we were writing",
            ),
            io::ErrorKind::UnexpectedEof => TransportError::closed(phase),
            io::ErrorKind::TimedOut => TransportError::new(ErrorKind::Tcp, phase, describe(error)),
            _ => TransportError::new(ErrorKind::Tcp, phase, describe(error)),
        }
    }

    /// The server closed the connection in good order, but too early. k6 reports this as `EOF`, code 1000.
    pub fn closed(phase: Phase) -> TransportError {
        let (kind, message) = if phase == Phase::Receive {
            (ErrorKind::ResetInBody, "the server closed the connection inside the body")
        } else {
            (ErrorKind::ResetBeforeHeaders, "the server closed the connection before the answer")
        };
        TransportError::new(kind, phase, message).with_code(ErrorKind::Other.code())
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TransportError {}

/// k6's `error_code` of an answer by its status: 1400 to 1499 and 1500 to 1599; none below 400.
pub fn status_code(status: u16) -> Option<u16> {
    (400..600).contains(&status).then_some(1000 + status)
}

/// Exhaustion of this machine looks like a failure to connect; it must never be blamed on the target.
fn local_cause(error: &io::Error, phase: Phase) -> Option<TransportError> {
    match error.raw_os_error()? {
        libc::EMFILE | libc::ENFILE => Some(TransportError::new(
            ErrorKind::LocalFdLimit,
            phase,
            "no file descriptor left on this machine (raise `ulimit -n`)",
        )),
        libc::EADDRNOTAVAIL | libc::EADDRINUSE => Some(TransportError::new(
            ErrorKind::LocalPortExhausted,
            phase,
            "no source port left towards this address (add source addresses, or widen net.ipv4.ip_local_port_range)",
        )),
        _ => None,
    }
}

/// The message of an I/O error without `(os error n)`.
fn describe(error: &io::Error) -> Box<str> {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    text.to_lowercase().into_boxed_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exhaustion_of_this_machine_is_not_the_targets_fault() {
        for (errno, kind) in
            [(libc::EMFILE, ErrorKind::LocalFdLimit), (libc::EADDRNOTAVAIL, ErrorKind::LocalPortExhausted)]
        {
            let error = TransportError::from_connect(&io::Error::from_raw_os_error(errno));
            assert_eq!(error.kind, kind);
            assert!(kind.is_local());
        }
    }

    #[test]
    fn codes_are_k6s() {
        let code = |errno| TransportError::from_connect(&io::Error::from_raw_os_error(errno)).code;
        assert_eq!(code(libc::ECONNREFUSED), 1212);
        assert_eq!(code(libc::ETIMEDOUT), 1211);
        assert_eq!(code(libc::EHOSTUNREACH), 1213);
        let reset = TransportError::from_stream(&io::Error::from_raw_os_error(libc::ECONNRESET), Phase::Receive);
        assert_eq!((reset.kind, reset.code), (ErrorKind::ResetInBody, 1220));
        assert_eq!(status_code(404), Some(1404));
        assert_eq!(status_code(503), Some(1503));
        assert_eq!(status_code(302), None);
    }

    #[test]
    fn the_bands_of_codes_are_the_categories() {
        for kind in ErrorKind::ALL {
            let expected = match kind.code() {
                _ if kind.is_timeout() => Category::Timeout,
                1100..=1199 => Category::Dns,
                1200..=1299 => Category::Connect,
                1300..=1399 => Category::Tls,
                _ => Category::Protocol,
            };
            assert_eq!(kind.category(), expected, "{}", kind.name());
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ErrorKind::ALL.len());
    }
}
