//! Cancelling a fiber: a flag first, a wake-up second, nothing by force.
//!
//! `engine/` keeps a [`CancelHandle`] per user and cancels users that must leave; `fiber.rs` looks at the flag at
//! every wait, `script/` at every fairness yield. It knows nothing of stacks: whoever sees the flag winds down by
//! itself, so destructors run in their ordinary order.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::task::Waker;

/// Why a fiber was told to stop. What it means for the numbers is decided where the iteration is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CancelReason {
    /// The load no longer wants this user, and its graceful stop is over: the iteration counts as interrupted.
    Interrupted = 1,
    /// The run ends now (second Ctrl-C, `abort`, the control API).
    Stopped = 2,
    /// The iteration ran longer than its own limit.
    Expired = 3,
}

impl CancelReason {
    fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Interrupted),
            2 => Some(Self::Stopped),
            3 => Some(Self::Expired),
            _ => None,
        }
    }
}

impl fmt::Display for CancelReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupted => "interrupted",
            Self::Stopped => "stopped",
            Self::Expired => "out of time",
        })
    }
}

/// What a wait answers when the fiber was cancelled instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Cancelled {
    /// The reason given to [`CancelHandle::cancel`].
    pub reason: CancelReason,
}

/// Cancels one fiber, from anywhere on its thread. Clones share the flag; it outlives the fiber harmlessly.
#[derive(Clone, Default)]
pub struct CancelHandle(Rc<Flag>);

#[derive(Default)]
struct Flag {
    /// 0: not cancelled; else a `CancelReason`.
    code: Cell<u8>,
    /// The waker of the task that polls the fiber, while it waits.
    waker: Cell<Option<Waker>>,
}

impl CancelHandle {
    /// Sets the flag and wakes the fiber: its pending future is dropped and its wait answers [`Cancelled`].
    /// The first reason stays; a fiber that has ended takes no notice.
    pub fn cancel(&self, reason: CancelReason) {
        if self.0.code.get() == 0 {
            self.0.code.set(reason as u8);
        }
        if let Some(waker) = self.0.waker.take() {
            waker.wake();
        }
    }

    /// The reason, if the fiber was cancelled.
    #[must_use]
    pub fn reason(&self) -> Option<CancelReason> {
        CancelReason::from_code(self.0.code.get())
    }

    /// Clears the flag and returns what it said, so that a cancelled user can still run its `stop` function, which
    /// waits in its turn.
    pub fn take(&self) -> Option<CancelReason> {
        CancelReason::from_code(self.0.code.replace(0))
    }

    /// Remembers whom [`CancelHandle::cancel`] has to wake. Clones the waker only when the task changed.
    pub(super) fn register(&self, waker: &Waker) {
        let known = self.0.waker.take();
        self.0.waker.set(match known {
            Some(known) if known.will_wake(waker) => Some(known),
            _ => Some(waker.clone()),
        });
    }
}

impl fmt::Debug for CancelHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CancelHandle").field(&self.reason()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_stays_until_it_is_taken() {
        let handle = CancelHandle::default();
        assert_eq!(handle.reason(), None);
        handle.cancel(CancelReason::Interrupted);
        handle.clone().cancel(CancelReason::Stopped);
        assert_eq!(handle.reason(), Some(CancelReason::Interrupted));
        assert_eq!(handle.take(), Some(CancelReason::Interrupted));
        assert_eq!(handle.take(), None);
    }
}
