//! Which scenario starts when — after a time, after another one has ended — and what else all shards share of it.
//!
//! One [`Node`] per scenario, without a lock, made by the coordinator: at the start for those of the Plan, later for those
//! that an edit adds. The shard that is the last to end its part of a scenario says when; those that wait for it begin a
//! little later, so that all shards begin together. It knows no users.

use crate::plan::{Plan, Scenario};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How far ahead a start is announced: shards look at it once per beat.
const AHEAD: Duration = Duration::from_millis(30);
/// Not known yet.
const UNKNOWN: u64 = u64::MAX;

/// What all shards know of one scenario.
#[derive(Debug)]
pub(super) struct Node {
    /// The run time before which it does not begin.
    earliest: Duration,
    /// How long after the end of the other it begins.
    starts: Duration,
    /// The scenario whose end it waits for.
    after: OnceLock<Arc<Node>>,
    /// Shards that have not ended their part.
    left: AtomicUsize,
    /// Run time at which the last of them did, in nanoseconds.
    ended: AtomicU64,
    /// Iterations that were taken of a number that all users share, and that number.
    taken: AtomicU64,
    shared: AtomicU64,
    /// Set when a queue that feeds it is empty: no iteration begins any more.
    pub(super) spent: Arc<AtomicBool>,
}

/// The nodes of a Plan's scenarios, in its order, for so many shards.
pub(super) fn nodes(plan: &Plan, shards: usize) -> Vec<Arc<Node>> {
    let mut nodes = Vec::new();
    extend(&mut nodes, plan, shards, None);
    nodes
}

/// Nodes for those scenarios of the Plan that have none yet; they begin now, at run time `now`, or as they say from then on.
pub(super) fn extend(nodes: &mut Vec<Arc<Node>>, plan: &Plan, shards: usize, now: Option<Duration>) {
    let known = nodes.len();
    let from = now.map_or(Duration::ZERO, |now| now + AHEAD);
    nodes.extend(plan.scenarios.iter().skip(known).map(|scenario| Arc::new(Node::new(scenario, shards, from))));
    for (at, scenario) in plan.scenarios.iter().enumerate().skip(known) {
        let other = scenario.after.as_ref().and_then(|name| plan.scenarios.iter().position(|one| one.name == *name));
        if let Some(other) = other {
            let _ = nodes[at].after.set(Arc::clone(&nodes[other])); // a new one has none
        }
    }
}

impl Node {
    fn new(scenario: &Scenario, shards: usize, from: Duration) -> Self {
        Node {
            earliest: if scenario.after.is_some() { from } else { from + scenario.starts },
            starts: scenario.starts,
            after: OnceLock::new(),
            left: AtomicUsize::new(shards),
            ended: AtomicU64::new(UNKNOWN),
            taken: AtomicU64::new(0),
            shared: AtomicU64::new(scenario.work.iterations().unwrap_or(u64::MAX)),
            spent: Arc::default(),
        }
    }

    /// Run time at which it begins; `None` while it waits for another.
    pub(super) fn begins(&self) -> Option<Duration> {
        match self.after.get() {
            None => Some(self.earliest),
            Some(other) => other.ended().map(|ended| self.earliest.max(ended + AHEAD + self.starts)),
        }
    }

    /// Run time at which all of it had ended.
    fn ended(&self) -> Option<Duration> {
        let ended = self.ended.load(Ordering::Acquire);
        (ended != UNKNOWN).then(|| Duration::from_nanos(ended))
    }

    /// One shard has ended its part at run time `at`; each shard says so once.
    pub(super) fn end(&self, at: Duration) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.ended.store(nanos(at), Ordering::Release);
        }
    }

    /// Takes one of the iterations that all users share; whether there was one.
    pub(super) fn take(&self) -> bool {
        self.taken.fetch_add(1, Ordering::Relaxed) < self.shared.load(Ordering::Relaxed)
    }

    /// Whether there is one, without taking it.
    pub(super) fn has_more(&self) -> bool {
        self.taken.load(Ordering::Relaxed) < self.shared.load(Ordering::Relaxed)
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(UNKNOWN - 1).min(UNKNOWN - 1)
}
