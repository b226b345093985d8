//! `wave(mean, amplitude, period)`: a sine for ever, from the mean upwards.
//!
//! ```text
//! mean + a    ╭──╮                                              2π·t
//! mean      ╱      ╲        ╱     target(t) = mean + a · sin( ──────── ),   a ≤ mean
//! mean − a           ╰──╯                                      period
//!           0              period
//!                                               a · period            π·t
//! The area up to t is               mean · t + ──────────── · sin²( ──────── ).
//!                                                   π                period
//! ```

use std::f64::consts::PI;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::ShapeEntry;
use crate::load::{Arguments, Kind, Parameter, Shape, ShapeError};
use crate::units::duration;

pub(super) const ENTRY: ShapeEntry = ShapeEntry {
    name: "wave",
    signature: "wave(mean, amplitude, period)",
    parameters: &[
        Parameter { name: "mean", kind: Kind::Value },
        Parameter { name: "amplitude", kind: Kind::Value },
        Parameter { name: "period", kind: Kind::Duration },
    ],
    method: false,
    summary: "A sine around the mean for ever, upwards first; end it with `.during(d)` or `duration`.",
    build,
};

fn build(arguments: Arguments<'_>) -> Result<Arc<dyn Shape>, ShapeError> {
    let (mean, amplitude, period) = (arguments.value(0)?, arguments.value(1)?, arguments.time(2)?);
    if amplitude > mean {
        return Err(ShapeError::BelowZero { mean, amplitude });
    }
    if !(mean + amplitude).is_finite() {
        return Err(ShapeError::NotFinite { signature: ENTRY.signature, parameter: "amplitude" });
    }
    Ok(Arc::new(Wave { mean, amplitude, period }))
}

#[derive(Debug)]
struct Wave {
    mean: f64,
    /// At most the mean.
    amplitude: f64,
    /// Never zero.
    period: Duration,
}

impl Wave {
    /// Half the angle at `elapsed`, 0 to π. Whole periods are taken off as integers, so that the thousandth is as exact
    /// as the first.
    fn half_angle(&self, elapsed: Duration) -> f64 {
        let period = self.period.as_nanos();
        PI * ((elapsed.as_nanos() % period) as f64 / period as f64)
    }
}

impl Shape for Wave {
    fn target(&self, elapsed: Duration) -> Option<f64> {
        Some(self.before(elapsed))
    }

    fn before(&self, elapsed: Duration) -> f64 {
        (self.mean + self.amplitude * (2.0 * self.half_angle(elapsed)).sin()).max(0.0)
    }

    fn duration(&self) -> Option<Duration> {
        None
    }

    fn peak(&self, until: Duration) -> f64 {
        if until >= self.period / 4 { self.mean + self.amplitude } else { self.before(until) }
    }

    fn integral(&self, until: Duration) -> f64 {
        let above = self.amplitude * self.period.as_secs_f64() / PI;
        self.mean * until.as_secs_f64() + above * self.half_angle(until).sin().powi(2)
    }
}

impl fmt::Display for Wave {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "wave({}, {}, {})", self.mean, self.amplitude, duration::print(self.period))
    }
}
