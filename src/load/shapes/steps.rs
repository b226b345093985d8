//! `steps(from, to, count, every)`: a staircase of `count` steps, which has `count + 1` levels.
//!
//! ```text
//! to            ┌───                            k
//!           ┌───┘        target(t) = from + ─────── · (to − from),   k = ⌊t / every⌋
//! from  ────┘                              count
//!       0   every        0 ≤ t < (count + 1) · every
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::ShapeEntry;
use crate::load::{Arguments, Kind, Parameter, Shape, ShapeError};
use crate::units::duration;

pub(super) const ENTRY: ShapeEntry = ShapeEntry {
    name: "steps",
    signature: "steps(from, to, count, every)",
    parameters: &[
        Parameter { name: "from", kind: Kind::Value },
        Parameter { name: "to", kind: Kind::Value },
        Parameter { name: "count", kind: Kind::Value },
        Parameter { name: "every", kind: Kind::Duration },
    ],
    method: false,
    summary: "A staircase: count + 1 levels from one value to another, each for `every`.",
    build,
};

fn build(arguments: Arguments<'_>) -> Result<Arc<dyn Shape>, ShapeError> {
    let (from, to, count, every) = (arguments.value(0)?, arguments.value(1)?, arguments.count(2)?, arguments.time(3)?);
    let levels = u64::from(count) + 1;
    let end = u32::try_from(levels).ok().and_then(|levels| every.checked_mul(levels));
    let end = end.ok_or(ShapeError::TooOften { times: levels, each: every })?;
    Ok(Arc::new(Steps { from, to, count, every, end }))
}

#[derive(Debug)]
struct Steps {
    from: f64,
    to: f64,
    /// At least 1.
    count: u32,
    /// Never zero.
    every: Duration,
    /// The end of the last level.
    end: Duration,
}

impl Steps {
    /// The number of the level at `elapsed`, the last one from its start on for ever.
    fn number(&self, elapsed: Duration) -> u32 {
        u32::try_from(elapsed.as_nanos() / self.every.as_nanos()).map_or(self.count, |number| number.min(self.count))
    }

    fn level(&self, number: u32) -> f64 {
        let share = f64::from(number) / f64::from(self.count);
        // Weighted for the same reason as a ramp; at both ends it is exact.
        self.from * (1.0 - share) + self.to * share
    }
}

impl Shape for Steps {
    fn target(&self, elapsed: Duration) -> Option<f64> {
        (elapsed < self.end).then(|| self.level(self.number(elapsed)))
    }

    fn before(&self, elapsed: Duration) -> f64 {
        self.level(self.number(elapsed.saturating_sub(Duration::from_nanos(1))))
    }

    fn duration(&self) -> Option<Duration> {
        Some(self.end)
    }

    fn peak(&self, until: Duration) -> f64 {
        self.from.max(self.level(self.number(until)))
    }

    fn integral(&self, until: Duration) -> f64 {
        let until = until.min(self.end);
        let number = self.number(until);
        // The levels below `number` are complete: `number` times the mean of an arithmetic series.
        let complete = f64::from(number);
        let weight = complete * (complete - 1.0) / (2.0 * f64::from(self.count));
        let area = self.from * (complete - weight) + self.to * weight;
        let within = until.saturating_sub(self.every * number);
        area * self.every.as_secs_f64() + self.level(number) * within.as_secs_f64()
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "steps({}, {}, {}, {})", self.from, self.to, self.count, duration::print(self.every))
    }
}
