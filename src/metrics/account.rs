//! The account of one revision of the code: what users did under it in one tick of one shard.
//!
//! Kept beside the series, not as a tag of them: an edit must not double what is kept. See docs/design/006-live-edits.md.

use super::histogram::{Resolution, Scale};
use super::recorder::RequestSample;
use super::trend::Trend;

/// What the users of one shard did under one revision of the code in one tick.
#[derive(Debug, Clone)]
pub struct Account {
    /// Which.
    pub revision: u64,
    /// Iterations that ran to their end.
    pub iterations: u64,
    /// Script errors.
    pub script_errors: u64,
    /// Requests.
    pub requests: u64,
    /// Failed ones among them.
    pub failed: u64,
    /// Their `http_req_duration`, milliseconds.
    pub duration: Trend,
}

impl Account {
    /// Of nothing yet.
    pub fn new(revision: u64) -> Self {
        let duration = Trend::new(Scale::DAY, Resolution::TwoDigits);
        Account { revision, iterations: 0, script_errors: 0, requests: 0, failed: 0, duration }
    }

    /// Counts one request.
    pub fn request(&mut self, sample: &RequestSample) {
        self.requests += 1;
        self.failed += u64::from(sample.failed == Some(true));
        if let Some(duration) = sample.duration {
            self.duration.record(duration);
        }
    }
}
