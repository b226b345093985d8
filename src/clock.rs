//! The run's clock: how far a run is, apart from wall time.

use std::time::{Duration, Instant};

/// Time since the scenarios started, on the monotonic clock; wall-clock jumps do not touch it, and in a pause it stands
/// still.
#[derive(Debug, Clone, Copy)]
pub struct RunClock {
    epoch: Instant,
    paused: Option<Duration>,
}

impl RunClock {
    /// A clock that reads zero at `epoch`.
    pub fn starting(epoch: Instant) -> Self {
        RunClock { epoch, paused: None }
    }

    /// Run time at `now`; zero before the start.
    pub fn at(&self, now: Instant) -> Duration {
        self.paused.unwrap_or_else(|| now.saturating_duration_since(self.epoch))
    }

    /// The instant of a run time, if no pause comes between.
    pub fn instant(&self, at: Duration) -> Instant {
        self.epoch + at
    }

    /// Whether it stands still.
    pub fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    /// Stands still at `now`; a clock that does already is left as it is.
    pub fn pause(&mut self, now: Instant) {
        self.paused = Some(self.at(now));
    }

    /// Goes on at `now` where it stood; a clock that runs is left as it is.
    pub fn resume(&mut self, now: Instant) {
        if let Some(at) = self.paused.take() {
            // A clock cannot have stood still for longer than the machine has run.
            self.epoch = now.checked_sub(at).unwrap_or(self.epoch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_no_time() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut clock = RunClock::starting(at(10));
        assert_eq!(clock.at(start), Duration::ZERO);
        clock.pause(at(15));
        clock.pause(at(17));
        assert_eq!((clock.at(at(30)), clock.is_paused()), (Duration::from_secs(5), true));
        clock.resume(at(40));
        clock.resume(at(50));
        assert_eq!((clock.at(at(42)), clock.is_paused()), (Duration::from_secs(7), false));
        assert_eq!(clock.instant(Duration::from_secs(7)), at(42));
    }
}
