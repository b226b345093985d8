//! When the arrivals of the open model are due: a rate shape as exact moments.
//!
//! Used by the open model's driver. It knows neither clocks nor users: it says when, somebody else wakes up and starts.
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
//!
//! A randomized rate ([`Shape::randomized`]) makes a Poisson process of the same mean: slot `n` is due when the area grows
//! beyond the sum of `n + 1` exponential gaps, which every stripe draws from the same seed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::gaps::Gaps;
use super::leg::{Leg, nanos};
use super::{Shape, Stripe};

/// How far the computed area may be off, in relation to it: some roundings of an `f64`, which add up over a composition.
/// Without it, a pause behind exactly ten arrivals could begin with an eleventh.
const ROUNDING: f64 = 1e-14;

/// The arrivals of one stripe, each as its distance from the run's start; ends with the shape.
///
/// In order, each at most a nanosecond early. By every moment `t` the arrivals of all stripes together are the area under the
/// rate up to `t` within 1 (of a randomized rate: the mean of their number is the area, and so is its variance). Of an
/// endless shape it gives arrivals for 584 years.
#[derive(Debug, Clone)]
pub struct Pacer {
    /// Which rate holds when, in order; never empty. Those before the next arrival are forgotten.
    legs: VecDeque<Leg>,
    stripe: Stripe,
    /// How many arrivals of this stripe were given.
    given: u64,
    /// The moment of the last one: the next is not earlier.
    last: u64,
    /// A moment and the area of the first leg there, the last that was found.
    known: (u64, f64),
    /// The next arrival, once somebody has asked for it.
    ahead: Option<Option<u64>>,
    /// The gaps of a randomized rate.
    random: Option<Random>,
}

/// Where two readers of the same gaps stand.
#[derive(Debug, Clone)]
struct Random {
    seed: u64,
    /// At the next arrival.
    next: Gaps,
    /// At the last moment that `due_by` was asked for.
    counted: Gaps,
}

impl Pacer {
    /// The part `stripe` of the arrivals at `rate` per second, whose time begins with the run's.
    pub fn new(rate: Arc<dyn Shape>, stripe: Stripe) -> Self {
        let random = rate.randomized().then(|| Random::new(0));
        let leg = Leg::first(rate);
        Self { known: (0, leg.area(0)), legs: VecDeque::from([leg]), stripe, given: 0, last: 0, ahead: None, random }
    }

    /// The gaps of a randomized rate follow from `seed`: give all stripes of a scenario the same. Before the first arrival.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.random = self.random.map(|_| Random::new(seed));
        self.ahead = None;
        self
    }

    /// The number of the next arrival, counted over all stripes from 0.
    pub fn slot(&self) -> u64 {
        self.stripe.number(self.given)
    }

    /// How many arrivals of this stripe were given.
    pub fn given(&self) -> u64 {
        self.given
    }

    /// When the next arrival is due, without taking it: what it says may change with [`Pacer::retarget`].
    pub fn peek(&mut self) -> Option<Duration> {
        if self.ahead.is_none() {
            self.ahead = Some(self.find());
        }
        self.ahead.flatten().map(Duration::from_nanos)
    }

    /// From `at` on the arrivals follow `rate`, whose own time began, or begins, at `origin`; both count from the run's
    /// start. The area stays continuous and the numbers go on, so that stripes which are all told the same agree, whenever
    /// each is told. What a stripe gave beyond `at` before it was told stays given, and its next arrival is not earlier
    /// than that: so wait by [`Pacer::peek`], and take what is due. An `at` before that of the last call counts as that one.
    ///
    /// Whether arrivals are randomized was settled by the first rate.
    pub fn retarget(&mut self, at: Duration, rate: Arc<dyn Shape>, origin: Duration) {
        let leg = self.leg().followed_by(nanos(at), rate, nanos(origin));
        self.legs.push_back(leg);
        self.ahead = None;
    }

    /// How many arrivals of this stripe are due by `t` (at `t` too), given or not; of one that was told late, maybe fewer
    /// than given. For moments from the last arrival on; an earlier one may be answered with what is due there.
    pub fn due_by(&mut self, t: Duration) -> u64 {
        let t = nanos(t);
        let index = self.legs.partition_point(|leg| leg.from <= t).saturating_sub(1);
        let leg = &self.legs[index];
        // Due by t is what the area has grown beyond a nanosecond later.
        let until = self.legs.get(index + 1).map_or(u64::MAX, |next| next.from);
        let area = leg.area(t.saturating_add(1).min(until).max(leg.from));
        let total = match &mut self.random {
            None => whole_slots(area, leg),
            Some(random) => random.count(area, leg),
        };
        self.stripe.share(total)
    }

    /// How many arrivals this stripe has in all; `None` of an endless rate.
    pub fn total(&mut self) -> Option<u64> {
        let end = self.leg().end?;
        Some(self.due_by(Duration::from_nanos(end.max(self.leg().from))))
    }

    /// The leg that was announced last.
    fn leg(&self) -> &Leg {
        self.legs.back().expect("there is a leg from the beginning, and the last one is never dropped")
    }

    /// The moment of the next arrival; forgets the legs that end before it.
    fn find(&mut self) -> Option<u64> {
        let slot = self.slot();
        let wanted = match &mut self.random {
            None => slot as f64,
            Some(random) => random.next.sum(slot.saturating_add(1)),
        };
        loop {
            let leg = &self.legs[0];
            let start = self.last.max(leg.from);
            let known = (self.known.0 == start).then_some(self.known.1);
            let until = self.legs.get(1).map_or(u64::MAX, |next| next.from);
            if let Some((at, area)) = leg.crossing(start, until, known, limit(wanted, leg)) {
                self.known = (at, area);
                return Some(at);
            }
            if self.legs.len() == 1 {
                return None;
            }
            self.legs.pop_front();
            self.known = (self.legs[0].from, self.legs[0].area(self.legs[0].from));
        }
    }
}

impl Iterator for Pacer {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let due = self.peek()?;
        self.last = nanos(due);
        self.given += 1;
        self.ahead = None;
        Some(due)
    }
}

impl Random {
    fn new(seed: u64) -> Self {
        Self { seed, next: Gaps::new(seed), counted: Gaps::new(seed) }
    }

    /// How many sums of gaps the area has grown beyond.
    fn count(&mut self, area: f64, leg: &Leg) -> u64 {
        // Only forwards, except where an earlier moment is asked for.
        if self.counted.total() > 0.0 && area <= limit(self.counted.total(), leg) {
            self.counted = if area > limit(self.next.total(), leg) { self.next.clone() } else { Gaps::new(self.seed) };
        }
        loop {
            let mut further = self.counted.clone();
            if area <= limit(further.sum(self.counted.drawn() + 1), leg) {
                return self.counted.drawn();
            }
            self.counted = further;
        }
    }
}

/// The area up to which what is due at `wanted` is not yet due.
fn limit(wanted: f64, leg: &Leg) -> f64 {
    wanted + (wanted + leg.base.abs() + 1.0) * ROUNDING
}

/// How many slots, which are due at 0, 1, 2, …, the area has grown beyond.
fn whole_slots(area: f64, leg: &Leg) -> u64 {
    let mut slots = area.ceil() as u64;
    // Above that, slots are no longer told apart.
    if area < 1e15 {
        while slots > 0 && area <= limit((slots - 1) as f64, leg) {
            slots -= 1;
        }
        while area > limit(slots as f64, leg) {
            slots += 1;
        }
    }
    slots
}

#[cfg(test)]
mod tests;
