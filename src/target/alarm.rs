//! Waking requests on time, by the thread's own [`Timer`]: tokio's timer wheel is 1–1.5 ms late.
//!
//! Used by `service` (latency, stalls) and `body` (slow bodies), one alarm per serving thread. It deliberately does not know what it wakes.

use crate::timer::Timer;
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// One thread's sleepers, earliest first.
#[derive(Debug)]
pub struct Alarm {
    queue: Mutex<Queue>,
    timer: Timer,
}

#[derive(Debug, Default)]
struct Queue {
    sleepers: BTreeMap<(Instant, u64), Waker>,
    next_id: u64,
}

impl Alarm {
    /// A new alarm; must be called inside the thread's runtime, which must also drive [`Alarm::run`].
    pub fn new() -> io::Result<Self> {
        Ok(Self { queue: Mutex::default(), timer: Timer::new()? })
    }

    /// A future that is ready at `deadline`, never before.
    pub fn hold_until(self: &Arc<Self>, deadline: Instant) -> Hold {
        Hold { alarm: Arc::clone(self), deadline, id: None }
    }

    /// Wakes whoever is due, for ever.
    pub async fn run(self: Arc<Self>) -> io::Result<()> {
        loop {
            self.timer.rings().await?;
            let now = Instant::now();
            let mut queue = self.queue();
            while let Some(entry) = queue.sleepers.first_entry() {
                if entry.key().0 > now {
                    break;
                }
                entry.remove().wake();
            }
            self.set_for_first(&queue)?;
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_for_first(&self, queue: &Queue) -> io::Result<()> {
        match queue.sleepers.first_key_value() {
            Some(((deadline, _), _)) => self.timer.set(deadline.saturating_duration_since(Instant::now())),
            None => Ok(()),
        }
    }
}

/// See [`Alarm::hold_until`]. Dropping it forgets it.
#[derive(Debug)]
pub struct Hold {
    alarm: Arc<Alarm>,
    deadline: Instant,
    id: Option<u64>,
}

impl Future for Hold {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if Instant::now() >= this.deadline {
            return Poll::Ready(());
        }
        let mut queue = this.alarm.queue();
        let id = *this.id.get_or_insert_with(|| {
            queue.next_id += 1;
            queue.next_id
        });
        let key = (this.deadline, id);
        queue.sleepers.insert(key, context.waker().clone());
        if queue.sleepers.first_key_value().is_some_and(|(first, _)| *first == key) {
            // A timer that cannot be set would hold the request for ever: better to answer early.
            if this.alarm.set_for_first(&queue).is_err() {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.alarm.queue().sleepers.remove(&(self.deadline, id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn sleepers_wake_in_order_never_early_and_forgotten_ones_leave_nothing() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let alarm = Arc::new(Alarm::new().unwrap());
            tokio::spawn(Arc::clone(&alarm).run());
            let start = Instant::now();
            let order = Arc::new(Mutex::new(Vec::new()));
            let mut tasks = Vec::new();
            for millis in [30u64, 10, 20, 0, 10] {
                let hold = alarm.hold_until(start + Duration::from_millis(millis));
                let order = Arc::clone(&order);
                tasks.push(tokio::spawn(async move {
                    hold.await;
                    assert!(start.elapsed() >= Duration::from_millis(millis), "woke early");
                    order.lock().unwrap().push(millis);
                }));
            }
            let forgotten = tokio::spawn(alarm.hold_until(start + Duration::from_secs(3600)));
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(*order.lock().unwrap(), [0, 10, 10, 20, 30]);
            assert_eq!(alarm.queue().sleepers.len(), 1);
            forgotten.abort();
            assert!(forgotten.await.unwrap_err().is_cancelled());
            assert!(alarm.queue().sleepers.is_empty());
        });
    }
}
