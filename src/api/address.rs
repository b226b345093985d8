//! Where the monitor listens: what a person writes for it, and which port it gets.
//!
//! Called by the command line and by the door before a run starts. Without a word it is loopback, on the first free port from
//! 9090 on: several runs at once are nobody's mistake.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

/// The port that is tried first.
pub const PORT: u16 = 9090;
/// How many ports after it are tried before any free one is taken.
const TRIED: u16 = 100;

/// A listener, and whether [`PORT`] was taken.
#[derive(Debug)]
pub struct Listening {
    /// It listens already.
    pub listener: TcpListener,
    /// Whether it is not where it would have been, because somebody else is there.
    pub moved: bool,
}

/// Reads `127.0.0.1:9090`, `[::1]:9090`, `localhost:9090`, an address without a port, or a port alone (`9090`, `:9090`),
/// which is loopback's.
///
/// # Errors
/// What is wrong with it, and what would be right.
pub fn parse(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let name = text.strip_prefix("localhost").filter(|rest| rest.is_empty() || rest.starts_with(':'));
    let port = name.unwrap_or(text);
    if name == Some("") {
        return Ok(SocketAddr::new(loopback, PORT));
    }
    if let Ok(port) = port.strip_prefix(':').unwrap_or(port).parse() {
        return Ok(SocketAddr::new(loopback, port));
    }
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let ip = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    match ip.parse() {
        Ok(ip) => Ok(SocketAddr::new(ip, PORT)),
        Err(_) => Err(format!("`{text}` is no address to listen at: write 127.0.0.1:{PORT}, [::1]:{PORT} or :{PORT}")),
    }
}

/// Listens there, or, without a word, on loopback at the first free port.
///
/// # Errors
/// The address is taken, or is not ours; without a word, the system gives no port at all.
pub fn listen(wanted: Option<SocketAddr>) -> io::Result<Listening> {
    if let Some(address) = wanted {
        return Ok(Listening { listener: TcpListener::bind(address)?, moved: false });
    }
    for port in PORT..PORT + TRIED {
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return Ok(Listening { listener, moved: port != PORT });
        }
    }
    Ok(Listening { listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?, moved: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_read() {
        for (text, address) in [
            (":8080", "127.0.0.1:8080"),
            ("8080", "127.0.0.1:8080"),
            ("localhost", "127.0.0.1:9090"),
            ("localhost:1", "127.0.0.1:1"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("10.0.0.7", "10.0.0.7:9090"),
            ("[::1]:7", "[::1]:7"),
            ("::1", "[::1]:9090"),
            ("[::]", "[::]:9090"),
        ] {
            assert_eq!(parse(text).map(|address| address.to_string()), Ok(address.to_owned()), "{text}");
        }
        for text in ["", "here", "localhostess:1", "1.2.3.4:99999", "http://127.0.0.1:9090", "99999"] {
            assert!(parse(text).is_err(), "{text}: {:?}", parse(text));
        }
    }

    #[test]
    fn a_port_that_is_taken_is_an_error_only_where_it_was_asked_for() {
        let first = listen(None).unwrap();
        let second = listen(None).unwrap();
        let at = |listening: &Listening| listening.listener.local_addr().unwrap();
        assert!(second.moved && at(&first) != at(&second), "{:?}", at(&second));
        assert_eq!(listen(Some(at(&first))).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
