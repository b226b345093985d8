//! `ramp(from, to, over)`: a straight line.
//!
//! ```text
//! to        ╱                              t
//!         ╱        target(t) = from + ──────── · (to − from),   0 ≤ t < over
//! from  ╱                                over
//!       0   over
//!                               t²
//! The area up to t is from · t + ──────── · (to − from).
//!                              2 · over
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::ShapeEntry;
use crate::load::{Arguments, Kind, Parameter, Shape, ShapeError};
use crate::units::duration;

pub(super) const ENTRY: ShapeEntry = ShapeEntry {
    name: "ramp",
    signature: "ramp(from, to, over)",
    parameters: &[
        Parameter { name: "from", kind: Kind::Value },
        Parameter { name: "to", kind: Kind::Value },
        Parameter { name: "over", kind: Kind::Duration },
    ],
    method: false,
    summary: "A straight line from one value to another.",
    build,
};

fn build(arguments: Arguments<'_>) -> Result<Arc<dyn Shape>, ShapeError> {
    Ok(Arc::new(Ramp { from: arguments.value(0)?, to: arguments.value(1)?, over: arguments.time(2)? }))
}

/// The shape; also what `ramp_to` goes on with.
#[derive(Debug)]
pub(super) struct Ramp {
    pub from: f64,
    pub to: f64,
    /// Never zero.
    pub over: Duration,
}

impl Shape for Ramp {
    fn target(&self, elapsed: Duration) -> Option<f64> {
        (elapsed < self.over).then(|| self.before(elapsed))
    }

    fn before(&self, elapsed: Duration) -> f64 {
        if elapsed >= self.over || self.from == self.to {
            return self.to; // exactly, whatever the division rounds to
        }
        let share = elapsed.as_secs_f64() / self.over.as_secs_f64();
        // Weighted, not `from + share * (to - from)`: the difference of two large values could overflow.
        self.from * (1.0 - share) + self.to * share
    }

    fn duration(&self) -> Option<Duration> {
        Some(self.over)
    }

    fn peak(&self, until: Duration) -> f64 {
        self.from.max(self.before(until))
    }

    fn integral(&self, until: Duration) -> f64 {
        let seconds = until.min(self.over).as_secs_f64();
        // The area is the mean of both ends times the time; weighted as in `before`.
        let half = 0.5 * seconds / self.over.as_secs_f64();
        (self.from * (1.0 - half) + self.to * half) * seconds
    }
}

impl fmt::Display for Ramp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ramp({}, {}, {})", self.from, self.to, duration::print(self.over))
    }
}
