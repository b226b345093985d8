//! Getting through a proxy: HTTP `CONNECT`, plain forwarding, SOCKS5.
//!
//! Called by `net/dial.rs` on a fresh connection to the proxy. Forwarding of plain HTTP needs nothing here but the header that
//! [`Proxy::authorization`] gives.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::net::IpAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::error::{ErrorKind, Phase, TransportError};
use super::stream::Metered;

/// More than any proxy says before its blank line.
const REPLY_LIMIT: usize = 8 * 1024;

/// What the proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// `http://`: `CONNECT` for encrypted targets, forwarding for plain ones.
    Http,
    /// `socks5://` and `socks5h://`: the proxy resolves the name.
    Socks5,
}

/// A proxy and how to introduce ourselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Its protocol.
    pub kind: ProxyKind,
    /// Its host.
    pub host: String,
    /// Its port; by default 8080 for HTTP (as curl has 1080 for SOCKS5).
    pub port: u16,
    /// User and password.
    pub auth: Option<(String, String)>,
}

impl Proxy {
    /// Reads `http://user:password@host:port` or `socks5://…`.
    ///
    /// # Errors
    /// A fragment for a diagnostic.
    pub fn parse(text: &str) -> Result<Proxy, String> {
        let url = url::Url::parse(text).map_err(|error| format!("bad proxy address: {error}"))?;
        let (kind, default_port) = match url.scheme() {
            "http" => (ProxyKind::Http, 8080),
            "socks5" | "socks5h" => (ProxyKind::Socks5, 1080),
            other => {
                return Err(format!("unknown kind of proxy `{other}`: write http:// or socks5://"));
            }
        };
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| "a proxy needs a host".to_owned())?;
        let decoded = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
        // `url` drops a port that is its scheme's default, so an explicit 80 looks like none.
        let explicit_80 = kind == ProxyKind::Http && text.contains(&format!("{host}:80"));
        let port = url.port().unwrap_or(if explicit_80 { 80 } else { default_port });
        Ok(Proxy {
            kind,
            host: host.to_owned(),
            port,
            auth: (!url.username().is_empty())
                .then(|| (decoded(url.username()), decoded(url.password().unwrap_or_default()))),
        })
    }

    /// The value of `Proxy-Authorization`.
    pub fn authorization(&self) -> Option<String> {
        let (user, password) = self.auth.as_ref()?;
        Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
    }
}

/// Asks the proxy for a tunnel to the target. With `forward` an HTTP proxy needs none.
pub(super) async fn open_tunnel(
    stream: &mut Metered,
    proxy: &Proxy,
    host: &str,
    port: u16,
    forward: bool,
) -> Result<(), TransportError> {
    match proxy.kind {
        ProxyKind::Http if forward => Ok(()),
        ProxyKind::Http => connect_tunnel(stream, proxy, host, port).await,
        ProxyKind::Socks5 => socks5(stream, proxy, host, port).await,
    }
}

fn failed(message: impl Into<Box<str>>) -> TransportError {
    TransportError::new(ErrorKind::Proxy, Phase::Connect, message)
}

async fn write(stream: &mut Metered, bytes: &[u8]) -> Result<(), TransportError> {
    stream.write_all(bytes).await.map_err(|error| failed(format!("the proxy ended the connection: {}", error.kind())))
}

async fn read(stream: &mut Metered, bytes: &mut [u8]) -> Result<(), TransportError> {
    let read = stream.read_exact(bytes).await;
    read.map(drop).map_err(|error| failed(format!("the proxy ended the connection: {}", error.kind())))
}

