//! When the arrivals of the open model are due: a rate shape as exact moments.
//!
//! Used by the open model's driver, which comes with it. It knows neither clocks nor users: it says when, somebody else
//! wakes up and starts.
//!
//! ```text
//! arrivals by t        ╱                t
//!   3 ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄╱       I(t)  =  ∫ rate
//!   2 ┄┄┄┄┄┄┄┄┄┄┄──╱                   0
//!   1 ┄┄┄┄┄┄┄─╱  ┊  ┊        slot n is due when I(t) grows beyond n:
//!   0 ────╱   ┊  ┊  ┊        the last t with I(t) ≤ n
//!         0   1  2  3
//! ```
//!
//! So the first arrival is at the first moment with a rate, 100/s for a second are 100 arrivals at 0, 10, … 990 ms, and
//! where the rate is 0 nothing is due. Each moment is computed from its slot's number, never from the one before it:
//! nothing adds up, the billionth slot is as exact as the first. Slots are dealt to shards like users are ([`Stripe`]):
//! slot `n` belongs to stripe `n mod of`, so that shards agree without talking.

use std::sync::Arc;
use std::time::Duration;

use super::{Shape, Stripe};

/// How far the computed area may be off, in relation to it: some roundings of an `f64`, which add up over a composition.
/// Without it, a pause behind exactly ten arrivals could begin with an eleventh.
const ROUNDING: f64 = 1e-14;

/// The arrivals of one stripe, each as its distance from the scenario's start; ends with the shape.
///
/// In order, each at most a nanosecond early. By every moment `t` the arrivals of all stripes together are the area under the
/// rate up to `t` within 1. Of an endless shape it gives arrivals for 584 years.
#[derive(Debug, Clone)]
pub struct Pacer {
    rate: Arc<dyn Shape>,
    stripe: Stripe,
    /// How many arrivals of this stripe were given.
    given: u64,
    /// The moment of the last one: the next is not earlier.
    last: u64,
    /// Where the shape ends, in nanoseconds.
    end: u64,
}

impl Pacer {
    /// The part `stripe` of the arrivals at `rate` per second.
    pub fn new(rate: Arc<dyn Shape>, stripe: Stripe) -> Self {
        let end = rate.duration().map_or(u64::MAX, |end| u64::try_from(end.as_nanos()).unwrap_or(u64::MAX));
        Self { rate, stripe, given: 0, last: 0, end }
    }

    /// The number of the next arrival, counted over all stripes from 0.
    pub fn slot(&self) -> u64 {
        self.stripe.number(self.given)
    }

    fn area(&self, nanos: u64) -> f64 {
        self.rate.integral(Duration::from_nanos(nanos))
    }

    /// The last nanosecond from `self.last` on at which the area is at most `limit`; `None` if it is never more.
    fn due(&self, limit: f64) -> Option<u64> {
        let (mut low, mut high) = (self.last, self.last);
        let mut below = self.area(low);
        let mut above = below;
        // Forward to the other side, first by what the rate there promises, then in growing strides.
        let rate = self.rate.target(Duration::from_nanos(low))?;
        let promised = ((limit - below) / rate * 1e9 * 1.001).clamp(1.0, 1e18); // a NaN becomes 0 below
        let mut stride = (promised as u64).max(1);
        while above <= limit {
            if high >= self.end {
                return None;
            }
            (low, below) = (high, above);
            high = high.saturating_add(stride).min(self.end);
            above = self.area(high);
            stride = stride.saturating_mul(4);
        }
        // Now area(low) ≤ limit < area(high). Where the area is nearly straight, a straight line finds the place at once;
        // where it is not, every second step halves.
        let mut straight = true;
        while high - low > 1 {
            let middle = if straight {
                low.saturating_add(((limit - below) / (above - below) * (high - low) as f64) as u64)
            } else {
                low + (high - low) / 2
            };
            let middle = middle.clamp(low + 1, high - 1);
            let area = self.area(middle);
            if area <= limit { (low, below) = (middle, area) } else { (high, above) = (middle, area) }
            straight = !straight;
        }
        Some(low)
    }
}

impl Iterator for Pacer {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let slot = self.slot() as f64;
        self.last = self.due(slot + (slot + 1.0) * ROUNDING)?;
        self.given += 1;
        Some(Duration::from_nanos(self.last))
    }
}
