//! What the monitor counts of itself: the clients of its streams, their messages, and whom its limits refused. For `GET /health`,
//! Prometheus and whoever measures.

use crate::snapshot::Served;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long ago something may have been refused or dropped to be worth a warning.
const RECENTLY: Duration = Duration::from_secs(60);

/// What all sessions of the process have in common.
#[derive(Debug, Default)]
pub(super) struct Counts {
    now: watch::Sender<usize>,
    opened: AtomicU64,
    refused: AtomicU64,
    made: AtomicU64,
    sent: AtomicU64,
    /// Clients that were too slow or silent.
    pub(super) dropped: Tally,
    /// Requests that were answered 429.
    pub(super) requests_refused: Tally,
    /// Connections that were answered 503.
    pub(super) connections_refused: Tally,
}

/// How often something happened that should not, and when it last did.
#[derive(Debug, Default)]
pub(super) struct Tally {
    count: AtomicU64,
    last: Mutex<Option<Instant>>,
}

impl Tally {
    /// Once more.
    pub(super) fn add(&self, now: Instant) {
        self.count.fetch_add(1, Ordering::Relaxed);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// How often so far, if it happened within the last minute.
    pub(super) fn recent(&self, now: Instant) -> Option<u64> {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let recently = last.is_some_and(|last| now.saturating_duration_since(last) < RECENTLY);
        recently.then(|| self.count.load(Ordering::Relaxed))
    }
}

/// The place of one client; it is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Counts>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.now.send_modify(|now| *now -= 1);
    }
}

impl Counts {
    /// A place among at most so many; `None` where all are taken.
    pub(super) fn enter(self: &Arc<Self>, most: usize) -> Option<Place> {
        let entered = self.now.send_if_modified(|now| {
            let room = *now < most;
            *now += usize::from(room);
            room
        });
        let counter = if entered { &self.opened } else { &self.refused };
        counter.fetch_add(1, Ordering::Relaxed);
        entered.then(|| Place(Arc::clone(self)))
    }

    /// A message was made.
    pub(super) fn made(&self) {
        self.made.fetch_add(1, Ordering::Relaxed);
    }

    /// A message went to one client.
    pub(super) fn sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// Resolves when there is no client.
    pub(super) async fn empty(&self) {
        // It cannot fail: the sender is ours.
        let _ = self.now.subscribe().wait_for(|now| *now == 0).await;
    }

    /// All of it.
    pub(super) fn served(&self) -> Served {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Served {
            clients: *self.now.borrow() as u64,
            opened: read(&self.opened),
            dropped: read(&self.dropped.count),
            refused: read(&self.refused),
            messages_made: read(&self.made),
            messages_sent: read(&self.sent),
            requests_refused: read(&self.requests_refused.count),
            connections_refused: read(&self.connections_refused.count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_free_again() {
        let counts = Arc::new(Counts::default());
        let (first, second) = (counts.enter(2), counts.enter(2));
        assert!(first.is_some() && second.is_some() && counts.enter(2).is_none());
        drop(first);
        assert!(counts.enter(2).is_some());
        let served = counts.served();
        assert_eq!(served, Served { clients: 1, opened: 3, refused: 1, ..Served::default() });
    }

    #[test]
    fn what_should_not_happen_is_news_for_a_minute() {
        let tally = Tally::default();
        let now = Instant::now();
        assert_eq!(tally.recent(now), None);
        tally.add(now);
        tally.add(now);
        assert_eq!(tally.recent(now + Duration::from_secs(59)), Some(2));
        assert_eq!(tally.recent(now + Duration::from_secs(60)), None);
    }
}
