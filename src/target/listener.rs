//! Accepting: one listener on the first thread, which deals its connections to all threads in turn.
//!
//! Run by `Target::start` on the first serving thread; the others run [`receive`]. In turn rather than SO_REUSEPORT,
//! whose hashing gives few connections unevenly. It deliberately serves nothing itself.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener, TcpStream as StdStream};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::watch;

use super::connection::{Host, serve};
use super::control::Gate;
use super::dials::OnConnect;

/// A connection on its way to the thread that will serve it.
pub type Accepted = (StdStream, SocketAddr, OnConnect);

/// Opens the port.
pub fn listen(address: SocketAddr) -> io::Result<StdListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // So that a port refused and opened again, or a restarted target, is not blocked by TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(65_535)?;
    Ok(socket.into())
}

/// Accepts for ever; `hosts[0]` is this thread, `others` are the doors of the other threads.
pub async fn accept(
    first: StdListener,
    address: SocketAddr,
    host: Host,
    others: Vec<UnboundedSender<Accepted>>,
    mut gate: watch::Receiver<Gate>,
) -> io::Result<()> {
    let mut first = Some(first);
    let mut turn = 0;
    loop {
        if gate.borrow_and_update().refuse {
            first = None;
            if gate.wait_for(|gate| !gate.refuse).await.is_err() {
                return Ok(());
            }
        }
        let listener = match first.take() {
            Some(listener) => listener,
            None => match listen(address) {
                Ok(listener) => listener,
                Err(_) => {
                    // Somebody else holds the port for the moment; until it is free, clients are refused anyway.
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    continue;
                }
            },
        };
        let listener = TcpListener::from_std(listener)?;
        loop {
            let accepted = tokio::select! {
                biased;
                changed = gate.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    if gate.borrow().refuse {
                        break;
                    }
                    continue;
                }
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, peer)) = accepted else {
                // Out of file descriptors, or the client left while it queued: neither ends the target.
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            };
            let meets = gate.borrow().connect;
            let index = turn % (others.len() + 1);
            turn += 1;
            // Counted on the worker that will close it, so that its own counters stay in step.
            host.control.workers[index].traffic.opened();
            match index.checked_sub(1) {
                None => {
                    tokio::spawn(serve(host.clone(), stream, peer, meets));
                }
                Some(other) => {
                    if let Ok(stream) = stream.into_std() {
                        // A thread that is gone means that the target stops.
                        let _ = others[other].send((stream, peer, meets));
                    }
                }
            }
        }
    }
}

/// Serves what the first thread deals to this one.
pub async fn receive(host: Host, mut door: UnboundedReceiver<Accepted>) -> io::Result<()> {
    while let Some((stream, peer, meets)) = door.recv().await {
        // It fails only on a socket that is gone.
        if let Ok(stream) = TcpStream::from_std(stream) {
            tokio::spawn(serve(host.clone(), stream, peer, meets));
        }
    }
    Ok(())
}
