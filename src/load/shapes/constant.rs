//! `constant(v)`: the same value for ever.
//!
//! ```text
//! v ─────────────────→        target(t) = v
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::ShapeEntry;
use crate::load::{Arguments, Kind, Parameter, Shape, ShapeError};

pub(super) const ENTRY: ShapeEntry = ShapeEntry {
    name: "constant",
    signature: "constant(v)",
    parameters: &[Parameter { name: "v", kind: Kind::Value }],
    method: false,
    summary: "The same value for ever; end it with `.hold(d)` or `duration`.",
    build,
};

fn build(arguments: Arguments<'_>) -> Result<Arc<dyn Shape>, ShapeError> {
    Ok(Arc::new(Constant { value: arguments.value(0)? }))
}

/// The shape; also what `jump_to` goes on with.
#[derive(Debug)]
pub(super) struct Constant {
    pub value: f64,
}

impl Shape for Constant {
    fn target(&self, _: Duration) -> Option<f64> {
        Some(self.value)
    }

    fn before(&self, _: Duration) -> f64 {
        self.value
    }

    fn duration(&self) -> Option<Duration> {
        None
    }

    fn settles(&self) -> Option<Duration> {
        Some(Duration::ZERO)
    }

    fn peak(&self, _: Duration) -> f64 {
        self.value
    }

    fn integral(&self, until: Duration) -> f64 {
        self.value * until.as_secs_f64()
    }
}

impl fmt::Display for Constant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "constant({})", self.value)
    }
}
