//! `.then(shape)`: one shape after another; `.ramp_to(v, d)` and `.jump_to(v)` are this with a ramp or a constant behind.
//!
//! ```text
//!       ╱╲             target(t) = first(t)         t < s
//!     ╱    ╲                     = second(t − s)    s ≤ t
//!   ╱        ╲
//!   0   s              s: where the first ends (`then`) or stands still (`ramp_to`, `jump_to`)
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::ShapeEntry;
use super::constant::Constant;
use super::hold::{last, refuse_unknown};
use super::ramp::Ramp;
use crate::load::{Arguments, Kind, Parameter, Shape, ShapeError, Steered, Steering};
use crate::units::duration;

pub(super) const ENTRY: ShapeEntry = ShapeEntry {
    name: "then",
    signature: ".then(shape)",
    parameters: &[Parameter { name: "first", kind: Kind::Shape }, Parameter { name: "shape", kind: Kind::Shape }],
    method: true,
    summary: "Goes on with another shape, whose time starts at 0.",
    build: then,
};

pub(super) const RAMP_TO: ShapeEntry = ShapeEntry {
    name: "ramp_to",
    signature: ".ramp_to(v, d)",
    parameters: &[
        Parameter { name: "shape", kind: Kind::Shape },
        Parameter { name: "v", kind: Kind::Value },
        Parameter { name: "d", kind: Kind::Duration },
    ],
    method: true,
    summary: "A straight line from the last value to v over d.",
    build: ramp_to,
};

pub(super) const JUMP_TO: ShapeEntry = ShapeEntry {
    name: "jump_to",
    signature: ".jump_to(v)",
    parameters: &[Parameter { name: "shape", kind: Kind::Shape }, Parameter { name: "v", kind: Kind::Value }],
    method: true,
    summary: "Goes to v at once and stays there; end it with `.hold(d)`.",
    build: jump_to,
};

fn then(arguments: Arguments<'_>) -> Result<Arc<dyn Shape>, ShapeError> {
    let (first, second) = (arguments.shape(0)?, arguments.shape(1)?);
    let at = first.duration().ok_or_else(|| ShapeError::NeverEnds { shape: first.to_string() })?;
    join(first, at, second, Written::Then)
}

fn ramp_to(arguments: Arguments<'_>) -> Result<Arc<dyn Shape>, ShapeError> {
    let (first, to, over) = (arguments.shape(0)?, arguments.value(1)?, arguments.time(2)?);
    let at = first.settles().ok_or_else(|| ShapeError::NeverEnds { shape: first.to_string() })?;
    refuse_unknown(&*first, at)?;
    let from = last(&*first, at);
    join(first, at, Arc::new(Ramp { from, to, over }), Written::RampTo { to, over })
}

fn jump_to(arguments: Arguments<'_>) -> Result<Arc<dyn Shape>, ShapeError> {
    let (first, value) = (arguments.shape(0)?, arguments.value(1)?);
    let at = first.settles().ok_or_else(|| ShapeError::NeverEnds { shape: first.to_string() })?;
    join(first, at, Arc::new(Constant { value }), Written::JumpTo(value))
}

fn join(
    first: Arc<dyn Shape>,
    at: Duration,
    second: Arc<dyn Shape>,
    written: Written,
) -> Result<Arc<dyn Shape>, ShapeError> {
    if first.steered().is_some_and(|steered| matches!(steered.how, Steering::Capacity(_))) {
        return Err(ShapeError::Steered {
            shape: first.to_string(),
            why: "nothing can follow it: it ends with its answer",
        });
    }
    if first.steered().is_some() && second.steered().is_some() {
        return Err(ShapeError::Steered { shape: first.to_string(), why: "what follows cannot be steered as well" });
    }
    // Checked once here, so that `duration` and `settles` below may add.
    if let Some(behind) = second.settles().max(second.duration())
        && at.checked_add(behind).is_none()
    {
        return Err(ShapeError::TooLong { first: at, second: behind });
    }
    let area = first.integral(at);
    Ok(Arc::new(Then { first, at, area, second, written }))
}

#[derive(Debug)]
struct Then {
    first: Arc<dyn Shape>,
    /// When the second begins.
    at: Duration,
    /// The area of all of the first: a chain is not walked to its beginning for every arrival.
    area: f64,
    second: Arc<dyn Shape>,
    written: Written,
}

/// How the script said it, for printing.
#[derive(Debug)]
enum Written {
    Then,
    RampTo { to: f64, over: Duration },
    JumpTo(f64),
}

impl Shape for Then {
    fn target(&self, elapsed: Duration) -> Option<f64> {
        match elapsed.checked_sub(self.at) {
            Some(behind) => self.second.target(behind),
            None => self.first.target(elapsed),
        }
    }

    fn before(&self, elapsed: Duration) -> f64 {
        match elapsed.checked_sub(self.at) {
            Some(behind) if !behind.is_zero() || self.at.is_zero() => self.second.before(behind),
            _ => self.first.before(elapsed),
        }
    }

    fn duration(&self) -> Option<Duration> {
        self.second.duration().map(|behind| self.at + behind)
    }

    fn settles(&self) -> Option<Duration> {
        self.second.settles().map(|behind| self.at + behind)
    }

    fn peak(&self, until: Duration) -> f64 {
        match until.checked_sub(self.at) {
            // A first part of no length is never seen.
            Some(behind) if self.at.is_zero() => self.second.peak(behind),
            Some(behind) => self.first.peak(self.at).max(self.second.peak(behind)),
            None => self.first.peak(until),
        }
    }

    fn integral(&self, until: Duration) -> f64 {
        match until.checked_sub(self.at) {
            Some(behind) => self.area + self.second.integral(behind),
            None => self.first.integral(until),
        }
    }

    fn steered(&self) -> Option<Steered> {
        let first = self.first.steered().and_then(|first| first.cut(self.at));
        first.or_else(|| Some(self.second.steered()?.behind(self.at)))
    }

    fn randomized(&self) -> bool {
        self.first.randomized() || self.second.randomized()
    }
}

impl fmt::Display for Then {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.first)?;
        match &self.written {
            Written::Then => write!(out, ".then({})", self.second),
            Written::RampTo { to, over } => {
                write!(out, ".ramp_to({to}, {})", duration::print(*over))
            }
            Written::JumpTo(value) => write!(out, ".jump_to({value})"),
        }
    }
}
