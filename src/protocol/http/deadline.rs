//! Deadlines that cost nothing while they are met.
//!
//! A tokio timer per request would be entered into and taken out of the timer wheel each time (some 0.2 µs). Deadlines of
//! successive requests only move forward, so a timer is reused as it stands: when it fires for a deadline long met, it is set to the
//! current one. Used by [`super::Client`]; one [`Timers`] per shard.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::time::Sleep;

/// Timers to reuse. There are as many as requests were in flight at once.
#[derive(Debug, Default)]
pub struct Timers {
    free: RefCell<Vec<Pin<Box<Sleep>>>>,
}

/// The deadline has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed;

/// A timer on loan; goes back when dropped.
#[derive(Debug)]
pub struct Timer {
    home: Rc<Timers>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    /// Takes nothing from the shard until something has to be waited for.
    pub fn new(home: &Rc<Timers>) -> Timer {
        Timer { home: home.clone(), sleep: None }
    }

    /// Runs `work` until it is done or `at` has passed.
    ///
    /// # Errors
    /// [`Elapsed`]; the work is dropped then.
    pub async fn race<F: Future>(&mut self, at: Instant, work: F) -> Result<F::Output, Elapsed> {
        let mut work = pin!(work);
        poll_fn(|cx| {
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(Ok(done));
            }
            self.poll_at(at, cx).map(|()| Err(Elapsed))
        })
        .await
    }

    fn poll_at(&mut self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let wanted = tokio::time::Instant::from_std(at);
        let home = &self.home;
        let sleep = self.sleep.get_or_insert_with(|| {
            let kept = home.free.borrow_mut().pop();
            kept.unwrap_or_else(|| Box::pin(tokio::time::sleep_until(wanted)))
        });
        // A timer set too late must be moved; one set too early may fire for nothing, once.
        if sleep.deadline() > wanted {
            sleep.as_mut().reset(wanted);
        }
        loop {
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if sleep.deadline() >= wanted {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(wanted);
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(sleep) = self.sleep.take() {
            self.home.free.borrow_mut().push(sleep);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_reused_timer_serves_earlier_and_later_deadlines() {
        let timers = Rc::new(Timers::default());
        let start = Instant::now();
        for wait in [20, 5, 40] {
            let at = Instant::now() + Duration::from_millis(wait);
            let mut timer = Timer::new(&timers);
            let raced = timer.race(at, std::future::pending::<()>()).await;
            assert_eq!(raced, Err(Elapsed));
            assert!(Instant::now() >= at);
            drop(timer);
            assert_eq!(timers.free.borrow().len(), 1);
        }
        assert!(start.elapsed() >= Duration::from_millis(65));
        let mut timer = Timer::new(&timers);
        assert_eq!(timer.race(start, std::future::ready(7)).await, Ok(7));
    }
}
