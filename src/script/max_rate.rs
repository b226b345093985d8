//! `max_rate`: the most requests per second of a whole run, whatever its users want.
//!
//! One atomic number for all shards: when the next request may go. Each request takes its turn there and waits for it, so
//! the limit holds exactly over any second, without a lock and without a queue. It knows nothing of requests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The turns of a run.
#[derive(Debug)]
pub struct MaxRate {
    start: Instant,
    /// Nanoseconds between two turns.
    gap: u64,
    /// The next free turn, in nanoseconds since `start`.
    next: AtomicU64,
}

impl MaxRate {
    /// At most so many turns per second; more than 0.
    pub fn new(per_second: f64) -> Self {
        let gap = (1e9 / per_second).clamp(1.0, 1e18) as u64;
        MaxRate { start: Instant::now(), gap, next: AtomicU64::new(0) }
    }

    /// Takes the next turn at `now`, in nanoseconds since the start: when it is. Turns that nobody took are gone.
    fn take(&self, now: u64) -> u64 {
        let after = |next: u64| next.max(now).saturating_add(self.gap);
        let taken = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| Some(after(next)));
        taken.unwrap_or_default().max(now)
    }

    /// Waits for the caller's turn.
    pub async fn turn(&self) {
        let now = self.start.elapsed().as_nanos() as u64;
        let turn = self.take(now);
        if turn > now {
            tokio::time::sleep_until((self.start + Duration::from_nanos(turn)).into()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_keep_their_distance_and_are_not_saved_up() {
        let limit = MaxRate::new(100.0);
        let ms = |ms: u64| ms * 1_000_000;
        assert_eq!((limit.take(0), limit.take(0), limit.take(ms(1))), (0, ms(10), ms(20)));
        // A second without requests does not allow a hundred at once afterwards.
        assert_eq!((limit.take(ms(1_000)), limit.take(ms(1_000))), (ms(1_000), ms(1_010)));
    }

    #[test]
    fn all_threads_share_the_turns() {
        let limit = MaxRate::new(1_000.0);
        let mut turns: Vec<u64> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..4).map(|_| scope.spawn(|| (0..250).map(|_| limit.take(0)).collect::<Vec<_>>())).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        turns.sort_unstable();
        assert_eq!(turns, (0..1_000).map(|turn| turn * 1_000_000).collect::<Vec<_>>());
    }
}
