//! What the monitor notes of a run beside its Snapshots: when by the wall each of its moments was.
//!
//! Written by the session that follows the run, read by whoever shows times. Run time stands still in pauses, so there is one
//! stretch of it for each pause, each with its own zero by the wall.

use crate::snapshot::{Snapshot, Status};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// How far the zero must have moved to begin another stretch: more than a Snapshot is late.
const MOVED: TimeDelta = TimeDelta::milliseconds(250);
/// Stretches that are kept. Whoever pauses more often is told the times of the last ones less exactly.
const STRETCHES: usize = 10_000;

/// The diary of one run.
#[derive(Debug, Default)]
pub(super) struct Diary {
    /// From which run time on, and when by the wall run time was zero as that stretch has it.
    stretches: Vec<(Duration, DateTime<Utc>)>,
    /// The run time of the last Snapshot.
    last: Duration,
    /// When it came.
    pub(super) seen: Option<DateTime<Utc>>,
}

impl Diary {
    /// Takes in a Snapshot that was published now.
    pub(super) fn follow(&mut self, snapshot: &Snapshot, now: DateTime<Utc>) {
        self.seen = Some(now);
        let goes_on = matches!(snapshot.status, Status::Running | Status::Stopping) && !snapshot.elapsed.is_zero();
        if goes_on {
            let zero = before(now, snapshot.elapsed);
            let moved = self.stretches.last().is_none_or(|(_, known)| (zero - known).abs() > MOVED);
            if moved && self.stretches.len() < STRETCHES {
                self.stretches.push((self.last, zero));
            }
        }
        self.last = snapshot.elapsed;
    }

    /// When by the wall a run time was; `None` before the scenarios have begun.
    pub(super) fn wall(&self, at: Duration) -> Option<DateTime<Utc>> {
        let stretch = self.stretches.partition_point(|(from, _)| *from <= at).max(1) - 1;
        let (_, zero) = self.stretches.get(stretch)?;
        Some(after(*zero, at))
    }
}

fn before(time: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| time.checked_sub_signed(by)).unwrap_or(time)
}

fn after(time: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| time.checked_add_signed(by)).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_moves_what_comes_after_it_and_nothing_before() {
        let noon: DateTime<Utc> = "2026-01-18T12:00:00Z".parse().unwrap();
        let mut diary = Diary::default();
        let mut see = |status, run: f64, wall: f64| {
            let snapshot = Snapshot { status, elapsed: Duration::from_secs_f64(run), ..Snapshot::default() };
            diary.follow(&snapshot, after(noon, Duration::from_secs_f64(wall)));
        };
        see(Status::Setup, 0.0, 1.0);
        see(Status::Running, 0.5, 2.5);
        see(Status::Running, 1.0, 3.01); // a little late
        see(Status::Paused, 1.2, 4.0);
        see(Status::Paused, 1.2, 60.0);
        see(Status::Running, 1.5, 60.3);
        see(Status::Stopping, 2.0, 60.8);
        let wall = |at: f64| (diary.wall(Duration::from_secs_f64(at)).unwrap() - noon).as_seconds_f64();
        assert_eq!([wall(0.0), wall(1.1), wall(1.2), wall(2.0)], [2.0, 3.1, 60.0, 60.8]);
        assert!(Diary::default().wall(Duration::ZERO).is_none());
    }
}
