//! The HTTP side of the proxy: `CONNECT`, and absolute-form requests, which any HTTP/1.1 server takes as they are.
//!
//! Called by `proxy` for each connection. It deliberately looks at the first request only: a connection stays with
//! the upstream that it named.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Credentials, Ended, connect, tunnel};

/// A head longer than this is refused.
const LONGEST_HEAD: usize = 64 * 1024;

pub(super) async fn serve(mut client: TcpStream, credentials: &Credentials, tunnels: &AtomicU64) -> io::Result<Ended> {
    let mut read = Vec::new();
    let end = loop {
        if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if read.len() > LONGEST_HEAD || client.read_buf(&mut read).await? == 0 {
            return Ok(Ended::Refused);
        }
    };
    let head = String::from_utf8_lossy(&read[..end]).into_owned();
    if !allowed(&head, credentials) {
        let answer = "HTTP/1.1 407 Proxy Authentication Required\r\n\
                      proxy-authenticate: Basic realm=\"proxy\"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        client.write_all(answer.as_bytes()).await?;
        return Ok(Ended::Unauthorized);
    }
    let mut words = head.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_connect = method == "CONNECT";
    let authority = if is_connect {
        Some((target.to_owned(), None))
    } else {
        url::Url::parse(target).ok().filter(|url| url.scheme() == "http").and_then(|url| {
            let port = url.port_or_known_default();
            url.host_str().map(|host| (host.to_owned(), port))
        })
    };
    let place = authority.and_then(|(text, port)| match port {
        Some(port) => Some((text, port)),
        None => text.rsplit_once(':').and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?))),
    });
    let Some((host, port)) = place else { return refuse(client, "400 Bad Request").await };
    let mut upstream = match connect(&host, port).await {
        Ok(upstream) => upstream,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return refuse(client, "403 Forbidden").await,
        Err(_) => return refuse(client, "502 Bad Gateway").await,
    };
    tunnels.fetch_add(1, Ordering::Relaxed);
    let already = if is_connect { &read[end..] } else { &read[..] };
    if is_connect {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    }
    upstream.write_all(already).await?;
    Ok(tunnel(client, upstream, already.len() as u64).await)
}

async fn refuse(mut client: TcpStream, status: &str) -> io::Result<Ended> {
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    client.write_all(answer.as_bytes()).await?;
    Ok(Ended::Refused)
}

fn allowed(head: &str, credentials: &Credentials) -> bool {
    let Some((user, password)) = credentials else { return true };
    let wanted = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    head.lines().any(|line| {
        line.split_once(':').is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("proxy-authorization") && value.trim().strip_prefix("Basic ") == Some(&wanted)
        })
    })
}
