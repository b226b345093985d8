//! A channel: one topic of one run with its parameters, for all clients that want the same.
//!
//! Its task looks at Snapshots as they come, makes each message once and hands it to everybody. It lives as long as somebody
//! listens or the run goes on: without clients nothing is computed. A client that joins gets the whole state as of the last
//! Snapshot that was looked at, under the number of the last message; what follows has the next one, so that nothing is lost
//! between the two.

use super::event::{COMPLETED, Watch, completed};
use super::frame;
use super::topic::Topic;
use crate::api::Session;
use crate::api::counts::Counts;
use crate::api::query::Query;
use crate::api::router::bytes;
use crate::api::wire::{StateWire, envelope};
use crate::snapshot::{Snapshot, Status};
use bytes::Bytes;
use chrono::Utc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};
use tungstenite::protocol::frame::coding::CloseCode;

/// Messages that may wait for a client; one that is further behind is dropped.
pub(super) const WAITING: usize = 32;
/// How many are made at once before clients have their turn.
const TURN: usize = 8;
/// How much earlier than its interval a message may go, so that it goes with the Snapshot that is new then.
const EARLY: Duration = Duration::from_millis(100);
/// How long after its interval it goes without a new Snapshot.
const LATE: Duration = Duration::from_millis(600);

/// How a stream ended: what its clients are told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ended {
    pub(super) code: CloseCode,
    pub(super) why: &'static str,
}

const RUN_OVER: Ended = Ended { code: CloseCode::Normal, why: "the run is over" };
const GOING_AWAY: Ended = Ended { code: CloseCode::Away, why: "the monitor ends" };

/// One stream of messages.
#[derive(Debug)]
pub(super) struct Channel {
    topic: &'static Topic,
    query: Query,
    session: Arc<Session>,
    counts: Arc<Counts>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    watch: Watch,
    /// Of the last message.
    sequence: u64,
    /// How far a stream has come that tells what is new.
    since: u64,
    /// The whole state under that number, once somebody wanted it.
    full: Option<Bytes>,
    /// `None` once the stream has ended.
    frames: Option<broadcast::Sender<Bytes>>,
    ended: Ended,
}

/// What a client gets: its first message, and where the others come from.
#[derive(Debug)]
pub(super) struct Joined {
    /// The whole state.
    pub(super) full: Bytes,
    pub(super) frames: broadcast::Receiver<Bytes>,
    channel: Arc<Channel>,
}

impl Joined {
    /// Why there are no more messages.
    pub(super) fn ended(&self) -> Ended {
        self.channel.state().ended
    }
}

impl Channel {
    /// Of the latest Snapshot on. Somebody has to [`Channel::run`] it.
    pub(super) fn new(session: Arc<Session>, topic: &'static Topic, query: Query, counts: Arc<Counts>) -> Self {
        let snapshot = session.snapshot();
        let since = topic.since.map_or(0, |since| since(&snapshot, &query, u64::MAX).1);
        let state = State {
            since,
            watch: Watch::new(&session, snapshot),
            sequence: 0,
            full: None,
            frames: Some(broadcast::channel(WAITING).0),
            ended: GOING_AWAY,
        };
        Channel { topic, query, session, counts, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more client; `None` once the stream has ended.
    pub(super) fn join(self: &Arc<Self>) -> Option<Joined> {
        let mut state = self.state();
        let frames = state.frames.as_ref()?.subscribe();
        let full = match &state.full {
            Some(full) => full.clone(),
            None => {
                let snapshot = Arc::clone(state.watch.last());
                let after =
                    if self.topic.with_state { bytes(&StateWire::new(&self.session, &snapshot)) } else { Bytes::new() };
                let data = (self.topic.whole)(&self.session, &snapshot, &self.query);
                let full = self.make(self.topic.message, state.sequence, Some(&after), &data);
                state.full.insert(full).clone()
            }
        };
        Some(Joined { full, frames, channel: Arc::clone(self) })
    }

    /// Whether anybody listens.
    pub(super) fn is_idle(&self) -> bool {
        self.state().frames.as_ref().is_none_or(|frames| frames.receiver_count() == 0)
    }

    /// Makes a message: the only place where one is.
    fn make(&self, kind: &str, sequence: u64, full: Option<&[u8]>, data: &[u8]) -> Bytes {
        self.counts.made();
        frame::text(&envelope(kind, sequence, Utc::now(), full, data))
    }

    /// Hands a message to all clients.
    fn publish(&self, kind: &str, data: &[u8]) {
        let mut state = self.state();
        state.sequence += 1;
        state.full = None;
        let message = self.make(kind, state.sequence, None, data);
        if let Some(frames) = &state.frames {
            // The last client may just have gone.
            let _ = frames.send(message);
        }
    }

    /// Tells what comes, until the run is over, the monitor ends, or nobody listens. `leave` takes the stream from where it is
    /// found: at the end whatever becomes of it, and else if it may, which it answers.
    pub(super) async fn run(self: Arc<Self>, mut closing: watch::Receiver<bool>, leave: impl Fn(bool) -> bool) {
        let mut snapshots = self.session.snapshots();
        let Some(frames) = self.state().frames.clone() else { return };
        let ending = Ending(Arc::clone(&self));
        let interval = Topic::interval(&self.query, &self.session);
        // Who joined was told of this one.
        let mut told = Arc::clone(self.state().watch.last());
        let mut updated = Instant::now();
        let (mut over, mut closed) = (false, false);
        loop {
            let snapshot = Arc::clone(&snapshots.borrow_and_update());
            over |= snapshot.status == Status::Completed;
            self.look(&snapshot).await;
            let now = Instant::now();
            if now + EARLY >= updated + interval || (over && !Arc::ptr_eq(&told, &snapshot)) {
                updated = now;
                if self.topic.since.is_none() {
                    self.publish(self.topic.message, &(self.topic.whole)(&self.session, &snapshot, &self.query));
                }
                told = snapshot;
            }
            if over || closed {
                break;
            }
            tokio::select! {
                changed = snapshots.changed() => over = changed.is_err(),
                _ = closing.wait_for(|closing| *closing) => closed = true,
                () = sleep_until(updated + interval + LATE) => {}
                () = frames.closed() => {
                    if leave(false) {
                        return;
                    }
                }
            }
        }
        // Whoever comes now begins a stream anew, and is told the same.
        leave(true);
        if over {
            self.publish(COMPLETED, &completed(&self.session, &self.session.snapshot()));
            self.state().ended = RUN_OVER;
        }
        drop(ending);
    }

    /// Tells what is new in a Snapshot.
    async fn look(&self, snapshot: &Arc<Snapshot>) {
        let news = {
            let mut state = self.state();
            if Arc::ptr_eq(state.watch.last(), snapshot) {
                return;
            }
            state.full = None;
            state.watch.news(&self.session, Arc::clone(snapshot), self.topic.events)
        };
        for (at, (event, data)) in news.iter().enumerate() {
            if at % TURN == TURN - 1 {
                yield_now().await;
            }
            self.publish(event.word(), data);
        }
        let Some(since) = self.topic.since else { return };
        for page in 1.. {
            let from = self.state().since;
            let (data, next) = since(snapshot, &self.query, from);
            self.state().since = next;
            let Some(data) = data else { break };
            self.publish(self.topic.message, &data);
            if page % TURN == 0 {
                yield_now().await;
            }
        }
    }
}

/// Ends a stream, whatever ends its task.
struct Ending(Arc<Channel>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.state().frames = None;
    }
}
