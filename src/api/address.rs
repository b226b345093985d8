//! Where the monitor listens, and under which names: what a person writes for it, and which port it gets.
//!
//! Called by the command line and by the door before a run starts. Without a word it is loopback, on the first free port from
//! 9090 on: several runs at once are nobody's mistake.

pub use crate::plan::monitor::{PORT, address as parse};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

/// How many ports after it are tried before any free one is taken.
const TRIED: u16 = 100;

/// A listener, and what it had to give way to.
#[derive(Debug)]
pub struct Listening {
    /// It listens already.
    pub listener: TcpListener,
    /// The port at which it would have been, where somebody else is there.
    pub taken: Option<u16>,
}

/// Reads a name under which the monitor is reached.
///
/// # Errors
/// It is none: it is empty, or there is more than a name.
pub fn host(text: &str) -> Result<String, String> {
    let number = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let right = number.is_some_and(|number| number.parse::<Ipv6Addr>().is_ok())
        || (!text.is_empty() && text.bytes().all(is_name));
    if right {
        return Ok(text.to_owned());
    }
    Err("a name without scheme and port is wanted: `load.example.com`, `10.0.0.1`, `[fd00::1]`".to_owned())
}

/// Listens there, or, without a word, on loopback at port 9090; where that port is taken, at the next free one, unless it is
/// `required` to be this address and no other.
///
/// # Errors
/// The address is not ours to listen at; it is taken, and required; the system gives no port at all.
pub fn listen(wanted: Option<SocketAddr>, required: bool) -> io::Result<Listening> {
    let first = wanted.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)));
    let taken = match TcpListener::bind(first) {
        Ok(listener) => return Ok(Listening { listener, taken: None }),
        Err(error) if error.kind() != io::ErrorKind::AddrInUse && wanted.is_some() => return Err(error),
        Err(error) if wanted.is_some() && required => return Err(error),
        Err(_) => Some(first.port()),
    };
    let next = (1..=TRIED).filter_map(|after| first.port().checked_add(after));
    for port in next {
        if let Ok(listener) = TcpListener::bind(SocketAddr::new(first.ip(), port)) {
            return Ok(Listening { listener, taken });
        }
    }
    Ok(Listening { listener: TcpListener::bind(SocketAddr::new(first.ip(), 0))?, taken })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_and_nothing_more() {
        for right in ["load.example.com", "10.0.0.1", "[fd00::1]", "under_score", "xn--bcher-kva.example"] {
            assert_eq!(host(right).as_deref(), Ok(right));
        }
        for wrong in ["", " ", "a:80", "[::1]:80", "fd00::1", "http://a", "a/b", "a,b", "[a]", "*"] {
            assert!(host(wrong).unwrap_err().contains("without scheme and port"), "{wrong:?}");
        }
    }

    #[test]
    fn a_port_that_is_taken_is_an_error_only_where_no_other_will_do() {
        let first = listen(None, true).unwrap();
        let second = listen(None, true).unwrap();
        let at = |listening: &Listening| listening.listener.local_addr().unwrap();
        assert!(second.taken == Some(PORT) && at(&first) != at(&second), "{:?}", at(&second));
        assert_eq!(listen(Some(at(&first)), true).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        let beside = listen(Some(at(&first)), false).unwrap();
        assert_eq!((beside.taken, at(&beside).ip()), (Some(at(&first).port()), at(&first).ip()));
        let foreign = listen(Some("192.0.2.1:9090".parse().unwrap()), false).unwrap_err();
        assert_eq!(foreign.kind(), io::ErrorKind::AddrNotAvailable);
    }
}
