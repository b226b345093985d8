//! How the users of a run are connected.

use crate::metrics::Connections;
use std::time::Duration;

/// Connections over all shards, and what became of them in the last seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Connectivity {
    /// Now, and since the start of the run.
    pub counts: Connections,
    /// How long the last seconds are: five, and less at the start.
    pub over: Duration,
    /// Opened in the last seconds.
    pub opened: u64,
    /// Ended by the other side in the last seconds while we counted on them.
    pub lost: u64,
    /// Attempts to open one that failed in the last seconds.
    pub failed: u64,
}

impl Connectivity {
    /// Opened per second, over the last seconds; `None` before there were any.
    pub fn rate(&self) -> Option<f64> {
        let seconds = self.over.as_secs_f64();
        (seconds > 0.0).then(|| self.opened as f64 / seconds)
    }

    /// Whether nobody has ever tried to open one.
    pub fn is_untried(&self) -> bool {
        self.counts.all().opened == 0 && self.counts.failed == 0
    }
}
