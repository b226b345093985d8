//! The run's clock: how far a run is, apart from wall time.

use std::time::{Duration, Instant};

/// Time since the scenarios started, on the monotonic clock; wall-clock jumps do not touch it.
#[derive(Debug, Clone, Copy)]
pub struct RunClock {
    epoch: Instant,
}

impl RunClock {
    /// A clock that reads zero at `epoch`.
    pub fn starting(epoch: Instant) -> Self {
        RunClock { epoch }
    }

    /// Run time at `now`; zero before the start.
    pub fn at(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.epoch)
    }

    /// The instant of a run time.
    pub fn instant(&self, at: Duration) -> Instant {
        self.epoch + at
    }
}
