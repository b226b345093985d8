//! Which scenario starts when: after a time, after another one has ended.
//!
//! Shared by all shards of a run, without a lock: the shard that is the last to end its part of a scenario says when those
//! that wait for it begin, a little ahead, so that all shards begin together. It knows no users.

use crate::plan::Plan;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// How far ahead a start is announced: shards look at it once per beat.
const AHEAD: Duration = Duration::from_millis(30);
/// Not known yet.
const UNKNOWN: u64 = u64::MAX;

/// Starts and ends of a run's scenarios.
#[derive(Debug)]
pub(super) struct Graph {
    scenarios: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    /// Run time at which it begins, in nanoseconds.
    begins: AtomicU64,
    /// Shards that have not ended their part.
    left: AtomicUsize,
    /// Who waits for its end, and for how long after it.
    followers: Vec<(usize, Duration)>,
}

impl Graph {
    /// For so many shards.
    pub(super) fn new(plan: &Plan, shards: usize) -> Self {
        let scenarios = plan.scenarios.iter().map(|scenario| {
            let begins = if scenario.after.is_some() { UNKNOWN } else { nanos(scenario.starts) };
            let follows = plan.scenarios.iter().enumerate();
            let follows = follows.filter(|(_, other)| other.after.as_ref() == Some(&scenario.name));
            Node {
                begins: AtomicU64::new(begins),
                left: AtomicUsize::new(shards),
                followers: follows.map(|(at, other)| (at, other.starts)).collect(),
            }
        });
        Graph { scenarios: scenarios.collect() }
    }

    /// Run time at which a scenario begins; `None` while it waits for another.
    pub(super) fn begins(&self, scenario: usize) -> Option<Duration> {
        let begins = self.scenarios[scenario].begins.load(Ordering::Acquire);
        (begins != UNKNOWN).then(|| Duration::from_nanos(begins))
    }

    /// One shard has ended its part of a scenario at run time `at`; each shard says so once.
    pub(super) fn ended(&self, scenario: usize, at: Duration) {
        let node = &self.scenarios[scenario];
        if node.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            for (follower, starts) in &node.followers {
                self.scenarios[*follower].begins.store(nanos(at + AHEAD + *starts), Ordering::Release);
            }
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(UNKNOWN - 1).min(UNKNOWN - 1)
}
