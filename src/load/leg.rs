//! A stretch of the run in which one rate holds: the area under it, and where that area crosses a limit.
//!
//! A [`Pacer`](super::Pacer) is made of these. It knows neither slots nor stripes.

use std::sync::Arc;
use std::time::Duration;

use super::Shape;

/// A rate from `from` on. Times are nanoseconds since the run's start.
#[derive(Debug, Clone)]
pub(super) struct Leg {
    pub from: u64,
    /// Where the rate ends; `None` for an endless one.
    pub end: Option<u64>,
    /// What was there before, less what the rate itself had before `from`.
    pub base: f64,
    rate: Arc<dyn Shape>,
    /// Where the rate's own time begins.
    origin: u64,
}

impl Leg {
    /// The one that a run begins with.
    pub fn first(rate: Arc<dyn Shape>) -> Self {
        Self { from: 0, end: rate.duration().map(nanos), base: 0.0, rate, origin: 0 }
    }

    /// What follows on this leg, so that the area goes on where it was.
    pub fn followed_by(&self, from: u64, rate: Arc<dyn Shape>, origin: u64) -> Self {
        let from = from.max(self.from);
        let end = rate.duration().map(|duration| origin.saturating_add(nanos(duration)));
        let mut leg = Self { from, end, base: 0.0, rate, origin };
        leg.base = self.area(from) - leg.area(from);
        leg
    }

    /// All arrivals by `t` that are due, with the part of the next one.
    pub fn area(&self, t: u64) -> f64 {
        self.base + self.rate.integral(Duration::from_nanos(t.saturating_sub(self.origin)))
    }

    /// Arrivals per second at `t`.
    fn speed(&self, t: u64) -> f64 {
        match t.checked_sub(self.origin) {
            Some(local) => self.rate.target(Duration::from_nanos(local)).unwrap_or(0.0),
            None => 0.0,
        }
    }

    /// The last moment from `start` on, before `until`, at which the area is at most `limit`, and the area there; `None`
    /// when it does not grow beyond by then. `known` is the area at `start`, for who has it.
    ///
    /// Newton's way: a constant rate is hit at once and a ramp after one correction; where the rate is no guide (pauses,
    /// jumps), halving is.
    pub fn crossing(&self, start: u64, until: u64, known: Option<f64>, limit: f64) -> Option<(u64, f64)> {
        let until = self.end.map_or(until, |end| end.min(until));
        if start >= until {
            return None;
        }
        let (mut low, mut below) = (start, known.unwrap_or_else(|| self.area(start)));
        if below > limit {
            return Some((low, below));
        }
        // The area at `high` is above the limit, as soon as somebody has looked.
        let (mut high, mut seen) = (until, false);
        let (mut at, mut area) = (low, below);
        let mut turn = 0;
        while !seen || high - low > 1 {
            turn += 1;
            let step = (limit - area) / self.speed(at) * 1e9;
            let guess = if seen && (turn % 4 == 0 || !step.is_finite()) {
                low + (high - low) / 2
            } else if !step.is_finite() {
                high
            } else if step < 0.0 {
                at.saturating_sub(-step as u64)
            } else {
                // Longer and longer, where rounding makes it look near.
                at.saturating_add((step as u64).max(1_u64 << (2_u32 * turn).saturating_sub(6).min(62)))
            };
            at = guess.clamp(low + 1, if seen { high - 1 } else { high });
            area = self.area(at);
            if area > limit {
                (high, seen) = (at, true);
            } else if at == high {
                return None; // it was `until`, and nobody had looked
            } else {
                (low, below) = (at, area);
            }
        }
        Some((low, below))
    }
}

/// Nanoseconds, up to 584 years.
pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
