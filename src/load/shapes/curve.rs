//! `curve(|t| …, over)`: any function of time, sampled when the plan is made; straight lines between the samples.
//!
//! ```text
//!      ╱╲    ╱         target(t) = vᵢ + (t − tᵢ) / h · (vᵢ₊₁ − vᵢ)     tᵢ = i · h ≤ t < tᵢ₊₁,   h = over / n
//!    ╱    ╲╱                                          t − tᵢ
//!  ╱                   The area up to t is Aᵢ + (vᵢ + ──────── · (vᵢ₊₁ − vᵢ)) · (t − tᵢ),  Aᵢ by trapezoids.
//!  0        over                                        2h
//! ```
//!
//! Who calls the closure asks [`moments`] when; here are only its answers. A function that jumps becomes a steep line.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::ShapeEntry;
use crate::load::{Arguments, Kind, Parameter, Shape, ShapeError};
use crate::units::duration;

/// A sample at least this often, as long as there are not too many.
const OFTEN: Duration = Duration::from_millis(100);
/// The least and the most stretches between samples.
const LEAST: u128 = 1_000;
const MOST: u128 = 10_000;

pub(super) const ENTRY: ShapeEntry = ShapeEntry {
    name: "curve",
    signature: "curve(|t| …, over)",
    parameters: &[Parameter { name: "|t| …", kind: Kind::Samples }, Parameter { name: "over", kind: Kind::Duration }],
    method: false,
    summary: "Any function of time: the closure gets a duration and returns a number; it is asked when the plan is made.",
    build,
};

/// When a closure over `over` is to be asked: from the start to the end, both exactly.
pub fn moments(over: Duration) -> impl Iterator<Item = Duration> {
    let stretches = over.as_nanos().div_ceil(OFTEN.as_nanos()).clamp(LEAST, MOST);
    (0..=stretches).map(move |number| {
        let nanos = over.as_nanos() * number / stretches; // at most 2⁹⁴ · 10⁴
        let seconds = u64::try_from(nanos / 1_000_000_000).expect("not beyond `over`, whose seconds are a u64");
        Duration::new(seconds, u32::try_from(nanos % 1_000_000_000).expect("below a second"))
    })
}

fn build(arguments: Arguments<'_>) -> Result<Arc<dyn Shape>, ShapeError> {
    let over = arguments.time(1)?;
    let values = arguments.samples(0, over)?;
    let every = over.as_secs_f64() / (values.len() - 1) as f64;
    let (mut area, mut peak) = (0.0, values[0]);
    let mut before = Vec::with_capacity(values.len());
    before.push((area, peak));
    for pair in values.windows(2) {
        area += (0.5 * pair[0] + 0.5 * pair[1]) * every;
        peak = f64::max(peak, pair[1]);
        before.push((area, peak));
    }
    Ok(Arc::new(Curve { over, values, before }))
}

#[derive(Debug)]
struct Curve {
    /// Never zero.
    over: Duration,
    /// At equal distances, the first at 0 and the last at the end.
    values: Vec<f64>,
    /// Up to each of them: the area and the largest value.
    before: Vec<(f64, f64)>,
}

impl Curve {
    /// The stretch that `elapsed` is in, and how much of it is over.
    fn place(&self, elapsed: Duration) -> (usize, f64) {
        let last = self.values.len() - 2;
        if elapsed >= self.over {
            return (last, 1.0);
        }
        let position = elapsed.as_secs_f64() / self.over.as_secs_f64() * (last + 1) as f64;
        let stretch = (position as usize).min(last);
        (stretch, (position - stretch as f64).min(1.0))
    }
}

impl Shape for Curve {
    fn target(&self, elapsed: Duration) -> Option<f64> {
        (elapsed < self.over).then(|| self.before(elapsed))
    }

    fn before(&self, elapsed: Duration) -> f64 {
        let (stretch, share) = self.place(elapsed);
        self.values[stretch] * (1.0 - share) + self.values[stretch + 1] * share
    }

    fn duration(&self) -> Option<Duration> {
        Some(self.over)
    }

    fn peak(&self, until: Duration) -> f64 {
        self.before[self.place(until).0].1.max(self.before(until))
    }

    fn integral(&self, until: Duration) -> f64 {
        let (stretch, share) = self.place(until);
        if share >= 1.0 {
            return self.before[stretch + 1].0; // at a corner, what was added up
        }
        let every = self.over.as_secs_f64() / (self.values.len() - 1) as f64;
        let half = 0.5 * share;
        let mean = self.values[stretch] * (1.0 - half) + self.values[stretch + 1] * half;
        self.before[stretch].0 + mean * share * every
    }
}

impl fmt::Display for Curve {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "curve(|t| …, {})", duration::print(self.over))
    }
}
