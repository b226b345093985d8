//! What the users of all shards share while they run: where each feed stands, and the store.
//!
//! Made once per run by the coordinator, reached through each shard's [`Host`](super::host::Host). Nothing in it waits.

use crate::feed::Cursor;
use crate::plan::Plan;
use crate::store::Store;

/// One per run.
#[derive(Debug)]
pub struct Commons {
    cursors: Vec<Cursor>,
    /// What `store::` reaches.
    pub store: Store,
}

impl Commons {
    /// For a run on so many shards.
    pub fn new(plan: &Plan, shards: usize) -> Commons {
        Commons {
            cursors: plan.feeds.iter().map(|feed| feed.cursor(shards)).collect(),
            store: Store::new(plan.options.limits.store),
        }
    }

    /// Where a feed of the Plan stands.
    pub fn cursor(&self, feed: usize) -> &Cursor {
        &self.cursors[feed]
    }
}
