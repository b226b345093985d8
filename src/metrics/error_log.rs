//! Errors of a run, folded: one entry per (type, code, operation), with a count and a sample message.

use rustc_hash::FxHashMap;
use std::time::Duration;

/// What tells two kinds of error apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrorKey {
    /// The category: `dns`, `connect`, `tls`, `timeout`, `protocol`, `http`, `script`, …
    pub kind: String,
    /// k6's error code, or 0 where there is none.
    pub code: u16,
    /// The operation's name, or the scenario's for script errors.
    pub operation: String,
    /// For script errors the place, so that two lines never fold into one; else empty.
    pub place: String,
}

/// All errors of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorEntry {
    /// How many.
    pub count: u64,
    /// The first message seen.
    pub sample: String,
    /// When the first came, since the start of the run.
    pub first: Duration,
    /// When the last came.
    pub last: Duration,
}

/// A bounded collection of folded errors.
#[derive(Debug, Clone, Default)]
pub struct ErrorLog {
    entries: FxHashMap<ErrorKey, ErrorEntry>,
    unlisted: u64,
}

/// How many kinds are kept apart; further kinds are only counted.
const KINDS: usize = 500;
/// How much of a message is kept, in bytes.
const SAMPLE: usize = 600;

impl ErrorLog {
    /// Counts one error.
    pub fn add(&mut self, key: ErrorKey, sample: impl FnOnce() -> String, at: Duration) {
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.count += 1;
            entry.last = entry.last.max(at);
        } else if self.entries.len() < KINDS {
            let mut sample = sample();
            if sample.len() > SAMPLE {
                let end = (0..=SAMPLE).rev().find(|at| sample.is_char_boundary(*at)).unwrap_or(0);
                sample.truncate(end);
                sample.push('…');
            }
            self.entries.insert(key, ErrorEntry { count: 1, sample, first: at, last: at });
        } else {
            self.unlisted += 1;
        }
    }

    /// Adds everything another log has and empties it.
    pub fn absorb(&mut self, other: &mut ErrorLog) {
        self.unlisted += std::mem::take(&mut other.unlisted);
        for (key, theirs) in other.entries.drain() {
            if let Some(ours) = self.entries.get_mut(&key) {
                ours.count += theirs.count;
                ours.first = ours.first.min(theirs.first);
                ours.last = ours.last.max(theirs.last);
            } else if self.entries.len() < KINDS {
                self.entries.insert(key, theirs);
            } else {
                self.unlisted += theirs.count;
            }
        }
    }

    /// Entries, most frequent first; ties by key, so that two windows never differ.
    pub fn sorted(&self) -> Vec<(&ErrorKey, &ErrorEntry)> {
        let mut all: Vec<_> = self.entries.iter().collect();
        all.sort_by(|a, b| b.1.count.cmp(&a.1.count).then_with(|| a.0.cmp(b.0)));
        all
    }

    /// Whether nothing was logged.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.unlisted == 0
    }

    /// Errors that are counted here only, because there were too many kinds.
    pub fn unlisted(&self) -> u64 {
        self.unlisted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> ErrorKey {
        ErrorKey { kind: "http".into(), code: 1500, operation: format!("op{n}"), place: String::new() }
    }

    #[test]
    fn kinds_are_bounded_and_nothing_is_lost() {
        let mut log = ErrorLog::default();
        for n in 0..KINDS + 50 {
            log.add(key(n), || "m".into(), Duration::ZERO);
        }
        let listed: u64 = log.sorted().iter().map(|(_, entry)| entry.count).sum();
        assert_eq!((listed, log.unlisted()), (KINDS as u64, 50));
        let mut whole = ErrorLog::default();
        whole.absorb(&mut log);
        assert_eq!((whole.sorted().len(), whole.unlisted(), log.is_empty()), (KINDS, 50, true));
    }

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        let mut log = ErrorLog::default();
        log.add(key(0), || "ü".repeat(1000), Duration::ZERO);
        assert!(log.sorted()[0].1.sample.ends_with("ü…"));
    }
}
