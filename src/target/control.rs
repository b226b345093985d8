//! The whole target in one hand: all threads' counters and logs, the dials of all of them, and the gate.
//!
//! Held by `RunningTarget`, `admin` and the listener. It deliberately does not know threads or sockets: the listener
//! watches the [`Gate`] and opens or closes the port.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

use super::dials::{Dials, OnConnect};
use super::log::LogEntry;
use super::options::DialError;
use super::shop::Shop;
use super::stall::Epoch;
use super::stats::Stats;
use super::worker::Worker;

/// See the module's head.
#[derive(Debug)]
pub struct Control {
    pub(super) workers: Vec<Arc<Worker>>,
    shop: Arc<Shop>,
    gate: watch::Sender<Gate>,
}

/// What the dials say about new connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gate {
    /// The port is closed.
    pub refuse: bool,
    /// What accepted connections meet.
    pub connect: OnConnect,
}

impl Gate {
    fn of(dials: &Dials) -> Self {
        Self { refuse: dials.refuse, connect: dials.connect }
    }
}

impl Control {
    /// The control of these workers, all of whom have `dials`.
    pub fn new(workers: Vec<Arc<Worker>>, shop: Arc<Shop>, dials: &Dials) -> Self {
        Self { workers, shop, gate: watch::Sender::new(Gate::of(dials)) }
    }

    /// Follows the gate.
    pub fn gate(&self) -> watch::Receiver<Gate> {
        self.gate.subscribe()
    }

    /// All counters added up.
    pub fn stats(&self) -> Stats {
        let mut sum = Stats { stall_us: self.workers[0].stall_us(), ..Stats::default() };
        for worker in &self.workers {
            worker.traffic.add_to(&mut sum);
            worker.served().add_to(&mut sum);
        }
        sum
    }

    /// All threads' logs, by time of arrival.
    pub fn log(&self) -> Vec<LogEntry> {
        let mut list = Vec::new();
        for worker in &self.workers {
            worker.served().log.copy_to(&mut list);
        }
        list.sort_by_key(|entry| entry.at_us);
        list
    }

    /// Counters to zero, log empty, shop without sessions; the dials stay, and the next request is the first one again.
    pub fn reset(&self) {
        let epoch = Arc::new(Epoch::new(self.workers[0].set_at()));
        self.workers.iter().for_each(|worker| worker.reset(Arc::clone(&epoch)));
        self.shop.reset();
    }

    /// The dials as they stand.
    pub fn dials(&self) -> Dials {
        self.workers[0].dials()
    }

    /// New dials for every request that arrives from now on; refuses impossible shares.
    pub fn set_dials(&self, dials: Dials) -> Result<(), DialError> {
        dials.check()?;
        let epoch = Arc::new(Epoch::new(Instant::now()));
        for worker in &self.workers {
            worker.set_dials(&dials, Arc::clone(&epoch));
        }
        self.gate.send_replace(Gate::of(&dials));
        Ok(())
    }
}
