//! What one serving thread owns: its counters, log, random source, alarm and copy of the dials.
//!
//! Made by `Target::start` for each thread; `service`, `ticket` and `connection` work on it. Nothing here is shared
//! between threads on the hot path, except the shop's carts. It deliberately does not know sockets.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::alarm::Alarm;
use super::dials::{Dials, Fate, Override};
use super::options::TargetOptions;
use super::random::Random;
use super::shop::Shop;
use super::stall::Epoch;
use super::stats::{Served, Traffic};
use super::ticket::micros;

/// One serving thread's own things.
#[derive(Debug)]
pub struct Worker {
    pub(super) traffic: Traffic,
    log_capacity: usize,
    served: Mutex<Arc<Served>>,
    pub(super) started: Instant,
    pub(super) shop: Arc<Shop>,
    alarm: std::sync::OnceLock<Arc<Alarm>>,
    chance: Mutex<Chance>,
}

#[derive(Debug)]
struct Chance {
    dials: Dials,
    /// What stalls count from.
    epoch: Arc<Epoch>,
    random: Random,
}

impl Worker {
    /// The worker of thread number `index`; the target starts when the dials are first set, at `epoch`.
    pub fn new(index: usize, options: &TargetOptions, shop: Arc<Shop>, epoch: Arc<Epoch>) -> Self {
        let seed = options.seed.wrapping_add((index as u64).wrapping_mul(0xA076_1D64_78BD_642F));
        let started = epoch.set;
        let chance = Chance { dials: options.dials.clone(), epoch, random: Random::new(seed) };
        Self {
            traffic: Traffic::default(),
            log_capacity: options.log_capacity,
            served: Mutex::new(Arc::new(Served::new(options.log_capacity))),
            started,
            shop,
            alarm: std::sync::OnceLock::new(),
            chance: Mutex::new(chance),
        }
    }

    /// Makes the alarm; called once, inside the thread's runtime.
    pub fn arm(&self) -> io::Result<Arc<Alarm>> {
        let alarm = Arc::new(Alarm::new()?);
        Ok(Arc::clone(self.alarm.get_or_init(|| alarm)))
    }

    /// This thread's alarm.
    pub fn alarm(&self) -> &Arc<Alarm> {
        self.alarm.get().expect("armed before the first connection is handed over")
    }

    /// Where requests that arrive now are counted.
    pub fn served(&self) -> Arc<Served> {
        Arc::clone(&self.served.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counters to zero, log empty; requests in flight are forgotten. The next request is the first one again.
    pub fn reset(&self, epoch: Arc<Epoch>) {
        self.chance().epoch = epoch;
        let fresh = Arc::new(Served::new(self.log_capacity));
        *self.served.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        self.traffic.reset();
    }

    /// New dials from now on.
    pub fn set_dials(&self, dials: &Dials, epoch: Arc<Epoch>) {
        let mut chance = self.chance();
        chance.dials = dials.clone();
        chance.epoch = epoch;
    }

    /// The dials as they stand.
    pub fn dials(&self) -> Dials {
        self.chance().dials.clone()
    }

    /// Decides a request that arrived at `arrived`: its fate, and what its connection and body should do.
    pub fn decide(&self, over: &Override, arrived: Instant) -> Decision {
        let mut chance = self.chance();
        let Chance { dials, epoch, random } = &mut *chance;
        Decision {
            fate: dials.decide(over, random),
            stall: dials.stall.map(|stall| epoch.span(stall, arrived)),
            body_rate: over.body_rate.or(dials.body_rate),
            requests_per_connection: dials.requests_per_connection,
        }
    }

    /// When the dials were last set.
    pub fn set_at(&self) -> Instant {
        self.chance().epoch.set
    }

    /// The span of the stall by the dials, in microseconds since the target started; `None` without one, and while the
    /// request that it counts from has not come.
    pub fn stall_us(&self) -> Option<(u64, u64)> {
        let chance = self.chance();
        let (from, to) = chance.epoch.known_span(chance.dials.stall?)?;
        let since_start = |at: Instant| micros(at.saturating_duration_since(self.started));
        Some((since_start(from), since_start(to)))
    }

    fn chance(&self) -> MutexGuard<'_, Chance> {
        self.chance.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All that the dials say about one request.
#[derive(Debug)]
pub struct Decision {
    /// Latency and outcome.
    pub fate: Fate,
    /// No answer leaves between these two.
    pub stall: Option<(Instant, Instant)>,
    /// Bytes per second of its body.
    pub body_rate: Option<u64>,
    /// After how many requests its connection ends.
    pub requests_per_connection: Option<u32>,
}
