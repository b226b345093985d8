//! `.repeat(n)`: the same shape `n` times, each time from its own zero.
//!
//! ```text
//!   ╱│ ╱│ ╱│           target(t) = shape(t mod s),   0 ≤ t < n · s
//!  ╱ │╱ │╱ │
//!  0  s 2s 3s          s: how long the shape lasts
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::ShapeEntry;
use crate::load::{Arguments, Kind, Parameter, Shape, ShapeError};

pub(super) const ENTRY: ShapeEntry = ShapeEntry {
    name: "repeat",
    signature: ".repeat(n)",
    parameters: &[Parameter { name: "shape", kind: Kind::Shape }, Parameter { name: "n", kind: Kind::Value }],
    method: true,
    summary: "The whole of what was, n times.",
    build,
};

fn build(arguments: Arguments<'_>) -> Result<Arc<dyn Shape>, ShapeError> {
    let (shape, times) = (arguments.shape(0)?, arguments.count(1)?);
    if shape.steered().is_some() {
        return Err(ShapeError::Steered { shape: shape.to_string(), why: "it cannot be repeated" });
    }
    let each = shape.duration().ok_or_else(|| ShapeError::NeverEnds { shape: shape.to_string() })?;
    let end = each.checked_mul(times).ok_or(ShapeError::TooOften { times: times.into(), each })?;
    let area = shape.integral(each);
    Ok(Arc::new(Repeat { shape, each, area, times, end }))
}

#[derive(Debug)]
struct Repeat {
    shape: Arc<dyn Shape>,
    /// How long the shape lasts; never zero, as no shape is.
    each: Duration,
    /// The area of one time.
    area: f64,
    /// At least 1.
    times: u32,
    end: Duration,
}

impl Repeat {
    /// How many times are complete at `elapsed`, and how far the next one is.
    fn split(&self, elapsed: Duration) -> (u32, Duration) {
        let complete = elapsed.min(self.end).as_nanos() / self.each.as_nanos();
        let complete = u32::try_from(complete).map_or(self.times, |complete| complete.min(self.times));
        (complete, elapsed.min(self.end).saturating_sub(self.each * complete))
    }
}

impl Shape for Repeat {
    fn target(&self, elapsed: Duration) -> Option<f64> {
        if elapsed < self.end { self.shape.target(self.split(elapsed).1) } else { None }
    }

    fn before(&self, elapsed: Duration) -> f64 {
        match self.split(elapsed) {
            // The seam belongs to the one that ends there.
            (complete, within) if within.is_zero() && complete > 0 => self.shape.before(self.each),
            (_, within) => self.shape.before(within),
        }
    }

    fn duration(&self) -> Option<Duration> {
        Some(self.end)
    }

    fn peak(&self, until: Duration) -> f64 {
        self.shape.peak(until.min(self.each))
    }

    fn integral(&self, until: Duration) -> f64 {
        let (complete, within) = self.split(until);
        f64::from(complete) * self.area + self.shape.integral(within)
    }

    fn randomized(&self) -> bool {
        self.shape.randomized()
    }
}

impl fmt::Display for Repeat {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.repeat({})", self.shape, self.times)
    }
}
