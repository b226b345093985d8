//! A real service to test against: a small shop and a box of HTTP tools, with dials for everything that goes wrong.
//!
//! It is what `demo::shop()` starts in scripts, what `punk target` runs in the foreground, and the server of all
//! integration tests. It stands beside the house: it imports no floor above the ground, knows nothing of users,
//! scripts or metrics, and spawns its own threads (one by default), because it plays the other side of the wire.
//!
//! ```text
//! listener -accepts-> connection (TLS, HTTP/1, HTTP/2, faults) -> service -> shop | pages | tools | admin
//!                       socket (bytes) <- body (ticket)             |-> worker (dials, counters, log, alarm)
//! ```
//!
//! What it counts, and when, stands in [`stats`]; what it can do to a request in [`dials`] and [`fault`].

mod admin;
mod alarm;
mod body;
mod connection;
mod control;
pub mod dials;
pub mod fault;
pub mod latency;
mod listener;
pub mod log;
pub mod options;
mod packing;
mod pages;
pub mod proxy;
mod random;
mod reply;
mod service;
mod shop;
mod socket;
mod stall;
pub mod stats;
#[cfg(test)]
mod tests;
mod ticket;
mod tls;
mod tools;
mod upload;
mod worker;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

pub use dials::{Dials, OnConnect};
pub use fault::Fault;
pub use latency::Latency;
pub use log::LogEntry;
pub use options::{DialError, TargetOptions, TlsMode, Versions};
pub use stall::{Stall, StallFrom};
pub use stats::Stats;
pub use tls::TlsError;

use connection::Host;
use control::Control;
use shop::Shop;
use stall::Epoch;
use worker::Worker;

/// The service; see the module's head.
#[derive(Debug)]
pub enum Target {}

/// Why a target did not start.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A thread, its runtime or its timer cannot be made.
    #[error("cannot start a serving thread: {0}")]
    Thread(#[from] io::Error),
    /// See [`TlsError`].
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The dials contradict themselves.
    #[error(transparent)]
    Dials(#[from] DialError),
}

impl Target {
    /// Starts serving; returns when connections are accepted. Dropping what it returns stops it.
    pub fn start(options: TargetOptions) -> Result<RunningTarget, TargetError> {
        options.dials.check()?;
        let wanted = options.address;
        let refused = |source| TargetError::Listen { address: wanted, source };
        let listener = listener::listen(wanted).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let identity = tls::identity(options.tls, options.versions)?;
        let shop = Arc::new(Shop::new(options.seed, options.sessions));
        let started = Instant::now();
        let epoch = Arc::new(Epoch::new(started));
        let workers: Vec<Arc<Worker>> = (0..options.threads.max(1))
            .map(|index| Arc::new(Worker::new(index, &options, Arc::clone(&shop), Arc::clone(&epoch))))
            .collect();
        let control = Arc::new(Control::new(workers.clone(), shop, &options.dials));
        let mut running = RunningTarget {
            address,
            control: Arc::clone(&control),
            identity,
            stop: watch::Sender::new(false),
            threads: Vec::new(),
        };
        let host = |worker: &Arc<Worker>| Host {
            worker: Arc::clone(worker),
            control: Arc::clone(&control),
            tls: running.identity.as_ref().map(|identity| TlsAcceptor::from(Arc::clone(&identity.config))),
            versions: options.versions,
        };
        let hosts: Vec<Host> = workers.iter().map(host).collect();
        let mut doors = Vec::new();
        for host in hosts.iter().skip(1).cloned() {
            let (door, behind) = tokio::sync::mpsc::unbounded_channel();
            doors.push(door);
            running.spawn(Arc::clone(&host.worker), move || listener::receive(host, behind))?;
        }
        let first = hosts[0].clone();
        let gate = control.gate();
        running.spawn(Arc::clone(&first.worker), move || listener::accept(listener, address, first, doors, gate))?;
        Ok(running)
    }
}

/// A target that serves, until it is stopped or dropped.
#[derive(Debug)]
pub struct RunningTarget {
    address: SocketAddr,
    control: Arc<Control>,
    identity: Option<tls::Identity>,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl RunningTarget {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The same as a base URL without a slash at its end, such as `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        let scheme = if self.identity.is_some() { "https" } else { "http" };
        match self.address.ip() {
            // Not an address to connect to; loopback is always among what it stands for.
            IpAddr::V4(ip) if ip.is_unspecified() => format!("{scheme}://127.0.0.1:{}", self.address.port()),
            IpAddr::V6(ip) if ip.is_unspecified() => format!("{scheme}://[::1]:{}", self.address.port()),
            _ => format!("{scheme}://{}", self.address),
        }
    }

    /// What it has served since its start or the last [`RunningTarget::reset`]; how it counts stands in [`stats`].
    pub fn stats(&self) -> Stats {
        self.control.stats()
    }

    /// The last requests, by time of arrival; empty unless [`TargetOptions::log_capacity`] says otherwise.
    pub fn log(&self) -> Vec<LogEntry> {
        self.control.log()
    }

    /// Counters to zero, log empty, the shop without sessions. Requests in flight are then counted nowhere.
    pub fn reset(&self) {
        self.control.reset();
    }

    /// The dials as they stand.
    pub fn dials(&self) -> Dials {
        self.control.dials()
    }

    /// Other dials for every request that arrives from now on; stalls count from now, or from the first request after.
    pub fn set_dials(&self, dials: Dials) -> Result<(), DialError> {
        self.control.set_dials(dials)
    }

    /// The CA that signed its certificate, as PEM; `None` without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.identity.as_ref().map(|identity| identity.ca_pem.as_str())
    }

    /// A client certificate that it accepts, as PEM; `None` without TLS.
    pub fn client_cert_pem(&self) -> Option<&str> {
        self.identity.as_ref().map(|identity| identity.client_cert_pem.as_str())
    }

    /// The key of [`RunningTarget::client_cert_pem`].
    pub fn client_key_pem(&self) -> Option<&str> {
        self.identity.as_ref().map(|identity| identity.client_key_pem.as_str())
    }

    /// Closes all connections at once and gives the last count; requests in flight become `given_up`.
    pub fn stop(mut self) -> Stats {
        self.end();
        self.control.stats()
    }

    fn spawn<W>(&mut self, worker: Arc<Worker>, work: impl FnOnce() -> W + Send + 'static) -> Result<(), TargetError>
    where
        W: Future<Output = io::Result<()>>,
    {
        let mut stopped = self.stop.subscribe();
        let (ready, is_ready) = mpsc::channel();
        let thread = std::thread::Builder::new().name("punk-target".to_owned()).spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(ready.send(Err(error))),
            };
            runtime.block_on(async {
                let alarm = match worker.arm() {
                    Ok(alarm) => alarm,
                    Err(error) => return drop(ready.send(Err(error))),
                };
                // The receiver waits for exactly this.
                let _ = ready.send(Ok(()));
                tokio::select! {
                    _ = stopped.wait_for(|stopped| *stopped) => {}
                    _ = alarm.run() => {}
                    _ = work() => {}
                }
            });
            // Dropping the runtime drops every connection, and with it every ticket.
        })?;
        self.threads.push(thread);
        is_ready.recv().unwrap_or_else(|_| Err(io::Error::other("the thread ended at once")))?;
        Ok(())
    }

    fn end(&mut self) {
        self.stop.send_replace(true);
        for thread in self.threads.drain(..) {
            // A thread that panicked has ended too, which is all that is wanted here.
            let _ = thread.join();
        }
    }
}

impl Drop for RunningTarget {
    fn drop(&mut self) {
        self.end();
    }
}
