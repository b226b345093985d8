//! How much a session tells where a request does not say: the options of its script and what stands below them.
//!
//! Chosen by the door for each run. Requests may ask for less, and for another interval.

use crate::plan::monitor::{INTERVAL, MAX_ERRORS, MonitorSettings};
use std::time::Duration;

/// The preferences of one session.
#[derive(Debug, Clone, PartialEq)]
pub struct Preferences {
    /// Time between two `metrics_update`s of a stream.
    pub interval: Duration,
    /// How far back answers about the past reach; `None`: to the start of the run.
    pub retention: Option<Duration>,
    /// How many kinds of errors, and patterns, an answer lists.
    pub max_errors: usize,
}

impl Preferences {
    /// What is said, and the defaults of the rest.
    pub fn of(settings: &MonitorSettings) -> Self {
        Preferences {
            interval: settings.interval.unwrap_or(INTERVAL),
            retention: settings.retention,
            max_errors: settings.max_errors.unwrap_or(MAX_ERRORS) as usize,
        }
    }

    /// So much of a range as is told.
    pub(super) fn within(&self, range: Duration) -> Duration {
        self.retention.map_or(range, |retention| range.min(retention))
    }

    /// The run time before which nothing is told, when the run is closed up to a time.
    pub(super) fn oldest(&self, closed: Duration) -> Duration {
        self.retention.map_or(Duration::ZERO, |retention| closed.saturating_sub(retention))
    }
}

impl Default for Preferences {
    fn default() -> Self {
        Preferences::of(&MonitorSettings::default())
    }
}
