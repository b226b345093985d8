//! A broken line: what `stages` and `spike` are made of.
//!
//! ```text
//!         ╱──╲           target(t) = from + (t − start) / over · (to − from)   of the leg that t is in
//!   ────╱      ╲
//!   0   a b  c  d        a leg without time is a jump
//! ```
//!
//! It knows values and times, not what they are called in scripts: who makes one hands over the printed form.

use std::fmt;
use std::time::Duration;

use super::ramp::Ramp;
use crate::load::{Shape, ShapeError};

#[derive(Debug)]
pub(super) struct Path {
    /// In order, without gaps, none without time, at least one.
    legs: Vec<Leg>,
    end: Duration,
    written: String,
}

#[derive(Debug)]
struct Leg {
    start: Duration,
    line: Ramp,
    /// The area under all legs before this one.
    area: f64,
    /// The largest value of all legs before this one.
    peak: f64,
}

impl Path {
    /// From `value` on through `turns`, each a time and the value that is reached after it. At least one has time, and
    /// the last one does: a jump at the end would never be seen.
    pub fn new(mut value: f64, turns: &[(Duration, f64)], written: String) -> Result<Self, ShapeError> {
        let (mut legs, mut end, mut area, mut peak) = (Vec::with_capacity(turns.len()), Duration::ZERO, 0.0, 0.0_f64);
        for (over, to) in turns.iter().copied() {
            if !over.is_zero() {
                let line = Ramp { from: value, to, over };
                let (start, whole, highest) = (end, line.integral(over), line.peak(over));
                end = start.checked_add(over).ok_or(ShapeError::TooLong { first: start, second: over })?;
                legs.push(Leg { start, line, area, peak });
                (area, peak) = (area + whole, peak.max(highest));
            }
            value = to;
        }
        Ok(Self { legs, end, written })
    }

    /// The leg that `elapsed` is in and how far; behind the end the last one.
    fn at(&self, elapsed: Duration) -> (&Leg, Duration) {
        let leg = &self.legs[self.legs.partition_point(|leg| leg.start <= elapsed).saturating_sub(1)];
        (leg, elapsed.saturating_sub(leg.start))
    }
}

impl Shape for Path {
    fn target(&self, elapsed: Duration) -> Option<f64> {
        (elapsed < self.end).then(|| {
            let (leg, within) = self.at(elapsed);
            leg.line.before(within) // a line without jumps: before is at
        })
    }

    fn before(&self, elapsed: Duration) -> f64 {
        // A corner belongs to the leg that ends there.
        let leg = &self.legs[self.legs.partition_point(|leg| leg.start < elapsed).saturating_sub(1)];
        leg.line.before(elapsed.saturating_sub(leg.start))
    }

    fn duration(&self) -> Option<Duration> {
        Some(self.end)
    }

    fn peak(&self, until: Duration) -> f64 {
        let (leg, within) = self.at(until);
        leg.peak.max(leg.line.peak(within))
    }

    fn integral(&self, until: Duration) -> f64 {
        let (leg, within) = self.at(until);
        leg.area + leg.line.integral(within)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.written)
    }
}
