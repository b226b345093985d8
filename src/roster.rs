//! The roster: every user of a run that is there now, what it does, what it has done.
//!
//! The shards write it by plain stores into memory that they share with whoever looks; nobody waits for anybody and no shard is
//! asked. Each Snapshot carries it, as it carries the history: it is of the moment in which it is read, not of the tick. It knows
//! users by numbers; names of scenarios are the Snapshot's.

mod chunks;
mod page;
mod register;
mod texts;

pub use page::{Doing, Page};
pub use register::{Place, Register};

use std::collections::BinaryHeap;
use std::sync::Arc;

/// All users that are there, by shard.
#[derive(Debug, Default)]
pub struct Roster {
    pages: Box<[Arc<Page>]>,
}

/// One user, as it was when somebody looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// Unique in the run.
    pub id: u64,
    /// Of which scenario, in the order of the Plan.
    pub scenario: usize,
    /// What it does.
    pub doing: Doing,
    /// Requests of it that ended, whatever became of them.
    pub operations: u64,
    /// Iterations that it has begun.
    pub begun: u64,
    /// The operation that it has under way, or had last.
    pub operation: Option<String>,
    /// What went wrong for it last; see [`Register::error`].
    pub last_error: Option<String>,
}

/// What came of a look at the roster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Users that are there.
    pub total: u64,
    /// Those of them that are idle.
    pub idle: u64,
    /// Those that were looked for.
    pub matching: u64,
    /// A part of those, by their ids.
    pub workers: Vec<Worker>,
}

impl Roster {
    /// For so many shards, without users.
    pub fn new(shards: usize) -> Self {
        Roster { pages: (0..shards).map(|shard| Arc::new(Page::new(shard))).collect() }
    }

    /// That which a shard writes.
    pub fn page(&self, shard: usize) -> Arc<Page> {
        Arc::clone(&self.pages[shard])
    }

    /// Counts all users and shows those that do what is wanted, from the `offset`th on, `limit` at most, in the order of their ids.
    pub fn list(&self, wanted: impl Fn(Doing) -> bool, offset: usize, limit: usize) -> Listing {
        let mut listing = Listing::default();
        // The least ids so far, as many as may be shown: a page of twenty users touches no memory for all the others.
        let most = offset.saturating_add(limit);
        let mut found = BinaryHeap::new();
        for (shard, page) in self.pages.iter().enumerate() {
            page.scan(|at, id, does| {
                listing.total += 1;
                listing.idle += u64::from(does == Doing::Idle);
                if !wanted(does) {
                    return;
                }
                listing.matching += 1;
                let one = (id, shard as u32, at as u32);
                if found.len() < most {
                    found.push(one);
                } else if let Some(mut greatest) = found.peek_mut()
                    && one < *greatest
                {
                    *greatest = one;
                }
            });
        }
        let shown = found.into_sorted_vec().into_iter().skip(offset);
        // Whoever has gone meanwhile is not shown.
        let worker = |(id, shard, at): (u64, u32, u32)| self.pages[shard as usize].worker(at as usize, id);
        listing.workers = shown.filter_map(worker).collect();
        listing
    }
}

#[cfg(test)]
mod tests;
