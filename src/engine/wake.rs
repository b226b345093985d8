//! When a shard must next look at its arrivals: the earliest slot of all its scenarios, on one timer.

use crate::timer::Timer;
use std::cell::Cell;
use std::io;
use std::time::Instant;

/// One for each shard.
pub(super) struct Wake {
    timer: Timer,
    armed: Cell<Option<Instant>>,
}

impl Wake {
    /// Must be made inside the shard's runtime.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Wake { timer: Timer::new()?, armed: Cell::new(None) })
    }

    /// Rings at `at` at the latest.
    pub(super) fn arm(&self, at: Instant) {
        if self.armed.get().is_none_or(|armed| at < armed)
            && self.timer.set(at.saturating_duration_since(Instant::now())).is_ok()
        {
            self.armed.set(Some(at));
        }
        // A timer that cannot be set leaves the shard's beat, which looks every few milliseconds.
    }

    /// Waits for the next ring; after it, it must be armed again.
    pub(super) async fn rings(&self) {
        if self.timer.rings().await.is_err() {
            std::future::pending::<()>().await;
        }
        self.armed.set(None);
    }
}
