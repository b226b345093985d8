//! What a target is started with: where it listens, how many threads, TLS, protocols, the first dials.
//!
//! Filled by the command line, by `demo::shop()` and by tests; read once by `Target::start`.
//! It deliberately knows neither flags nor help texts: every choice has a text form (`FromStr`) and that is all.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use super::dials::Dials;

/// Everything that is fixed for the life of a target; [`Dials`] can change while it runs.
#[derive(Debug, Clone)]
pub struct TargetOptions {
    /// Where to listen; port 0 takes any free one. Default `127.0.0.1:0`.
    pub address: SocketAddr,
    /// Serving threads, each with its own runtime; connections are dealt to them in turn. Default 1.
    pub threads: usize,
    /// Whether to speak TLS, and with which certificate. Default none.
    pub tls: TlsMode,
    /// Which HTTP versions are spoken. Default both.
    pub versions: Versions,
    /// Seed of latency, faults, tokens. Default 1.
    pub seed: u64,
    /// How many of the last requests each thread remembers (64 bytes and the path each); 0 keeps no log. Default 0.
    pub log_capacity: usize,
    /// How many sessions (tokens, carts) the shop remembers; the oldest are forgotten. Default 65,536.
    pub sessions: usize,
    /// What the target does to requests from the start on.
    pub dials: Dials,
}

impl Default for TargetOptions {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            threads: 1,
            tls: TlsMode::Off,
            versions: Versions::Both,
            seed: 1,
            log_capacity: 0,
            sessions: 65_536,
            dials: Dials::default(),
        }
    }
}

/// The certificate that a TLS target shows. All but `SelfSigned` are signed by the target's own CA.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// Plain TCP.
    #[default]
    Off,
    /// Valid for `localhost`, `127.0.0.1` and `::1`.
    Valid,
    /// Its validity ended in 2021.
    Expired,
    /// Signed by itself, known to nobody.
    SelfSigned,
    /// Valid, but for `wrong.example` only.
    WrongName,
    /// Valid, and the client must show a certificate of the same CA (`client_cert_pem`, `client_key_pem`).
    ClientCertificate,
}

/// Which HTTP versions the target speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Versions {
    /// HTTP/1.1 and HTTP/2: by ALPN under TLS, by the connection preface (prior knowledge) on plain TCP.
    #[default]
    Both,
    /// HTTP/1.1 only.
    Http1,
    /// HTTP/2 only.
    Http2,
}

/// A dial's text that cannot be understood: which dial, what was written, what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{dial} `{text}`: {help}")]
pub struct DialError {
    /// The kind of dial, such as `latency`.
    pub dial: &'static str,
    /// What was written.
    pub text: String,
    /// What would be right.
    pub help: String,
}

impl DialError {
    /// An error about `text` as a value of `dial`.
    pub fn new(dial: &'static str, text: &str, help: &str) -> Self {
        Self { dial, text: text.to_owned(), help: help.to_owned() }
    }
}

impl FromStr for TlsMode {
    type Err = DialError;

    fn from_str(text: &str) -> Result<Self, DialError> {
        Ok(match text {
            "off" => Self::Off,
            "valid" => Self::Valid,
            "expired" => Self::Expired,
            "self-signed" => Self::SelfSigned,
            "wrong-name" => Self::WrongName,
            "client-cert" => Self::ClientCertificate,
            _ => {
                let help = "one of off, valid, expired, self-signed, wrong-name, client-cert";
                return Err(DialError::new("tls", text, help));
            }
        })
    }
}

impl FromStr for Versions {
    type Err = DialError;

    fn from_str(text: &str) -> Result<Self, DialError> {
        Ok(match text {
            "both" => Self::Both,
            "1" | "1.1" => Self::Http1,
            "2" => Self::Http2,
            _ => return Err(DialError::new("http version", text, "one of both, 1.1, 2")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms_name_the_choices_and_errors_list_them() {
        assert_eq!("client-cert".parse(), Ok(TlsMode::ClientCertificate));
        assert_eq!("2".parse(), Ok(Versions::Http2));
        insta::assert_snapshot!("tls13".parse::<TlsMode>().unwrap_err(),
            @"tls `tls13`: one of off, valid, expired, self-signed, wrong-name, client-cert");
        insta::assert_snapshot!("3".parse::<Versions>().unwrap_err(), @"http version `3`: one of both, 1.1, 2");
    }
}
