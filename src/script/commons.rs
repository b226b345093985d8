//! What the users of all shards share while they run: where each feed stands, the store, which scenarios have run out of
//! data.
//!
//! Made once per run by the coordinator, reached through each shard's [`Host`](super::host::Host). Nothing in it waits.

use crate::feed::Cursor;
use crate::plan::Plan;
use crate::store::Store;
use std::sync::atomic::{AtomicBool, Ordering};

/// One per run.
#[derive(Debug)]
pub struct Commons {
    cursors: Vec<Cursor>,
    over: Vec<AtomicBool>,
    /// What `store::` reaches.
    pub store: Store,
}

impl Commons {
    /// For a run on so many shards.
    pub fn new(plan: &Plan, shards: usize) -> Commons {
        Commons {
            cursors: plan.feeds.iter().map(|feed| feed.cursor(shards)).collect(),
            over: plan.scenarios.iter().map(|_| AtomicBool::new(false)).collect(),
            store: Store::new(plan.options.limits.store),
        }
    }

    /// Where a feed of the Plan stands.
    pub fn cursor(&self, feed: usize) -> &Cursor {
        &self.cursors[feed]
    }

    /// Ends a scenario, because a queue that feeds it is empty; whether this was news.
    pub fn end(&self, scenario: usize) -> bool {
        self.over.get(scenario).is_some_and(|over| !over.swap(true, Ordering::Relaxed))
    }

    /// Whether a scenario has been ended so: no iteration begins any more.
    pub fn is_over(&self, scenario: usize) -> bool {
        self.over.get(scenario).is_some_and(|over| over.load(Ordering::Relaxed))
    }
}
