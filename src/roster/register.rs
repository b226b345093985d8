//! The writing half of the roster, on the shard's own thread: who comes, who goes, and what each user says of itself.

use super::page::{Doing, Entry, Page};
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// Most different errors that one shard spells; others are told by their kind.
const ERRORS: usize = 1_000;
/// Most characters of an error.
const LENGTH: usize = 200;

/// A shard's users, as it notes them.
#[derive(Debug)]
pub struct Register {
    page: Arc<Page>,
    /// Entries whose users have gone.
    free: RefCell<Vec<u32>>,
    used: Cell<u32>,
    errors: RefCell<FxHashMap<Box<str>, u32>>,
}

impl Register {
    /// That writes this page.
    pub fn new(page: Arc<Page>) -> Rc<Self> {
        Rc::new(Register { page, free: RefCell::default(), used: Cell::default(), errors: RefCell::default() })
    }

    /// Which shard's it is.
    pub fn shard(&self) -> usize {
        self.page.shard
    }

    /// A user comes: its id, unique in the run and not 0, and its scenario.
    pub fn enter(self: &Rc<Self>, id: u64, scenario: usize) -> Place {
        let at = self.free.borrow_mut().pop().unwrap_or_else(|| self.used.replace(self.used.get() + 1));
        let (chunk, within) = self.page.entry(at as usize);
        chunk[within].take(id, u16::try_from(scenario).unwrap_or(u16::MAX));
        Place { chunk, within: within as u32, at, register: Some(Rc::clone(self)) }
    }

    /// The number of a name, as the shard interned it, gets its text.
    pub fn name(&self, number: u32, text: &str) {
        self.page.names.set(number, text);
    }

    /// The number of an error. Its text is cut, and of very many different ones only the kind is kept.
    pub fn error(&self, text: &str, kind: &str) -> u32 {
        let mut errors = self.errors.borrow_mut();
        let cut = |text: &str| text.char_indices().nth(LENGTH).map_or(text.len(), |(at, _)| at);
        let text = &text[..cut(text)];
        if let Some(known) = errors.get(text) {
            return *known;
        }
        // Kinds are few by nature, and always find room.
        let text = if errors.len() < ERRORS { text } else { kind };
        let next = errors.len() as u32;
        *errors.entry(text.into()).or_insert_with(|| {
            self.page.errors.set(next, text);
            next
        })
    }
}

/// A user's place in the roster; dropped, it is gone from there.
#[derive(Debug)]
pub struct Place {
    chunk: Arc<[Entry]>,
    within: u32,
    /// Which entry it is, of those of its shard.
    at: u32,
    register: Option<Rc<Register>>,
}

impl Place {
    /// That of a user who is in no roster: of `setup` and `teardown`.
    pub fn apart() -> Self {
        Place { chunk: Arc::new([Entry::default()]), within: 0, at: 0, register: None }
    }

    #[inline]
    fn entry(&self) -> &Entry {
        &self.chunk[self.within as usize]
    }

    /// What it does from now on.
    #[inline]
    pub fn does(&self, doing: Doing) {
        self.entry().doing.store(doing as u8, Relaxed);
    }

    /// A request begins: the number of its operation.
    #[inline]
    pub fn asks(&self, operation: u32) {
        self.does(Doing::Waiting);
        self.entry().operation.store(operation.saturating_add(1), Relaxed);
    }

    /// A request ended: the number of its operation.
    #[inline]
    pub fn asked(&self, operation: u32) {
        self.entry().operation.store(operation.saturating_add(1), Relaxed);
        more(&self.entry().operations);
    }

    /// So many iterations were begun, the one that begins now included.
    #[inline]
    pub fn begins(&self, begun: u64) {
        self.does(Doing::Running);
        self.entry().begun.store(begun, Relaxed);
    }

    /// Something went wrong: the number of the error.
    pub fn failed(&self, error: u32) {
        self.entry().error.store(error.saturating_add(1), Relaxed);
    }

    /// It was told to end.
    pub fn leaves(&self) {
        self.entry().leaving.store(true, Relaxed);
    }
}

/// One more, by the only one who writes.
#[inline]
fn more(counter: &AtomicU64) {
    counter.store(counter.load(Relaxed) + 1, Relaxed);
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(register) = self.register.take() {
            self.entry().clear();
            register.free.borrow_mut().push(self.at);
        }
    }
}
