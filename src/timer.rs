//! Waking on time: a `timerfd` on the thread's own reactor, because tokio's timer wheel is 1–1.5 ms late.
//!
//! Used by the engine's shards for arrivals and by the target service for latency and stalls. Accuracy on Linux is the
//! kernel's: tens of microseconds on an idle core, never early. Elsewhere it falls back to tokio's timer (1 ms).
//! It deliberately does not know what it wakes.

use std::io;
use std::time::Duration;

#[cfg(target_os = "linux")]
pub use linux::Timer;

#[cfg(target_os = "linux")]
mod linux {
    use super::{Duration, io};
    use std::os::fd::OwnedFd;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    };
    use tokio::io::unix::AsyncFd;

    /// One timer; see the module.
    #[derive(Debug)]
    pub struct Timer {
        timer: AsyncFd<OwnedFd>,
    }

    impl Timer {
        /// A timer that is not set; must be called inside a runtime.
        ///
        /// # Errors
        /// The system has no descriptor left.
        pub fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            #[expect(
                deprecated,
                reason = "its successor is unsafe; the reason is impostors of AsRawFd, which OwnedFd is not"
            )]
            let timer = AsyncFd::new(timer)?;
            Ok(Self { timer })
        }

        /// Rings after this time, and no more at the time set before.
        ///
        /// # Errors
        /// The system refuses.
        pub fn set(&self, after: Duration) -> io::Result<()> {
            // Zero would disarm it: one nanosecond is at once.
            let after = after.max(Duration::from_nanos(1));
            let value = Timespec { tv_sec: after.as_secs() as i64, tv_nsec: i64::from(after.subsec_nanos()) };
            let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
            timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::empty(), &once)?;
            Ok(())
        }

        /// Waits until it rings. Dropping the future loses no ring.
        ///
        /// # Errors
        /// The reactor is gone.
        pub async fn rings(&self) -> io::Result<()> {
            loop {
                let mut ready = self.timer.readable().await?;
                let mut count = [0u8; 8];
                match ready.try_io(|timer| Ok(rustix::io::read(timer.get_ref(), &mut count)?)) {
                    Ok(result) => return result.map(|_| ()),
                    Err(_would_block) => {}
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub use elsewhere::Timer;

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use super::{Duration, io};
    use std::sync::Mutex;
    use std::time::Instant;

    /// One timer; see the module.
    #[derive(Debug)]
    pub struct Timer {
        due: Mutex<Option<Instant>>,
        changed: tokio::sync::Notify,
    }

    impl Timer {
        /// A timer that is not set; must be called inside a runtime.
        ///
        /// # Errors
        /// The system has no descriptor left.
        pub fn new() -> io::Result<Self> {
            Ok(Self { due: Mutex::new(None), changed: tokio::sync::Notify::new() })
        }

        /// Rings after this time, and no more at the time set before.
        ///
        /// # Errors
        /// The system refuses.
        pub fn set(&self, after: Duration) -> io::Result<()> {
            *self.due.lock().expect("no code panics while holding it") = Some(Instant::now() + after);
            self.changed.notify_one();
            Ok(())
        }

        /// Waits until it rings. Dropping the future loses no ring.
        ///
        /// # Errors
        /// The reactor is gone.
        pub async fn rings(&self) -> io::Result<()> {
            loop {
                let due = *self.due.lock().expect("no code panics while holding it");
                match due {
                    None => self.changed.notified().await,
                    Some(due) => tokio::select! {
                        () = tokio::time::sleep_until(due.into()) => {
                            *self.due.lock().expect("no code panics while holding it") = None;
                            return Ok(());
                        }
                        () = self.changed.notified() => {}
                    },
                }
            }
        }
    }
}
