//! The last N requests of each thread, with the time the target really held each: the truth that accuracy tests need.
//!
//! Written by `ticket` when the log is on (`TargetOptions::log_capacity`), read by `RunningTarget::log` and
//! `GET /_target/log`. It deliberately keeps no bodies and no headers, and forgets the oldest first.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// One request as the target saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogEntry {
    /// When its head was parsed, in microseconds since the target started.
    pub at_us: u64,
    /// From head parsed to the last byte of the answer handed to the socket, in microseconds.
    pub held_us: u64,
    /// `GET`, `POST` …
    pub method: String,
    /// Its path, without the query.
    pub path: String,
    /// The status answered; 0 when there was no whole answer.
    pub status: u16,
    /// `answered`, `given_up`, or the fault's name.
    pub outcome: &'static str,
}

/// A bounded list of [`LogEntry`].
#[derive(Debug)]
pub struct Log {
    capacity: usize,
    entries: Mutex<VecDeque<LogEntry>>,
}

impl Log {
    /// A log of at most `capacity` entries; 0 keeps none.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, entries: Mutex::default() }
    }

    /// Whether it keeps anything, so that nobody builds entries in vain.
    pub fn is_on(&self) -> bool {
        self.capacity > 0
    }

    /// Adds an entry; the oldest gives way.
    pub fn push(&self, entry: LogEntry) {
        if self.capacity == 0 {
            return;
        }
        let mut entries = self.entries();
        if entries.len() == self.capacity {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    /// Takes the newest entry back (its answer did not leave whole after all).
    pub fn take_back(&self) {
        self.entries().pop_back();
    }

    /// Copies all entries, oldest first.
    pub fn copy_to(&self, list: &mut Vec<LogEntry>) {
        list.extend(self.entries().iter().cloned());
    }

    fn entries(&self) -> MutexGuard<'_, VecDeque<LogEntry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at_us: u64) -> LogEntry {
        let (method, path) = ("GET".to_owned(), "/".to_owned());
        LogEntry { at_us, held_us: 5, method, path, status: 200, outcome: "answered" }
    }

    #[test]
    fn the_oldest_give_way_and_the_newest_can_be_taken_back() {
        let log = Log::new(2);
        for at_us in 0..4 {
            log.push(entry(at_us));
        }
        log.take_back();
        log.push(entry(9));
        let mut list = Vec::new();
        log.copy_to(&mut list);
        assert_eq!(list, [entry(2), entry(9)]);
    }

    #[test]
    fn a_log_of_nothing_keeps_nothing() {
        let log = Log::new(0);
        log.push(entry(1));
        let mut list = Vec::new();
        log.copy_to(&mut list);
        assert!(!log.is_on() && list.is_empty());
    }
}
