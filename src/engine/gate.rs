//! The gate that a pause closes: users wait before it instead of beginning an iteration.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// One for each shard; open at first.
#[derive(Debug, Default)]
pub(super) struct Gate {
    closed: Cell<bool>,
    before: RefCell<Vec<Waker>>,
}

impl Gate {
    /// Whether nobody may pass.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    pub(super) fn close(&self) {
        self.closed.set(true);
    }

    /// Opens it and wakes everybody who waits.
    pub(super) fn open(&self) {
        self.closed.set(false);
        self.before.take().into_iter().for_each(Waker::wake);
    }

    /// Waits until it is open.
    pub(super) async fn pass(&self) {
        poll_fn(|context| {
            if !self.closed.get() {
                return Poll::Ready(());
            }
            self.before.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
