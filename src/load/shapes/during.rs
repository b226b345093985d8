//! `.during(d)`: a shape cut to `d`; also what `duration: d` on a scenario means.
//!
//! ```text
//! ─────────┆╌╌╌╌       target(t) = shape(t)   t < d
//! 0        d
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::ShapeEntry;
use crate::load::{Arguments, Kind, Parameter, Shape, ShapeError, Steered};
use crate::units::duration;

pub(super) const ENTRY: ShapeEntry = ShapeEntry {
    name: "during",
    signature: ".during(d)",
    parameters: &[Parameter { name: "shape", kind: Kind::Shape }, Parameter { name: "d", kind: Kind::Duration }],
    method: true,
    summary: "Ends the shape after d, an endless one too.",
    build,
};

fn build(arguments: Arguments<'_>) -> Result<Arc<dyn Shape>, ShapeError> {
    Ok(Arc::new(During { shape: arguments.shape(0)?, time: arguments.time(1)? }))
}

#[derive(Debug)]
struct During {
    shape: Arc<dyn Shape>,
    time: Duration,
}

impl Shape for During {
    fn target(&self, elapsed: Duration) -> Option<f64> {
        if elapsed < self.time { self.shape.target(elapsed) } else { None }
    }

    fn before(&self, elapsed: Duration) -> f64 {
        self.shape.before(elapsed.min(self.time))
    }

    fn duration(&self) -> Option<Duration> {
        // A shape that ends earlier is not drawn out.
        Some(self.shape.duration().map_or(self.time, |duration| duration.min(self.time)))
    }

    fn peak(&self, until: Duration) -> f64 {
        self.shape.peak(until.min(self.time))
    }

    fn integral(&self, until: Duration) -> f64 {
        self.shape.integral(until.min(self.time))
    }

    fn steered(&self) -> Option<Steered> {
        self.shape.steered()?.cut(self.time)
    }

    fn randomized(&self) -> bool {
        self.shape.randomized()
    }
}

impl fmt::Display for During {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.during({})", self.shape, duration::print(self.time))
    }
}
