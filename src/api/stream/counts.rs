//! How many clients the streams have, had and lost, and how often a message was made: for `GET /health` and whoever measures.

use schemars::JsonSchema;
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long ago a client may have been dropped to be worth a warning.
const RECENTLY: Duration = Duration::from_secs(60);

/// What all streams of the process count.
#[derive(Debug, Default)]
pub(in crate::api) struct Counts {
    now: watch::Sender<usize>,
    opened: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
    made: AtomicU64,
    sent: AtomicU64,
    last_drop: Mutex<Option<Instant>>,
}

/// The streams of this process, of all its runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(in crate::api) struct StreamsWire {
    /// Clients now.
    pub(in crate::api) clients: usize,
    /// Clients so far.
    pub(in crate::api) opened: u64,
    /// Clients that were dropped because they were too slow or silent.
    pub(in crate::api) dropped: u64,
    /// Clients that found no room.
    pub(in crate::api) refused: u64,
    /// Messages that were made: each is written as JSON once, however many clients it has.
    pub(in crate::api) messages_made: u64,
    /// Messages that were sent, each to one client.
    pub(in crate::api) messages_sent: u64,
}

/// The place of one client; it is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place(std::sync::Arc<Counts>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.now.send_modify(|now| *now -= 1);
    }
}

impl Counts {
    /// A place among at most so many; `None` where all are taken.
    pub(super) fn enter(self: &std::sync::Arc<Self>, most: usize) -> Option<Place> {
        let entered = self.now.send_if_modified(|now| {
            let room = *now < most;
            *now += usize::from(room);
            room
        });
        let counter = if entered { &self.opened } else { &self.refused };
        counter.fetch_add(1, Ordering::Relaxed);
        entered.then(|| Place(std::sync::Arc::clone(self)))
    }

    /// A message was made.
    pub(super) fn made(&self) {
        self.made.fetch_add(1, Ordering::Relaxed);
    }

    /// A message went to one client.
    pub(super) fn sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// A client was too slow.
    pub(super) fn dropped(&self, now: Instant) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        *self.last_drop.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// Resolves when there is no client.
    pub(super) async fn empty(&self) {
        // It cannot fail: the sender is ours.
        let _ = self.now.subscribe().wait_for(|now| *now == 0).await;
    }

    /// Whether a client was dropped within the last minute.
    pub(in crate::api) fn dropped_recently(&self, now: Instant) -> bool {
        let last = *self.last_drop.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| now.saturating_duration_since(last) < RECENTLY)
    }

    /// All of it.
    pub(in crate::api) fn wire(&self) -> StreamsWire {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StreamsWire {
            clients: *self.now.borrow(),
            opened: read(&self.opened),
            dropped: read(&self.dropped),
            refused: read(&self.refused),
            messages_made: read(&self.made),
            messages_sent: read(&self.sent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn places_are_bounded_and_free_again() {
        let counts = Arc::new(Counts::default());
        let (first, second) = (counts.enter(2), counts.enter(2));
        assert!(first.is_some() && second.is_some() && counts.enter(2).is_none());
        drop(first);
        assert!(counts.enter(2).is_some());
        let wire = counts.wire();
        assert_eq!((wire.clients, wire.opened, wire.refused), (1, 3, 1));
    }

    #[test]
    fn a_drop_is_news_for_a_minute() {
        let counts = Counts::default();
        let now = Instant::now();
        assert!(!counts.dropped_recently(now));
        counts.dropped(now);
        assert!(counts.dropped_recently(now + Duration::from_secs(59)));
        assert!(!counts.dropped_recently(now + Duration::from_secs(60)));
    }
}
