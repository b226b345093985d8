//! `.randomized()`: the same load, with arrivals at random around it: a Poisson process, as independent people make it.
//!
//! ```text
//! even       │  │  │  │  │  │  │      target(t) = shape(t), the mean
//! randomized │ ││     │ │ │   ││      gaps are exponential: P(gap > x) = e^(−x · target)
//! ```
//!
//! It only says so ([`Shape::randomized`]); who makes arrivals of it is the [`Pacer`](crate::load::Pacer).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::ShapeEntry;
use crate::load::{Arguments, Kind, Parameter, Shape, ShapeError, Steered};

pub(super) const ENTRY: ShapeEntry = ShapeEntry {
    name: "randomized",
    signature: ".randomized()",
    parameters: &[Parameter { name: "shape", kind: Kind::Shape }],
    method: true,
    summary: "Arrivals of `rate:` come at random around the whole shape instead of evenly, the same for the same seed.",
    build,
};

fn build(arguments: Arguments<'_>) -> Result<Arc<dyn Shape>, ShapeError> {
    Ok(Arc::new(Randomized { shape: arguments.shape(0)? }))
}

#[derive(Debug)]
struct Randomized {
    shape: Arc<dyn Shape>,
}

impl Shape for Randomized {
    fn target(&self, elapsed: Duration) -> Option<f64> {
        self.shape.target(elapsed)
    }

    fn before(&self, elapsed: Duration) -> f64 {
        self.shape.before(elapsed)
    }

    fn duration(&self) -> Option<Duration> {
        self.shape.duration()
    }

    fn settles(&self) -> Option<Duration> {
        self.shape.settles()
    }

    fn peak(&self, until: Duration) -> f64 {
        self.shape.peak(until)
    }

    fn integral(&self, until: Duration) -> f64 {
        self.shape.integral(until)
    }

    fn steered(&self) -> Option<Steered> {
        self.shape.steered()
    }

    fn randomized(&self) -> bool {
        true
    }
}

impl fmt::Display for Randomized {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.randomized()", self.shape)
    }
}
