//! Opening a TCP connection: one address after another, from the source addresses in turn.
//!
//! Called by `net/dial.rs`. A second address is tried when the first fails, or joins in when the first has not answered for
//! 250 ms (RFC 8305's race, without its sorting: the order is the resolver's).

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};

/// How long an address may stay silent before the next one joins in.
const HEAD_START: Duration = Duration::from_millis(250);

/// The local addresses that connections leave from, in turn.
#[derive(Debug)]
pub struct Sources {
    addresses: Vec<IpAddr>,
    turn: Cell<usize>,
}

impl Sources {
    /// Without addresses the system chooses.
    pub fn new(addresses: Vec<IpAddr>) -> Sources {
        Sources { addresses, turn: Cell::new(0) }
    }

    /// The next source address of the same family as the target.
    fn next(&self, target: &SocketAddr) -> Option<IpAddr> {
        let count = self.addresses.len();
        let start = self.turn.get();
        let found = (0..count)
            .map(|step| (start + step) % count)
            .find(|&at| self.addresses[at].is_ipv4() == target.is_ipv4())?;
        self.turn.set(found + 1);
        Some(self.addresses[found])
    }
}

/// Connects to the first of the addresses that accepts.
///
/// # Errors
/// The last address's error; `InvalidInput` without addresses.
pub async fn connect(addresses: &[SocketAddr], sources: &Sources) -> io::Result<TcpStream> {
    let mut waiting = addresses.iter();
    let Some(first) = waiting.next() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no address"));
    };
    if waiting.len() == 0 {
        return connect_one(*first, sources).await;
    }
    let mut running: Vec<Pin<Box<dyn Future<Output = io::Result<TcpStream>> + '_>>> =
        vec![Box::pin(connect_one(*first, sources))];
    let mut next_start = Box::pin(tokio::time::sleep(HEAD_START));
    poll_fn(move |cx| {
        loop {
            let mut failure = None;
            let mut at = 0;
            while at < running.len() {
                match running[at].as_mut().poll(cx) {
                    Poll::Ready(Ok(stream)) => return Poll::Ready(Ok(stream)),
                    Poll::Ready(Err(error)) => {
                        failure = Some(error);
                        drop(running.swap_remove(at));
                    }
                    Poll::Pending => at += 1,
                }
            }
            let overdue = waiting.len() > 0 && next_start.as_mut().poll(cx).is_ready();
            if failure.is_some() || overdue {
                match (waiting.next(), failure) {
                    (Some(address), _) => {
                        running.push(Box::pin(connect_one(*address, sources)));
                        next_start.as_mut().reset(tokio::time::Instant::now() + HEAD_START);
                        continue;
                    }
                    (None, Some(error)) if running.is_empty() => return Poll::Ready(Err(error)),
                    _ => {}
                }
            }
            return Poll::Pending;
        }
    })
    .await
}

async fn connect_one(address: SocketAddr, sources: &Sources) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Small requests leave at once: with Nagle's algorithm a pipelined or two-part write waits for an acknowledgement.
    socket.set_nodelay(true)?;
    if let Some(source) = sources.next(&address) {
        choose_port_late(&socket)?;
        socket.bind(SocketAddr::new(source, 0))?;
    }
    socket.connect(address).await
}

/// Leaves the choice of the port to `connect`, which knows the other end: so a port serves several targets at once, and
/// each source address is good for the whole range towards each of them (ip(7), `IP_BIND_ADDRESS_NO_PORT`).
#[cfg(target_os = "linux")]
fn choose_port_late(socket: &TcpSocket) -> io::Result<()> {
    use nix::sys::socket::{setsockopt, sockopt::IpBindAddressNoPort};
    Ok(setsockopt(socket, IpBindAddressNoPort, &true)?)
}

/// Elsewhere the port is chosen when binding, and may be one that another connection is just leaving.
#[cfg(not(target_os = "linux"))]
fn choose_port_late(socket: &TcpSocket) -> io::Result<()> {
    socket.set_reuseaddr(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_bound_source_has_no_port_before_it_connects() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let socket = TcpSocket::new_v4().expect("a socket");
        choose_port_late(&socket).expect("the option is set");
        socket.bind("127.0.0.3:0".parse().expect("an address")).expect("bound");
        assert_eq!(socket.local_addr().expect("an address").port(), 0);
        let stream = socket.connect(listener.local_addr().expect("an address")).await.expect("connected");
        assert_ne!(stream.local_addr().expect("an address").port(), 0);
    }

    #[test]
    fn sources_take_turns_within_their_family() {
        let sources =
            Sources::new(vec!["127.0.0.2".parse().unwrap(), "::1".parse().unwrap(), "127.0.0.3".parse().unwrap()]);
        let v4 = "127.0.0.1:80".parse().unwrap();
        let turns: Vec<String> = (0..3).map(|_| sources.next(&v4).unwrap().to_string()).collect();
        assert_eq!(turns, ["127.0.0.2", "127.0.0.3", "127.0.0.2"]);
    }

    #[tokio::test]
    async fn a_refusing_address_gives_way_to_the_next() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dead = closed.local_addr().unwrap();
        drop(closed);
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sources = Sources::new(vec!["127.0.0.5".parse().unwrap()]);
        let stream = connect(&[dead, open.local_addr().unwrap()], &sources).await.unwrap();
        assert_eq!(stream.local_addr().unwrap().ip().to_string(), "127.0.0.5");
        let error = connect(&[dead, dead], &sources).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
