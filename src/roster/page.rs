//! One shard's part of the roster: a list of entries that only grows, read by others while that shard writes.
//!
//! An entry is used again when its user has gone, so whoever reads one looks twice at whose it is (a seqlock by the user's id).
//! Everything else is relaxed: each field is a figure of its own, and none guards other memory.

use super::Worker;
use super::chunks::place;
use super::texts::Texts;
use std::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};
use std::sync::{Arc, OnceLock};

/// Entries of the first chunk; each further one has twice as many as the one before.
const FIRST: usize = 64;
/// Enough for 4 thousand million users on one shard.
const CHUNKS: usize = 26;

/// What a user does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Doing {
    /// Nothing: it is between two iterations, free for an arrival, or held by a pause.
    Idle,
    /// It runs script.
    Running,
    /// It waits for an answer.
    Waiting,
    /// It sleeps within an iteration.
    Sleeping,
    /// It was told to end, and finishes what it does.
    Stopping,
}

impl Doing {
    /// All of them.
    pub const ALL: [Doing; 5] = [Doing::Idle, Doing::Running, Doing::Waiting, Doing::Sleeping, Doing::Stopping];

    /// As people say it.
    pub const fn word(self) -> &'static str {
        match self {
            Doing::Idle => "idle",
            Doing::Running => "running",
            Doing::Waiting => "waiting",
            Doing::Sleeping => "sleeping",
            Doing::Stopping => "stopping",
        }
    }
}

/// One user; 40 bytes.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// Whose it is; 0 of nobody.
    pub id: AtomicU64,
    pub operations: AtomicU64,
    pub begun: AtomicU64,
    /// Place in the names, plus one.
    pub operation: AtomicU32,
    /// Place in the errors, plus one.
    pub error: AtomicU32,
    pub scenario: AtomicU16,
    pub doing: AtomicU8,
    pub leaving: AtomicBool,
}

impl Entry {
    fn doing(&self) -> Doing {
        if self.leaving.load(Relaxed) {
            return Doing::Stopping;
        }
        Doing::ALL.get(usize::from(self.doing.load(Relaxed))).copied().unwrap_or(Doing::Idle)
    }

    /// Makes it that of another user.
    pub fn take(&self, id: u64, scenario: u16) {
        self.id.store(0, Relaxed);
        fence(Release);
        for zero in [&self.operations, &self.begun] {
            zero.store(0, Relaxed);
        }
        for none in [&self.operation, &self.error] {
            none.store(0, Relaxed);
        }
        self.scenario.store(scenario, Relaxed);
        self.doing.store(Doing::Idle as u8, Relaxed);
        self.leaving.store(false, Relaxed);
        self.id.store(id, Release);
    }

    /// Makes it nobody's.
    pub fn clear(&self) {
        self.id.store(0, Relaxed);
    }
}

/// The users of one shard.
#[derive(Debug)]
pub struct Page {
    pub(super) shard: usize,
    chunks: [OnceLock<Arc<[Entry]>>; CHUNKS],
    /// Entries that were ever used.
    used: AtomicUsize,
    pub(super) names: Texts,
    pub(super) errors: Texts,
}

impl Page {
    pub(super) fn new(shard: usize) -> Self {
        Page {
            shard,
            chunks: Default::default(),
            used: AtomicUsize::default(),
            names: Texts::default(),
            errors: Texts::default(),
        }
    }

    /// The chunk of an entry, made when there is none, and the place in it.
    pub(super) fn entry(&self, at: usize) -> (Arc<[Entry]>, usize) {
        let (chunk, within) = place(at, FIRST);
        let made = self.chunks[chunk].get_or_init(|| (0..FIRST << chunk).map(|_| Entry::default()).collect());
        self.used.store(self.used.load(Relaxed).max(at + 1), Release);
        (Arc::clone(made), within)
    }

    /// Shows every user that is there: its place, its id, what it does.
    pub(super) fn scan(&self, mut see: impl FnMut(usize, u64, Doing)) {
        let mut left = self.used.load(Acquire);
        let mut first = 0;
        for chunk in self.chunks.iter().map_while(OnceLock::get) {
            for (at, entry) in chunk.iter().take(left).enumerate() {
                let id = entry.id.load(Acquire);
                if id != 0 {
                    see(first + at, id, entry.doing());
                }
            }
            left = left.saturating_sub(chunk.len());
            first += chunk.len();
        }
    }

    /// The user at a place, if it is still this one.
    pub(super) fn worker(&self, at: usize, id: u64) -> Option<Worker> {
        let (chunk, within) = place(at, FIRST);
        let entry = self.chunks[chunk].get()?.get(within)?;
        if entry.id.load(Acquire) != id {
            return None;
        }
        let text = |texts: &Texts, at: &AtomicU32| {
            let at = at.load(Relaxed).checked_sub(1)?;
            Some(texts.get(at).unwrap_or(crate::metrics::OTHER).to_owned())
        };
        let worker = Worker {
            id,
            scenario: usize::from(entry.scenario.load(Relaxed)),
            doing: entry.doing(),
            operations: entry.operations.load(Relaxed),
            begun: entry.begun.load(Relaxed),
            operation: text(&self.names, &entry.operation),
            last_error: text(&self.errors, &entry.error),
        };
        fence(Acquire);
        (entry.id.load(Relaxed) == id).then_some(worker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_small() {
        assert_eq!(size_of::<Entry>(), 40);
    }
}
