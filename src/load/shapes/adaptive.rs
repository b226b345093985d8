//! `adaptive(|t, live| …)`: a closure of the script says the value once a second, looking at what is measured.
//!
//! ```text
//!   ┌─┐ ┌──┐         target(t) = closure(t, live)    while the test runs
//! ──┘ └─┘  └─→                 = 0                   as far as the plan knows
//! ```
//!
//! The plan knows no value of it and no end: `.during(d)` or `duration` ends it. Who asks the closure is the engine.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::ShapeEntry;
use crate::load::{Arguments, Kind, Parameter, Shape, ShapeError, Steered, Steering};

pub(super) const ENTRY: ShapeEntry = ShapeEntry {
    name: "adaptive",
    signature: "adaptive(|t, live| …)",
    parameters: &[Parameter { name: "|t, live| …", kind: Kind::Closure }],
    method: false,
    summary: "The closure says the value once a second, from the time and live figures; end it with `.during(d)` or `duration`.",
    build,
};

fn build(_: Arguments<'_>) -> Result<Arc<dyn Shape>, ShapeError> {
    Ok(Arc::new(Adaptive))
}

#[derive(Debug)]
struct Adaptive;

impl Shape for Adaptive {
    fn target(&self, _: Duration) -> Option<f64> {
        Some(0.0)
    }

    fn before(&self, _: Duration) -> f64 {
        0.0
    }

    fn duration(&self) -> Option<Duration> {
        None
    }

    fn peak(&self, _: Duration) -> f64 {
        0.0
    }

    fn integral(&self, _: Duration) -> f64 {
        0.0
    }

    fn steered(&self) -> Option<Steered> {
        Some(Steered { from: Duration::ZERO, until: None, how: Steering::Closure })
    }
}

impl fmt::Display for Adaptive {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("adaptive(|t, live| …)")
    }
}
