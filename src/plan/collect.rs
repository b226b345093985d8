//! Gauges that a run collects itself.

use std::time::Duration;

/// A gauge whose value a closure of the script says every so often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collect {
    /// The metric's name.
    pub metric: String,
    /// Run time from one time to the next.
    pub every: Duration,
}
