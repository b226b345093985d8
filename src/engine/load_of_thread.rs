//! How busy a thread is: the share of time that it ran, or could have run if a processor had been free.

use std::time::{Duration, Instant};

/// Watches the thread that asks it.
#[derive(Debug, Default)]
pub(super) struct LoadOfThread {
    last: Option<(Instant, Duration)>,
}

impl LoadOfThread {
    /// The share since the last call, about 0..=1; `None` at the first call and where the system does not say.
    pub(super) fn since_last(&mut self) -> Option<f64> {
        let (now, wanted) = (Instant::now(), wanted()?);
        let (then, before) = self.last.replace((now, wanted))?;
        let wall = now.duration_since(then);
        (wall >= Duration::from_millis(100)).then(|| wanted.saturating_sub(before).as_secs_f64() / wall.as_secs_f64())
    }
}

/// Time on a processor plus time waiting for one: the first two fields of `/proc/thread-self/schedstat`, in nanoseconds
/// (Documentation/scheduler/sched-stats.rst of Linux).
fn wanted() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let mut fields = text.split_whitespace().map(|field| field.parse::<u64>().ok());
    Some(Duration::from_nanos(fields.next()?? + fields.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_spins_is_busy() {
        let mut load = LoadOfThread::default();
        let first = load.since_last();
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(150) {
            std::hint::spin_loop();
        }
        let share = load.since_last();
        assert!(first.is_none());
        assert!(share.is_none_or(|share| share > 0.8), "{share:?}");
    }
}
