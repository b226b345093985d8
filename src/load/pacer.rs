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
            if area <= limit {
                (low, below) = (middle, area)
            } else {
                (high, above) = (middle, area)
            }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::load::shapes::tests::any_shape_of;
    use crate::load::{Argument, build};

    fn constant(rate: f64) -> Arc<dyn Shape> {
        build("constant", &[Argument::Value(rate)]).expect("a good rate")
    }

    fn on(shape: Arc<dyn Shape>, name: &str, more: Argument) -> Arc<dyn Shape> {
        build(name, &[Argument::Shape(shape), more]).expect("a good shape")
    }

    fn held(rate: f64, seconds: u64) -> Arc<dyn Shape> {
        on(constant(rate), "hold", Argument::Duration(Duration::from_secs(seconds)))
    }

    fn all(rate: &Arc<dyn Shape>) -> Vec<Duration> {
        Pacer::new(rate.clone(), Stripe::whole()).collect()
    }

    #[test]
    fn a_second_of_a_hundred_is_a_hundred() {
        let due = all(&held(100.0, 1));
        let wanted: Vec<Duration> = (0..100).map(|slot| Duration::from_millis(10 * slot)).collect();
        assert_eq!(due, wanted);
    }

    #[test]
    fn a_pause_is_a_pause() {
        // 0.1 and 10 s have no exact product; behind them nothing may be due before the pause ends.
        let shape = on(held(0.1, 10), "then", Argument::Shape(held(0.0, 5)));
        let shape = on(shape, "then", Argument::Shape(held(1.0, 2)));
        assert_eq!(all(&shape), [0, 15, 16].map(Duration::from_secs));
        assert!(all(&held(0.0, 5)).is_empty());
        assert_eq!(Pacer::new(constant(0.0), Stripe::whole()).next(), None, "nothing, and found soon");
    }

    #[test]
    fn a_ramp_is_the_root() {
        let shape = build(
            "ramp",
            &[0.0, 100.0]
                .map(Argument::Value)
                .into_iter()
                .chain([Argument::Duration(Duration::from_secs(10))])
                .collect::<Vec<_>>(),
        );
        let due = all(&shape.expect("a good ramp"));
        assert_eq!(due.len(), 500);
        for (slot, due) in due.iter().enumerate() {
            let exact = (slot as f64 / 5.0).sqrt(); // 5 t² = slot
            assert!((due.as_secs_f64() - exact).abs() < 1e-6, "{slot}: {due:?}");
        }
    }

    #[test]
    fn the_billionth_slot_is_as_exact_as_the_first() {
        const SLOT: u32 = 1_000_000_000;
        for rate in [3.0, 7.0, 1_000.0, 20_000.0, 33_333.0] {
            // As one of so many stripes, its first slot is the billionth of all.
            let stripe = Stripe::new(SLOT, SLOT + 1).expect("below the whole");
            let mut pacer = Pacer::new(constant(rate), stripe);
            assert_eq!(pacer.slot(), u64::from(SLOT));
            let due = pacer.next().expect("it never ends").as_secs_f64();
            let exact = f64::from(SLOT) / rate;
            assert!((due - exact).abs() * rate < 1e-4, "{rate}/s: {due} instead of {exact}");
        }
    }

    proptest! {
        #[test]
        fn whole_rates_give_whole_counts(rate in 1u16..2_000, seconds in 1u64..10) {
            let due = all(&held(rate.into(), seconds));
            prop_assert_eq!(due.len() as u64, u64::from(rate) * seconds);
            for (slot, due) in due.iter().enumerate() {
                let exact = slot as f64 / f64::from(rate);
                prop_assert!((due.as_secs_f64() - exact).abs() < 3e-9);
            }
        }

        #[test]
        fn arrivals_by_any_moment_are_the_area_within_one(
            shape in any_shape_of(1), of in 1u32..=64, until in 1u64..20_000_000_000, moments in proptest::collection::vec(0.0f64..=1.0, 8),
        ) {
            let until = Duration::from_nanos(until);
            let (mut due, mut slots) = (Vec::new(), Vec::new());
            for stripe in Stripe::all(of) {
                let mut pacer = Pacer::new(shape.clone(), stripe);
                let mut last = Duration::ZERO;
                loop {
                    let slot = pacer.slot();
                    let Some(next) = pacer.next().filter(|next| *next <= until) else { break };
                    prop_assert!(next >= last, "backwards");
                    prop_assert!(shape.target(next).is_some(), "an arrival when it is over");
                    last = next;
                    due.push(next);
                    slots.push(slot);
                }
            }
            slots.sort_unstable();
            prop_assert!(slots.into_iter().eq(0..due.len() as u64), "the union of stripes is not the whole");
            for moment in moments.into_iter().map(|share| until.mul_f64(share)).chain([until]) {
                let count = due.iter().filter(|due| **due <= moment).count() as f64;
                let area = shape.integral(moment);
                // Beside the one: an arrival may be a nanosecond early, at most 1000/s here.
                prop_assert!((count - area).abs() <= 1.0 + 2e-6, "{}: {} by {:?}, not {}", shape, count, moment, area);
            }
        }
    }
}
