//! What waits for one receiver, in order, and what came of it so far.

use super::message::Message;
use crate::snapshot::Delivery;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// A bounded queue between the door, which fills it, and one task, which empties it.
pub(super) struct Queue {
    most: usize,
    state: Mutex<State>,
    filled: Notify,
    emptied: Notify,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Message>,
    /// One is with the task.
    on_its_way: bool,
    delivery: Delivery,
}

impl Queue {
    pub(super) fn new(most: usize) -> Self {
        Queue { most, state: Mutex::default(), filled: Notify::new(), emptied: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held; and numbers that may be one off are better than none.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message; where too many wait the oldest gives way.
    pub(super) fn push(&self, message: Message) {
        let mut state = self.state();
        if state.waiting.len() >= self.most {
            state.waiting.pop_front();
            state.delivery.dropped += 1;
        }
        state.waiting.push_back(message);
        self.filled.notify_one();
    }

    /// The next message, when there is one. The one before is done with.
    pub(super) async fn next(&self) -> Message {
        loop {
            {
                let mut state = self.state();
                let next = state.waiting.pop_front();
                state.on_its_way = next.is_some();
                match next {
                    Some(message) => return message,
                    None => self.emptied.notify_waiters(),
                }
            }
            self.filled.notified().await;
        }
    }

    /// Writes down what came of something.
    pub(super) fn told(&self, write: impl FnOnce(&mut Delivery)) {
        write(&mut self.state().delivery);
    }

    pub(super) fn is_idle(&self) -> bool {
        let state = self.state();
        state.waiting.is_empty() && !state.on_its_way
    }

    /// Waits until nothing waits and nothing is on its way.
    pub(super) async fn idle(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.is_idle() {
                return;
            }
            emptied.await;
        }
    }

    /// What came of everything; what is still here counts as undelivered.
    pub(super) fn closed(&self) -> Delivery {
        let state = self.state();
        let left = state.waiting.len() as u64 + u64::from(state.on_its_way);
        Delivery { undelivered: left, ..state.delivery.clone() }
    }
}
