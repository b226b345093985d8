//! What came of telling the receivers of alerts.
//!
//! Made by whoever sends, shown by the report. It holds no secret: a receiver is named by its host alone.

/// What one receiver got.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delivery {
    /// Scheme, host and port; the path of many a webhook is its password.
    pub receiver: String,
    /// Messages that it took.
    pub sent: u64,
    /// Messages that it refused, or did not take in all the tries.
    pub failed: u64,
    /// Messages that gave way to newer ones, because too many waited.
    pub dropped: u64,
    /// Messages that still waited when the run was over and the last chance had passed.
    pub undelivered: u64,
    /// Tries beyond the first of a message.
    pub retries: u64,
    /// What went wrong last.
    pub last_error: Option<String>,
}

impl Delivery {
    /// Messages that it should have got and did not.
    pub fn lost(&self) -> u64 {
        self.failed + self.dropped + self.undelivered
    }
}
