//! How many requests the monitor answers in a second: a bucket that fills with time.
//!
//! Asked by the guard for every request. It reads no clock: time is an argument.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A bucket of tokens.
#[derive(Debug)]
pub(super) struct Limit {
    per_second: f64,
    most: f64,
    state: Mutex<(f64, Option<Instant>)>,
}

impl Limit {
    /// So many per second, and `most` at once.
    pub(super) fn new(per_second: f64, most: f64) -> Self {
        Limit { per_second, most, state: Mutex::new((most, None)) }
    }

    /// Takes one, if there is one.
    pub(super) fn take(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (tokens, before) = *state;
        let since = before.map_or(0.0, |before| now.saturating_duration_since(before).as_secs_f64());
        let tokens = (tokens + since * self.per_second).min(self.most);
        let taken = tokens >= 1.0;
        *state = (if taken { tokens - 1.0 } else { tokens }, Some(now));
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn it_is_empty_after_so_many_and_fills_with_time() {
        let limit = Limit::new(10.0, 3.0);
        let start = Instant::now();
        let taken = |at: u64| (0..5).filter(|_| limit.take(start + Duration::from_millis(at))).count();
        assert_eq!([taken(0), taken(50), taken(250), taken(60_000)], [3, 0, 2, 3]);
    }
}
