//! `stress_peak(peak, over)`: a smooth bell, from 0 over the peak in the middle back to 0.
//!
//! ```text
//! peak      ╭──╮                             π·t
//!          ╱    ╲       target(t) = peak · sin²( ────── ),   0 ≤ t < over
//! 0     ──╯      ╰──                             over
//!       0        over
//!                               peak           over       2π·t
//! The area up to t is          ────── · ( t − ────── sin( ────── ) ): half of peak · over in all.
//!                                2              2π         over
//! ```

use std::f64::consts::{PI, TAU};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::ShapeEntry;
use crate::load::{Arguments, Kind, Parameter, Shape, ShapeError};
use crate::units::duration;

pub(super) const ENTRY: ShapeEntry = ShapeEntry {
    name: "stress_peak",
    signature: "stress_peak(peak, over)",
    parameters: &[Parameter { name: "peak", kind: Kind::Value }, Parameter { name: "over", kind: Kind::Duration }],
    method: false,
    summary: "A smooth bell from 0 to the peak and back to 0.",
    build,
};

fn build(arguments: Arguments<'_>) -> Result<Arc<dyn Shape>, ShapeError> {
    Ok(Arc::new(StressPeak { peak: arguments.value(0)?, over: arguments.time(1)? }))
}

#[derive(Debug)]
struct StressPeak {
    peak: f64,
    /// Never zero.
    over: Duration,
}

impl StressPeak {
    /// How much of its time is over, 0 to 1.
    fn share(&self, elapsed: Duration) -> f64 {
        elapsed.min(self.over).as_secs_f64() / self.over.as_secs_f64()
    }
}

impl Shape for StressPeak {
    fn target(&self, elapsed: Duration) -> Option<f64> {
        (elapsed < self.over).then(|| self.before(elapsed))
    }

    fn before(&self, elapsed: Duration) -> f64 {
        self.peak * (PI * self.share(elapsed)).sin().powi(2)
    }

    fn duration(&self) -> Option<Duration> {
        Some(self.over)
    }

    fn peak(&self, until: Duration) -> f64 {
        if until >= self.over / 2 { self.peak } else { self.before(until) }
    }

    fn integral(&self, until: Duration) -> f64 {
        let share = self.share(until);
        // At the end exactly half; the sine of 2π is not exactly 0.
        let part = if share >= 1.0 { 1.0 } else { (share - (TAU * share).sin() / TAU).max(0.0) };
        self.peak * 0.5 * self.over.as_secs_f64() * part
    }
}

impl fmt::Display for StressPeak {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "stress_peak({}, {})", self.peak, duration::print(self.over))
    }
}
