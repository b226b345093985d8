//! The streams: what a run shows as it happens, over WebSocket.
//!
//! `router` puts every topic under its paths. A client is let in here, shares the messages of its channel with all others
//! that want the same, and can slow nobody: whoever falls behind is dropped. It knows Snapshots and nothing of the engine.
//!
//! | file | is |
//! |---|---|
//! | `topic`, `event`, `listing` | what there is to listen to, what happens, both for readers |
//! | `upgrade` | how a request becomes a stream |
//! | `channel` | one stream of messages, for all of its clients |
//! | `client` | one of them |
//! | `frame` | bytes on the wire |

mod channel;
mod client;
mod event;
mod frame;
mod listing;
mod topic;
mod upgrade;

#[cfg(test)]
mod tests;

pub(super) use event::COMPLETED;
pub(super) use listing::rows;
pub(super) use topic::{TOPICS, Topic};
pub(super) use upgrade::{BEARER, protocols, routes};

use super::Session;
use super::counts::{Counts, Place};
use super::query::Query;
use channel::{Channel, Joined};
use client::Pace;
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Clients at once.
const CLIENTS: usize = 2_048;

/// Which stream: run, path and parameters.
type Key = (String, &'static str, String);

/// All streams of this process.
#[derive(Debug)]
pub(super) struct Streams {
    counts: Arc<Counts>,
    most: usize,
    channels: Mutex<FxHashMap<Key, Arc<Channel>>>,
    closing: watch::Sender<bool>,
    pace: Pace,
}

impl Streams {
    /// Counted there, and without clients.
    pub(super) fn new(counts: Arc<Counts>) -> Self {
        Streams::with(counts, CLIENTS, Pace::default())
    }

    /// With other limits.
    fn with(counts: Arc<Counts>, most: usize, pace: Pace) -> Self {
        Streams { counts, most, channels: Mutex::default(), closing: watch::Sender::default(), pace }
    }

    fn channels(&self) -> MutexGuard<'_, FxHashMap<Key, Arc<Channel>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more client; `None` where there are too many, or at the end.
    fn enter(&self) -> Option<Place> {
        let most = if *self.closing.borrow() { 0 } else { self.most };
        self.counts.enter(most)
    }

    /// Joins a stream, which begins with its first client.
    fn join(self: &Arc<Self>, session: Arc<Session>, topic: &'static Topic, query: Query) -> Joined {
        let key = (session.id().to_owned(), topic.path, topic.key(&query, &session));
        let mut channels = self.channels();
        if let Some(joined) = channels.get(&key).and_then(Channel::join) {
            return joined;
        }
        let channel = Arc::new(Channel::new(session, topic, query, Arc::clone(&self.counts)));
        let joined = channel.join().expect("it has just begun");
        channels.insert(key.clone(), Arc::clone(&channel));
        let (streams, closing) = (Arc::clone(self), self.closing.subscribe());
        tokio::spawn(async move {
            let leave = |even_with_clients| streams.leave(&key, &channel, even_with_clients);
            Arc::clone(&channel).run(closing, leave).await;
        });
        joined
    }

    /// Forgets a stream without clients, or any; whether it is forgotten.
    fn leave(&self, key: &Key, channel: &Arc<Channel>, even_with_clients: bool) -> bool {
        let mut channels = self.channels();
        let leaves = even_with_clients || channel.is_idle();
        if leaves && channels.get(key).is_some_and(|known| Arc::ptr_eq(known, channel)) {
            channels.remove(key);
        }
        leaves
    }

    /// Ends all streams with what is to be said last, and resolves when every client has heard it or is gone.
    pub(super) async fn end(&self) {
        self.closing.send_replace(true);
        self.counts.empty().await;
    }
}
