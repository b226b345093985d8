//! `.hold(d)`: what was, then its last value for `d`.
//!
//! ```text
//!       ╱─────────      target(t) = shape(t)       t < s
//!     ╱                           = shape(s−)      s ≤ t < s + d
//!   ╱
//!   0   s       s+d     s: where the shape ends or, when endless, stands still
//! ```
//!
//! `constant(5).hold(30.s)` therefore lasts 30 s: a constant stands still from 0 on.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::ShapeEntry;
use crate::load::{Arguments, Kind, Parameter, Shape, ShapeError, Steered};
use crate::units::duration;

pub(super) const ENTRY: ShapeEntry = ShapeEntry {
    name: "hold",
    signature: ".hold(d)",
    parameters: &[Parameter { name: "shape", kind: Kind::Shape }, Parameter { name: "d", kind: Kind::Duration }],
    method: true,
    summary: "Stays at the last value for d.",
    build,
};

fn build(arguments: Arguments<'_>) -> Result<Arc<dyn Shape>, ShapeError> {
    let (shape, time) = (arguments.shape(0)?, arguments.time(1)?);
    let from = shape.settles().ok_or_else(|| ShapeError::NeverEnds { shape: shape.to_string() })?;
    let end = from.checked_add(time).ok_or(ShapeError::TooLong { first: from, second: time })?;
    refuse_unknown(&*shape, from)?;
    let (value, area) = (last(&*shape, from), shape.integral(from));
    Ok(Arc::new(Hold { shape, from, area, time, end, value }))
}

/// The value that a shape has reached at `settled`, its end or the moment from which it stands still.
pub(super) fn last(shape: &dyn Shape, settled: Duration) -> f64 {
    shape.target(settled).unwrap_or_else(|| shape.before(settled))
}

/// Nothing can stay at, or leave from, a value that only the run knows.
pub(super) fn refuse_unknown(shape: &dyn Shape, settled: Duration) -> Result<(), ShapeError> {
    let unknown = shape.steered().is_some_and(|steered| steered.until.is_none_or(|until| until >= settled));
    if unknown {
        let why = "its last value is not known yet";
        return Err(ShapeError::Steered { shape: shape.to_string(), why });
    }
    Ok(())
}

#[derive(Debug)]
struct Hold {
    shape: Arc<dyn Shape>,
    /// Where the shape ends or stands still.
    from: Duration,
    /// The area up to there.
    area: f64,
    /// How long it is held.
    time: Duration,
    /// Both together.
    end: Duration,
    /// The value to stay at.
    value: f64,
}

impl Shape for Hold {
    fn target(&self, elapsed: Duration) -> Option<f64> {
        if elapsed < self.from { self.shape.target(elapsed) } else { (elapsed < self.end).then_some(self.value) }
    }

    fn before(&self, elapsed: Duration) -> f64 {
        if elapsed <= self.from && !self.from.is_zero() { self.shape.before(elapsed) } else { self.value }
    }

    fn duration(&self) -> Option<Duration> {
        Some(self.end)
    }

    fn peak(&self, until: Duration) -> f64 {
        self.shape.peak(until.min(self.from))
    }

    fn integral(&self, until: Duration) -> f64 {
        match until.min(self.end).checked_sub(self.from) {
            Some(held) => self.area + self.value * held.as_secs_f64(),
            None => self.shape.integral(until),
        }
    }

    fn steered(&self) -> Option<Steered> {
        self.shape.steered()
    }

    fn randomized(&self) -> bool {
        self.shape.randomized()
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.hold({})", self.shape, duration::print(self.time))
    }
}