async fn connect_tunnel(stream: &mut Metered, proxy: &Proxy, host: &str, port: u16) -> Result<(), TransportError> {
    let auth = proxy.authorization().map_or_else(String::new, |value| format!("Proxy-Authorization: {value}\r\n"));
    let request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{auth}\r\n");
    write(stream, request.as_bytes()).await?;
    // Byte by byte: what follows the blank line belongs to the tunnel. A hundred reads once per connection are no cost.
    let mut reply = Vec::with_capacity(256);
    while !reply.ends_with(b"\r\n\r\n") {
        if reply.len() == REPLY_LIMIT {
            return Err(failed("the proxy's answer to CONNECT does not end"));
        }
        let mut byte = [0];
        read(stream, &mut byte).await?;
        reply.push(byte[0]);
    }
    let line = reply.split(|&byte| byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let mut words = line.split(' ');
    let is_http = words.next().is_some_and(|word| word.starts_with("HTTP/1."));
    match words.next().and_then(|status| status.parse::<u16>().ok()) {
        Some(status) if is_http && (200..300).contains(&status) => Ok(()),
        Some(status) if is_http => Err(failed(format!("the proxy answered CONNECT with {status}"))),
        _ => Err(failed("the proxy does not speak HTTP")),
    }
}

async fn socks5(stream: &mut Metered, proxy: &Proxy, host: &str, port: u16) -> Result<(), TransportError> {
    const VERSION: u8 = 5;
    let method = if proxy.auth.is_some() { 2 } else { 0 };
    write(stream, &[VERSION, 1, method]).await?;
    let mut chosen = [0; 2];
    read(stream, &mut chosen).await?;
    if chosen[0] != VERSION {
        return Err(failed("the proxy does not speak SOCKS5"));
    }
    if chosen[1] != method {
        return Err(failed("the SOCKS5 proxy wants another authentication"));
    }
    if let Some((user, password)) = &proxy.auth {
        let length =
            |text: &str| u8::try_from(text.len()).map_err(|_| failed("SOCKS5 allows 255 bytes for user and password"));
        let mut hello = vec![1, length(user)?];
        hello.extend_from_slice(user.as_bytes());
        hello.push(length(password)?);
        hello.extend_from_slice(password.as_bytes());
        write(stream, &hello).await?;
        let mut verdict = [0; 2];
        read(stream, &mut verdict).await?;
        if verdict[1] != 0 {
            return Err(failed("the SOCKS5 proxy refused user and password"));
        }
    }
    let mut request = vec![VERSION, 1, 0];
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse() {
        Ok(IpAddr::V4(ip)) => {
            request.push(1);
            request.extend_from_slice(&ip.octets());
        }
        Ok(IpAddr::V6(ip)) => {
            request.push(4);
            request.extend_from_slice(&ip.octets());
        }
        Err(_) => {
            let length = u8::try_from(host.len()).map_err(|_| failed("SOCKS5 allows 255 bytes for a host name"))?;
            request.extend_from_slice(&[3, length]);
            request.extend_from_slice(host.as_bytes());
        }
    }
    request.extend_from_slice(&port.to_be_bytes());
    write(stream, &request).await?;
    let mut reply = [0; 4];
    read(stream, &mut reply).await?;
    if reply[1] != 0 {
        let reason = match reply[1] {
            2 => "not allowed by its rules",
            3 | 4 => "target unreachable",
            5 => "connection refused by the target",
            _ => "general failure",
        };
        return Err(failed(format!("the SOCKS5 proxy could not connect: {reason}")));
    }
    let rest = match reply[3] {
        1 => 4,
        4 => 16,
        3 => {
            let mut length = [0];
            read(stream, &mut length).await?;
            usize::from(length[0])
        }
        _ => return Err(failed("the proxy does not speak SOCKS5")),
    };
    let mut bound = [0; 255 + 2];
    read(stream, &mut bound[..rest + 2]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let proxy = Proxy::parse("http://us%20er:pa%3Ass@proxy.test:3128").unwrap();
        assert_eq!((proxy.kind, proxy.port), (ProxyKind::Http, 3128));
        assert_eq!(proxy.auth, Some(("us er".to_owned(), "pa:ss".to_owned())));
        assert_eq!(Proxy::parse("http://a:80").unwrap().port, 80);
        assert_eq!(Proxy::parse("http://a").unwrap().port, 8080);
        assert_eq!(Proxy::parse("socks5://a").unwrap().port, 1080);
        assert!(Proxy::parse("ftp://a").unwrap_err().contains("ftp"));
    }
}
